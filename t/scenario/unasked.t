#!/usr/bin/env -S node --test-reporter=tap
// Money that no access came of goes back before the customer calls the bank: proposed to a
// person, or done, so many a day; told once, with the reason.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use({
  settings: { SubPayReconcileInterval: '1s', SubPayRateLimit: 'checkout 0', SubPayAutoRefundAfter: '48h do 2' },
});

/* An order whose payment differs by a cent: a person was to decide. */
async function stranded(email) {
  const bought = await t.buy('annual', email, { pay: false });
  const [{ id }] = await t.sql('select id from orders where reference = $1', [bought.reference]);
  const { payment_intent: intent } = await t.sandbox.control('POST', 'payments', {
    count: 1, amount: 24899, currency: 'usd', email, deliver: true,
    metadata: {
      subpay_order: id, subpay_reference: bought.reference, subpay_email: email, subpay_product: 'annual',
      subpay_amount: '24900 USD', subpay_period: '1y', subpay_credits: '0', subpay_site: t.url,
    },
  });
  await t.order(bought.reference).becomes('review', { within: 20_000 });
  return { ...bought, id, intent };
}
const age = (id, hours) => t.sql(`update payments set paid_at = now() - $2 * interval '1 hour', created_at = now() - $2 * interval '1 hour'
  where order_id = $1`, [id, hours]);
const refunds = async (intent) => (await t.stripe.refunds.list({ payment_intent: intent })).data;

test('after that time, not before: whole, once, with a mail that says why', async () => {
  const one = await stranded('ana@example.com');
  await age(one.id, 47);
  await t.until(async () => (await t.value("select count(*)::int from runs where kind = 'orders' or kind = 'objects'")) > 3, { within: 20_000 });
  assert.equal((await refunds(one.intent)).length, 0);
  await age(one.id, 49);
  await t.order(one.reference).becomes('refunded', { within: 40_000 });
  assert.deepEqual((await refunds(one.intent)).map(({ amount }) => amount), [24899]);
  await t.until(async () => (await t.mails('ana@example.com')).some(({ subject }) => /We have sent 248\.99 USD back/.test(subject)), { within: 20_000 });
  const told = (await t.mails('ana@example.com')).filter(({ subject }) => /sent/.test(subject));
  assert.equal(told.length, 1);
  assert.match(told[0].text, /We have sent 248\.99 USD back to your card/);
  assert.match(told[0].text, /could not be turned into access here\. That was our failure; I am sorry/);
  assert.doesNotMatch(told[0].text, /Your plan/);
  assert.equal(await t.value("select count(*)::int from tickets where order_id = $1 and state <> 'solved'", [one.id]), 0);
});

test('a dispute that nobody has told us of yet: not sent back, a person hears', async () => {
  const two = await stranded('cleo@example.com');
  await t.sandbox.webhooks('off');
  for (const on of ['GET /v1/events', 'GET /v1/disputes', 'GET /v1/charges']) await t.sandbox.fault({ on, do: 'status', status: 500, times: 'always' });
  t.allowLog('SP0351', 'SP0352', 'SP0401', 'SP0712', 'SP0713');
  await t.sandbox.control('POST', 'disputes', { payment_intent: two.intent, reason: 'product_not_received' });
  await age(two.id, 50);
  await t.until(async () => (await t.value("select count(*)::int from outbox where kind = 'refund' and order_id = $1 and last_error is not null", [two.id])) === 1, { within: 40_000 });
  await t.sandbox.clearFaults();
  await t.sql("update outbox set next_try_at = now() where kind = 'refund' and state = 'pending'");
  await t.until(async () => (await t.value("select count(*)::int from tickets where kind = 'refund_failed'")) === 1, { within: 40_000 });
  assert.equal(await t.value('select count(*)::int from disputes'), 1);
  assert.equal((await refunds(two.intent)).length, 0);
  await t.sandbox.webhooks('on');
});

test('over the limit of a day: a ticket with the button, which sends it back', async () => {
  const three = await stranded('bob@example.com');
  await age(three.id, 50);
  await t.until(async () => (await t.value("select count(*)::int from tickets where kind = 'refund_proposed' and state = 'open'")) === 1, { within: 40_000 });
  assert.equal((await refunds(three.intent)).length, 0);
  const { rows } = (await t.get('/admin/', { auth: t.admin, headers: { Accept: 'application/json' } })).json;
  const row = rows.find(({ reference }) => reference === three.reference);
  assert.deepEqual([row.kind, row.diagnosis.action], ['refund_proposed', 'refund']);
  const page = await t.get(`/admin/orders/${three.reference}/refund`, { auth: t.admin });
  const hidden = Object.fromEntries([...page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  assert.equal((await t.post(`/admin/orders/${three.reference}/refund`, { auth: t.admin, form: { ...hidden, reason: 'no access' } })).status, 303);
  await t.order(three.reference).becomes('refunded', { within: 20_000 });
  assert.equal((await refunds(three.intent)).length, 1);
});

test('a lost answer and a killed worker: still one refund', async () => {
  const shop = await SubPay.start({ settings: { SubPayReconcileInterval: '1s', SubPayProviderTimeout: '2s', SubPayDuplicates: 'refund' } });
  const first = await shop.buy('annual', 'dan@example.com');
  await shop.order(first.reference).becomes('completed', { within: 20_000 });
  await shop.sandbox.fault({ on: 'POST /v1/refunds', do: 'kill', pids: [await shop.httpd.workerPid()], when: 'after' });
  shop.allowLog('SP');
  const second = await shop.buy('annual', 'dan@example.com', { browser: shop.browser() });
  await shop.order(second.reference).becomes('refunded', { within: 60_000 });
  await shop.until(async () => (await shop.value("select state from outbox where kind = 'refund'")) === 'sent', { within: 60_000 });
  const all = (await shop.stripe.refunds.list()).data;
  assert.equal(all.length, 1);
  assert.equal(await shop.order(first.reference).state, 'completed');
  await shop.stop();
});

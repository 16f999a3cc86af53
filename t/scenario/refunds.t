#!/usr/bin/env -S node --test-reporter=tap
// Money that goes back: by the dashboard, by itself, not after all; told once, and access follows.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use({
  settings: { SubPayReconcileInterval: '1s', SubPayRateLimit: 'checkout 0', SubPayRefundConfirm: '300.00 USD' },
  products: {
    annual: { Title: 'Annual plan', Price: '249.00 USD', Period: '1y', Credits: 100 },
    big: { Title: 'Big plan', Price: '900.00 USD', Period: '1y' },
  },
});

const paid = async (email, options = {}) => {
  const bought = await t.buy(options.product ?? 'annual', email, options);
  await t.order(bought.reference).becomes('completed', { within: 30_000 });
  return bought;
};
const intentsOf = async (reference) => (await t.stripe.paymentIntents.list({ limit: 100 })).data
  .filter((one) => one.metadata.subpay_reference === reference);
const refundsOf = async (reference) => (await Promise.all((await intentsOf(reference))
  .map(({ id }) => t.stripe.refunds.list({ payment_intent: id })))).flatMap(({ data }) => data);
const credits = (email) => t.value('select credits::int from accounts where email = $1', [email]);
const status = async (reference) => (await t.order(reference).subscriptions)[0]?.status;
const subjects = async (email) => (await t.mails(email)).map(({ subject }) => subject);
/* Generous: a busy machine takes its time, and nothing waits that need not. */
const until = (ask, more) => t.until(ask, { within: 30_000, ...more });
const mailsBecome = (to, count) => t.mailsBecome(to, count, { within: 30_000 });
const look = (where) => t.get('/admin' + where, { auth: t.admin });
async function press(reference, action, more = {}, auth = t.admin) {
  const where = `/orders/${reference}/${action}`;
  const page = await t.get('/admin' + where, { auth });
  const hidden = Object.fromEntries([...page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  return t.post('/admin' + where, { auth, form: { ...hidden, reason: 'a test', ...more } });
}

test('in the dashboard, with all webhooks off: found, access and credits follow, told once', async () => {
  const { reference } = await paid('dash@example.com');
  await mailsBecome('dash@example.com', 1);
  assert.equal(await credits('dash@example.com'), 100);
  await t.sandbox.webhooks('off');
  const [intent] = await intentsOf(reference);
  await t.stripe.refunds.create({ payment_intent: intent.id, amount: 4900 });
  await mailsBecome('dash@example.com', 2);
  assert.equal(await status(reference), 'active', 'a part takes nothing away');
  await t.stripe.refunds.create({ payment_intent: intent.id });
  await t.order(reference).becomes('refunded', { within: 30_000 });
  assert.deepEqual([await status(reference), await credits('dash@example.com')], ['refunded', 0]);
  const mails = await mailsBecome('dash@example.com', 3);
  assert.match(mails[1].text, /49\.00 USD[\s\S]*Your plan stays as it is/);
  assert.match(mails[2].text, /200\.00 USD[\s\S]*Your plan ends/);
  await t.sandbox.webhooks('on');
  for (const { id } of (await t.stripe.events.list({ limit: 20, types: ['refund.created', 'charge.refunded'] })).data) {
    await t.sandbox.control('POST', `events/${id}/resend`, {});
  }
  await t.subpayctl('reconcile', '--since', '1h');
  assert.equal((await t.mails('dash@example.com')).length, 3, 'all roads, one letter for each refund');
});

test('the same where even the events were lost: the list of refunds has it', async () => {
  const { reference } = await paid('noevent@example.com');
  await mailsBecome('noevent@example.com', 1);
  await t.sandbox.fault({ on: 'GET /v1/events', do: 'status', status: 500, times: 'always' });
  await t.sandbox.webhooks('off');
  const [intent] = await intentsOf(reference);
  await t.stripe.refunds.create({ payment_intent: intent.id });
  t.allowLog('SP0401', 'SP0712', 'SP0713', 'SP0355');
  await t.order(reference).becomes('refunded', { within: 30_000 });
  await mailsBecome('noevent@example.com', 2);
  await t.sandbox.clearFaults();
  await t.sandbox.webhooks('on');
});

test('succeeded, then failed: access and credits are back, a correction, a ticket', async () => {
  const { reference } = await paid('fails@example.com', { card: '4000000000005126' });
  await mailsBecome('fails@example.com', 1);
  await press(reference, 'refund');
  await t.order(reference).becomes('refunded', { within: 30_000 });
  await mailsBecome('fails@example.com', 2);
  await t.sandbox.clock(120);
  await t.order(reference).becomes('completed', { within: 30_000 });
  assert.deepEqual([await status(reference), await credits('fails@example.com')], ['active', 100]);
  const mails = await mailsBecome('fails@example.com', 3);
  assert.match(mails[2].subject, /Your bank sent 249\.00 USD back to us/);
  assert.match(mails[2].text, /Your plan is open meanwhile/);
  assert.match(mails[2].text, /We received your payment of 249\.00 USD/);
  assert.deepEqual(await t.sql("select kind, state from tickets where order_id = (select id from orders where reference = $1)", [reference]),
    [{ kind: 'refund_failed', state: 'open' }]);
});

test('pending: the customer hears when it has succeeded, not before', async () => {
  const { reference } = await paid('later@example.com', { card: '4000000000007726' });
  await mailsBecome('later@example.com', 1);
  await press(reference, 'refund', { amount: '10.00' });
  await until(async () => (await t.value("select count(*)::int from refunds where status = 'pending'")) === 1);
  assert.match((await look(`/orders/${reference}`)).text, /10\.00 USD<\/span>, pending/);
  assert.equal((await t.mails('later@example.com')).length, 1);
  await t.sandbox.clock(120);
  const mails = await mailsBecome('later@example.com', 2);
  assert.match(mails[1].subject, /We have sent 10\.00 USD back/);
});

test('paid twice, by two orders: the second goes back unasked, and leaves what one purchase gives', async () => {
  const first = await paid('twice@example.com');
  const second = await t.buy('annual', 'twice@example.com', { browser: t.browser() });
  await t.order(second.reference).becomes('refunded', { within: 30_000 });
  assert.equal(await t.order(first.reference).state, 'completed');
  assert.deepEqual([(await refundsOf(first.reference)).length, (await refundsOf(second.reference)).map(({ amount }) => amount)], [0, [24900]]);
  assert.deepEqual([await status(first.reference), await status(second.reference), await credits('twice@example.com')],
    ['active', 'refunded', 100]);
  assert.deepEqual(await t.sql("select amount::int from credit_transactions where account_id = (select id from accounts where email = 'twice@example.com')"),
    [{ amount: 100 }], 'the second never brought any');
  await until(async () => (await subjects('twice@example.com')).includes('You paid twice; one is on its way back'));
  const told = (await t.mails('twice@example.com')).filter(({ subject }) => /sent|twice/.test(subject));
  assert.equal(told.length, 1);
  assert.match(told[0].text, /Two payments of 249\.00 USD reached us, one on .* and one on .*; your plan needs one/);
  assert.equal(await t.value("select count(*)::int from tickets where kind = 'duplicate'"), 0, 'nobody is asked');
  assert.equal((await look(`/orders/${first.reference}`)).text.includes('<title>healthy: '), true);
});

test('paid twice, one order, while the provider does not refund: a ticket after minutes, gone when it is done', async () => {
  const { reference } = await paid('again@example.com');
  const [{ metadata }] = await intentsOf(reference);
  await t.sandbox.fault({ on: 'POST /v1/refunds', do: 'status', status: 500, times: 'always' });
  t.allowLog('SP0401', 'SP0352');
  await t.sandbox.control('POST', 'payments', { count: 1, amount: 24900, currency: 'usd', email: 'again@example.com', metadata, events: 'delivered', deliver: true });
  await until(async () => (await t.value("select count(*)::int from outbox where kind = 'refund' and state = 'pending' and last_error is not null")) === 1, { within: 30_000 });
  await t.sql("update outbox set created_at = now() - interval '5 min' where kind = 'refund' and state = 'pending'");
  await until(async () => (await t.value("select count(*)::int from tickets where kind = 'duplicate' and state = 'open'")) === 1, { within: 30_000 });
  await t.sandbox.clearFaults();
  await t.sql("update outbox set next_try_at = now() where kind = 'refund' and state = 'pending'");
  await until(async () => (await t.value("select count(*)::int from tickets where kind = 'duplicate' and state = 'solved'")) === 1, { within: 30_000 });
  assert.equal((await refundsOf(reference)).length, 1);
  assert.equal(await t.order(reference).state, 'completed');
});

test('over the set sum a second person confirms; the first cannot, nor by halves', async () => {
  const { reference } = await paid('large@example.com', { product: 'big' });
  assert.match((await press(reference, 'refund')).location, /done=refund_asked/);
  assert.equal((await press(reference, 'refund')).status, 409, 'the same person does not confirm');
  assert.match((await look(`/orders/${reference}`)).text, /waits for a second person/);
  assert.equal(await t.value("select count(*)::int from outbox where kind = 'refund' and payload ->> 'amount' = '90000'"), 0);
  const ask = await t.value("select desk_refund(jsonb_build_object('reference', $1::text, 'actor', 'sam', 'reason', 'right'))", [reference]);
  assert.equal(ask.verdict, 'asked', 'somebody else does');
  await t.order(reference).becomes('refunded', { within: 30_000 });
  assert.deepEqual(await t.sql('select asked_by, confirmed_by from refund_asks'), [{ asked_by: 'support', confirmed_by: 'sam' }]);

  const other = await paid('halves@example.com', { product: 'big' });
  assert.match((await press(other.reference, 'refund', { amount: '200.00' })).location, /done=asked/);
  await until(async () => (await refundsOf(other.reference)).length === 1);
  assert.match((await press(other.reference, 'refund', { amount: '200.00' })).location, /done=refund_asked/, '200 and 200 are 400');
});

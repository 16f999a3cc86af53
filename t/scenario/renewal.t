#!/usr/bin/env -S node --test-reporter=tap
// A plan that renews: each period that was paid extends it once, whichever road told us.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { SubPay, test, assert } = require('../lib/subpay.js');
const { violations } = require('../lib/invariants.js');

const MONTHLY = { monthly: { Title: 'Monthly plan', Price: '9.00 USD', Period: '1mo', Renews: 'on' } };
const t = SubPay.use({ products: MONTHLY, settings: { SubPayReconcileInterval: '2s' } });

const subscriptionOf = async (shop, reference) => {
  const { data } = await shop.stripe.subscriptions.list({ status: 'all', limit: 100 });
  return data.find(({ metadata }) => metadata.subpay_reference === reference);
};
const renew = async (shop, reference, outcome = 'paid') => shop.sandbox.control('POST',
  `subscriptions/${(await subscriptionOf(shop, reference)).id}/renew`, { outcome });
const access = async (shop, reference) => (await shop.order(reference).subscriptions)[0];
const periods = (shop, reference) => shop.sql(`select p.* from subpay.periods p
  join subpay.orders o on o.id = p.order_id where o.reference = $1 order by p.starts_at`, [reference]);
const paid = async (shop, reference) => (await periods(shop, reference)).filter(({ state }) => state === 'paid').length;

/* One calendar month behind, by UTC. */
function month(date, n = 1) {
  const then = new Date(date);
  then.setUTCMonth(then.getUTCMonth() + n);
  return then;
}

async function bought(shop, email, options) {
  const order = await shop.buy('monthly', email, options);
  await shop.order(order.reference).becomes('completed');
  return order;
}

test('bought: one order, one period, one payment, one mail', async () => {
  const { reference, page } = await bought(t, 'ana@example.com');
  assert.match(page.text, /<title>Paid/);
  const row = await t.order(reference).row;
  const [one] = await periods(t, reference);
  assert.equal(one.payment_id, row.payment_id);
  assert.match(row.payment_id, /^pi_/);
  assert.equal(row.renews, true);
  const sub = await access(t, reference);
  assert.deepEqual(sub.expires_at, month(sub.starts_at));
  assert.equal(sub.renews, true);
  assert.equal(sub.grace_until - sub.expires_at, 7 * 86400_000);
  await t.until(async () => (await t.stripe.events.list({ delivery_success: false })).data.length === 0);
  assert.equal(await t.value('select count(*)::int from subpay.periods'), 1);
  assert.equal(await t.value('select count(*)::int from subpay.payments'), 1);
  assert.equal((await t.mailsBecome('ana@example.com')).length, 1);
  assert.equal(await t.value('select card_last4 from subpay.payments'), '4242');
});

test('renewed: one period more, one line of receipt, no second order', async () => {
  const { reference } = await bought(t, 'bo@example.com');
  const before = await access(t, reference);
  await renew(t, reference);
  await t.until(async () => await paid(t, reference) === 2, { what: 'the second period' });
  const after = await access(t, reference);
  assert.deepEqual(after.expires_at, month(before.expires_at));
  assert.deepEqual(after.starts_at, before.starts_at);
  const mails = await t.mailsBecome('bo@example.com', 2);
  assert.match(mails[1].text, /We received your payment of 9\.00 USD/);
  assert.equal(await t.value('select count(*)::int from subpay.orders where email = $1', ['bo@example.com']), 1);
});

test('every webhook of a renewal is lost, and its events too: the invoices still tell it', async () => {
  const { reference } = await bought(t, 'cy@example.com');
  const before = await access(t, reference);
  await t.sandbox.webhooks('off');
  await t.sandbox.fault({ on: 'GET /v1/events', do: 'body', times: 'always',
    body: '{"object":"list","data":[],"has_more":false,"url":"/v1/events"}' });
  await renew(t, reference);
  await t.until(async () => await paid(t, reference) === 2, { within: 10_000, what: 'the sweep' });
  assert.deepEqual((await access(t, reference)).expires_at, month(before.expires_at));
  await t.sandbox.clearFaults();
  await t.sandbox.webhooks('on');
  await t.mailsBecome('cy@example.com', 2);
});

test('every webhook twice and in reverse: still one period more', async () => {
  const { reference } = await bought(t, 'di@example.com');
  const before = await access(t, reference);
  await t.sandbox.webhooks('hold');
  await renew(t, reference);
  await t.sandbox.control('POST', 'webhooks', { deliver: 'release', duplicate: 2, reverse: true });
  await t.until(async () => await paid(t, reference) === 2);
  await t.until(async () => {
    const { deliveries } = await t.sandbox.control('GET', 'webhooks');
    return !deliveries.due && !deliveries.retrying;
  }, { within: 15_000, what: 'all deliveries' });
  assert.deepEqual((await access(t, reference)).expires_at, month(before.expires_at));
  assert.equal((await t.mailsBecome('di@example.com', 2)).length, 2);
  await t.sandbox.control('POST', 'webhooks', { deliver: 'on', duplicate: 1, reverse: false });
});

test('declined: access goes on, the mail has a way to pay, and paid late it goes on from where it ended', async () => {
  const { reference, browser } = await bought(t, 'eva@example.com');
  const before = await access(t, reference);
  const invoice = await renew(t, reference, 'failed');
  const [, mail] = await t.mailsBecome('eva@example.com', 2);
  assert.equal(mail.subject, 'Your bank did not approve the renewal');
  assert.match(mail.text, /You have not been charged\./);
  assert.match(mail.text, /Your plan and data stay until /);
  assert.match(mail.text, /We try again on /);
  const link = new URL(mail.text.match(/https?:\S+\/renewal\?\S+/)[0]);
  const way = await t.browser().get(link.pathname + link.search);
  assert.equal(way.status, 303);
  assert.equal(way.location, invoice.hosted_invoice_url);

  // Tried again, in vain: no second mail for each try.
  await t.sandbox.control('POST', `invoices/${invoice.id}/try`, { outcome: 'failed' });
  await t.until(async () => (await periods(t, reference))[1].tries === 2);
  const grace = await access(t, reference);
  assert.deepEqual(grace.expires_at, before.expires_at);
  assert.equal(grace.grace_until - grace.expires_at, 7 * 86400_000);

  // The paid time is up, and the grace is not. Whatever else comes about this renewal
  // reckons the access anew: an answer counts if what is written here still stood then.
  const planWithGrace = (left) => t.until(async () => {
    const [written] = await t.sql(`update subpay.subscriptions set expires_at = starts_at + interval '1 ms',
      grace_until = now() + $2::interval where id = $1 returning grace_until`, [grace.id, left]);
    const plan = (await t.get('/api/entitlements?account=eva@example.com', { auth: t.api })).json.plans[0];
    return (await access(t, reference)).grace_until?.getTime() === written.grace_until.getTime() && plan;
  });
  assert.equal((await planWithGrace('1 day')).active, true);
  assert.equal((await planWithGrace('-1 s')).active, false, 'it ends when it ends');

  // Paid by hand, late.
  await t.browser().post(way.location, { form: { card: '4242424242424242' } });
  await t.until(async () => await paid(t, reference) === 2, { what: 'the late payment' });
  assert.equal((await t.get('/api/entitlements?account=eva@example.com', { auth: t.api })).json.plans[0].active, true);
  const again = await t.browser().get(link.pathname + link.search);
  assert.match(again.location, /\/return\?t=/);
  assert.equal((await t.mailsBecome('eva@example.com', 3)).length, 3);
  assert.ok(browser);
});

test('stopped at the provider: nothing more is promised, access ends with the paid time', async () => {
  const { reference } = await bought(t, 'fay@example.com');
  const { id } = await subscriptionOf(t, reference);
  await t.stripe.subscriptions.update(id, { cancel_at_period_end: true });
  await t.until(async () => (await access(t, reference)).renews === false);
  assert.equal((await access(t, reference)).grace_until, null);
  await t.stripe.subscriptions.cancel(id);
  await t.until(async () => await t.value('select state from subpay.renewals where renewal_id = $1', [id]) === 'ended');
  assert.ok((await access(t, reference)).expires_at > new Date(), 'what was paid stays');
});

test('the customer stops it on the account page, and takes it up again', async () => {
  const { reference, browser, return_url } = await bought(t, 'gus@example.com');
  const token = new URL(return_url).searchParams.get('t');
  await browser.post('/password', { form: { t: token, password: 'three odd words' } });
  const page = await browser.get('/account');
  assert.match(page.text, /Renews on/);
  const foreign = await browser.post('/account/renewal', { form: { reference, do: 'stop' }, headers: { Origin: 'https://evil.example' } });
  assert.equal(foreign.status, 403);
  const stopped = await browser.post('/account/renewal', { form: { reference, do: 'stop' } });
  assert.equal(stopped.status, 303);
  const { id, cancel_at_period_end } = await subscriptionOf(t, reference);
  assert.equal(cancel_at_period_end, true);
  const after = await browser.get('/account');
  assert.match(after.text, /It will not renew: you will not be charged again\./);
  assert.doesNotMatch(after.text, /Renews on/);
  assert.match((await t.mailsBecome('gus@example.com', 2))[1].subject, /will not renew/);
  await browser.post('/account/renewal', { form: { reference, do: 'resume' } });
  assert.match((await browser.get('/account')).text, /Renews on/);
  assert.equal((await t.stripe.subscriptions.retrieve(id)).cancel_at_period_end, false);
  const stranger = await t.browser().post('/account/renewal', { form: { reference, do: 'stop' } });
  assert.match(stranger.location, /\/account$/);
  assert.equal((await t.stripe.subscriptions.retrieve(id)).cancel_at_period_end, false);
});

test('stopped while the provider does not answer: said truthfully, and done by itself', async () => {
  t.allowLog('SP0401', 'SP0309');
  const { reference, browser, return_url } = await bought(t, 'hal@example.com');
  const token = new URL(return_url).searchParams.get('t');
  await browser.post('/password', { form: { t: token, password: 'three odd words' } });
  await t.sandbox.fault({ on: 'POST /v1/subscriptions/*', do: 'reset', times: 'always' });
  await browser.post('/account/renewal', { form: { reference, do: 'stop' } });
  assert.match((await browser.get('/account')).text, /has not confirmed it yet; we keep asking/);
  await t.sandbox.clearFaults();
  await t.sql("update subpay.renewals set next_ask_at = now() where wanted is not null");
  await t.until(async () => (await access(t, reference)).renews === false, { within: 15_000 });
  assert.match((await browser.get('/account')).text, /It will not renew/);
  assert.equal((await t.mailsBecome('hal@example.com', 2)).length, 2);
});

test('the API key was rolled: links to older orders lead to the account, and none into nothing', async () => {
  const { reference, browser, return_url } = await bought(t, 'ida@example.com');
  const token = new URL(return_url).searchParams.get('t');
  await browser.post('/password', { form: { t: token, password: 'three odd words' } });
  assert.match((await browser.get('/account')).text, new RegExp(`/return\\?t=${token}`));

  const key = `sk_test_${'1'.repeat(32)}`;
  await t.sandbox.control('POST', 'settings', { new_key: key });
  fs.writeFileSync(path.join(t.httpd.state, 'keys', 'stripe'), `${key}\n`, { mode: 0o600 });
  await t.httpd.restart();
  const account = await browser.get('/account');
  assert.ok(account.text.includes(reference));
  assert.doesNotMatch(account.text, /\/return\?t=/);
  const old = new URL(return_url);
  assert.equal((await browser.get(old.pathname + old.search)).status, 200, 'a link that they have still works');

  const invoice = await renew(t, reference, 'failed');
  const [, mail] = await t.mailsBecome('ida@example.com', 2);
  assert.doesNotMatch(mail.text, /\/renewal\?/);
  const [link] = mail.text.match(/https?:\S+\/account$/m);
  const page = await browser.get(new URL(link).pathname);
  assert.ok(page.text.includes(invoice.hosted_invoice_url.replaceAll('&', '&amp;')), 'where the period can be paid');

  const fresh = await bought(t, 'jon@example.com');
  assert.match(fresh.page.text, /<title>Paid/, 'new orders have links of the new key');
});

test('all of it together breaks no invariant', async () => {
  await t.until(async () => (await t.sql("select 1 from subpay.outbox where state <> 'sent'")).length === 0);
  assert.deepEqual(await violations(t), []);
});

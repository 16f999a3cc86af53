#!/usr/bin/env -S node --test-reporter=tap
// A plan that renews, when everything goes wrong: whoever paid has access all the same.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');
const { inDatabase, quiet, violations } = require('../lib/invariants.js');

const MONTHLY = { monthly: { Title: 'Monthly plan', Price: '9.00 USD', Period: '1mo', Renews: 'on' } };
const t = SubPay.use({ products: MONTHLY, settings: { SubPayReconcileInterval: '1s' } });
t.allowLog('SP0401', 'SP0405', 'SP0712', 'SP0309', 'SP0701', 'SP0301');

const one = async (reference) => {
  const { id } = await t.order(reference).row;
  const [counts] = await t.sql(`select
    (select count(*)::int from subpay.periods where order_id = $1 and state = 'paid') as periods,
    (select count(*)::int from subpay.payments where order_id = $1) as payments,
    (select count(*)::int from subpay.subscriptions where order_id = $1) as subscriptions,
    (select count(*)::int from subpay.outbox where order_id = $1 and kind = 'mail') as mails`, [id]);
  return counts;
};
const ONE = { periods: 1, payments: 1, subscriptions: 1, mails: 1 };
const subscriptionOf = async (reference) => (await t.stripe.subscriptions.list({ status: 'all', limit: 100 }))
  .data.find(({ metadata }) => metadata.subpay_reference === reference);

test('httpd dies as the payment page is being paid, and all webhooks are lost', async () => {
  await t.sandbox.webhooks('off');
  const { reference, session_url } = await t.buy('monthly', 'crash@example.com', { pay: false });
  await t.sandbox.fault({ on: 'POST /pay/*', do: 'kill', pids: t.httpd.pids() });
  await t.pay(session_url, { card: '4242424242424242' }).catch(() => {});
  await t.httpd.start();
  await t.order(reference).becomes('completed', { within: 5000 });
  assert.deepEqual(await one(reference), ONE);
  await t.mailsBecome('crash@example.com');
  await t.sandbox.webhooks('on');
});

test('httpd dies as the provider makes the page: the id is lost, the order is found by ours', async () => {
  await t.sandbox.fault({ on: 'POST /v1/checkout/sessions', do: 'kill', pids: t.httpd.pids() });
  await t.browser().post('/checkout', { form: { product: 'monthly', email: 'born@example.com' } }).catch(() => {});
  await t.httpd.start();
  const { data } = await t.stripe.checkout.sessions.list({ limit: 100 });
  const session = data.find(({ customer_email }) => customer_email === 'born@example.com');
  await t.sandbox.webhooks('off');
  await t.pay(session.url, { card: '4242424242424242' });
  await t.order(session.metadata.subpay_reference).becomes('completed', { within: 70_000 });
  assert.deepEqual(await one(session.metadata.subpay_reference), ONE);
  await t.sandbox.webhooks('on');
});

test('the webhook cannot ask which payment it was: stored, and completed by the worker', async () => {
  const { reference, session_url, browser } = await t.buy('monthly', 'silent@example.com', { pay: false });
  /* Nor does the list of invoices, in which the worker would find it. */
  await t.sandbox.fault({ on: 'GET /v1/invoices*', do: 'status', status: 503, times: 'always' });
  const { return_url } = await t.pay(session_url, { card: '4242424242424242' });
  const page = await browser.get(return_url);
  assert.match(page.text, /We are checking with Stripe whether your payment went through/);
  assert.doesNotMatch(page.text, /No payment has reached us/);
  await t.sandbox.clearFaults();
  await t.order(reference).becomes('completed', { within: 15_000 });
  await t.until(async () => !(await t.value("select count(*)::int from subpay.provider_events where state = 'received'")),
    { within: 30_000, what: 'nothing to wait' });
  assert.deepEqual(await one(reference), ONE);
});

test('a renewal given back in the dashboard, all webhooks off: its time goes along', async () => {
  const { reference } = await t.buy('monthly', 'back@example.com');
  const { id } = await t.order(reference).becomes('completed');
  await t.mailsBecome('back@example.com');
  await t.sandbox.webhooks('off');
  const before = (await t.order(reference).subscriptions)[0].expires_at;
  await t.sandbox.control('POST', `subscriptions/${(await subscriptionOf(reference)).id}/renew`, { outcome: 'paid' });
  await t.until(async () => (await one(reference)).periods === 2, { within: 10_000, what: 'the renewal' });
  const second = await t.value('select payment_id from subpay.periods where order_id = $1 order by starts_at desc limit 1', [id]);
  await t.stripe.refunds.create({ payment_intent: second });
  await t.until(async () => +(await t.order(reference).subscriptions)[0].expires_at === +before,
    { within: 15_000, what: 'the time to be taken back' });
  assert.equal(await t.order(reference).state, 'completed', 'and only that');
  await t.sandbox.webhooks('on');
});

test('support names the payment: found by it, though it bears no mark of ours', async () => {
  await t.sandbox.webhooks('off');
  const bought = await t.buy('monthly', 'named@example.com', { follow: false, pay: false });
  await t.httpd.stop();
  await t.pay(bought.session_url, { card: '4242424242424242' });
  const [invoice] = (await t.stripe.invoices.list({ expand: ['data.payments'] })).data;
  const intent = invoice.payments.data[0].payment.payment_intent;
  const done = await t.subpayctl('recover', intent);
  assert.equal(done.status, 0, done.stdout + done.stderr);
  assert.equal(await t.order(bought.reference).state, 'completed');
  await t.httpd.start();
  await t.sandbox.webhooks('on');
});

test('a stop that was never told: asked for when the paid time is up', async () => {
  const { reference } = await t.buy('monthly', 'quiet@example.com');
  const { id } = await t.order(reference).becomes('completed');
  await t.mailsBecome('quiet@example.com');
  await t.sandbox.webhooks('off');
  await t.stripe.subscriptions.cancel((await subscriptionOf(reference)).id);
  // Its event is lost altogether.
  await t.sql("update subpay.renewals set next_ask_at = now() where order_id = $1", [id]);
  await t.until(async () => (await t.order(reference).subscriptions)[0].renews === false, { within: 10_000 });
  assert.equal((await t.order(reference).subscriptions)[0].grace_until, null);
  await t.sandbox.webhooks('on');
});

test('all of it together breaks no invariant', async () => {
  const { left } = await quiet(t, { within: 30_000, hurry: true });
  assert.deepEqual(left, []);
  assert.deepEqual(await violations(t, { twice: 1 }), []);
});

test('the order is gone from the database, and the events too: rebuilt from its invoice', async () => {
  await t.sandbox.fault({ on: 'GET /v1/events', do: 'body', times: 'always',
    body: '{"object":"list","data":[],"has_more":false,"url":"/v1/events"}' });
  const { reference } = await t.buy('monthly', 'gone@example.com');
  const { id } = await t.order(reference).becomes('completed');
  await t.mailsBecome('gone@example.com');
  const { id: subscription } = await subscriptionOf(reference);
  await t.sandbox.webhooks('off');
  await t.sandbox.control('POST', `subscriptions/${subscription}/renew`, { outcome: 'paid' });
  await t.until(async () => (await one(reference)).periods === 2, { within: 10_000 });
  // As if restored from before the purchase.
  await t.sql(`begin; set local session_replication_role = replica;
    delete from subpay.periods where order_id = '${id}'; delete from subpay.renewals where order_id = '${id}';
    delete from subpay.subscriptions where order_id = '${id}'; delete from subpay.payments where order_id = '${id}';
    delete from subpay.audit where order_id = '${id}'; delete from subpay.outbox where order_id = '${id}';
    delete from subpay.provider_events where order_id = '${id}';
    delete from subpay.orders where id = '${id}'; commit`);
  await t.order(reference).becomes('completed', { within: 15_000 });
  await t.until(async () => (await one(reference)).periods === 2, { within: 15_000, what: 'both periods' });
  assert.deepEqual(await inDatabase(t), []);
  const [access] = await t.order(reference).subscriptions;
  assert.equal(access.renews, true);
  const months = (new Date(access.expires_at) - new Date(access.starts_at)) / 86400_000;
  assert.ok(months > 58 && months < 63, `two months of access, not ${months} days`);
  await t.sandbox.webhooks('on');
});

#!/usr/bin/env -S node --test-reporter=tap
// A plan that renews, sold through Creem: it lists no periods, so what no webhook told is
// found by asking for each renewal whose time is up.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { SubPay, test, assert } = require('../lib/subpay.js');
const { inDatabase } = require('../lib/invariants.js');
const { Creem } = require('../creem/creem.js');

const KEY = 'creem_test_canary0';
const SECRET = 'whsec_creem_canary';
const TOLD = ['checkout.completed', 'subscription.active', 'subscription.paid'];
const creem = new Creem({ key: KEY, secret: SECRET, tax: 171 });
let t;

const directives = () => {
  const keys = path.join(t.folder, 'httpd', 'keys');
  return `<SubPayProduct monthly>
SubPayTitle "Monthly plan"
SubPayPrice "9.00 USD"
SubPayPeriod 1mo
SubPayRenews on
SubPayProviderPrice prod_monthly
</SubPayProduct>
SubPayProvider creem
SubPayProviderKey creem file:${keys}/creem
SubPayWebhookSecret creem file:${keys}/creem-webhook
SubPayProviderURL creem ${creem.url}
SubPayReconcileInterval 1s`;
};

async function begin(email) {
  const browser = t.browser();
  const checkout = await browser.post('/checkout', { form: { product: 'monthly', email, name: 'Ana Example' } });
  const [order] = await t.sql('select * from orders where email = $1', [email]);
  return { browser, checkout, order, reference: order.reference };
}

async function bought(email) {
  const one = await begin(email);
  assert.equal(one.checkout.status, 303, one.checkout.text);
  const { return_url } = await t.pay(one.checkout.location, { card: '4242424242424242' });
  await t.order(one.reference).becomes('completed');
  await t.mailsBecome(email);
  const subscription = [...creem.subscriptions.values()].find(({ customer }) => customer.email === email);
  return { ...one, return_url, subscription };
}

const access = async (reference) => (await t.order(reference).subscriptions)[0];
const paid = (order) => t.value("select count(*)::int from periods where order_id = $1 and state = 'paid'", [order.id]);
const ask = (order) => t.sql('update renewals set next_ask_at = now() where order_id = $1', [order.id]);
const until = (order, count) => t.until(async () => await paid(order) === count, { within: 10_000, what: `period ${count}` });

async function login({ browser, return_url }) {
  await browser.post('/password', { form: { t: new URL(return_url).searchParams.get('t'), password: 'three odd words' } });
}

test('a plan that renews is sold through Creem', async () => {
  await creem.start();
  creem.product({ id: 'prod_monthly', price: 900, currency: 'USD', billing_period: 'every-month' });
  t = await SubPay.start({ start: false });
  creem.webhook = `${t.url}/webhook/creem`;
  const keys = path.join(t.folder, 'httpd', 'keys');
  fs.writeFileSync(path.join(keys, 'creem'), `${KEY}\n`, { mode: 0o600 });
  fs.writeFileSync(path.join(keys, 'creem-webhook'), `${SECRET}\n`, { mode: 0o600 });
  t.httpd.extra = directives();
  t.httpd.configure();
  await t.httpd.start();
});

for (const [name, first] of [['page first', TOLD], ['period first', [...TOLD].reverse()],
  ['the period alone', ['subscription.paid']], ['the page alone', ['checkout.completed']]]) {
  test(`bought, told twice, ${name}: one period, one payment, one mail`, async () => {
    const email = `${name.replaceAll(' ', '-')}@example.com`;
    creem.first = [...first, ...first];
    const { reference, order, subscription } = await bought(email);
    creem.first = TOLD;
    assert.equal(await paid(order), 1);
    const [payment] = await t.sql('select * from payments where order_id = $1', [order.id]);
    assert.equal(payment.amount, '900', 'without the tax');
    assert.equal(payment.payment_id, subscription.last_transaction_id);
    const { expires_at, renews } = await access(reference);
    assert.equal(renews, true);
    assert.ok(Math.abs(expires_at - new Date(subscription.current_period_end_date)) < 60_000);
    assert.equal((await t.mailsBecome(email)).length, 1);
  });
}

test('no webhook at all: the return page finds the first period', async () => {
  creem.deliver = false;
  const one = await begin('back@example.com');
  const { return_url } = await t.pay(one.checkout.location, { card: '4242424242424242' });
  assert.match((await one.browser.get(return_url)).text, /<title>Paid/);
  assert.equal(await paid(one.order), 1);
  await creem.release();
  assert.equal(await paid(one.order), 1);
});

test('renewed by webhook, twice; then with the webhook lost; both count once', async () => {
  const { reference, order, subscription } = await bought('renew@example.com');
  await creem.renew(subscription);
  assert.equal(await creem.send(creem.last), 200);
  await until(order, 2);
  creem.deliver = false;
  await creem.renew(subscription);
  creem.held.length = 0;
  creem.deliver = true;
  await ask(order);
  await until(order, 3);
  await ask(order);
  await t.until(async () => await t.value('select next_ask_at > now() from renewals where order_id = $1', [order.id]));
  assert.equal(await paid(order), 3);
  const { expires_at } = await access(reference);
  assert.ok(Math.abs(expires_at - new Date(subscription.current_period_end_date)) < 60_000);
  assert.equal((await t.mailsBecome('renew@example.com', 3)).length, 3);
});

test('declined: one mail, and the grace; paid later it goes on', async () => {
  const { reference, order, subscription } = await bought('late@example.com');
  await creem.renew(subscription, 'failed');
  const [, mail] = await t.mailsBecome('late@example.com', 2);
  assert.equal(mail.subject, 'Your bank did not approve the renewal');
  const held = await access(reference);
  assert.equal(held.grace_until - held.expires_at, 7 * 86400_000);
  const [one] = await t.sql("select * from periods where order_id = $1 and state = 'failed'", [order.id]);
  assert.ok(Math.abs(one.starts_at - held.expires_at) < 60_000, 'what comes behind the paid time');
  await creem.renew(subscription, 'failed');
  await ask(order);
  await t.until(async () => await t.value('select next_ask_at > now() from renewals where order_id = $1', [order.id]));
  assert.equal(await t.value("select count(*)::int from periods where order_id = $1 and state = 'failed'", [order.id]), 1);
  await creem.renew(subscription);
  await until(order, 2);
  assert.equal((await t.mailsBecome('late@example.com', 3)).length, 3);
});

test('a period that is given back takes its time along', async () => {
  const { reference, order, subscription } = await bought('given@example.com');
  const before = await access(reference);
  const transaction = await creem.renew(subscription);
  await until(order, 2);
  creem.giveBack(transaction, transaction.amount_paid);
  await t.until(async () => +(await access(reference)).expires_at === +before.expires_at, { what: 'the time to be taken back' });
});

test('stopped on the account page, asked twice, taken up again', async () => {
  const one = await bought('stop@example.com');
  const { reference, browser, subscription } = one;
  await login(one);
  const form = { reference, do: 'stop' };
  await browser.post('/account/renewal', { form });
  await browser.post('/account/renewal', { form });
  assert.equal(subscription.status, 'scheduled_cancel');
  assert.match((await browser.get('/account')).text, /It will not renew: you will not be charged again\./);
  const stopped = await access(reference);
  assert.equal(stopped.renews, false);
  assert.equal(stopped.grace_until, null, 'it ends with the paid time');
  assert.ok(Math.abs(stopped.expires_at - new Date(subscription.current_period_end_date)) < 60_000);
  await browser.post('/account/renewal', { form: { reference, do: 'resume' } });
  assert.equal(subscription.status, 'active');
  assert.match((await browser.get('/account')).text, /Renews on/);
  assert.equal(creem.requests.filter((what) => /\/cancel$/.test(what)).length, 1);
});

test('stopped where Creem did it and the answer was lost: looked at, not asked again', async () => {
  t.allowLog('SP0401', 'SP0309');
  const one = await bought('doubt@example.com');
  await login(one);
  creem.drop = 1;
  await one.browser.post('/account/renewal', { form: { reference: one.reference, do: 'stop' } });
  assert.match((await one.browser.get('/account')).text, /has not confirmed it yet; we keep asking|It will not renew/);
  await ask(one.order);
  await t.until(async () => (await access(one.reference)).renews === false, { within: 10_000 });
  const path_of = `POST /v1/subscriptions/${one.subscription.id}/cancel`;
  assert.equal(creem.requests.filter((what) => what === path_of).length, 1);
});

test('cancelled at Creem\'s own portal, told or not: followed, and what was paid stays', async () => {
  const told = await bought('portal@example.com');
  creem.change(told.subscription, 'cancel', { mode: 'scheduled' });
  await t.until(async () => (await access(told.reference)).renews === false, { what: 'the stop' });
  const quiet = await bought('quiet@example.com');
  creem.deliver = false;
  creem.change(quiet.subscription, 'cancel');
  creem.held.length = 0;
  creem.deliver = true;
  await ask(quiet.order);
  await t.until(async () => await t.value('select state from renewals where order_id = $1', [quiet.order.id]) === 'ended',
    { within: 10_000 });
  const { expires_at, grace_until } = await access(quiet.reference);
  assert.ok(expires_at > new Date());
  assert.equal(grace_until, null);
});

test('a product that renews otherwise there opens no page', async () => {
  t.expectLog('SP0411');
  creem.product({ id: 'prod_monthly', price: 900, currency: 'USD', billing_period: 'every-year' });
  const opened = creem.checkouts.size;
  assert.equal((await begin('other@example.com')).checkout.status, 503);
  assert.match(t.log(), /it is charged every 1y there and every 1mo here/);
  creem.product({ id: 'prod_monthly', price: 900, currency: 'USD' });
  assert.equal((await begin('once@example.com')).checkout.status, 503);
  assert.equal(creem.checkouts.size, opened);
});

test('all of it together breaks no invariant, and no secret is in the log', async () => {
  await t.until(async () => (await t.sql("select 1 from outbox where state <> 'sent'")).length === 0);
  assert.deepEqual(await inDatabase(t), []);
  const there = creem.transactions.filter(({ status }) => status === 'paid' || status === 'refunded').map(({ id }) => id);
  const here = (await t.sql('select payment_id from payments')).map(({ payment_id }) => payment_id);
  assert.deepEqual(here.sort(), there.sort(), 'each payment there is one here');
  assert.doesNotMatch(t.log(), /canary|example\.com/);
  await creem.stop();
});

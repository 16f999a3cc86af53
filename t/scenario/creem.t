#!/usr/bin/env -S node --test-reporter=tap
// A second provider: what holds at Stripe holds at Creem, which has no keys for repeats,
// no list of pages, its own tax, and its own name on the bank statement.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { SubPay, test, assert } = require('../lib/subpay.js');
const { Creem } = require('../creem/creem.js');

const KEY = 'creem_test_canary0';
const SECRET = 'whsec_creem_canary';
const PRODUCTS = { annual: { Title: 'Annual plan', Price: '249.00 USD', Period: '1y', ProviderPrice: 'prod_annual' } };

const creem = new Creem({ key: KEY, secret: SECRET });
let t;

/* The lines that make Creem known; new orders go where SubPayProvider says. */
function settings(provider) {
  const keys = path.join(t.folder, 'httpd', 'keys');
  return {
    SubPayProvider: provider,
    SubPayProviderKey: `creem "file:${keys}/creem"`,
    SubPayWebhookSecret: `creem "file:${keys}/creem-webhook"`,
    SubPayProviderURL: `creem ${creem.url}`,
    SubPayReconcileInterval: '1s',
  };
}

const directives = (all) => Object.entries(all).map(([name, value]) => `${name} ${value}`).join('\n');
const sections = (products) => Object.entries(products).map(([name, rows]) =>
  `<SubPayProduct ${name}>\n${Object.entries(rows).map(([key, value]) => `SubPay${key} "${value}"`).join('\n')}\n</SubPayProduct>`).join('\n');
const configuration = (provider, products = PRODUCTS) => `${sections(products)}\n${directives(settings(provider))}`;

/*
 * Switch, as an admin does: another line, and a restart. A new worker begins by asking of
 * every young order; that is waited for, since it may be quicker than a webhook.
 */
async function sellWith(provider) {
  const before = await t.until(() => t.value('select worker::text from runs order by id desc limit 1'));
  t.httpd.extra = configuration(provider);
  t.httpd.configure();
  await t.httpd.restart();
  await t.until(() => t.value("select exists (select from runs where kind = 'orders' and ok and worker::text is distinct from $1)", [before]));
}

async function begin(email, browser = t.browser()) {
  const checkout = await browser.post('/checkout', { form: { product: 'annual', email, name: 'Ana Example' } });
  const order = (await t.sql('select * from orders where email = $1 order by created_at desc limit 1', [email]))[0];
  return { browser, checkout, order, reference: order?.reference, session_url: checkout.location };
}

async function buy(email) {
  const bought = await begin(email);
  assert.equal(bought.checkout.status, 303, bought.checkout.text);
  const { paid, return_url } = await t.pay(bought.session_url, { card: '4242424242424242' });
  assert.equal(paid.status, 303, paid.text);
  return { ...bought, return_url };
}

test('two providers stand side by side', async () => {
  await creem.start();
  creem.product({ id: 'prod_annual', price: 24900, currency: 'USD' });
  t = await SubPay.start({ start: false });
  creem.webhook = `${t.url}/webhook/creem`;
  const keys = path.join(t.folder, 'httpd', 'keys');
  fs.writeFileSync(path.join(keys, 'creem'), `${KEY}\n`, { mode: 0o600 });
  fs.writeFileSync(path.join(keys, 'creem-webhook'), `${SECRET}\n`, { mode: 0o600 });
  /* Two addresses for one endpoint check: the stand-in of Stripe knows its own. */
  t.httpd.extra = configuration('stripe', { annual: { ...PRODUCTS.annual, ProviderPrice: undefined } })
    .replace(/^.*undefined.*\n/m, '');
  t.httpd.configure();
  await t.httpd.start();
});

test('configtest wants a product of Creem for each plan, and a period that it knows', async () => {
  const none = configuration('creem').replace(/^.*ProviderPrice.*\n/m, '');
  const lacking = await t.httpd.configtest(none);
  assert.notEqual(lacking.status, 0);
  assert.match(lacking.stderr, /<SubPayProduct annual>: SubPayProviderPrice is missing: Creem/);
  const renewing = await t.httpd.configtest(configuration('creem',
    { annual: { ...PRODUCTS.annual, Period: '2y', Renews: 'on' } }));
  assert.match(renewing.stderr, /SubPayPeriod: Creem renews every/);
});

test('bought with Stripe, switched, bought with Creem; Stripe\'s late payment still counts', async () => {
  const old = await t.buy('annual', 'early@example.com', { pay: false });
  await sellWith('creem');
  const bought = await buy('ana@example.com');
  const row = await t.order(bought.reference).becomes('completed');
  assert.equal(row.provider, 'creem');
  assert.equal(row.completed_via, 'webhook');
  assert.match((await bought.browser.get(bought.return_url)).text, /<title>Paid/);
  assert.equal((await t.order(bought.reference).subscriptions).length, 1);

  assert.equal(await t.order(old.reference).state, 'pending');
  const { return_url } = await t.pay(old.session_url, { card: '4242424242424242' });
  const late = await t.order(old.reference).becomes('completed');
  assert.equal(late.provider, 'stripe');
  const page = await old.browser.get(return_url);
  assert.match(page.text, /<title>Paid/);
});

test('pages and mails name Creem, and no statement that is not so', async () => {
  const plans = await t.get('/');
  assert.match(plans.text, /You enter your card at Creem/);
  assert.match(plans.text, /Your statement will say <strong[^>]*>Creem</);
  assert.doesNotMatch(plans.text, /SHOP\*/);
  const [mail] = await t.mailsBecome('ana@example.com');
  assert.match(mail.text, /On your bank statement: Creem\n/);
  assert.doesNotMatch(mail.text, /SHOP\*/);
});

test('tax on top is Creem\'s: the price is what the books know', async () => {
  creem.tax = 4731;
  const bought = await buy('tax@example.com');
  creem.tax = 0;
  await t.order(bought.reference).becomes('completed');
  const [payment] = await t.sql('select amount, currency from payments where order_id = $1', [bought.order.id]);
  assert.deepEqual({ ...payment }, { amount: '24900', currency: 'USD' });
});

test('every webhook twice, forged, or with nothing in it', async () => {
  const again = creem.last;
  const before = await t.value('select count(*) from audit');
  assert.equal(await creem.send(again), 200);
  assert.equal(await t.value('select count(*) from audit'), before, 'nothing new happened');
  t.expectLog('SP0203');
  for (const signature of ['', '0'.repeat(64), creem.sign(again).slice(1), `${creem.sign(again)}0`]) {
    assert.equal(await creem.send(again, signature), 400);
  }
  assert.equal(await creem.send(again, creem.sign(again).toUpperCase()), 200);
  const other = JSON.stringify({ id: 'evt_other', eventType: 'tomorrow.active', created_at: 1, object: {} });
  assert.equal(await creem.send(other), 200);
});

test('no webhook at all: the return page, or else the worker, finds the money', async () => {
  creem.deliver = false;
  const back = await buy('back@example.com');
  assert.match((await back.browser.get(back.return_url)).text, /<title>Paid/);
  const gone = await buy('gone@example.com');
  await t.sql("update orders set next_ask_at = now() where reference = $1", [gone.reference]);
  const row = await t.order(gone.reference).becomes('completed', { within: 10_000 });
  assert.equal(row.completed_via, 'reconcile');
  await creem.release();
});

test('a finished page that names its order only: the money is asked for', async () => {
  creem.deliver = false;
  const bought = await buy('brief@example.com');
  const checkout = [...creem.checkouts.values()].find((one) => one.request_id === bought.order.id);
  checkout.order = checkout.order.id;
  assert.match((await bought.browser.get(bought.return_url)).text, /<title>Paid/);
  creem.held.length = 0;
  creem.deliver = true;
});

test('a lost answer: no second page, ever, and nobody is told to pay again there', async () => {
  const form_key = '3b241101-e2bb-4255-8caf-4136c566a962';
  const browser = t.browser();
  const send = () => browser.post('/checkout', { form: { product: 'annual', email: 'lost@example.com', form_key } });
  t.expectLog('SP0401');
  creem.lose = 1;
  const opened = creem.checkouts.size;
  const first = await send();
  assert.equal(first.status, 503, first.text);
  assert.match(first.text, /You have not been charged/);
  const second = await send();
  assert.equal(second.status, 400);
  assert.match(second.text, /begin again/);
  assert.equal(creem.checkouts.size, opened + 1, 'opened once');
  const [order] = await t.sql("select * from orders where email = 'lost@example.com'");
  assert.equal(order.state, 'pending', 'unknown stays unknown');
  /* And should its money come all the same, it is taken. */
  const page = [...creem.checkouts.values()].at(-1);
  await creem.pay(page, 'lost@example.com');
  await t.order(order.reference).becomes('completed');
});

test('a price that differs there opens no page', async () => {
  t.expectLog('SP0411');
  creem.product({ id: 'prod_annual', price: 24901, currency: 'USD' });
  const opened = creem.checkouts.size;
  const { checkout } = await begin('dear@example.com');
  assert.equal(checkout.status, 503);
  assert.equal(creem.checkouts.size, opened);
  creem.product({ id: 'prod_annual', price: 24900, currency: 'USD' });
});

test('paid less than the price: a person decides', async () => {
  const { order, reference } = await begin('cheap@example.com');
  const checkout = [...creem.checkouts.values()].find((one) => one.request_id === order.id);
  creem.product({ id: 'prod_annual', price: 24800, currency: 'USD' });
  await creem.pay(checkout, 'cheap@example.com');
  creem.product({ id: 'prod_annual', price: 24900, currency: 'USD' });
  await t.order(reference).becomes('review');
});

test('refunded in the dashboard, with its tax: access ends, told once', async () => {
  const order = (await t.sql("select * from orders where email = 'tax@example.com'"))[0];
  const [{ payment_id }] = await t.sql('select payment_id from payments where order_id = $1', [order.id]);
  const transaction = creem.transactions.find((one) => one.order === payment_id);
  creem.giveBack(transaction, transaction.amount_paid);
  await t.order(order.reference).becomes('refunded');
  const [payment] = await t.sql('select amount_refunded from payments where order_id = $1', [order.id]);
  assert.equal(payment.amount_refunded, '24900');
});

test('refunded or charged back, and no webhook: found by asking, told once', async () => {
  const [given, taken] = [await buy('given@example.com'), await buy('taken@example.com')];
  const paid = [];
  for (const { reference } of [given, taken]) {
    const { payment_id } = await t.order(reference).becomes('completed');
    paid.push(creem.transactions.find((one) => one.order === payment_id));
  }
  await t.mailsBecome('given@example.com', 1);
  creem.deliver = false;
  const refund = creem.giveBack(paid[0], paid[0].amount_paid);
  creem.dispute(paid[1]);
  await t.sql("update payments set created_at = created_at - interval '2 days' where provider = 'creem'");
  await t.order(given.reference).becomes('refunded', { within: 30_000 });
  const mails = await t.mailsBecome('given@example.com', 2, { within: 30_000 });
  assert.match(mails[1].text, /249\.00 USD[\s\S]*Your plan ends/);
  await t.until(() => t.value("select 1 from tickets where kind = 'dispute' and order_id = $1", [taken.order.id]),
    { within: 30_000, what: 'a ticket for the chargeback' });
  creem.deliver = true;
  assert.equal(await creem.send(creem.held.find((body) => body.includes(refund.id))), 200);
  await t.until(() => t.value('select 1 from refunds where refund_id = $1', [refund.id]), { what: 'the webhook, after all' });
  assert.equal((await t.mails('given@example.com')).length, 2, 'all roads, one letter');
  await t.until(() => t.value(`select count(*) = 0 from payments where provider = 'creem' and order_id is not null
    and amount_refunded < amount and not disputed and coalesce(asked_at, created_at) < now() - interval '1 day'`),
  { within: 30_000, what: 'all others to be asked about once' });
});

test('a chargeback makes a ticket', async () => {
  const order = (await t.sql("select * from orders where email = 'back@example.com'"))[0];
  const [{ payment_id }] = await t.sql('select payment_id from payments where order_id = $1', [order.id]);
  creem.dispute(creem.transactions.find((one) => one.order === payment_id));
  await t.until(async () => t.value("select 1 from tickets where kind = 'dispute' and order_id = $1", [order.id]),
    { what: 'a ticket for the dispute' });
});

test('no key, secret or address is in the log', async () => {
  assert.doesNotMatch(t.log(), /canary|example\.com/);
  await creem.stop();
});

#!/usr/bin/env -S node --test-reporter=tap
// Nobody is charged another sum than was shown, and whoever set it wrongly hears of it.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use({ start: false });
t.allowLog('SP0355'); /* the endpoint is that of another port */

/* A shop of its own at the same provider, which sells by these prices. */
async function shop(products, settings = {}) {
  const node = await t.node({ products, settings: { SubPayReconcileInterval: '1h', ...settings } });
  await node.start();
  return node;
}
const price = (fields) => t.stripe.prices.create({ currency: 'usd', unit_amount: 900,
  recurring: { interval: 'month' }, product_data: { name: 'Monthly' }, ...fields });
const plan = (id, fields = {}) => ({ monthly: { Title: 'Monthly plan', Price: '9.00 USD', Period: '1mo', Renews: 'on',
  ProviderPrice: id, ...fields } });
const looked = (n) => t.until(async () => await t.value("select count(*)::int from subpay.runs where kind = 'prices' and ok") >= n,
  { within: 15_000, what: 'a look at the prices' });

test('the same on both sides: silent, and sold by the price of that name', async () => {
  const { id } = await price({});
  const node = await shop(plan(id));
  await looked(1);
  assert.doesNotMatch(node.log(), /SP0412/);
  const form = new URLSearchParams({ product: 'monthly', email: 'ana@example.com' });
  const placed = await fetch(`${node.url}/checkout`, { method: 'POST', body: form, redirect: 'manual' });
  assert.equal(placed.status, 303);
  const [session] = (await t.stripe.checkout.sessions.list()).data;
  assert.equal(session.mode, 'subscription');
  const { data } = await t.stripe.checkout.sessions.listLineItems(session.id);
  assert.equal(data[0].price.id, id);
  const page = await (await fetch(`${node.url}/`)).text();
  assert.match(page, /it renews on <time datetime="\d{4}-\d\d-\d\d">/);
  await node.stop();
});

test('twelve months there are a year here', async () => {
  const { id } = await price({ unit_amount: 9900, recurring: { interval: 'month', interval_count: 12 } });
  const node = await shop(plan(id, { Price: '99.00 USD', Period: '1y' }));
  await looked(2);
  assert.doesNotMatch(node.log(), /SP0412/);
  await node.stop();
});

test('another sum there: said at the start, and no page is opened', async () => {
  t.expectLog(/warn.*SP0412: .*it is 10\.00 USD there and 9\.00 USD here/, 'SP0411');
  const { id } = await price({ unit_amount: 1000 });
  const node = await shop(plan(id));
  await looked(3);
  assert.equal(await t.value("select count(*)::int from subpay.alerts where key = 'price:monthly' and closed_at is null"), 1);
  const form = new URLSearchParams({ product: 'monthly', email: 'bo@example.com' });
  const placed = await fetch(`${node.url}/checkout`, { method: 'POST', body: form, redirect: 'manual' });
  assert.equal(placed.status, 503);
  const [session] = (await t.stripe.checkout.sessions.list()).data;
  assert.equal(session.status, 'expired', 'nor left open where somebody could pay it');
  await node.stop();
});

test('the same where somebody wished for a warning: it decides who is woken, not what is charged', async () => {
  t.expectLog('SP0411');
  const { id } = await price({ unit_amount: 1000 });
  const node = await shop(plan(id), { SubPayPriceCheck: 'warn' });
  await looked(4);
  const form = new URLSearchParams({ product: 'monthly', email: 'cy@example.com' });
  const placed = await fetch(`${node.url}/checkout`, { method: 'POST', body: form, redirect: 'manual' });
  assert.equal(placed.status, 503);
  const [session] = (await t.stripe.checkout.sessions.list()).data;
  assert.equal(session.status, 'expired');
  await node.stop();
});

test('another period there; told to be an error, it is one; put right, the alert ends', async () => {
  t.expectLog(/error.*SP0412: .*it is charged every 1y there and every 1mo here/);
  await t.sql('update subpay.alerts set closed_at = now() where closed_at is null');
  const { id } = await price({ recurring: { interval: 'year' } });
  const node = await shop(plan(id), { SubPayPriceCheck: 'error' });
  await looked(5);
  await t.until(() => t.value("select true from subpay.alerts where key = 'price:monthly' and level = 'page' and closed_at is null"));
  await node.stop();
  const right = await shop(plan((await price({})).id));
  await looked(6);
  assert.equal(await t.value("select count(*)::int from subpay.alerts where key = 'price:monthly' and closed_at is null"), 0);
  await right.stop();
});

test('the provider is away: httpd starts all the same, and asks later', async () => {
  t.expectLog('SP0413');
  t.allowLog('SP0401');
  const { id } = await price({});
  await t.sandbox.fault({ on: 'GET /v1/prices/*', do: 'status', status: 503, times: 3 });
  const begun = Date.now();
  const node = await shop(plan(id));
  assert.ok(Date.now() - begun < 5000, 'the start waited for nobody');
  await looked(7);
  await node.stop();
});

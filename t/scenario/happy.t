#!/usr/bin/env -S node --test-reporter=tap
// A customer buys a year: one order, one subscription, one mail, one glad page.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use();

/* A page as it is read: without its tags. */
const words = (html) => html.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ');

test('form, payment page, way back: access and one mail', async () => {
  const bought = await t.buy('annual', 'ana@example.com');
  assert.equal(bought.page.status, 200);
  assert.match(bought.page.text, /<title>Paid/);
  assert.match(words(bought.page.text), /We received your payment of 249\.00 USD/);
  assert.ok(bought.page.text.includes(bought.reference));

  const order = await t.order(bought.reference).becomes('completed');
  assert.equal((await t.order(bought.reference).subscriptions).length, 1);
  const [mail] = await t.mailsBecome('ana@example.com');
  assert.ok(mail.text.includes(bought.reference), 'the mail names the reference');
  assert.ok(mail.subject.includes(bought.reference));
  assert.match(mail.text, /On your bank statement: SHOP\* SP/);

  // All later events and visits change nothing.
  await t.until(async () => (await t.stripe.events.list({ delivery_success: false })).data.length === 0);
  await t.get(bought.return_url);
  assert.equal((await t.mails('ana@example.com')).length, 1);
  assert.deepEqual((await t.sql('select completed_at, payment_id from orders'))[0],
    { completed_at: order.completed_at, payment_id: order.payment_id });
});

test('the same by JSON', async () => {
  const placed = await t.post('/checkout', { json: { product: 'annual', email: 'json@example.com', name: 'J' } });
  assert.equal(placed.status, 200);
  assert.match(placed.json.reference, /^SP-[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  assert.match(placed.json.token, /^[0-9a-f]{32}$/);
  await t.pay(placed.json.checkout_url, { card: '4242424242424242' });
  await t.order(placed.json.reference).becomes('completed');
  const status = await t.get('/status?t=' + placed.json.token);
  assert.equal(status.json.state, 'completed');
  assert.equal(status.headers['cache-control'], 'no-store');
});

test('another browser with the address sees nothing personal', async () => {
  const bought = await t.buy('annual', 'private@example.com', { name: 'Petra Private' });
  await t.order(bought.reference).becomes('completed');
  const page = await t.browser().get(bought.return_url);
  assert.equal(page.status, 200);
  assert.doesNotMatch(page.text, /private@example\.com|Petra/);
});

test('a declined card leaves the order open, and another card pays it', async () => {
  const bought = await t.buy('annual', 'declined@example.com', { card: '4000000000000002' });
  assert.equal(bought.return_url, undefined);
  assert.equal(await t.order(bought.reference).state, 'pending');
  const { return_url } = await t.pay(bought.session_url, { card: '4242424242424242' });
  await bought.browser.get(return_url);
  await t.order(bought.reference).becomes('completed');
});

test('the double click and the resent form meet one order', async () => {
  const browser = t.browser();
  const page = await browser.get('/');
  const form_key = /name="form_key" value="([^"]+)"/.exec(page.text)[1];
  const form = { product: 'annual', email: 'twice@example.com', form_key };
  const replies = await Promise.all([1, 2, 3].map(() => browser.post('/checkout', { form })));
  const [{ n }] = await t.sql("select count(*)::int n from orders where email = 'twice@example.com'");
  assert.equal(n, 1);
  assert.equal(new Set(replies.map((r) => r.location)).size, 1, 'and lead to one payment page');
});

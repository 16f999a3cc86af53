#!/usr/bin/env -S node --test-reporter=tap
// The database was restored from before the purchase: the order's row is gone.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');
const past = require('../lib/past.js');

const t = SubPay.use({ settings: { SubPayReconcileInterval: '1s' } });

async function isAdopted(reference, email) {
  const row = await t.order(reference).becomes('completed');
  assert.equal(row.email, email);
  assert.equal((await t.order(reference).subscriptions).length, 1);
  const [mail] = await t.mailsBecome(email);
  assert.ok(mail.text.includes(reference), 'under the reference that the customer knows');
  const told = await t.sql('select 1 from tickets where order_id = $1', [row.id]);
  assert.equal(told.length, 1, 'support is told');
  return row;
}

test('adopted by the sweep, with what was bought', async () => {
  await t.sandbox.webhooks('off');
  const bought = await t.buy('annual', 'ana@example.com', { pay: false });
  const before = await t.order(bought.reference).row;
  await t.sql('delete from orders');
  await t.pay(bought.session_url, { card: '4242424242424242' });
  const row = await isAdopted(bought.reference, 'ana@example.com');
  assert.equal(row.id, before.id);
  assert.deepEqual(row.token_hash, before.token_hash, 'the way back still works');
  const page = await bought.browser.get((await t.stripe.checkout.sessions.list()).data[0]
    .success_url.replace('{CHECKOUT_SESSION_ID}', (await t.stripe.checkout.sessions.list()).data[0].id));
  assert.match(page.text, /<title>Paid/);
});

test('adopted at the return page, while the customer waits', async (context) => {
  const shop = await SubPay.start(); // its worker looks once a minute
  context.after(() => shop.stop());
  await shop.sandbox.webhooks('off');
  const bought = await shop.buy('annual', 'bea@example.com', { pay: false });
  await shop.sql('delete from orders');
  const { return_url } = await shop.pay(bought.session_url, { card: '4242424242424242' });
  const page = await bought.browser.get(return_url);
  assert.match(page.text, /<title>Paid/);
  assert.equal((await shop.sql("select 1 from orders where state = 'completed'")).length, 1);
});

test('adopted by the webhook, and only once', async () => {
  await t.sandbox.webhooks('off');
  const bought = await t.buy('annual', 'cleo@example.com', { pay: false });
  await t.sql('delete from orders where reference = $1', [bought.reference]);
  await t.sandbox.webhooks('on');
  await t.pay(bought.session_url, { card: '4242424242424242' });
  await isAdopted(bought.reference, 'cleo@example.com');
  assert.equal((await t.sql("select 1 from orders where email = 'cleo@example.com'")).length, 1);
});

test('adopted from an event that names nobody, completed by the next one', async () => {
  await t.sandbox.webhooks('off');
  const order = await past.order(t, 'dora@example.com');
  await t.sql('delete from orders where id = $1', [order.id]);
  const { subpay_email: _, ...metadata } = order.metadata;
  await past.payment(t, { ...order, metadata }, { email: 'dora@example.com', session: true });
  await t.order(order.reference).becomes('completed');
  assert.equal((await t.order(order.reference).row).email, 'dora@example.com');
});

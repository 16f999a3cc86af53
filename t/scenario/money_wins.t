#!/usr/bin/env -S node --test-reporter=tap
// Payments that come late, slowly, in pieces, or after the order seemed closed.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use({ settings: { SubPayReconcileInterval: '1s' } });

test('forty minutes in 3-D Secure, then paid: access', async () => {
  const bought = await t.buy('annual', 'slow@example.com', { card: '4000002760003184', follow: false });
  assert.match(bought.return_url, /authenticate$/, 'the bank wants to see the customer');
  await t.sandbox.clock(40 * 60);
  assert.equal(await t.order(bought.reference).state, 'pending');
  const bank = new URL(bought.return_url, bought.session_url).href;
  const done = await t.browser().post(bank, { form: { outcome: 'approve' } });
  assert.equal(done.status, 303, done.text);
  await t.order(bought.reference).becomes('completed');
});

for (const state of ['failed', 'cancelled', 'expired']) {
  test('money for an order that was ' + state + ': access', async () => {
    const bought = await t.buy('annual', state + '@example.com', { pay: false });
    await t.sql('update orders set state = $2 where reference = $1', [bought.reference, state]);
    await t.pay(bought.session_url, { card: '4242424242424242' });
    await t.order(bought.reference).becomes('completed');
    await t.mailsBecome(state + '@example.com');
  });
}

test('a delayed method: no access until the money is there', async () => {
  const bought = await t.buy('annual', 'bank@example.com', { card: 'delayed' });
  assert.match(bought.page.text, /on its way|checking|Checking/i);
  const row = await t.order(bought.reference).row;
  assert.equal(row.state, 'pending');
  assert.equal((await t.order(bought.reference).subscriptions).length, 0);
  const { data } = await t.stripe.paymentIntents.list();
  const intent = data.find((one) => one.metadata.subpay_reference === bought.reference);
  await t.sandbox.control('POST', 'payments/' + intent.id + '/settle', { outcome: 'succeeded' });
  await t.order(bought.reference).becomes('completed');
});

test('a delayed method that fails: closed, and the page says not charged', async () => {
  const bought = await t.buy('annual', 'bounced@example.com', { card: 'delayed' });
  const { data } = await t.stripe.paymentIntents.list();
  const intent = data.find((one) => one.metadata.subpay_reference === bought.reference);
  await t.sandbox.control('POST', 'payments/' + intent.id + '/settle', { outcome: 'failed' });
  await t.order(bought.reference).becomes('failed');
  const page = await bought.browser.get(bought.return_url);
  assert.match(page.text, /You have not been charged/);
});

test('an expired page: expired, and the page says not charged', async () => {
  const bought = await t.buy('annual', 'gone@example.com', { pay: false });
  const { data } = await t.stripe.checkout.sessions.list();
  const session = data.find((one) => one.metadata.subpay_reference === bought.reference);
  await t.stripe.checkout.sessions.expire(session.id);
  await t.order(bought.reference).becomes('expired');
  const page = await bought.browser.get(session.cancel_url);
  assert.match(page.text, /You have not been charged/);
});

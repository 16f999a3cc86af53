#!/usr/bin/env -S node --test-reporter=tap
// Other money in the same account, and money that does not match.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');
const past = require('../lib/past.js');

const t = SubPay.use({ settings: { SubPayReconcileInterval: '1s' } });

async function nothingGranted() {
  assert.equal((await t.sql('select 1 from subscriptions')).length, 0);
  assert.equal((await t.sql("select 1 from orders where state = 'completed'")).length, 0);
  assert.equal((await t.mails()).filter((m) => /plan is active|You have access/.test(m.subject)).length, 0);
}

/* The next whole round of the worker has been. */
async function swept() {
  const [{ id }] = await t.sql('select coalesce(max(id), 0) id from runs');
  await t.until(async () => (await t.sql("select 1 from runs where id > $1 and kind = 'objects' and ok", [id])).length > 1,
    { within: 10_000, what: 'two sweeps' });
}

test('a charge of another product in the account: no access, no order, no crash', async () => {
  await t.sandbox.payments({ count: 3, amount: 24900, currency: 'usd', email: 'other@example.com', deliver: true });
  await swept();
  await nothingGranted();
  assert.equal((await t.sql('select 1 from orders')).length, 0);
});

test('an order of another shop in the same account is left alone', async () => {
  const order = await past.order(t, 'far@example.com');
  await t.sql('delete from orders');
  await past.payment(t, { ...order, metadata: { ...order.metadata, subpay_site: 'https://elsewhere.example' } });
  await swept();
  assert.equal((await t.sql('select 1 from orders')).length, 0);
});

for (const [what, pay] of Object.entries({
  'one cent short': { amount: 24899 },
  'one cent over': { amount: 24901 },
  'another currency': { currency: 'eur' },
})) {
  test(what + ': review, a ticket, no access', async () => {
    const email = what.replaceAll(' ', '.') + '@example.com';
    const order = await past.order(t, email);
    await past.payment(t, order, { email, ...pay });
    const row = await t.order(order.reference).becomes('review', { within: 10_000 });
    assert.ok(row.review_reason);
    const [ticket] = await t.sql('select * from tickets where order_id = $1', [order.id]);
    assert.equal(ticket.state, 'open');
    assert.ok(ticket.due_at, 'and it is due');
    await nothingGranted();
  });
}

test('a test payment in production changes nothing', async (context) => {
  const live = await SubPay.start({ worker: false });
  context.after(() => live.stop());
  const bought = await live.buy('annual', 'ana@example.com', { pay: false });
  await live.sql("update settings set mode = 'live'");
  await live.pay(bought.session_url, { card: '4242424242424242' });
  await live.until(async () => (await live.sandbox.requests()).length > 0);
  assert.notEqual(await live.order(bought.reference).state, 'completed');
  assert.equal((await live.sql('select 1 from subscriptions')).length, 0);
});

#!/usr/bin/env -S node --test-reporter=tap
// Events twice, reversed, late, with a failure before the success and after it.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use({ worker: false });

async function completedOnce(reference, email) {
  const row = await t.order(reference).becomes('completed');
  assert.equal((await t.order(reference).subscriptions).length, 1);
  assert.equal((await t.sql('select 1 from payments where order_id = $1', [row.id])).length, 1);
  assert.equal((await t.sql("select 1 from outbox where order_id = $1 and kind = 'mail'", [row.id])).length, 1);
  assert.equal((await t.sql("select 1 from orders where email = $1", [email])).length, 1);
  return row;
}

async function everythingIsDelivered() {
  await t.until(async () => (await t.stripe.events.list({ delivery_success: false })).data.length === 0,
    { within: 15_000, what: 'all events to be delivered' });
}

for (const [what, way] of Object.entries({
  'every event twice': { duplicate: 2 },
  'in reverse order': { reverse: true },
  'shuffled, three times': { shuffle: true, duplicate: 3 },
})) {
  test(what, async () => {
    const email = what.replaceAll(/[ ,]+/g, '.') + '@example.com';
    await t.sandbox.webhooks('hold');
    const bought = await t.buy('annual', email, { follow: false, pay: false });
    await t.pay(bought.session_url, { card: '4000000000000002' }); // declined first
    await t.pay(bought.session_url, { card: '4242424242424242' });
    await t.sandbox.control('POST', 'webhooks', { deliver: 'release', ...way });
    await completedOnce(bought.reference, email);
    await everythingIsDelivered();
    await completedOnce(bought.reference, email);
  });
}

test('a failed attempt told after the success changes nothing', async () => {
  const email = 'late.failure@example.com';
  await t.sandbox.control('POST', 'webhooks', { deliver: 'on', duplicate: 1, reverse: false, shuffle: false });
  const bought = await t.buy('annual', email, { follow: false });
  const before = await completedOnce(bought.reference, email);
  const { data } = await t.stripe.paymentIntents.list();
  const intent = data.find((one) => one.metadata.subpay_reference === bought.reference);
  await t.sandbox.events({ type: 'payment_intent.payment_failed', object: { ...intent, status: 'requires_payment_method',
    last_payment_error: { type: 'card_error', code: 'card_declined' } } });
  await everythingIsDelivered();
  const after = await completedOnce(bought.reference, email);
  assert.deepEqual(after.completed_at, before.completed_at);
  assert.equal(after.state, 'completed');
});

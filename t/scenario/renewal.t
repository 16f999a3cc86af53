#!/usr/bin/env -S node --test-reporter=tap
// A plan that renews: each period that was paid extends it once, whichever road told us.
'use strict';
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

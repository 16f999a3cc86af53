#!/usr/bin/env -S node --test-reporter=tap
// SubPayCapture after-access: access first, then the charge. A crash in between leaves a
// reservation, never a charge without access; and what is reserved is taken once.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');
const invariants = require('../lib/invariants.js');

const t = SubPay.use({ settings: { SubPayCapture: 'after-access', SubPayProviderTimeout: '2s', SubPayReconcileInterval: '1s', SubPayRateLimit: 'checkout 0' } });

const words = (html) => html.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ');
const intentOf = async (reference) => (await t.stripe.paymentIntents.list({ limit: 100 })).data
  .find((one) => one.metadata.subpay_reference === reference);
const hurry = () => t.sql("update outbox set next_try_at = now() where state = 'pending'; select pg_notify('subpay_outbox', '')");
const payment = async (reference) => (await t.sql(`select p.* from payments p join orders o on o.id = p.order_id
  where o.reference = $1`, [reference]))[0];
const becomes = (reference, state, within = 20_000) => t.until(async () => {
  const one = await payment(reference);
  return one?.state === state && one;
}, { within, what: `payment ${state}` });
const captures = async () => (await t.sandbox.requests()).filter(({ path, status }) => /\/capture$/.test(path) && status === 200);
async function sound() {
  const { left } = await invariants.quiet(t, { within: 20_000, hurry: true });
  assert.deepEqual(left, []);
  assert.deepEqual(await invariants.violations(t), []);
}

test('reserved, access, then taken: once, and the customer reads so', async () => {
  await t.sandbox.fault({ on: 'POST /v1/payment_intents/*/capture', do: 'delay', ms: 1500, when: 'before' });
  const bought = await t.buy('annual', 'ana@example.com');
  const { reference } = bought;
  assert.match(words(bought.page.text), /You have access\. Your bank has reserved 249\.00 USD for us\. It is taken only once you have access\./);
  assert.doesNotMatch(words(bought.page.text), /We received your payment/);
  assert.equal(await t.order(reference).state, 'completed');
  assert.deepEqual([(await payment(reference)).state, Number((await payment(reference)).amount)], ['held', 24900]);
  await becomes(reference, 'taken');
  const intent = await intentOf(reference);
  assert.deepEqual([intent.status, intent.amount_received], ['succeeded', 24900]);
  assert.equal((await captures()).length, 1);
  const page = await bought.browser.get(bought.return_url);
  assert.match(words(page.text), /You have access\. We received your payment of 249\.00 USD/);
  const [mail] = await t.mailsBecome('ana@example.com');
  assert.match(mail.text, /Your bank has reserved 249\.00 USD for us|We received your payment of 249\.00 USD/);
  await sound();
});

#!/usr/bin/env -S node --test-reporter=tap
// Return page, webhook, replay, reconciliation and subpayctl on one order at once.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const ORDERS = Number(process.env.SUBPAY_RACES || 200);
const t = SubPay.use({ settings: { SubPayReconcileInterval: '1s' } });

async function race(n) {
  const bought = await t.buy('annual', 'racer' + n + '@example.com', { pay: false });
  const { return_url } = await t.pay(bought.session_url, { card: '4242424242424242' });
  await Promise.all([
    bought.browser.get(return_url),
    bought.browser.get(return_url),
    n % 4 === 0 ? t.subpayctl('recover', bought.reference) : bought.browser.get(return_url),
    n % 20 === 0 ? t.subpayctl('reconcile', '--since', '1h') : null,
  ]);
}

test(ORDERS + ' orders: one completion, one subscription, one mail each', { timeout: 240_000 }, async () => {
  await t.sandbox.control('POST', 'webhooks', { deliver: 'on', duplicate: 2, redirect_wait_ms: 0 });
  let next = 0;
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (next < ORDERS) await race(next++);
  }));
  const count = (text) => t.value('select count(*)::int from ' + text);
  await t.until(async () => await count("orders where state = 'completed'") === ORDERS, { within: 20_000 });
  await t.until(async () => await count("outbox where state = 'sent'") === ORDERS, { within: 60_000, what: 'all mails to leave' });
  assert.equal(await count('orders'), ORDERS);
  assert.equal(await count('subscriptions'), ORDERS);
  assert.equal(await count('payments'), ORDERS);
  assert.equal(await count("audit where action = 'order.completed'"), ORDERS, 'each completed once');
  const mails = await t.mails();
  const addresses = mails.map((mail) => JSON.stringify(mail.to).match(/racer\d+@/)?.[0]);
  assert.equal(addresses.length, ORDERS);
  assert.equal(new Set(addresses).size, ORDERS, 'one mail each');
  console.log('# by road: ' + JSON.stringify(await t.sql('select completed_via, count(*)::int from orders group by 1')));
});

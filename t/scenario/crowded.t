#!/usr/bin/env -S node --test-reporter=tap
// More people than database connections, and none of them comes free: everybody is told
// to come back within seconds, a webhook is not lost, and afterwards all goes on.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use();

test('orders are locked: 503 with Retry-After in seconds, and no sale is blind', async () => {
  t.allowLog('SP05', 'SP02');
  const bought = await t.buy('annual', 'ana@example.com', { pay: false });
  await t.sandbox.control('POST', 'webhooks', { retry_s: [1, 1, 1, 1], redirect_wait_ms: 0 });
  const before = (await t.stripe.checkout.sessions.list()).data.length;

  const holder = await t.postgres.connect(t.database);
  await holder.query('begin; lock table subpay.orders in access exclusive mode');
  await t.pay(bought.session_url, { card: '4242424242424242' });
  const begun = Date.now();
  // Eight connections, and who has one gives it back after a second: of 48 people at
  // least half never see one.
  const replies = await Promise.all(Array.from({ length: 48 }, async (_, n) => {
    const reply = await t.browser().post('/checkout', { form: { product: 'annual', email: `crowd${n}@example.com` } });
    return Object.assign(reply, { took: Date.now() - begun });
  }));
  for (const { status, headers, text } of replies) {
    assert.equal(status, 503);
    assert.ok(headers['retry-after']);
    assert.match(text, /You have not been charged/);
  }
  const took = replies.map((one) => one.took).sort((a, b) => a - b);
  console.log(`# ${took.join(" ")}`);
  const slack = process.env.SUBPAY_SANITIZE ? 2 : 1;
  assert.ok(took[took.length / 2 - 1] < 2900 * slack, 'who finds no connection waits two seconds');
  assert.ok(took.at(-1) < 7000 * slack, 'who has one tries four times, a second each');
  assert.equal((await t.stripe.checkout.sessions.list()).data.length, before, 'nobody was sent to pay');
  await holder.query('rollback');
  await holder.end();

  await t.order(bought.reference).becomes('completed', { within: 10_000 });
  const next = await t.buy('annual', 'next@example.com');
  await t.order(next.reference).becomes('completed');
});

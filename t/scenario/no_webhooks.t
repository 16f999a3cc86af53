#!/usr/bin/env -S node --test-reporter=tap
// Webhooks never come and the customer never returns.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');
const past = require('../lib/past.js');

test('default settings: healed within 90 seconds, order row or not', { timeout: 150_000 }, async (context) => {
  const t = await SubPay.start();
  context.after(() => t.stop());
  await t.sandbox.webhooks('off');
  const bought = await t.buy('annual', 'ana@example.com', { follow: false });
  const gone = await t.buy('annual', 'bea@example.com', { follow: false });
  const paid = Date.now();
  await t.sql('delete from orders where reference = $1', [gone.reference]);

  await t.order(bought.reference).becomes('completed', { within: 90_000 });
  await t.order(gone.reference).becomes('completed', { within: 90_000 + paid - Date.now() });
  await t.mailsBecome('ana@example.com');
  await t.mailsBecome('bea@example.com');
  const [told] = await t.sql("select * from tickets where kind = 'adopted'");
  assert.ok(told, 'support is told of the adopted payment');
});

test('late by more than two minutes: the other mail, and it says sorry', async (context) => {
  const t = await SubPay.start();
  context.after(() => t.stop());
  await t.httpd.kill9();
  const order = await past.order(t, 'ana@example.com', { age_s: 1500 });
  await past.payment(t, order, { age_s: 1200, email: 'ana@example.com' });
  await t.httpd.start();
  const row = await t.order(order.reference).becomes('completed');
  assert.equal(row.bonus_days, 7);
  const [mail] = await t.mailsBecome('ana@example.com');
  assert.match(mail.subject, /You have access/);
  assert.match(mail.text, /sorry/i);
  const [{ days }] = await t.sql(`select extract(day from expires_at - (starts_at + interval '1 year'))::int days
    from subscriptions`);
  assert.equal(days, 7, 'a year from access, and the days we owe');
  assert.equal((await t.mails('ana@example.com')).length, 1, 'never both mails');
});

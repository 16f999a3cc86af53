#!/usr/bin/env -S node --test-reporter=tap
// What a worker has claimed and cannot send now waits for no lease: it is due at once.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');
const past = require('../lib/past.js');

/* Welcomes for so many orders, all at once. */
async function queue(t, count, name) {
  const orders = [];
  for (let n = 0; n < count; n++) orders.push(await past.order(t, `${name}${n}@example.com`));
  await t.sql(`insert into subpay.outbox (kind, template, dedupe_key, order_id, recipient)
    select 'mail', 'confirmation', 'test:' || id, id, email from subpay.orders where id = any ($1)`,
  [orders.map(({ id }) => id)]);
  await t.sql("select pg_notify('subpay_outbox', '')");
}

const sent = (t) => t.value("select count(*)::int from subpay.outbox where state = 'sent'");

test('a mail server that takes a second and a half for each: no mail waits for a lease', async (context) => {
  const t = await SubPay.start();
  context.after(() => t.stop());
  await t.sandbox.fault({ on: 'SMTP DATA', do: 'delay', ms: 1500, times: 6 });
  await queue(t, 6, 'slow');
  await t.until(async () => await sent(t) === 6, { within: 20_000, what: 'all six to leave' });
  assert.equal((await t.mails()).length, 6);
});

test('the database goes away while mails are in hand: they leave when it is back', async (context) => {
  const t = await SubPay.start({ cluster: 'own' });
  context.after(() => t.stop());
  t.allowLog('SP0');
  await t.sandbox.fault({ on: 'SMTP DATA', do: 'delay', ms: 1000, times: 1 });
  await queue(t, 5, 'hand');
  await t.until(async () => (await t.sandbox.mail()).length === 0
    && await t.value("select count(*)::int from subpay.outbox where state = 'sending'") > 0);
  await t.postgres.stop('immediate');
  await t.postgres.start();
  await t.until(async () => await sent(t) === 5, { within: 10_000, what: 'all five to leave' });
  assert.ok((await t.mails()).length <= 6, 'one may have come twice');
});

#!/usr/bin/env -S node --test-reporter=tap
// One payment that cannot be settled stops nothing but itself.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');
const past = require('../lib/past.js');

const t = SubPay.use({ settings: { SubPayReconcileInterval: '1s' } });

test('99 of 100 heal, one alert tells of the other', async () => {
  t.allowLog('SP0');
  await t.sandbox.webhooks('off');
  await t.httpd.kill9();
  let poison;
  for (let n = 0; n < 100; n++) {
    const order = await past.order(t, `c${n}@example.com`, { age_s: 900 });
    await past.payment(t, order, { age_s: 600, email: `c${n}@example.com` });
    poison = n === 41 ? order : poison;
  }
  await t.sql(`create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'poison'; end $$`);
  await t.sql(`create trigger refuse before insert on payments for each row
    when (new.order_id = '${poison.id}') execute function refuse()`);
  await t.httpd.start();
  await t.until(async () => await t.value("select count(*)::int from orders where state = 'completed'") === 99,
    { within: 30_000, what: '99 orders to heal' });
  await t.until(async () => (await t.sql("select 1 from alerts where closed_at is null and key like 'poison%'")).length === 1);
  const alerts = await t.mailsBecome('alerts@example.com');
  assert.ok(alerts.some((mail) => /could not|cannot/i.test(mail.text)), 'the alert went out');

  // The cause is removed: it heals like the others.
  await t.sql('drop trigger refuse on payments');
  await t.sql("update provider_events set next_try_at = now() where state in ('failed', 'parked')");
  await t.until(async () => await t.value("select count(*)::int from orders where state = 'completed'") === 100,
    { within: 10_000, what: 'the hundredth to heal' });
});

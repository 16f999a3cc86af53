#!/usr/bin/env -S node --test-reporter=tap
// Two people hear of trouble once, until one has it; they sleep through what heals.
'use strict';
const http = require('node:http');
const { SubPay, test, assert } = require('../lib/subpay.js');
const past = require('../lib/past.js');

const t = SubPay.use({ settings: { SubPayReconcileInterval: '1s', SubPayAlertTo: '"ana@desk.example sam@desk.example"' } });

const openAlerts = () => t.sql('select key, text, taken_by from alerts where closed_at is null and level = \'page\'');
const people = async () => [...await t.mails('ana@desk.example'), ...await t.mails('sam@desk.example')];
const completed = () => t.value("select count(*)::int from orders where state = 'completed'");

test('500 orders fail at once: at most two messages, and all heal without anybody', { timeout: 180_000 }, async () => {
  t.allowLog('SP04', 'SP0712', 'SP03');
  await t.sandbox.webhooks('off');
  await t.httpd.stop();
  const orders = [];
  for (let n = 0; n < 500; n++) orders.push(await past.order(t, `c${n}@example.com`, { age_s: 900 }));
  await t.sandbox.fault({ on: '* /v1/*', do: 'status', status: 500, times: 'always' });
  for (const [n, order] of orders.entries()) await past.payment(t, order, { age_s: 700, email: `c${n}@example.com` });
  await t.httpd.start();
  await t.until(() => t.value("select count(*) > 2 from runs where kind = 'objects' and not ok"), { within: 30_000 });
  // The outage has lasted for 40 minutes already.
  await t.sql("insert into runs (kind, started_at, finished_at, ok) select k, now() - interval '40 min', now() - interval '40 min', true from unnest('{events,objects}'::text[]) k");
  await t.sql("update runs set started_at = now() - interval '39 min', finished_at = now() - interval '39 min' where not ok");
  await t.until(async () => (await openAlerts()).length > 0, { within: 20_000, what: 'the page' });
  await t.mailsBecome('ana@desk.example', 1, { within: 15_000 });

  await t.sandbox.clearFaults();
  await t.until(async () => await completed() === 500, { within: 120_000, every: 250, what: '500 orders to heal' });
  await t.until(async () => (await openAlerts()).length === 0, { within: 20_000, what: 'the page to be closed' });
  const told = await people();
  assert.ok(told.length <= 2, told.map((mail) => mail.subject).join('; '));
  assert.match(told[0].subject, /NO LOOK AT THE PROVIDER/);
});

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

test('money without access: told, taken by one press; the pause is told to customers and ends by one press', async () => {
  const paid = await t.buy('annual', 'before@example.com');
  await t.sandbox.clearMail();
  const order = await past.order(t, 'stuck@example.com', { age_s: 900 });
  await t.sql(`insert into payments (provider, payment_id, order_id, mode, amount, currency, paid_at)
    values ('stripe', 'pi_stuck', $1, 'test', 24900, 'USD', now() - interval '22 min')`, [order.id]);
  const [mail] = await t.mailsBecome('ana@desk.example', 1, { within: 20_000 });
  assert.equal(mail.subject, 'PAID, NO ACCESS: 1 person, 249.00 USD, longest 22 min');
  assert.ok(mail.text.includes(`${t.url}/admin/orders/${order.reference}`), 'with the way to the case');
  assert.ok(mail.text.includes(`${t.url}/admin/alerts`), 'and to "I have it"');

  // Nobody answers.
  await t.sql("update alerts set raised_at = raised_at - interval '31 min' where closed_at is null");
  await t.until(() => t.value('select checkout_paused()'), { within: 20_000 });
  const [second] = await t.mailsBecome('sam@desk.example', 1, { within: 10_000 });
  assert.match(second.text, /Checkout has paused by itself/);
  const plans = await t.get('/');
  assert.equal(plans.status, 503);
  assert.match(plans.text, /We have paused new payments for now\./);
  assert.match(plans.text, /You have not been charged/);
  const { browser } = paid;
  assert.doesNotMatch((await browser.get('/')).text, /You have not been charged/, 'not to who may have paid');
  assert.equal((await t.post('/notify', { form: { email: 'not one' } })).status, 400);
  for (let n = 0; n < 2; n++) assert.equal((await t.post('/notify', { form: { email: 'ana@example.com' } })).status, 200);

  const desk = { auth: t.admin };
  const page = await t.get('/admin/alerts', desk);
  assert.match(page.text, /I have it/);
  const list = JSON.parse((await t.get('/admin/alerts', { ...desk, headers: { Accept: 'application/json' } })).text);
  assert.equal(list.alerts[0].key, 'money');
  const press = (where, form) => t.post(`/admin/${where}`, { ...desk, form: { csrf: list.csrf, ...form } });
  assert.equal((await t.post('/admin/alerts/money/acknowledge', { ...desk, form: {} })).status, 403, 'no token, no effect');
  assert.equal((await press('alerts/nothing/acknowledge')).status, 404);
  assert.equal((await press('alerts/money/acknowledge')).status, 303);
  assert.equal((await openAlerts())[0].taken_by, 'support');
  assert.equal((await press('pause', { to: 'off', reason: 'seen' })).status, 303);
  await t.mailsBecome('ana@example.com', 1, { within: 10_000 });
  assert.equal((await t.get('/')).status, 200);
  assert.deepEqual((await t.sql("select actor, action from audit where action like 'support.%' order by id")).map(({ actor, action }) => `${actor} ${action}`),
    ['system support.pause', 'support support.alert_take', 'support support.resume']);
});

test('a test of the alerts goes the way of a real one, and is over when somebody has it', async () => {
  await t.sandbox.clearMail();
  const desk = { auth: t.second };
  const before = await t.get('/admin/alerts', desk);
  assert.match(before.text, /Never tested\..*Once a month is due/s);
  const csrf = /name="csrf" value="(\w+)"/.exec(before.text)[1];
  const press = (where, form = { csrf }) => t.post(`/admin/${where}`, { ...desk, form });
  assert.equal((await press('alerts/test', {})).status, 403);
  for (let n = 0; n < 2; n++) assert.equal((await press('alerts/test')).status, 303);
  const [mail] = await t.mailsBecome('ana@desk.example', 1, { within: 10_000 });
  assert.equal(mail.subject, 'TEST of the alerts by sam: nothing is wrong. Press "I have it"');
  await t.sql("update alerts set raised_at = now() - interval '11 min' where key = 'test'");
  await t.mailsBecome('sam@desk.example', 1, { within: 15_000 });
  await t.sql("update alerts set raised_at = now() - interval '40 min' where key = 'test'");
  await t.mailsBecome('ana@desk.example', 2, { within: 15_000 });
  assert.equal(await t.value('select checkout_paused()'), false, 'a test stops nothing');
  assert.equal((await press('alerts/test/acknowledge')).status, 303);
  assert.deepEqual((await openAlerts()).filter(({ key }) => key === 'test'), []);
  assert.match((await t.get('/admin/alerts', desk)).text, /<strong translate="no">sam<\/strong> had it after 40 min/);
});

test('the digest comes once a day, to both', async () => {
  await t.sandbox.clearMail();
  await t.sql("update watermarks set cursor = (current_date - 2)::text where name = 'digest'");
  for (const who of ['ana@desk.example', 'sam@desk.example']) {
    const [mail] = await t.mailsBecome(who, 1, { within: 20_000 });
    assert.match(mail.subject, /need you|All quiet/);
    assert.match(mail.text, /Last good look at the provider/);
    assert.match(mail.text, /On duty: nobody has taken the week/);
    assert.match(mail.text, /Alerts tested: .* taken by sam/);
  }
  assert.equal((await people()).length, 2);
});

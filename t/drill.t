#!/usr/bin/env -S node --test-reporter=tap
// "subpayctl drill": an owner can see it heal, in test mode only, and nothing stays behind.
'use strict';
const fs = require('node:fs');
const { SubPay, test, assert, proc, place } = require('./lib/subpay.js');

const t = SubPay.use({ settings: { SubPayReconcileInterval: '1s' } });
t.allowLog('SP0701', 'SP0712');

test('somebody pays, the worker dies, access and mail come, and the money goes back', { timeout: 120_000 }, async () => {
  await t.until(() => t.value('select count(*) > 0 from workers'));
  const before = t.httpd.workerPid();
  const done = await t.subpayctl('--json', 'drill');
  assert.equal(done.status, 0, `${done.stdout}${done.stderr}`);
  const said = done.json;
  assert.equal(said.killed, before);
  assert.notEqual(t.httpd.workerPid(), before);
  assert.equal(said.via, 'webhook');
  for (const name of ['worker_ms', 'access_ms', 'mail_ms', 'refunded_ms']) assert.ok(said[name] >= 0 && said[name] < 30_000, name);
  assert.equal(await t.order(said.reference).state, 'refunded');
  const mails = await t.mails('help@example.com');
  assert.ok(mails.some(({ subject }) => subject.includes(said.reference)) || mails.length >= 2, 'it went to support');
  const payment = await t.stripe.paymentIntents.retrieve(said.payment, { expand: ['latest_charge'] });
  assert.equal(payment.latest_charge.amount_refunded, 24900);
  const { data: [page] } = await t.stripe.checkout.sessions.list({ limit: 1 });
  assert.equal(page.status, 'expired', 'and nobody can pay the page of the drill');
  assert.equal(await t.value("select count(*)::int from tickets where state <> 'solved'"), 0, 'and nobody is bothered');
});

test('again the same day, for another address, without webhooks: the worker does it', { timeout: 120_000 }, async () => {
  await t.sandbox.webhooks('off');
  const done = await t.subpayctl('drill', '--to', 'drill@example.com');
  await t.sandbox.webhooks('on');
  assert.equal(done.status, 0, `${done.stdout}${done.stderr}`);
  assert.match(done.stdout, /access, by (replay|reconcile) +after +\d+\.\d\d s/);
  assert.match(done.stdout, /It healed\. Not part of this: the hosted page/);
  assert.ok((await t.mails('drill@example.com')).length >= 1);
});

test('when it does not heal it says so, with status 1', { timeout: 120_000 }, async () => {
  await t.sandbox.webhooks('off');
  const dead = await SubPay.start({ worker: false });
  const done = await dead.subpayctl('drill');
  assert.equal(done.status, 1);
  assert.match(done.stderr, /no worker lives/);
  assert.equal(await dead.value('select count(*)::int from orders'), 0, 'and nothing was bought');
  await dead.stop();
  await t.sandbox.webhooks('on');
});

test('in production it refuses, whatever the key', async () => {
  const key = `${t.folder}/httpd/keys/live`;
  fs.writeFileSync(key, 'sk_live_0123456789abcdef\n', { mode: 0o600 });
  const conf = `${t.folder}/live.conf`;
  fs.writeFileSync(conf, ['SubPayEnvironment production', 'SubPayBaseURL https://shop.example.com', `SubPayProviderKey stripe file:${key}`,
    'SubPaySupportEmail help@example.com', `SubPayDatabase "${t.postgres.conninfo(t.database)}"`,
    '<SubPayProduct annual>', 'SubPayPrice 249.00 USD', 'SubPayPeriod 1y', '</SubPayProduct>', ''].join('\n'));
  const before = await t.value('select count(*)::int from orders');
  const worker = t.httpd.workerPid();
  const done = await proc.run(`${place.BUILD}/subpayctl`, ['--config', conf, 'drill']);
  assert.equal(done.status, 1);
  assert.match(done.stderr, /not with SubPayEnvironment production/);
  assert.equal(await t.value('select count(*)::int from orders'), before);
  assert.equal(t.httpd.workerPid(), worker);
});

test('pause and resume: checkout stops, says so, and goes on', async () => {
  const paused = await t.subpayctl('--json', 'pause', '--reason', 'fire');
  assert.deepEqual([paused.status, paused.json], [0, { paused: true, changed: true }]);
  assert.match((await t.subpayctl('pause')).stdout, /paused already/);
  assert.equal((await t.get('/')).status, 503);
  const resumed = await t.subpayctl('resume');
  assert.equal(resumed.status, 0);
  assert.match(resumed.stdout, /works again/);
  assert.equal((await t.get('/')).status, 200);
  const rows = await t.sql("select action from audit where action in ('support.pause', 'support.resume') order by id");
  assert.deepEqual(rows.map(({ action }) => action), ['support.pause', 'support.resume']);
});

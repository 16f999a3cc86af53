#!/usr/bin/env -S node --test-reporter=tap
// "subpayctl webhook create": one endpoint at the provider and its secret here, whatever
// is lost on the way.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { SubPay, test, assert, proc, place } = require('./lib/subpay.js');

const t = SubPay.use({ worker: false });

const file = () => path.join(t.folder, 'httpd', 'keys', 'webhook');
const endpoints = async () => (await t.stripe.webhookEndpoints.list()).data;
const create = (...args) => t.subpayctl('webhook', 'create', ...args);
const clean = async () => {
  for (const { id } of await endpoints()) await t.stripe.webhookEndpoints.del(id);
  for (const one of [file(), `${file()}.key`, `${file()}.tmp`]) fs.rmSync(one, { force: true });
};
const leftovers = () => fs.readdirSync(path.dirname(file())).filter((name) => /^webhook\./.test(name));

test('a secret that is there is not overwritten', async () => {
  const was = fs.readFileSync(file(), 'utf8');
  const done = await create();
  assert.equal(done.status, 1);
  assert.match(done.stderr, /holds a secret already.*--force/);
  assert.equal(fs.readFileSync(file(), 'utf8'), was);
  assert.equal((await endpoints()).length, 1);
});

test('an endpoint whose secret is lost is not doubled unless told', async () => {
  fs.rmSync(file());
  const [{ id }] = await endpoints();
  const done = await create();
  assert.equal(done.status, 1);
  assert.ok(done.stderr.includes(id) && done.stderr.includes('--force'), done.stderr);
  assert.ok(!fs.existsSync(file()));
  assert.equal((await endpoints()).length, 1);
  assert.deepEqual(leftovers(), []);

  const forced = await create('--force');
  assert.equal(forced.status, 0, forced.stderr);
  assert.ok(forced.stdout.includes(`delete the old one, ${id}`), forced.stdout);
  assert.equal((await endpoints()).length, 2);
});

test('it registers our URL with our version and events, and keeps the secret for root alone', async () => {
  await clean();
  const done = await t.subpayctl('--json', 'webhook', 'create');
  assert.equal(done.status, 0, done.stderr);
  const [made, ...more] = await endpoints();
  assert.deepEqual(more, []);
  assert.equal(made.url, `${t.url}/webhook/stripe`);
  assert.equal(made.api_version, '2026-07-29.dahlia');
  assert.ok(made.enabled_events.includes('checkout.session.completed') && made.enabled_events.includes('refund.failed'));
  assert.deepEqual(done.json, { endpoint: made.id, url: made.url, secret_file: file() });
  const secret = fs.readFileSync(file(), 'utf8').trim();
  assert.match(secret, /^whsec_/);
  assert.equal(fs.statSync(file()).mode & 0o777, 0o600);
  assert.ok(!`${done.stdout}${done.stderr}`.includes(secret), 'and never prints it');
  assert.deepEqual(leftovers(), []);

  await t.httpd.restart();
  const bought = await t.buy('annual', 'ana@example.com', { follow: false });
  const order = await t.order(bought.reference).becomes('completed');
  assert.equal(order.completed_via, 'webhook', 'and httpd believes what is signed with it');
  const { json } = await t.subpayctl('--json', 'doctor');
  assert.ok(json.checks.filter(({ check }) => ['webhook', 'endpoint'].includes(check)).every(({ state }) => state === 'ok'));
});

test('an answer that is lost: no second endpoint, and the secret comes with the next run', async () => {
  await clean();
  await t.sandbox.fault({ on: 'POST /v1/webhook_endpoints', do: 'drop_reply', times: 'always' });
  const lost = await create();
  assert.equal(lost.status, 3);
  assert.match(lost.stderr, /may be registered.*makes no second one/);
  assert.ok(!fs.existsSync(file()));
  assert.equal((await endpoints()).length, 1, 'it was registered');

  await t.sandbox.clearFaults();
  const again = await create();
  assert.equal(again.status, 0, again.stderr);
  const [made, ...more] = await endpoints();
  assert.deepEqual(more, []);
  assert.ok(again.stdout.includes(made.id));
  assert.match(fs.readFileSync(file(), 'utf8'), /^whsec_/);
  assert.deepEqual(leftovers(), []);
});

test('registered, but the disk refuses the secret: told, with the way out, which works', async () => {
  await clean();
  /* the first rename is the key's, the second the secret's */
  const full = await proc.run('strace', ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=rename', '-e',
    'inject=rename:error=ENOSPC:when=2+', path.join(place.BUILD, 'subpayctl'), '--config', t.httpd.conf, 'webhook', 'create'],
  { env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' } });
  assert.equal(full.status, 1, full.stderr);
  const [{ id }] = await endpoints();
  assert.ok(full.stderr.includes(`${id} is registered`) && /No space left/.test(full.stderr), full.stderr);
  assert.ok(!fs.existsSync(file()));
  const again = await create();
  assert.equal(again.status, 0, again.stderr);
  assert.equal((await endpoints()).length, 1);
  assert.match(fs.readFileSync(file(), 'utf8'), /^whsec_/);
});

test('where nothing can be written nothing is registered', async () => {
  await clean();
  const full = await proc.run('strace', ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=rename', '-e',
    'inject=rename:error=EROFS', path.join(place.BUILD, 'subpayctl'), '--config', t.httpd.conf, 'webhook', 'create'],
  { env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' } });
  assert.equal(full.status, 1);
  assert.match(full.stderr, /Read-only.*nothing was registered/);
  assert.deepEqual(await endpoints(), []);
});

test('a key that may not register, and a secret that comes from the environment', async () => {
  await clean();
  await t.sandbox.fault({ on: 'POST /v1/webhook_endpoints', do: 'status', status: 403 });
  const denied = await create();
  assert.equal(denied.status, 3);
  assert.match(denied.stderr, /provider_key/);
  assert.deepEqual(leftovers(), []);
  const other = path.join(t.folder, 'env.conf');
  fs.writeFileSync(other, `${fs.readFileSync(t.httpd.conf, 'utf8').replace(/^Include "(.*)\/httpd.conf"$/m, (_, folder) =>
    fs.readFileSync(`${folder}/httpd.conf`, 'utf8').replace(/"file:\S+keys\/webhook"/, 'env:WHSEC'))}`);
  const env = await proc.run(path.join(place.BUILD, 'subpayctl'), ['--config', other, 'webhook', 'create']);
  assert.equal(env.status, 2);
  assert.match(env.stderr, /SubPayWebhookSecret stripe file:/);
});

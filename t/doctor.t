#!/usr/bin/env -S node --test-reporter=tap
// "subpayctl doctor" finds each thing that is wrong before a customer does, says what to
// do, and changes nothing.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { SubPay, test, assert, proc, place } = require('./lib/subpay.js');
const { environment } = require('./lib/httpd.js');

const t = SubPay.use({ settings: { SubPayHeartbeatURL: 'http://127.0.0.1:1/beat' } });
t.allowLog('SP0202', 'SP0203', 'SP0712', 'SP0713', 'SP07', 'SP04', 'SP03');

const tool = path.join(place.BUILD, 'subpayctl');

/* Its findings: {status, of(check) -> lines, wrong(check) -> the first wrong line} */
async function examine(args = [], conf = t.httpd.conf, wrap = []) {
  const done = await proc.run(wrap[0] ?? tool, [...wrap.slice(1), ...(wrap.length ? [tool] : []),
    '--config', conf, '--json', ...args, 'doctor']);
  assert.ok(done.stdout, done.stderr);
  const { checks, wrong, warnings } = JSON.parse(done.stdout);
  assert.equal(done.status, wrong ? 1 : 0);
  const of = (check) => checks.filter((line) => line.check === check);
  const one = (check, state) => {
    const line = of(check).find((it) => it.state === state);
    assert.ok(line, `${check} is not ${state}: ${JSON.stringify(of(check))}`);
    assert.ok(line.todo, 'with what to do');
    return line.text;
  };
  const good = (check) => assert.ok(of(check).length > 0 && of(check).every(({ state }) => state === 'ok'),
    JSON.stringify(of(check)));
  return { status: done.status, wrong, warnings, of, good,
    bad: (check) => one(check, 'wrong'), odd: (check) => one(check, 'warning') };
}

/* The configuration of another node, which is not started unless asked. */
async function node(options, { start = false } = {}) {
  const made = await t.node({ worker: false, ...options });
  if (start) await made.start();
  return made;
}

/* With this file holding something else for a moment. */
async function with_file(file, text, run, mode = 0o600) {
  const was = fs.readFileSync(file);
  try {
    fs.writeFileSync(file, text);
    fs.chmodSync(file, mode);
    return await run();
  } finally {
    fs.writeFileSync(file, was);
    fs.chmodSync(file, 0o600);
  }
}

const key = (name) => path.join(t.folder, 'httpd', 'keys', name);
const endpoints = async () => (await t.stripe.webhookEndpoints.list()).data;

test('all is well: a line for each thing, status 0, and nothing has changed', async () => {
  await t.until(() => t.value("select count(*) > 0 from runs where kind = 'objects' and ok"));
  const rows = () => t.sql(`select (select count(*) from provider_events) as events, (select count(*) from audit) as audit,
    (select count(*) from outbox) as mails, (select count(*) from orders) as orders`);
  const before = await rows();
  const well = await examine();
  assert.equal(well.status, 0);
  for (const check of ['keys', 'database', 'worker', 'httpd', 'admin', 'webhook', 'provider', 'prices', 'endpoint',
    'mail', 'templates', 'people']) well.good(check);
  assert.match(well.odd('settings'), /no real money/);
  assert.deepEqual(await rows(), before);
  assert.deepEqual((await t.mails()).length, 0);
  const asked = (await t.sandbox.requests()).filter(({ method }) => method !== 'GET');
  assert.deepEqual(asked, [], 'nothing at the provider either');
  const text = await t.subpayctl('doctor');
  assert.match(text.stdout, /^ok +webhook +http:\S+\/webhook\/stripe took a signed message$/m);
  assert.match(text.stdout, /^0 wrong, 1 worth a thought$/m);
  for (const secret of [t.keys.stripe, t.keys.webhook]) assert.ok(!text.stdout.includes(secret));
});

test('keys: a file that others can read, a key of live mode, no file at all', async () => {
  await with_file(key('stripe'), `${t.keys.stripe}\n`, async () => {
    assert.match((await examine()).bad('keys'), /open to others.*chmod 600/);
  }, 0o644);
  await with_file(key('stripe'), 'sk_live_1234567890\n', async () => {
    assert.match((await examine()).bad('keys'), /live mode/);
  });
  fs.renameSync(key('webhook'), key('elsewhere'));
  const found = await examine();
  fs.renameSync(key('elsewhere'), key('webhook'));
  assert.match(found.bad('keys'), /cannot be read/);
  assert.match(found.bad('webhook'), /no secret/);
  found.good('endpoint'); // and the rest is looked at all the same
});

test('database: away, a role that can do too much, rights and migrations that are missing', async () => {
  const away = await examine(['--database', 'host=127.0.0.1 port=1 dbname=none connect_timeout=1']);
  assert.match(away.bad('database'), /refused/);
  away.good('endpoint');
  assert.match((await examine(['--database', t.postgres.conninfo(t.database)])).odd('database'), /more than call/);
  await t.sql('revoke execute on function subpay.outbox_claim from subpay_worker');
  assert.match((await examine()).bad('database'), /may not execute outbox_claim/);
  await t.sql('grant execute on function subpay.outbox_claim to subpay_worker');
  await t.sql('revoke execute on function subpay.doctor_look from subpay_worker');
  assert.match((await examine()).bad('database'), /not for this role/);
  await t.sql('grant execute on function subpay.doctor_look to subpay_worker');

  const [row] = await t.sql('delete from schema_migrations where version = 9 returning version, name, sha256');
  assert.match((await examine()).bad('database'), /0009_desk.sql has not been applied/);
  await t.sql('insert into schema_migrations values ($1, $2, $3)', [row.version, row.name, row.sha256]);
  await t.sql("insert into schema_migrations values (9000, 'later', repeat('0', 64))");
  assert.match((await examine()).bad('database'), /at version 9000/);
  await t.sql('delete from schema_migrations where version = 9000');
  await t.sql("update schema_migrations set sha256 = repeat('0', 64) where version = 0");
  assert.match((await examine()).bad('database'), /functions here is not the one/);
  const migrated = await proc.run(tool, ['--database', t.postgres.conninfo(t.database), '--share', place.PROJECT, 'migrate']);
  assert.equal(migrated.status, 0, migrated.stderr);
  (await examine()).good('database');
});

test('a clock that is wrong', async () => {
  /* not faketime(1): a sanitizer's library has to come first */
  const [folder] = fs.readdirSync('/usr/lib').filter((name) => fs.existsSync(`/usr/lib/${name}/faketime`));
  const at = (offset) => ['env', `LD_PRELOAD=${[environment(t.folder).LD_PRELOAD, `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`].filter(Boolean).join(' ')}`,
    `FAKETIME=${offset}`, 'FAKETIME_DONT_FAKE_MONOTONIC=1', 'DONT_FAKE_MONOTONIC=1'];
  const late = await examine([], t.httpd.conf, at('+200s'));
  assert.match(late.bad('provider'), /clock of Stripe is (199|200|201) s behind/);
  assert.match(late.bad('database'), /clock of the database is \d+ s behind/);
  assert.match((await examine([], t.httpd.conf, at('-20s'))).odd('provider'), /s ahead of/);
});

test('httpd: another secret in memory, a webhook behind a login, one that is not there', async () => {
  await with_file(key('webhook'), 'whsec_another\n', async () => {
    assert.match((await examine()).bad('webhook'), /refused our signature/);
  });
  const closed = await node({ httpd: `<Location /webhook>
    AuthType Basic
    AuthName "All"
    AuthUserFile "${t.folder}/httpd/admin.htpasswd"
    Require valid-user
    </Location>` }, { start: true });
  assert.match((await examine([], closed.conf)).bad('webhook'), /answers 401/);
  await closed.stop();
  const gone = await node({ httpd: '<Location /webhook>\nSetHandler none\n</Location>' }, { start: true });
  assert.match((await examine([], gone.conf)).bad('webhook'), /answers 404/);
  await gone.stop();
  const found = await examine([], gone.conf);
  for (const check of ['httpd', 'admin', 'webhook']) assert.match(found.bad(check), /connect/i);
});

test('httpd that does not reach the database, although we do', async () => {
  const lost = await node({ httpd: 'DBDParams "host=127.0.0.1 port=1 dbname=none connect_timeout=1"' });
  await lost.start({ wait: false });
  const found = await examine([], lost.conf);
  found.good('database');
  assert.match(found.bad('httpd'), /does not reach/);
  await lost.stop();
  t.allowLog('AH00632', 'AH00633', 'AH00629', 'AH00636', 'AH02', 'SP0502');
});

test('the support area: open to everybody, closed to everybody, not where it is said to be', async () => {
  const login = Buffer.from(`support:${t.keys.admin}`).toString('base64');
  const open = await node({ httpd: `RequestHeader set Authorization "Basic ${login}" early` }, { start: true });
  assert.match((await examine([], open.conf)).bad('admin'), /open to everybody/);
  await open.stop();
  const shut = await node({ httpd: '<Location /admin>\nAuthType None\nRequire all granted\n</Location>' }, { start: true });
  assert.match((await examine([], shut.conf)).odd('admin'), /lets nobody in/);
  await shut.stop();
  const bare = path.join(t.folder, 'bare.conf');
  fs.writeFileSync(bare, fs.readFileSync(t.httpd.conf, 'utf8').replace(/^Include "(.*)\/httpd.conf"$/m, (_, folder) =>
    fs.readFileSync(`${folder}/httpd.conf`, 'utf8').replaceAll(/SetHandler subpay-(admin|status)/g, 'SetHandler none')));
  const found = await examine([], bare);
  assert.match(found.odd('admin'), /no <Location>/);
  assert.match(found.odd('httpd'), /no <Location>/);
});

test('the provider: a key it does not take, no answer, and prices that differ', async () => {
  await with_file(key('stripe'), 'sk_test_someone_elses\n', async () => {
    const found = await examine();
    assert.match(found.bad('provider'), /does not take our key/);
    assert.match(found.bad('endpoint'), /does not take our key/);
  });
  const make = (more) => t.stripe.prices.create({ currency: 'usd', unit_amount: 24900, product_data: { name: 'Plan' }, ...more });
  const annual = (price) => node({ products: { annual: { Title: 'Annual', Price: '249.00 USD', Period: '1y', ProviderPrice: price } } });
  const found = async (price) => examine([], (await annual(price)).conf);
  (await found((await make()).id)).good('prices');
  assert.match((await found((await make({ unit_amount: 19900 })).id)).bad('prices'), /199\.00 USD there and 249\.00 USD here/);
  assert.match((await found((await make({ currency: 'eur' })).id)).bad('prices'), /249\.00 EUR there/);
  assert.match((await found((await make({ recurring: { interval: 'year' } })).id)).bad('prices'), /charged every 1y there and once here/);
  assert.match((await found('price_nobody')).bad('prices'), /knows no price/);
  const old = await make();
  await t.sandbox.control('POST', `objects/${old.id}`, { patch: { active: false } });
  assert.match((await found(old.id)).bad('prices'), /archived/);

  await t.sandbox.kill9();
  const silent = await examine();
  await t.sandbox.start();
  assert.match(silent.bad('provider'), /provider_unreachable/);
  assert.match(silent.bad('mail'), /connect: /);
});

test('the endpoint: disabled, without events, in another version, gone', async () => {
  const [{ id, url }] = await endpoints();
  await t.stripe.webhookEndpoints.update(id, { disabled: true });
  assert.match((await examine()).bad('endpoint'), /is disabled/);
  await t.stripe.webhookEndpoints.update(id, { disabled: false, enabled_events: ['charge.succeeded'] });
  assert.match((await examine()).bad('endpoint'), /lacks events: checkout\.session\.completed/);
  await t.stripe.webhookEndpoints.del(id);
  assert.match((await examine()).bad('endpoint'), /knows no webhook endpoint/);
  const old = await t.stripe.webhookEndpoints.create({ url, enabled_events: ['*'], api_version: '2024-06-20' });
  assert.match((await examine()).bad('endpoint'), /sends version 2024-06-20, not 2026/);
  await t.stripe.webhookEndpoints.del(old.id);
  await t.stripe.webhookEndpoints.create({ url, enabled_events: ['*'], api_version: '2026-07-29.dahlia' });
  (await examine()).good('endpoint');
});

test('mail: TLS that cannot be trusted, a login that is not taken', async () => {
  const strict = await node({ settings: { SubPayMailTLS: 'required' } });
  assert.match((await examine([], strict.conf)).bad('mail'), /hello: /);
  fs.writeFileSync(key('mail'), 'someone:wrong\n', { mode: 0o600 });
  const login = await node({ settings: { SubPayMailLogin: `file:${key('mail')}` } });
  assert.match((await examine([], login.conf)).bad('mail'), /hello: .*certificate/i, 'no password goes to a server that nobody vouches for');
  assert.equal((await t.mails()).length, 0);
});

test('templates that are broken or missing', async () => {
  const folder = path.join(t.folder, 'words');
  fs.mkdirSync(path.join(folder, 'en/pages'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'en/pages/plans.mustache'), '{{#open}}');
  const own = await node({ settings: { SubPayTemplates: folder } });
  assert.match((await examine([], own.conf)).bad('templates'), /plans/);
  const share = path.join(t.folder, 'share');
  fs.cpSync(path.join(place.PROJECT, 'htdocs'), path.join(share, 'htdocs'), { recursive: true });
  fs.rmSync(path.join(share, 'htdocs/templates/en/mails/refund.subject.mustache'));
  const lacking = await node({ settings: { SubPayShare: share } });
  assert.match((await examine([], lacking.conf)).bad('templates'), /refund\.subject.* is missing/);
});

test('nobody would notice: no heartbeat, no worker', async () => {
  const quiet = await node({});
  assert.match((await examine([], quiet.conf)).odd('people'), /SubPayHeartbeatURL is missing/);
  await t.httpd.stop();
  assert.ok((await examine()).of('worker').length > 0);
  await t.sql("update workers set beat_at = now() - interval '1 minute'");
  assert.match((await examine()).bad('worker'), /no sign of life|has given a sign/);
  await t.sql('delete from workers');
  assert.match((await examine()).bad('worker'), /ever given/);
  await t.httpd.start();
  await t.until(async () => (await examine()).of('worker')[0].state === 'ok');
});

test('settings that cannot be read are status 2, with file and line', async () => {
  const bad = path.join(t.folder, 'bad.conf');
  fs.writeFileSync(bad, 'SubPayEnvironment nowhere\n');
  const done = await proc.run(tool, ['--config', bad, 'doctor']);
  assert.equal(done.status, 2);
  assert.match(done.stderr, /bad\.conf:1: /);
});

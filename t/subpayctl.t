#!/usr/bin/env -S node --test-reporter=tap
// The command line: the same domain, no Apache; exit statuses that scripts can trust.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { SubPay, test, assert, proc, place } = require('./lib/subpay.js');
const past = require('./lib/past.js');

const t = SubPay.use({ worker: false });

const tool = path.join(place.BUILD, 'subpayctl');
const run = (...args) => proc.run(tool, args,
  { env: { ...process.env, SUBPAY_SHARE: '', ASAN_OPTIONS: 'detect_leaks=0' } });

/* An order that was paid while nobody of ours was there. */
async function missed(email) {
  await t.sandbox.webhooks('off');
  const bought = await t.buy('annual', email, { follow: false });
  const [{ payment_intent }] = (await t.stripe.checkout.sessions.list({ limit: 1 })).data;
  return { ...bought, payment_intent };
}

test('usage: a wrong line is 2 and says what is wrong, help is 0', async () => {
  const cases = [
    [[], /no command/], [['dance'], /no command "dance"/], [['lookup'], /usage/],
    [['status', 'now'], /usage/], [['--frobnicate'], /frobnicate/],
    [['--config', '/nonexistent', 'status'], /nonexistent/],
  ];
  for (const [args, says] of cases) {
    const done = await run(...args);
    assert.equal(done.status, 2, `${args.join(' ')}: ${done.stderr}`);
    assert.match(done.stderr, says);
    assert.equal(done.stdout, '');
  }
  const help = await run('--help');
  assert.equal(help.status, 0);
  for (const word of ['migrate', 'lookup', 'recover', 'reconcile', 'status', '--json']) {
    assert.ok(help.stdout.includes(word), word);
  }
  assert.equal((await t.subpayctl('reconcile', '--since', 'soon')).status, 2);
});

test('usage: an amount, days or words that nobody could mean are 2 as well; a refusal is 1', async () => {
  const { reference, payment_intent } = await missed('usage@example.com');
  assert.equal((await t.subpayctl('recover', payment_intent)).status, 0);
  const ticket = await t.value(`select reference from subpay.tickets
    where id = subpay.ticket_open('customer', 'usage', 'A question', null, 'usage@example.com', 'Where?')`);
  for (const line of [['extend', reference], ['extend', reference, '--days', 'soon'], ['extend', reference, '--days', '400'],
    ['refund', reference, '--amount', 'all'], ['refund', reference, '--amount', '1.001'],
    ['reply', ticket], ['reply', ticket, '--text', 'You paid [amount?].']]) {
    const done = await t.subpayctl(...line);
    assert.equal(done.status, 2, `${line.join(' ')}: ${done.stderr}`);
    assert.notEqual(done.stderr, '');
  }
  assert.equal((await t.subpayctl('refund', reference, '--amount', '1000.00')).status, 1, 'more than was paid');
});

test('lookup finds by e-mail, reference and payment, however they are typed', async () => {
  const { reference, payment_intent } = await missed('look@example.com');
  for (const q of ['look@example.com', 'LOOK@example.com', reference, reference.toLowerCase().replaceAll('-', ''),
    `SHOP* ${reference.replaceAll('-', '')}`]) {
    const done = await t.subpayctl('--json', 'lookup', q);
    assert.equal(done.status, 0, `${q}: ${done.stderr}`);
    assert.equal(done.json.orders[0].reference, reference);
    assert.equal(done.json.orders[0].diagnosis, 'paid_stuck', 'the provider was asked as well');
  }
  assert.equal((await t.subpayctl('recover', payment_intent)).status, 0);
  const found = await t.subpayctl('lookup', payment_intent);
  assert.equal(found.status, 0);
  assert.match(found.stdout, new RegExp(`^${reference}  completed  `));
  assert.match(found.stdout, /249\.00 USD/);
});

test('nothing found is 1; a typo in a reference is told as one', async () => {
  const none = await t.subpayctl('--json', 'lookup', 'nobody@example.com');
  assert.equal(none.status, 1);
  assert.deepEqual(none.json, { orders: [] });
  const typo = await t.subpayctl('lookup', 'SP-0000-0001');
  assert.equal(typo.status, 1);
  assert.match(typo.stderr, /mistyped/);
  assert.equal((await t.subpayctl('recover', 'SP-0000-0001')).status, 1);
  assert.equal((await t.subpayctl('recover', 'pi_nobody')).status, 1);
});

test('recover completes by reference and by payment, and says so again the second time', async () => {
  const first = await missed('first@example.com');
  const done = await t.subpayctl('--json', 'recover', first.reference);
  assert.equal(done.status, 0, done.stderr);
  assert.deepEqual([done.json.before, done.json.state, done.json.recovered], ['pending', 'completed', true]);
  assert.equal((await t.subpayctl('recover', first.reference)).status, 0);
  const second = await missed('second@example.com');
  assert.equal((await t.subpayctl('recover', second.payment_intent)).status, 0);
  for (const { reference } of [first, second]) {
    const order = await t.order(reference).row;
    assert.equal(order.state, 'completed');
    assert.equal(order.completed_via, 'support');
    assert.equal((await t.order(reference).subscriptions).length, 1);
  }
});

test('what was not paid is not recoverable', async () => {
  const { reference } = await t.buy('annual', 'unpaid@example.com', { pay: false });
  const done = await t.subpayctl('--json', 'recover', reference);
  assert.equal(done.status, 1);
  assert.deepEqual([done.json.state, done.json.recovered], ['pending', false]);
});

test('reconcile heals what was missed, moves no watermark, and looks as far back as told', async () => {
  const { reference } = await missed('healed@example.com');
  const done = await t.subpayctl('--json', 'reconcile');
  assert.equal(done.status, 0, done.stderr);
  assert.deepEqual(Object.keys(done.json), ['events', 'orders', 'objects']);
  assert.ok(Object.values(done.json).every(({ ok }) => ok));
  await t.order(reference).becomes('completed');
  assert.equal(await t.value('select count(*)::int from subpay.watermarks'), 0);

  const old = await past.order(t, 'old@example.com', { age_s: 100 * 3600 });
  await past.payment(t, old, { age_s: 100 * 3600, email: 'old@example.com', events: 'none' });
  await t.sql('update subpay.orders set next_ask_at = null where id = $1', [old.id]);
  assert.equal((await t.subpayctl('reconcile', '--since', '48h')).status, 0);
  assert.equal(await t.order(old.reference).state, 'pending');
  assert.equal((await t.subpayctl('reconcile', '--since', '120h')).status, 0);
  assert.equal(await t.order(old.reference).state, 'completed');
});

test('status is one row of figures', async () => {
  const done = await t.subpayctl('--json', 'status');
  assert.equal(done.status, 0, done.stderr);
  assert.equal(typeof done.json.orders_pending, 'number');
  assert.ok('last_good_run_s' in done.json);
  assert.match((await t.subpayctl('status')).stdout, /^orders_pending +\d+$/m);
});

test('out of reach is 3: the provider, then the database', async () => {
  const { reference } = await missed('away@example.com');
  await t.sandbox.kill9();
  assert.equal((await t.subpayctl('recover', reference)).status, 3);
  assert.equal((await t.subpayctl('reconcile')).status, 3);
  assert.equal((await t.subpayctl('lookup', reference)).status, 0, 'a look at our own books needs nobody');
  await t.sandbox.start();
  const nowhere = 'host=127.0.0.1 port=1 dbname=none connect_timeout=1';
  for (const command of [['status'], ['migrate'], ['lookup', 'x@example.com']]) {
    assert.equal((await run('--database', nowhere, ...command)).status, 3, command[0]);
  }
});

test('migrate: twice changes nothing, two at once do it once, an edited file is refused', async () => {
  const name = `${t.database}_m`;
  await t.postgres.createDatabase(name);
  const database = t.postgres.conninfo(name);
  const migrate = (share = place.PROJECT) => run('--json', '--database', database, '--share', share, 'migrate');
  try {
    const both = await Promise.all([migrate(), migrate()]);
    for (const done of both) assert.equal(done.status, 0, done.stderr);
    const applied = both.map(({ stdout }) => JSON.parse(stdout).applied.length).sort();
    const files = fs.readdirSync(path.join(place.PROJECT, 'sql/schema')).filter((file) => file.endsWith('.sql'));
    assert.deepEqual(applied, [0, files.length]);
    const again = await migrate();
    assert.deepEqual(JSON.parse(again.stdout), { applied: [], functions: false });

    /* An old version's function of this name answered otherwise. */
    await t.postgres.query(name, `drop function subpay.checking_note(uuid);
      create function subpay.checking_note(in_order uuid) returns text language sql as 'select 1::text';
      delete from subpay.schema_migrations where version = 0`);
    const replaced = await migrate();
    assert.equal(replaced.status, 0, replaced.stderr);
    assert.deepEqual(await t.postgres.query(name, `select prorettype::regtype::text as type from pg_proc
      where proname = 'checking_note'`), [{ type: 'bigint' }]);

    const copy = path.join(t.folder, 'share');
    fs.cpSync(path.join(place.PROJECT, 'sql'), path.join(copy, 'sql'), { recursive: true });
    fs.appendFileSync(path.join(copy, 'sql/schema', files[1]), '-- edited\n');
    const edited = await migrate(copy);
    assert.equal(edited.status, 3);
    assert.match(edited.stderr, new RegExp(`${files[1]} was edited`));

    fs.cpSync(path.join(place.PROJECT, 'sql'), path.join(copy, 'sql'), { recursive: true });
    fs.writeFileSync(path.join(copy, 'sql/schema/9000_broken.sql'), 'create table subpay.half (id int); select 1/0;');
    const broken = await migrate(copy);
    assert.equal(broken.status, 3);
    assert.match(broken.stderr, /9000_broken.sql: .*division by zero/);
    const [{ half }] = await t.postgres.query(name, "select to_regclass('subpay.half') as half");
    assert.equal(half, null, 'a file is applied whole or not at all');

    fs.writeFileSync(path.join(copy, 'sql/schema/9000_broken.sql'), 'create table subpay.whole (id int);');
    assert.equal((await migrate(copy)).status, 0, 'and mended, it goes on there');
    const newer = await migrate();
    assert.equal(newer.status, 3);
    assert.match(newer.stderr, /newer/, 'an older program leaves a newer database alone');
  } finally {
    await t.postgres.query('postgres', `drop database if exists ${name} with (force)`);
  }
});

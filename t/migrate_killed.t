#!/usr/bin/env -S node --test-reporter=tap
// The migration dies between two of its steps, anywhere: the next one ends what it began.
'use strict';
const path = require('node:path');
const { SubPay, test, assert, proc, place } = require('./lib/subpay.js');

const t = SubPay.use({ start: false });
/* All of them: make faults. */
const STEP = 10 * Number(process.env.SUBPAY_KILL_STEP || 10);

/* What there is, as words. */
const CONTENTS = `select string_agg(what, E'\\n' order by what) as all from (
  select 'table ' || c.relname || ' ' || a.attname || ' ' || a.atttypid::regtype as what from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
   where c.relnamespace = 'subpay'::regnamespace
  union all select 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint
   where connamespace = 'subpay'::regnamespace
  union all select 'function ' || oid::regprocedure || ' ' || md5(prosrc) || ' ' || coalesce(proacl::text, '') from pg_proc
   where pronamespace = 'subpay'::regnamespace
  union all select 'version ' || version || ' ' || sha256 from subpay.schema_migrations) w`;

async function contents(name) {
  return (await t.postgres.query(name, CONTENTS))[0].all;
}

async function fresh(name) {
  await t.postgres.query('postgres', `drop database if exists ${name} with (force)`);
  await t.postgres.createDatabase(name);
}

test(`killed before each ${STEP}th statement`, { timeout: 600_000 }, async () => {
  const name = `${t.database}_m`;
  const argv = [path.join(place.BUILD, 'subpayctl'), '--database', t.postgres.conninfo(name), '--share', place.PROJECT, 'migrate'];
  const expected = await contents(t.database);
  let kills = 0;
  let version = -1;
  try {
    for (let n = 2, ended = false; !ended; n += STEP) {
      await fresh(name);
      const cut = await proc.run('strace', ['-f', '-o', '/dev/null', '-e', 'trace=sendto', '-e', `inject=sendto:signal=KILL:when=${n}`, ...argv],
        { env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' } });
      ended = cut.status === 0;
      kills += !ended;
      const [{ at }] = await t.postgres.query(name, "select to_regclass('subpay.schema_migrations') as at");
      const [{ last }] = at ? await t.postgres.query(name, 'select max(version) as last from subpay.schema_migrations') : [{ last: 0 }];
      assert.ok(last >= version, `after ${n}: ${last}`);
      version = last;
      const again = await proc.run(argv[0], argv.slice(1));
      assert.equal(again.status, 0, again.stderr);
      assert.equal(await contents(name), expected, `killed before ${n}`);
    }
  } finally {
    await t.postgres.query('postgres', `drop database if exists ${name} with (force)`);
  }
  console.log(`# ${kills} kills`);
  assert.ok(kills > 3, 'it was killed');
});

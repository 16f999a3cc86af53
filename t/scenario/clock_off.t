#!/usr/bin/env -S node --test-reporter=tap
// The wall clock of one machine is ten minutes off, or steps while people wait: the
// database's time decides, waits are no longer for it, and a wrong clock is told.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { SubPay, test, assert } = require('../lib/subpay.js');
const { environment } = require('../lib/httpd.js');
const invariants = require('../lib/invariants.js');

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
const skip = fs.existsSync(LIBRARY) ? false : `no ${LIBRARY}`;
const SETTINGS = { SubPayReconcileInterval: '1s' };

/* A shop whose httpd and worker believe in another time: "+600", seconds; set() steps. */
async function shop(context, offset) {
  const clock = { file: '' };
  const t = await SubPay.start({ start: false, settings: SETTINGS });
  context.after(() => t.stop());
  clock.file = path.join(t.folder, 'clock');
  clock.set = (seconds) => {
    fs.writeFileSync(`${clock.file}.new`, `${seconds >= 0 ? '+' : ''}${seconds}\n`, { mode: 0o644 });
    fs.renameSync(`${clock.file}.new`, clock.file);
  };
  clock.set(offset);
  t.httpd.env = {
    LD_PRELOAD: [environment(t.httpd.state).LD_PRELOAD, LIBRARY].filter(Boolean).join(' '),
    FAKETIME_TIMESTAMP_FILE: clock.file, FAKETIME_NO_CACHE: '1', FAKETIME_DISABLE_SHM: '1',
    DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  await t.httpd.start();
  const date = new Date((await t.get('/subpay-status/health')).headers.date);
  assert.ok(Math.abs(date - Date.now() - offset * 1000) < 5000, `httpd believes it is ${date}`);
  return { t, clock };
}

/* Who bought has access from now on, by the database's clock, and the books are right. */
async function isWell(t, bought) {
  const row = await t.order(bought.reference).becomes('completed', { within: 10_000 });
  const [{ ago }] = await t.sql(`select extract(epoch from now() - s.starts_at)::float as ago
    from subpay.subscriptions s where s.order_id = $1`, [row.id]);
  assert.ok(ago >= 0 && ago < 30, `access began ${ago} s ago`);
  await t.mailsBecome(bought.email);
  const { left } = await invariants.quiet(t, { within: 15_000 });
  assert.deepEqual([...left.filter((what) => !what.includes('webhook')), ...await invariants.violations(t)], []);
}

test('ten minutes fast: true webhooks look stale and are told as that; the other roads carry', { skip }, async (context) => {
  const { t } = await shop(context, 600);
  t.allowLog('SP0203', 'SP0355', 'SP0712');
  const bought = await t.buy('annual', 'ana@example.com', { follow: false });
  await t.order(bought.reference).becomes('completed', { within: 10_000 });
  await t.sandbox.webhooks('off'); /* they would come again and again */
  await isWell(t, bought);
  assert.match(t.log(), /SP0203.*(old|clock)/, 'the line says that it is the clock');
  assert.match((await bought.browser.get(bought.return_url)).text, /<title>Paid/);
});

test('ten minutes slow: as ever', { skip }, async (context) => {
  const { t } = await shop(context, -600);
  t.allowLog('SP0712');
  const bought = await t.buy('annual', 'ana@example.com');
  await isWell(t, bought);
});

test('it steps back while somebody waits: nobody waits longer for it', { skip }, async (context) => {
  const { t, clock } = await shop(context, 0);
  t.allowLog('SP0203', 'SP0355', 'SP0712');
  const bought = await t.buy('annual', 'ana@example.com');
  await t.order(bought.reference).becomes('completed');
  const timed = async (work) => {
    const begun = Date.now();
    const reply = await work();
    return { reply, took: Date.now() - begun };
  };
  const link = () => timed(() => t.browser().post('/password', { form: { email: 'ana@example.com' } }));
  for (const step of [-600, 600, -3600, 0]) {
    /* In the middle of it: what it asks the database for is held. */
    const other = await t.postgres.connect(t.database);
    await other.query('begin; lock table subpay.accounts in access exclusive mode');
    const asked = link();
    await t.until(() => t.value(`select true from pg_stat_activity where wait_event_type = 'Lock'
      and usename = 'subpay_web' and datname = current_database() limit 1`), { what: 'the request to wait' });
    clock.set(step);
    await other.query('commit');
    await other.end();
    const { reply, took } = await asked;
    assert.ok(took < 5000, `it took ${took} ms`);
    assert.equal(reply.status, 200);
    const more = await t.buy('annual', `step${step}@example.com`.replace('@', step < 0 ? 'b@' : 'f@').replace('-', ''));
    await t.order(more.reference).becomes('completed', { within: 15_000 });
  }
  const { left } = await invariants.quiet(t, { within: 20_000 });
  assert.deepEqual([...left, ...await invariants.violations(t)], []);
});

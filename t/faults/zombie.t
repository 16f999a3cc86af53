#!/usr/bin/env -S node --test-reporter=tap
// A whole node stands still for longer than any lease, with a mail in hand, and wakes up.
// (t/scenario/fenced.t is the same with a lease made short.)
'use strict';
const { SubPay, test, assert, proc } = require('../lib/subpay.js');
const invariants = require('../lib/invariants.js');

test('another node does its work; what it still wants to write is refused', { timeout: 300_000 }, async (context) => {
  const t = await SubPay.start({ settings: { SubPayReconcileInterval: '2s' } });
  context.after(() => t.stop());
  t.allowLog('SP0');
  await t.sandbox.fault({ on: 'SMTP DATA', do: 'delay', when: 'before', ms: 1000, times: 1 });
  const bought = await t.buy('annual', 'ana@example.com');
  const row = async () => (await t.sql("select * from subpay.outbox where template = 'confirmation'"))[0];
  const held = await t.until(async () => {
    const seen = await row();
    return seen?.state === 'sending' && seen;
  }, { what: 'the mail to be claimed' });

  const pids = t.httpd.pids(); /* the parent as well: it would replace a silent worker */
  pids.forEach((pid) => proc.signal(pid, 'SIGSTOP'));
  const other = await t.node({ settings: { SubPayReconcileInterval: '2s' } });
  await other.start();
  const sent = await t.until(async () => {
    const seen = await row();
    return seen.state === 'sent' && seen;
  }, { within: 120_000, what: 'the lease to end, and the other to send it' });
  assert.notEqual(sent.leased_by, held.leased_by);

  pids.forEach((pid) => proc.signal(pid, 'SIGCONT'));
  const more = await t.buy('annual', 'eva@example.com');
  await t.order(more.reference).becomes('completed');
  const { left } = await invariants.quiet(t, { within: 30_000 });
  /* The server may have taken what the sleeper had in hand. */
  assert.deepEqual([...left, ...await invariants.violations(t, { twice: 1 })], []);
  assert.deepEqual(await row(), sent, 'what it reported was refused');
  const leaders = await t.sql(`select distinct l.pid from pg_locks l join pg_database d on d.oid = l.database
    where d.datname = current_database() and l.locktype = 'advisory' and l.objid = 1 and l.granted`);
  assert.ok(leaders.length <= 1, 'one leads');
  await t.order(bought.reference).becomes('completed');
  await other.stop();
});

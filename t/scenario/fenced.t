#!/usr/bin/env -S node --test-reporter=tap
// A worker is paused with a mail in hand, another one takes over, and the first wakes
// up: what it still wants to write is refused, and nobody leads twice.
'use strict';
const { SubPay, test, assert, proc } = require('../lib/subpay.js');

const t = SubPay.use();

test('a zombie changes nothing', async () => {
  t.allowLog('SP07', 'SP03');
  const zombie = t.httpd.workerPid();
  await t.sandbox.fault({ on: 'SMTP DATA', do: 'delay', when: 'before', ms: 1000, times: 1 });
  const bought = await t.buy('annual', 'ana@example.com');
  const row = async () => (await t.sql("select * from subpay.outbox where template = 'confirmation'"))[0];
  const held = await t.until(async () => {
    const seen = await row();
    return seen?.state === 'sending' && seen;
  }, { what: 'the mail to be claimed' });
  proc.signal(zombie, 'SIGSTOP');

  /* Its lease ends (a minute, made shorter), and another node takes the mail. */
  await t.sql("update subpay.outbox set next_try_at = now(), leased_until = now() where state = 'sending'");
  const other = await t.node();
  await other.start();
  const sent = await t.until(async () => {
    const seen = await row();
    return seen.state === 'sent' && seen;
  }, { within: 10_000, what: 'the other to send it' });
  assert.notEqual(sent.leased_by, held.leased_by);

  proc.signal(zombie, 'SIGCONT');
  await t.until(() => t.value(`select true from subpay.workers w where w.id = $1
    and beat_at > now() - interval '2 s'`, [held.leased_by]), { within: 10_000, what: 'the first to go on' });
  assert.deepEqual(await row(), sent, 'what it reported was refused');
  const mails = await t.mails('ana@example.com');
  assert.equal(new Set(mails.map(({ messageId }) => messageId)).size, 1, 'one mail, maybe in two copies');
  const leaders = await t.sql(`select distinct l.pid from pg_locks l join pg_database d on d.oid = l.database
    where d.datname = current_database() and l.locktype = 'advisory' and l.objid = 1 and l.granted`);
  assert.ok(leaders.length <= 1, 'one leads');
  await t.order(bought.reference).becomes('completed');
  await other.stop();
});

#!/usr/bin/env node
// Exactly one worker for each httpd, whatever happens to either of them.
'use strict';
const fs = require('node:fs');
const { SubPay, test, assert, proc, place } = require('./lib/subpay.js');

const t = SubPay.use();

/* The only worker there is; waits while one is being replaced. */
async function only(httpd, { not, within = 5000 } = {}) {
  await proc.until(() => {
    const workers = httpd.workers();
    return workers.length === 1 && workers[0] === httpd.workerPid() && workers[0] !== not;
  }, { within, every: 1, what: 'exactly one worker' });
  return httpd.workerPid();
}

const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];

test('one worker after start, restart, graceful restart', async () => {
  let worker = await only(t.httpd);
  for (const how of ['restart', 'graceful', 'graceful', 'restart']) {
    await t.httpd[how]();
    const next = await only(t.httpd, { not: worker });
    assert.equal(proc.look(worker), null, `the old worker is gone after ${how}`);
    worker = next;
  }
});

test('it runs as the user of the children, under its own name', async () => {
  const pid = await only(t.httpd);
  assert.equal(proc.look(pid).name, 'subpay-worker');
  if (place.ROOT) {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    const { uid } = place.HTTPD_USER();
    assert.match(status, new RegExp(`^Uid:\\s+${uid}\\s+${uid}\\s+${uid}\\s+${uid}$`, 'm'));
  }
  const sockets = fs.readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  });
  const listening = fs.readFileSync('/proc/net/tcp', 'utf8').split('\n')
    .filter((line) => line.includes(`:${t.httpd.port.toString(16).toUpperCase()} 00000000:0000 0A`))
    .map((line) => `socket:[${line.trim().split(/\s+/)[9]}]`);
  assert.ok(!sockets.some((fd) => listening.includes(fs.readlinkSync(`/proc/${pid}/fd/${fd}`))),
    'it does not hold the port that httpd listens on');
});

test('a killed worker is back within 100 ms', async () => {
  t.expectLog('SP0701');
  const took = [];
  for (let i = 0; i < 7; i++) {
    const pid = await only(t.httpd);
    const start = process.hrtime.bigint();
    proc.signal(pid, 'SIGKILL');
    await only(t.httpd, { not: pid });
    took.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  console.log(`# back after ${median(took).toFixed(0)} ms (median of ${took.length}), ` +
    `at most ${took.at(-1).toFixed(0)} ms`);
  /* A kill that falls between the parent's look and its sleep costs up to a second. */
  assert.ok(median(took) < 100 * (place.SANITIZE ? 5 : 2), `median ${median(took)} ms`);
});

test('a worker that hangs is replaced', async () => {
  t.expectLog('SP0704');
  const pid = await only(t.httpd);
  await t.until(() => t.value(`select count(r.finished_at) = count(*) and count(*) >= 3
    from subpay.runs r join subpay.workers w on w.id = r.worker where w.pid = $1`, [pid]),
  { what: 'it to have done what comes first' });
  proc.signal(pid, 'SIGSTOP');
  await only(t.httpd, { not: pid, within: 40_000 });
});

test('it leaves at once when told to, and httpd goes on serving meanwhile', async () => {
  const limit = 50 * (place.SANITIZE ? 4 : 2);
  const took = []; /* the best of five: what it waits for, it waits for each time */
  do {
    const pid = await only(t.httpd);
    const start = Date.now();
    proc.signal(pid, 'SIGTERM');
    await proc.until(() => !proc.look(pid), { every: 1 });
    took.push(Date.now() - start);
    await only(t.httpd, { not: pid });
  } while (took.at(-1) >= limit && took.length < 5);
  assert.ok(took.at(-1) < limit, `left after ${took} ms`);
});

test('none is left behind when the parent is killed', async () => {
  const pid = await only(t.httpd);
  proc.signal(t.httpd.parent, 'SIGKILL');
  await proc.until(() => !proc.look(pid), { within: 1000, every: 1, what: 'the worker to go along' });
  assert.deepEqual(t.httpd.workers(), []);
  await t.httpd.start();
  await only(t.httpd);
});

test('none at all with SubPayWorker off', async () => {
  const quiet = await t.node({ worker: false });
  await quiet.start();
  assert.deepEqual(quiet.workers(), []);
  await quiet.restart();
  assert.deepEqual(quiet.workers(), []);
  await quiet.stop();
});

test('of two httpds on one database one leads, and the other takes over', async () => {
  const leaders = () => t.sql(`select pid from subpay.workers
    where leader and beat_at > now() - interval '8 s'`);
  await t.until(async () => (await leaders()).some(({ pid }) => pid === t.httpd.workerPid()),
    { what: 'the first to lead' });
  const other = await t.node();
  await other.start();
  const second = await only(other);
  await t.until(() => t.value('select true from subpay.workers where pid = $1', [second]),
    { what: 'the second to report' });
  assert.deepEqual((await leaders()).map(({ pid }) => pid), [t.httpd.workerPid()]);

  await t.httpd.kill9();
  await t.until(async () => (await leaders()).some(({ pid }) => pid === second),
    { what: 'the second to take over' });
  await t.httpd.start();
  await other.stop();
});

test('a database that goes away is waited for', async () => {
  const shop = await SubPay.start({ cluster: 'own' });
  shop.allowLog('SP0713', 'SP0501', 'SP0502', 'SP0712');
  await only(shop.httpd);
  const pid = shop.httpd.workerPid();
  await shop.until(() => shop.value('select true from subpay.workers'), { what: 'the first beat' });
  await shop.postgres.stop('immediate');
  await shop.until(() => shop.log().includes('SP0713'), { what: 'the worker to notice' });
  await shop.postgres.start();
  await shop.until(() => shop.log().includes('SP0714'), { what: 'the worker to be back' });
  assert.equal(shop.httpd.workerPid(), pid, 'the same worker');
  await shop.stop();
});

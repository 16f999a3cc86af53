#!/usr/bin/env -S node --test-reporter=tap
// What we ship for monitors is what the monitors' own tools call right, and asks for nothing
// that is not told.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { SubPay, test, assert, place } = require('./lib/subpay.js');
const past = require('./lib/past.js');

const t = SubPay.use({ settings: { SubPayReconcileInterval: '1s' }, httpd: `
  LoadModule status_module \${MODULES}/mod_status.so
  ExtendedStatus on
  <Location /server-status>
    SetHandler server-status
    Require local
  </Location>` });
t.allowLog('SP0701', 'SP07', 'SP03', 'SP04');

const conf = (name) => path.join(place.PROJECT, 'conf', name);
const promtool = (args, input) => {
  const done = spawnSync('promtool', args, { input, encoding: 'utf8', cwd: t.folder });
  assert.equal(done.error, undefined, 'promtool is there');
  return { status: done.status, said: `${done.stdout}${done.stderr}` };
};
const auto = async () => Object.fromEntries((await t.get('/server-status?auto')).text.split('\n')
  .map((line) => line.split(': ')).filter(([name]) => name.startsWith('SubPay')));

test('promtool finds nothing in /metrics, with something in each family', async () => {
  const { reference } = await t.buy('annual', 'ana@example.com');
  await t.order(reference).becomes('completed');
  const stuck = await past.order(t, 'stuck@example.com', { age_s: 300 });
  await t.sql(`insert into payments (provider, payment_id, order_id, mode, amount, currency, paid_at)
    values ('stripe', 'pi_stuck', $1, 'test', 24900, 'USD', now() - interval '2 min')`, [stuck.id]);
  await t.until(() => t.value("select true from runs where kind = 'objects' and ok"));
  const { text } = await t.get('/subpay-status/metrics');
  const { status, said } = promtool(['check', 'metrics'], text);
  assert.equal(said, '');
  assert.equal(status, 0);
  const broken = promtool(['check', 'metrics'], text.replace('# TYPE subpay_refunds_total counter', '# TYPE subpay_refunds_total gauge'));
  assert.notEqual(broken.status, 0, 'and it would find something');
});

test('promtool accepts the rules, and each alert speaks and is silent when it should', () => {
  const rules = promtool(['check', 'rules', conf('prometheus-rules.yml')]);
  assert.equal(rules.status, 0, rules.said);
  assert.match(rules.said, /6 rules found/);
  fs.copyFileSync(conf('prometheus-rules.yml'), path.join(t.folder, 'prometheus-rules.yml'));
  fs.copyFileSync(path.join(place.PROJECT, 't/prometheus-rules.yml'), path.join(t.folder, 'test.yml'));
  const tested = promtool(['test', 'rules', path.join(t.folder, 'test.yml')]);
  assert.equal(tested.status, 0, tested.said);
});

test('every alert has a unit test, and every number that rules and dashboard ask for is told', async () => {
  const rules = fs.readFileSync(conf('prometheus-rules.yml'), 'utf8');
  const tests = fs.readFileSync(path.join(place.PROJECT, 't/prometheus-rules.yml'), 'utf8');
  const alerts = [...rules.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name]) => name);
  assert.ok(alerts.length > 0);
  for (const name of alerts) assert.ok(tests.includes(`alertname: ${name}\n`), name);
  const panels = JSON.parse(fs.readFileSync(conf('grafana-dashboard.json'), 'utf8')).panels;
  const asked = [...rules.matchAll(/subpay_\w+/g), ...JSON.stringify(panels).matchAll(/subpay_\w+/g)].map(([name]) => name);
  const { text } = await t.get('/subpay-status/metrics');
  for (const name of new Set(asked)) assert.match(text, new RegExp(`^${name}[{ ]`, 'm'), name);
});

test('mod_status has a block of ours, from memory: with ?auto, as a page, and when the worker is gone', async () => {
  await t.until(async () => (await auto()).SubPayLookAge !== undefined, { within: 15_000, what: 'the worker to have told' });
  const well = await auto();
  assert.equal(well.SubPayWorker, 'alive');
  assert.ok(Number(well.SubPayWorkerAge) < 30 && Number(well.SubPayLookAge) < 60);
  assert.match(well.SubPayOutbox, /^\d+$/);
  const page = (await t.get('/server-status')).text;
  assert.match(page, /<h2>mod_subpay<\/h2>\s*<dl>\s*<dt>Worker: alive, last sign of life \d+ s ago<\/dt>/);
  assert.match(page, /Messages that wait to leave: \d+/);

  const mute = await t.node({ worker: false, httpd: t.options.httpd });
  await mute.start();
  const other = await fetch(`${mute.url}/server-status?auto`).then((reply) => reply.text());
  assert.match(other, /^SubPayWorker: off$/m);
  assert.doesNotMatch(other, /SubPayOutbox/);
  await mute.stop();
});

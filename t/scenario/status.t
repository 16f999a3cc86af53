#!/usr/bin/env -S node --test-reporter=tap
// What monitors read is true, well formed, and names nobody.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { SubPay, test, assert, place } = require('../lib/subpay.js');

const t = SubPay.use({ settings: { SubPayReconcileInterval: '1s' } });

const conf = (name) => fs.readFileSync(path.join(place.PROJECT, 'conf', name), 'utf8');
const health = async (part = '') => {
  const answer = await t.get(`/subpay-status/health${part}`);
  return { status: answer.status, ...JSON.parse(answer.text) };
};

/* The exposition format, strictly: each family once, HELP and TYPE before its samples. */
function parse(text) {
  const families = new Map();
  let family;
  for (const line of text.trimEnd().split('\n')) {
    const [, help] = /^# HELP (\w+) \S.*\.$/.exec(line) ?? [];
    const [, typed, type] = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (help) {
      assert.ok(!families.has(help), `${help} comes once`);
      families.set(help, family = { name: help, samples: [] });
    } else if (typed) {
      assert.equal(typed, family.name);
      family.type = type;
      assert.equal(typed.endsWith('_total'), type === 'counter', `${typed} is named as its type`);
    } else {
      const [, name, labels = '', value] = /^(subpay_[a-z_]+)(\{(?:[a-z_]+="[^"\\\n]*",?)+\})? (-?[0-9.]+(?:e[-+]?\d+)?)$/.exec(line) ?? [];
      assert.ok(name, `a sample: ${line}`);
      const known = family.type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => family.name + end) : [family.name];
      assert.ok(known.includes(name), `${name} belongs to ${family.name}`);
      family.samples.push({ name, labels, value: Number(value) });
    }
  }
  return families;
}

const metrics = async () => parse((await t.get('/subpay-status/metrics')).text);
const sample = (families, name, labels = '') => families.get(name.replace(/_(bucket|count|sum)$/, ''))
  ?.samples.find((one) => one.name === name && one.labels === labels)?.value;

test('metrics say what happened, in the form that Prometheus reads', async () => {
  await t.buy('annual', 'ana@example.com');
  await t.until(() => t.value("select true from runs where kind = 'objects' and ok"));
  const { text } = await t.get('/subpay-status/metrics');
  const families = parse(text);
  assert.ok(!text.includes('@') && !text.includes('SP-'), 'and name nobody');
  assert.equal(families.get('subpay_completions_total').samples.reduce((sum, { value }) => sum + value, 0), 1);
  assert.equal(sample(families, 'subpay_payments_total', '{currency="USD"}'), 1);
  assert.equal(sample(families, 'subpay_access_delay_seconds_bucket', '{le="+Inf"}'), 1);
  assert.equal(sample(families, 'subpay_access_delay_seconds_count'), 1);
  assert.ok(sample(families, 'subpay_worker_heartbeat_age_seconds') < 60);
  const buckets = families.get('subpay_access_delay_seconds').samples.filter(({ name }) => name.endsWith('_bucket'));
  assert.deepEqual(buckets.map(({ value }) => value), buckets.map(({ value }) => value).sort((a, b) => a - b), 'buckets add up');
});

test('counters stay as they are when they are added up', async () => {
  await t.sql(`insert into payments (provider, payment_id, mode, amount, currency, created_at)
    select 'stripe', 'pi_old' || n, 'test', 100, 'USD', now() - interval '2 h' - n * interval '10 days'
      from generate_series(0, 40) n`);
  await t.sql("delete from metric_sums; update metric_until set until = '-infinity'");
  const before = await metrics();
  assert.equal(sample(before, 'subpay_payments_total', '{currency="USD"}'), 42);
  await t.until(() => t.value("select value = 41 from metric_sums where name = 'payments'"), { within: 20_000 });
  const after = await metrics();
  for (const name of ['subpay_completions_total', 'subpay_payments_total', 'subpay_access_delay_seconds']) {
    assert.deepEqual(after.get(name), before.get(name));
  }
});

test('every number that the rules and the dashboard ask for is there', async () => {
  const rules = conf('prometheus-rules.yml');
  const dashboard = JSON.parse(conf('grafana-dashboard.json'));
  const names = new Set((rules + JSON.stringify(dashboard.panels)).match(/subpay_[a-z_]+/g)
    .map((name) => name.replace(/_(bucket|count|sum)$/, '')));
  const { text } = await t.get('/subpay-status/metrics');
  for (const name of names) {
    if (name !== 'subpay_money_at_risk_minor_units') assert.ok(text.includes(`# TYPE ${name} `), name);
  }
  assert.equal(rules.match(/^ {6}- alert: SubPay\w+$/gm).length, 6);
});

test('health: well, silent, without a database', async () => {
  t.allowLog('SP', 'dbd', 'DBD');
  assert.deepEqual(await health(), { status: 'ok', database: 'ok', reconciler: 'ok' });
  assert.equal((await t.get('/subpay-status/health')).status, 200);
  assert.equal((await t.get('/subpay-status/health/live')).status, 200);
  assert.equal((await t.get('/subpay-status/health/ready')).status, 200);

  await t.sandbox.fault({ on: '* /v1/*', do: 'status', status: 500, times: 'always' });
  await t.until(async () => (await t.get('/subpay-status/health')).status === 503, { within: 50_000, every: 500, what: 'silence to be told' });
  const silent = JSON.parse((await t.get('/subpay-status/health')).text);
  assert.equal(silent.reconciler, 'silent');
  assert.match(silent.reason, /no look at the provider has succeeded for \d+ s/);
  assert.equal((await t.get('/subpay-status/health/ready')).status, 200, 'which takes no node out of service');
  await t.sandbox.clearFaults();
  await t.until(async () => (await t.get('/subpay-status/health')).status === 200, { within: 60_000, every: 500 });
});

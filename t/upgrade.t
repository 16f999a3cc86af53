#!/usr/bin/env -S node --test-reporter=tap
// From an old version to this one while customers buy: the database first, then a
// graceful restart. No request is lost, old and new code keep the invariants.
//
// The old version is built from this repository's own history: the last one before the
// schema file that OLD names. Where there is no such history, this file is skipped.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const { SubPay, test, assert, proc, place } = require('./lib/subpay.js');
const { migrate } = require('./lib/postgres.js');
const invariants = require('./lib/invariants.js');

const OLD = 'sql/schema/0009_desk.sql';
const PRODUCTS = { annual: { Title: 'Annual plan', Price: '249.00 USD', Period: '1y' } };
const CARD = '4242424242424242';

const git = (...args) => execFileSync('git', ['-C', place.PROJECT, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

/* The revision to upgrade from, or '' */
function revision() {
  try {
    return git('rev-parse', '--short', `${git('log', '--diff-filter=A', '--format=%h', '--', OLD).split('\n').at(-1)}^`);
  } catch {
    return '';
  }
}

const old = revision();
const skip = old ? false : `no version before ${OLD} in this repository`;
const folder = path.join(place.PROJECT, 'build', `old-${old}`);
const build = path.join(folder, 'build/gcc');

async function buildOld() {
  if (!fs.existsSync(path.join(folder, 'Makefile'))) {
    fs.mkdirSync(folder, { recursive: true });
    execFileSync('sh', ['-c', 'git -C "$1" archive "$2" | tar x -C "$3"', 'sh', place.PROJECT, old, folder]);
  }
  const env = { ...process.env };
  for (const name of ['MAKEFLAGS', 'MFLAGS', 'MAKELEVEL', 'SUBPAY_BUILD']) delete env[name];
  await proc.must('make', ['-s', '-C', folder, 'module', 'ctl', 'SANITIZE=', 'CC=gcc'], { env });
}

/*
 * Customers without a break: form, payment page, way back, status, a gated page.
 * Each answer that is not what it should be is kept, with what was asked.
 */
function load(t, lines = 4) {
  const lost = [];
  const seen = { requests: 0, bought: 0 };
  let over = false;
  let number = 0;
  const ask = async (browser, method, where, options, good) => {
    seen.requests++;
    const reply = await browser.request(method, where, options).catch((error) => ({ status: error.message }));
    if (!good.includes(reply.status)) lost.push(`${seen.phase}: ${method} ${where.replace(/\?.*/, '')}: ${reply.status}`);
    return reply;
  };
  const line = async () => {
    while (!over) {
      const browser = t.browser();
      const email = `c${++number}@example.com`;
      await ask(browser, 'GET', '/', {}, [200]);
      const { location } = await ask(browser, 'POST', '/checkout', { form: { product: 'annual', email, name: 'Ana' } }, [303]);
      if (!location?.includes('/pay/')) {
        over ||= lost.length > 100;
        continue;
      }
      const { return_url } = await t.pay(location, { card: CARD, email, name: 'Ana' });
      await ask(browser, 'GET', return_url, {}, [200]);
      await ask(browser, 'GET', `/status${new URL(return_url).search}`, {}, [200]);
      await ask(browser, 'GET', '/members/', {}, [200, 303]);
      await ask(browser, 'GET', '/subpay-status/health', {}, [200]);
      seen.bought++;
    }
  };
  const all = Array.from({ length: lines }, line);
  return { lost, seen, async stop() { over = true; await Promise.all(all); } };
}

const webhooksRefused = (t) => t.nodes.flatMap((node) => node.access().split('\n'))
  .filter((line) => / POST \/webhook|"POST \/webhook/.test(line) && !/" 200 /.test(line));

test('an upgrade under load', { skip, timeout: 300_000 }, async (context) => {
  await buildOld();
  const t = await SubPay.start({
    cluster: 'own', migrate: false, project: folder, build, products: PRODUCTS,
    settings: { SubPayReconcileInterval: '2s', SubPayShare: folder },
    async prepared(shop) {
      await proc.must(path.join(build, 'subpayctl'), ['--database', shop.postgres.conninfo(shop.database), 'migrate'],
        { env: { ...process.env, SUBPAY_SHARE: folder } });
      await shop.postgres.allowLogin(shop.database);
    },
  });
  /* A worker whose functions changed under it tries again. */
  t.allowLog('SP07');
  t.allowLog(/SP0501: subpay\.\w+ failed: SQLSTATE 42883/);
  const versions = async () => (await t.sql('select version from subpay.schema_migrations where version > 0')).length;
  const from = await versions();

  const customers = load(t);
  context.after(() => customers.stop());
  const { seen } = customers;
  const during = async (phase, buys, work = () => {}) => {
    seen.phase = phase;
    const before = seen.bought;
    await work();
    await t.until(() => seen.bought >= before + buys, { within: 60_000, what: `${buys} more customers, ${phase}` })
      .catch((error) => { throw new Error(`${error.message}; lost: ${customers.lost.slice(0, 5).join('; ')}`); });
  };
  await during('before', 15);
  const begun = Date.now();
  await during('old code on the new database', 30, () => migrate(t.postgres, t.database, place.BUILD));
  console.log(`# from ${from} migrations to ${await versions()} in ${Date.now() - begun} ms, with ${seen.bought} customers served so far`);

  const next = t.makeHttpd(t.httpd.state, t.httpd.port, { settings: { SubPayReconcileInterval: '2s' }, products: PRODUCTS, worker: true });
  t.nodes.pop();
  await during('the restart', 10, () => next.graceful());
  await during('new code', 15);
  await during('a second restart', 10, () => next.graceful());
  await customers.stop();
  console.log(`# ${seen.requests} requests, ${seen.bought} bought`);
  assert.deepEqual(customers.lost, [], 'each request was answered as it should be');
  assert.deepEqual(webhooksRefused(t), [], 'each webhook was taken');
  assert.ok(await versions() > from, 'it was an upgrade');

  const { left } = await invariants.quiet(t, { within: 30_000, hurry: true });
  /* A worker that ends may have sent what it had no time to write down. */
  assert.deepEqual([...left, ...await invariants.violations(t, { twice: 2 })], []);
});

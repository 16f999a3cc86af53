#!/usr/bin/env -S node --test-reporter=tap
// Two httpds, a PostgreSQL server and its standby, a redis: the server dies under load,
// the standby takes over, and nobody who paid notices more than a pause.
'use strict';
const path = require('node:path');
const { SubPay, test, assert, proc, pgOf } = require('../lib/subpay.js');
const { Redis } = require('../lib/redis.js');
const invariants = require('../lib/invariants.js');
const { balance } = require('../chaos/balancer.js');
const { visit } = require('../chaos/customers.js');
const { dice } = require('../chaos/schedule.js');

const KINDS = ['buys', 'vanishes', 'reloads', 'doubleClicks', 'comesLate', 'buys'];

/* Servers, nodes and a balancer. synchronous: no commit is answered before both have it */
async function several({ synchronous = true } = {}) {
  const [port, standbyPort] = await proc.freePorts(2);
  const url = `http://127.0.0.1:${port}`;
  const world = { url, pages: [], wrong: [] };
  const options = {
    settings: { SubPayBaseURL: url, SubPayReconcileInterval: '2s', SubPayRateLimit: 'checkout 40 webhook 100 find 10 support 10' },
    httpd: 'LoadModule socache_redis_module /usr/lib/apache2/modules/mod_socache_redis.so',
  };
  const t = world.t = await SubPay.start({
    ...options,
    cluster: 'own',
    async prepared(shop) {
      world.redis = await Redis.start(shop);
      options.settings.SubPayCache = `redis:127.0.0.1:${world.redis.port}`;
      world.primary = shop.postgres;
      world.standby = await shop.postgres.standby({ folder: path.join(shop.folder, 'standby'), port: standbyPort, synchronous });
      SubPay.endWithFile({ stop: () => world.standby.stop('immediate') });
    },
    pg: (shop) => pgOf([world.primary, world.standby], shop.database),
  });
  t.allowLog('SP0', /AH006\d\d|AH02655/); /* a database that goes away is told; judged by the invariants */
  world.second = await t.node(options);
  await world.second.start();
  const balancer = await balance([t.httpd, world.second].map((node) => node.port), port);
  SubPay.endWithFile({ stop() { balancer.close(); proc.releasePorts([port, standbyPort]); } });
  await t.sandbox.control('POST', 'webhooks', {
    url: `${url}/webhook/stripe`, secret: t.keys.webhook, retry_s: [0.5, 1, 2, 4], redirect_wait_ms: 20,
  });
  return world;
}

/* Customers, one behind the other on each of so many lines, until told to stop. */
function crowd(world, lines = 6) {
  const roll = dice(7);
  let number = 0;
  let over = false;
  const visits = [];
  const line = async () => {
    while (!over) visits.push(await visit(world, ++number, KINDS[number % KINDS.length], roll));
  };
  const all = Array.from({ length: lines }, line);
  return { visits, paid: () => visits.filter(({ paid }) => paid).length, async stop() { over = true; await Promise.all(all); } };
}

/* The standby takes over, as whoever watches over both would have it. */
async function takeOver(world) {
  await world.standby.promote();
  world.t.postgres = world.standby;
  world.t.client = null;
}

const leaders = (t) => t.sql(`select distinct a.application_name, l.pid from pg_locks l
  join pg_database d on d.oid = l.database join pg_stat_activity a on a.pid = l.pid
  where d.datname = current_database() and l.locktype = 'advisory' and l.objid = 1 and l.granted
    and a.application_name like 'subpay-worker%'`);

test('the server dies under load: not a payment lost, nothing twice, the leader moves', { timeout: 240_000 }, async () => {
  const world = await several();
  const { t } = world;
  const customers = crowd(world);
  await t.until(() => customers.paid() >= 12, { within: 60_000, what: 'customers to buy' });

  await world.primary.powerOff();
  const died = Date.now();
  await takeOver(world);
  const seen = customers.paid();
  await t.until(() => t.value('select count(*)::int from subpay.orders where completed_at > $1', [new Date(died)]),
    { within: 30_000, what: 'the first order on the new server' });
  console.log(`# ${Date.now() - died} ms from the death of the server to the first order on the other`);
  await t.until(() => customers.paid() >= seen + 10, { within: 60_000, what: 'customers to go on' });
  await customers.stop();

  const { left } = await invariants.quiet(t, { within: 60_000, hurry: true });
  /* What was sent may not have been written down, on each node once. */
  const found = await invariants.violations(t, { pages: world.pages, twice: 2 });
  console.log(`# ${customers.paid()} paid, ${world.pages.length} pages`);
  assert.deepEqual([...left, ...world.wrong, ...found], []);

  assert.equal((await leaders(t)).length, 1, 'one leads');
  const [{ id }] = await t.sql('select max(id) as id from subpay.runs');
  await t.until(() => t.value('select true from subpay.runs where id > $1 and ok', [id]), { what: 'a good run on the new server' });
  for (const node of [t.httpd, world.second]) {
    assert.equal((await t.get(`${node.url}/subpay-status/health`)).status, 200, 'each node is well');
  }
});

test('the server hangs, and never says goodbye: requests end, and the nodes find the other one', { timeout: 240_000 }, async () => {
  const world = await several();
  const { t } = world;
  const bought = await t.buy('annual', 'ana@example.com');
  const nodes = [t.httpd, world.second];
  const where = `/status?${new URL(bought.return_url).searchParams}`;
  const ask = (node) => t.browser().get(node.url + where, { timeout: 20_000 });
  await Promise.all(nodes.flatMap((node) => Array.from({ length: 8 }, () => ask(node))));

  for (const pid of world.primary.processes()) proc.signal(pid, 'SIGSTOP');
  const stopped = Date.now();
  const hung = await Promise.all(nodes.flatMap((node) => Array.from({ length: 12 }, () => ask(node))));
  console.log(`# all requests answered after ${Date.now() - stopped} ms`);
  assert.ok(hung.every(({ json }) => json.money === 'checking' || json.error), 'nobody is told a lie');

  /* Whoever watches over both fences the one that hangs, and promotes the other. */
  await world.primary.powerOff();
  await takeOver(world);
  for (const node of nodes) {
    await t.until(async () => {
      const replies = await Promise.all(Array.from({ length: 12 }, () => ask(node)));
      return replies.every(({ status, json }) => status === 200 && json.money === 'paid');
    }, { within: 20_000, what: 'a node to be well' });
  }
  const more = await t.buy('annual', 'eva@example.com');
  await t.order(more.reference).becomes('completed', { within: 10_000 });
  await t.until(async () => (await leaders(t)).length === 1, { within: 30_000, what: 'one to lead' });
});

test('the newest commits are lost with the server: the provider gives them back', { timeout: 240_000 }, async () => {
  const world = await several({ synchronous: false });
  const { t } = world;
  const before = await t.buy('annual', 'ana@example.com');
  await t.order(before.reference).becomes('completed');
  await t.until(async () => (await world.standby.query(t.database, 'select state from subpay.orders'))[0]?.state === 'completed');

  /* From here on the standby hears nothing. */
  await world.standby.query('postgres', "alter system set primary_conninfo = ''");
  await world.standby.query('postgres', 'select pg_reload_conf()');
  await t.until(async () => (await t.sql('select 1 from pg_stat_replication')).length === 0, { what: 'the standby to be cut off' });
  const lost = await t.buy('annual', 'eva@example.com');
  await t.order(lost.reference).becomes('completed');
  assert.match(lost.page.text, /<title>Paid/);

  await world.primary.powerOff();
  assert.deepEqual((await world.standby.query(t.database, 'select reference from subpay.orders')).map(({ reference }) => reference),
    [before.reference], 'the standby knows nothing of it');
  await takeOver(world);
  await t.order(lost.reference).becomes('completed', { within: 30_000 });
  const [row] = await t.order(lost.reference).subscriptions;
  assert.ok(row, 'access is there again');
  const { left } = await invariants.quiet(t, { within: 60_000, hurry: true });
  assert.deepEqual([...left, ...await invariants.inDatabase(t), ...await invariants.atProvider(t)], []);
  assert.match((await lost.browser.get(lost.return_url)).text, /<title>Paid/, 'the customer sees the same as before');
});

test('nodes count together through redis, and go on without it', { timeout: 120_000 }, async () => {
  const world = await several();
  const { t } = world;
  const left = 60_000 - Date.now() % 60_000; /* one window holds it all */
  if (left < 20_000) await new Promise((resolve) => setTimeout(resolve, left + 50));
  const email = 'ana@example.com';
  const order = (node) => t.browser().post(`${node.url}/checkout`, { form: { product: 'annual', email } });
  const seen = [];
  for (let n = 0; n < 44; n++) seen.push((await order(n % 2 ? t.httpd : world.second)).status);
  assert.deepEqual([seen.filter((status) => status === 303).length, seen.filter((status) => status === 429).length], [40, 4]);

  t.allowLog('socache_redis');
  await world.redis.stop();
  const bought = await t.buy('annual', 'eva@example.com');
  await t.order(bought.reference).becomes('completed');
  assert.equal((await t.get('/subpay-status/health')).status, 200);
});

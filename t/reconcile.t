#!/usr/bin/env -S node --test-reporter=tap
// A look at the provider that is cut off loses nothing and begins nothing anew.
'use strict';
const { SubPay, test, assert } = require('./lib/subpay.js');
const past = require('./lib/past.js');

const t = SubPay.use({ settings: { SubPayReconcileInterval: '1s' } });

const mark = async (name) => (await t.sql('select * from subpay.watermarks where name = $1', [name]))[0];
const runs = (kind, ok) => t.sql('select * from subpay.runs where kind = $1 and ok = $2 order by id', [kind, ok]);
const good = async (kind) => {
  const before = (await runs(kind, true)).length;
  await t.until(async () => (await runs(kind, true)).length > before, { what: `a good look at ${kind}`, within: 15_000 });
  return (await runs(kind, true)).at(-1);
};
const lists = async () => (await t.sandbox.requests()).filter(({ method, path }) => method === 'GET' && path === '/v1/charges');

test('each look leaves a row, and the mark is the provider\'s time of the newest thing seen', async () => {
  await t.sandbox.webhooks('off');
  await good('events');
  await good('objects');
  assert.equal(await mark('objects:stripe').then((row) => row?.at ?? null), null, 'nothing seen, nothing marked');
  await t.sandbox.payments({ count: 3, age_s: 3600, events: 'none' });
  const run = await good('objects');
  assert.equal(run.counts.foreign, 3, 'payments that name no order of ours are counted');
  const age = Date.now() - (await mark('objects:stripe')).at;
  assert.ok(age > 3500_000 && age < 3700_000, `marked an hour ago: ${age}`);
  assert.equal(await t.value('select count(*)::int from subpay.orders'), 0, 'and nothing is made of them');
});

test('cut off by the rate limit: the cursor is kept, the mark stays, the next look goes on there', async () => {
  t.allowLog('SP0406', 'SP0401', 'SP0712');
  await t.httpd.stop();
  await t.sandbox.payments({ count: 250, age_s: 1800, spread_s: 600, events: 'none' });
  const before = (await mark('objects:stripe')).at;
  await t.sandbox.fault({ on: 'GET /v1/charges', do: 'status', status: 429, skip: 1, times: 'always' });
  await t.sandbox.clearRequests();
  await t.httpd.start();

  const cut = await t.until(async () => {
    const row = await mark('objects:stripe');
    return row.cursor && row;
  }, { what: 'the look to be cut off', within: 30_000 });
  assert.deepEqual(cut.at, before, 'the mark has not moved');
  const bad = (await runs('objects', false)).at(-1);
  assert.equal(bad.error, 'provider_limit');
  assert.equal(bad.counts.pages, 1);

  await t.sandbox.clearFaults();
  await t.sandbox.clearRequests();
  const run = await good('objects');
  const asked = await lists();
  assert.equal(asked[0].params.starting_after, cut.cursor.split(' ').at(-1), 'it goes on where it stopped');
  assert.ok(run.counts.seen >= 250 - 100, 'the rest was seen');
  const after = await mark('objects:stripe');
  assert.equal(after.cursor, null);
  assert.ok(after.at > before, 'and now the mark moves');
  assert.equal(await t.value("select count(*)::int from subpay.alerts where key like 'run:%' or key like 'silence:%'"), 0,
    'a provider that asks for patience is no alarm');
});

test('cut off behind a payment that somebody else held: no cursor, the next look meets it again', async () => {
  t.allowLog('SP0406', 'SP0401', 'SP0712', 'SP0501');
  await t.httpd.stop();
  const order = await past.order(t, 'held@example.com', { age_s: 900 });
  await t.sql('update subpay.orders set next_ask_at = null where id = $1', [order.id]);
  await past.payment(t, order, { age_s: 60, email: 'held@example.com', events: 'none' });
  const before = (await runs('objects', false)).length;
  const holder = await t.postgres.connect(t.database);
  await holder.query('begin');
  await holder.query('select from subpay.orders where id = $1 for update', [order.id]);
  await t.sandbox.fault({ on: 'GET /v1/charges', do: 'status', status: 429, skip: 1, times: 'always' });
  await t.httpd.start();

  const cut = await t.until(async () => (await runs('objects', false))[before],
    { what: 'the look to be cut off', within: 60_000 });
  assert.equal(cut.error, 'provider_limit');
  assert.deepEqual([cut.counts.pages, cut.counts.failed], [1, 1], 'one could not be settled, on the first page');
  assert.equal((await mark('objects:stripe')).cursor, null, 'its place is not passed');

  await holder.query('commit');
  await holder.end();
  await t.sandbox.clearFaults();
  await t.order(order.reference).becomes('completed', { within: 30_000 });
});

test('a place that the provider has forgotten is given up, not asked for ever', async () => {
  t.allowLog('SP0403', 'SP0712');
  await t.httpd.stop();
  await t.sql("update subpay.watermarks set cursor = '1000000 1000000 ch_gone' where name = 'objects:stripe'");
  await t.httpd.start();
  await good('objects');
  assert.equal((await mark('objects:stripe')).cursor, null);
});

test('an order whose provider is away keeps its turn', async () => {
  t.allowLog('SP0405', 'SP0401', 'SP0712', 'SP0713');
  const order = await past.order(t, 'turn@example.com', { age_s: 900 });
  await past.payment(t, order, { age_s: 600, email: 'turn@example.com', events: 'none', session: true });
  await t.sandbox.kill9();
  const before = await t.value('select asks from subpay.orders where id = $1', [order.id]);
  const failed = (await runs('orders', false)).length;
  await t.until(async () => (await runs('orders', false)).length > failed, { within: 20_000, what: 'a look in vain' });
  assert.equal(await t.value('select asks from subpay.orders where id = $1', [order.id]), before);
  await t.sandbox.start();
});

test('one statement for each page of payments', async () => {
  const shop = await SubPay.start({ settings: { SubPayReconcileInterval: '1h' }, cluster: 'own', start: false });
  await shop.sql(`alter database ${shop.database} set track_functions = 'pl'`);
  await shop.sandbox.payments({
    count: 1000, age_s: 3600, spread_s: 3000, events: 'none',
    metadata: { subpay_order: '00000000-0000-4000-8000-000000000000', subpay_site: 'http://elsewhere.example' },
  });
  await shop.httpd.start();
  await shop.until(() => shop.value("select true from subpay.runs where kind = 'objects' and ok"), { within: 30_000 });
  const counts = await shop.value("select counts from subpay.runs where kind = 'objects' and ok");
  assert.equal(counts.seen, 1000);
  assert.equal(counts.pages, 12, 'ten of payments; the lists of refunds and disputes are empty');
  await shop.httpd.stop(); /* what a session has counted is published at its end */
  const calls = async (name) => Number(await shop.value('select calls from pg_stat_user_functions where funcname = $1', [name]));
  assert.equal(await calls('payments_unmatched'), 10);
  const marks = await shop.sql('select name from subpay.watermarks');
  assert.ok(await calls('watermark_set') <= marks.length, `and the place is not noted on each: ${await calls('watermark_set')} times for ${marks.map(({ name }) => name)}`);
  await shop.stop();
});

test('three failed looks in a row stand in the digest; a key that is refused is told at once', async () => {
  t.allowLog('SP04', 'SP0712');
  await t.sandbox.clearMail();
  await t.sandbox.fault({ on: 'GET /v1/charges', do: 'status', status: 401, times: 'always' });
  const open = () => t.value("select count(*)::int from subpay.alerts where key in ('run:objects', 'key') and closed_at is null");
  await t.until(async () => await open() === 2, { within: 40_000, what: 'both alerts' });
  const [alert] = await t.mailsBecome('alerts@example.com', 1, { within: 10_000 });
  assert.match(alert.subject, /refuses our key/);
  await t.sandbox.clearFaults();
  await good('objects');
  await t.until(async () => (await open()) === 0, { within: 10_000, what: 'the alerts to be closed' });
  assert.equal((await t.mails('alerts@example.com')).length, 1, 'one message');
});

test('once a day: back over the longer window, and a look at the endpoint itself', async () => {
  t.allowLog('SP0355');
  await t.httpd.stop();
  await t.sandbox.clearMail();
  const order = await past.order(t, 'deep@example.com', { age_s: 50 * 3600 });
  await past.payment(t, order, { age_s: 50 * 3600, email: 'deep@example.com', events: 'none' });
  await t.sql('update subpay.orders set next_ask_at = null where id = $1', [order.id]);
  const yesterday = (name) => t.sql(`insert into subpay.watermarks (name, at) values ($1, now() - interval '2 days')
    on conflict (name) do update set at = excluded.at`, [name]);
  await yesterday('daily:deep');
  await yesterday('daily:endpoint');
  const endpoint = (await t.stripe.webhookEndpoints.list()).data[0];
  await t.stripe.webhookEndpoints.update(endpoint.id, { disabled: true });
  const looks = [good('deep'), good('endpoint')];
  await t.httpd.start();

  await Promise.all(looks);
  assert.equal(await t.order(order.reference).state, 'completed', 'found 50 hours back');
  const [alert] = await t.sql("select text, level from subpay.alerts where key = 'endpoint:stripe' and closed_at is null");
  assert.match(alert.text, /disabled at Stripe/);
  assert.equal(alert.level, 'today');

  await t.stripe.webhookEndpoints.update(endpoint.id, { disabled: false });
  await t.httpd.stop();
  await yesterday('daily:endpoint');
  await t.httpd.start();
  await t.until(() => t.value("select closed_at is not null from subpay.alerts where key = 'endpoint:stripe'"),
    { what: 'the alert to be closed' });
  const deep = (await runs('deep', true)).length;
  const anomalies = good('anomalies');
  await t.httpd.graceful();
  await anomalies;
  assert.equal((await runs('deep', true)).length, deep, 'and not again today');
});

#!/usr/bin/env -S node --test-reporter=tap
// What the application behind Apache asks: who may use what, and the ledger of credits.
'use strict';
const http = require('node:http');
const crypto = require('node:crypto');
const { SubPay, test, assert } = require('../lib/subpay.js');

const OPEN = '<Location /open>\n  SetHandler subpay-api\n  Require all granted\n</Location>';
const t = SubPay.use({ httpd: OPEN, products: {
  annual: { Title: 'Annual plan', Price: '249.00 USD', Period: '1y' },
  pack: { Title: 'A thousand credits', Price: '10.00 USD', Credits: 1000 },
} });
t.expectLog('AH01617'); // httpd itself, of a wrong password
t.expectLog('SP0202');

const get = (where, auth = t.api) => t.get(`/api${where}`, { auth });

/* POST with a key of its own, unless one is given; null: without. */
function post(where, json, key = crypto.randomUUID(), more = {}) {
  return t.post(`/api/credits/${where}`, { auth: t.api, json, headers: key === null ? {} : { 'Idempotency-Key': key }, ...more });
}

async function buy(product, email) {
  const bought = await t.buy(product, email);
  await t.order(bought.reference).becomes('completed');
  return bought;
}

async function ledgerIsSound() {
  const drift = await t.sql(`select a.id from accounts a where credits < 0 or credits <>
    (select coalesce(sum(amount), 0) from credit_transactions c where c.account_id = a.id)`);
  assert.deepEqual(drift, [], 'each ledger sums to its balance');
}

test('entitlements: what the gates see, and why', async () => {
  await buy('annual', 'ana@example.com');
  const reply = await get('/entitlements?account=Ana%40Example.com');
  assert.equal(reply.status, 200);
  assert.equal(reply.headers['content-type'], 'application/json');
  assert.equal(reply.headers['cache-control'], 'no-store');
  const { plans: [plan], ...rest } = reply.json;
  assert.deepEqual(rest, { account: 'ana@example.com', active: true, credits: 0 });
  assert.deepEqual(Object.keys(plan).sort(), ['active', 'expires_at', 'product', 'renews', 'starts_at', 'status']);
  assert.equal(plan.product, 'annual');
  assert.equal(plan.status, 'active');
  assert.equal(plan.renews, false);
  const days = (new Date(plan.expires_at) - new Date(plan.starts_at)) / 86_400_000;
  assert.ok(days >= 365 && days <= 366, `${days} days`);

  await t.sql("update subscriptions set starts_at = now() - interval '2 y', expires_at = now() - interval '1 y'");
  const ended = (await get('/entitlements?account=ana@example.com')).json;
  assert.equal(ended.active, false);
  assert.equal(ended.plans[0].status, 'ended');
});

test('a credit pack: its credits, access without an end, and an entry with its order', async () => {
  const bought = await buy('pack', 'pia@example.com');
  const reply = (await get('/entitlements?account=pia@example.com')).json;
  assert.equal(reply.credits, 1000);
  assert.equal(reply.plans[0].expires_at, null);
  const credits = (await get('/credits?account=pia@example.com')).json;
  assert.equal(credits.balance, 1000);
  assert.equal(credits.transactions.length, 1);
  assert.equal(credits.transactions[0].reference, bought.reference);
});

test('deduct and refund: a balance and a transaction', async () => {
  await buy('pack', 'dan@example.com');
  const taken = await post('deduct', { account: 'dan@example.com', amount: 300, reason: 'export' }, 'key-1');
  assert.equal(taken.status, 200);
  assert.equal(taken.json.balance, 700);
  assert.ok(taken.json.transaction > 0);
  const more = await post('deduct', { account: 'dan@example.com', amount: 100, reason: 'export' });
  assert.equal(more.json.balance, 600);
  assert.deepEqual((await post('deduct', { account: 'DAN@example.com', amount: 300, reason: 'export' }, 'key-1')).json,
    taken.json, 'the same key again: the first answer');
  const back = await post('refund', { account: 'dan@example.com', amount: 50, reason: 'export failed' });
  assert.deepEqual([back.status, back.json.balance], [200, 650]);

  for (const [where, json] of [
    ['deduct', { account: 'dan@example.com', amount: 301, reason: 'export' }],
    ['deduct', { account: 'dan@example.com', amount: 300, reason: 'other' }],
    ['deduct', { account: 'pia@example.com', amount: 300, reason: 'export' }],
    ['refund', { account: 'dan@example.com', amount: 300, reason: 'export' }],
  ]) {
    const other = await post(where, json, 'key-1');
    assert.deepEqual([other.status, other.json.error.code], [422, 'idempotency_key_reused'], JSON.stringify(json));
  }
  const poor = await post('deduct', { account: 'dan@example.com', amount: 651, reason: 'export' }, 'key-2');
  assert.deepEqual([poor.status, poor.json.error.code], [409, 'insufficient_credits']);
  assert.equal((await post('deduct', { account: 'dan@example.com', amount: 650 }, 'key-3')).json.balance, 0, 'to the last one');
  assert.equal((await get('/credits?account=dan@example.com')).json.transactions[0].reason, 'deduct');
  assert.equal(await t.value("select count(distinct actor)::int from credit_transactions where idempotency_key is not null"), 1);
  assert.equal(await t.value("select distinct actor from credit_transactions where idempotency_key is not null"), 'app');
  await ledgerIsSound();
});

test('what is not understood changes nothing', async () => {
  await buy('pack', 'eva@example.com');
  const before = await t.value('select count(*)::int from credit_transactions');
  const body = { account: 'eva@example.com', amount: 1, reason: 'x' };
  const refused = async (reply, status, code) => {
    const got = await reply;
    assert.deepEqual([got.status, got.json.error.code], [status, code], got.text);
  };
  for (const key of [null, '', 'k'.repeat(256)]) await refused(post('deduct', body, key), 400, 'bad_key');
  for (const amount of ['0', '-1', '1.0', '1e2', '"1"', 'null', 'true', '9007199254740992']) {
    await refused(post('deduct', undefined, 'k', { body: `{"account":"eva@example.com","amount":${amount},"reason":"x"}`,
      headers: { 'Idempotency-Key': 'k', 'Content-Type': 'application/json' } }), 400, 'bad_amount');
  }
  const raw = (text, type = 'application/json') => post('deduct', undefined, 'k',
    { body: text, headers: { 'Idempotency-Key': 'k', ...(type && { 'Content-Type': type }) } });
  await refused(raw('{"account":"eva@example.com","amount":1,"amount":2}'), 400, 'malformed');
  await refused(raw('{"account":"eva@example.com","amount":1'), 400, 'malformed');
  await refused(raw('{"account":"eva@example.com","amount":99999999999999999999}'), 400, 'malformed');
  await refused(raw('[1]'), 400, 'malformed');
  await refused(raw('{}'), 400, 'bad_amount');
  await refused(raw('account=eva%40example.com&amount=1', 'application/x-www-form-urlencoded'), 415, 'unsupported_type');
  await refused(raw(`{"a":"${'x'.repeat(20_000)}"}`), 413, 'too_large');
  await refused(post('deduct', { ...body, amount: 1, account: 7 }), 400, 'bad_account');
  await refused(post('deduct', { ...body, reason: 'two\nlines' }), 400, 'bad_reason');
  await refused(post('deduct', { ...body, reason: 7 }), 400, 'bad_reason');
  await refused(post('deduct', { ...body, account: 'nobody@example.com' }), 404, 'no_such_account');
  await refused(post('refund', { ...body, amount: 9007199254740991 }), 409, 'too_many_credits');
  await refused(get('/credits'), 400, 'bad_account');
  await refused(get('/credits?account=nobody@example.com'), 404, 'no_such_account');
  await refused(get('/entitlements?account=nobody@example.com'), 404, 'no_such_account');
  await refused(get('/credits/deduct'), 405, 'method_not_allowed');
  await refused(get('/nothing'), 404, 'not_found');
  assert.equal((await get('/credits?account=eva@example.com', ['app', 'wrong'])).status, 401);
  assert.equal((await t.get('/api/credits?account=eva@example.com')).status, 401);
  assert.equal(await t.value('select count(*)::int from credit_transactions'), before);
  assert.equal((await get('/credits?account=eva@example.com')).json.balance, 1000);
});

test('a location that forgot to ask who it is opens nothing', async () => {
  const reply = await t.get('/open/entitlements?account=eva@example.com');
  assert.deepEqual([reply.status, reply.json.error.code], [403, 'forbidden']);
});

test('32 at once, each tenth request twice: as many as there are, no more', async () => {
  await buy('pack', 'max@example.com');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  const auth = `Basic ${Buffer.from(t.api.join(':')).toString('base64')}`;
  const text = JSON.stringify({ account: 'max@example.com', amount: 1, reason: 'storm' });
  const once = (key) => new Promise((resolve, reject) => {
    const request = http.request(`${t.url}/api/credits/deduct`, { method: 'POST', agent, headers: {
      Authorization: auth, 'Content-Type': 'application/json', 'Content-Length': text.length, 'Idempotency-Key': key,
    } }, (reply) => {
      reply.setEncoding('utf8').on('data', (part) => { reply.text = (reply.text ?? '') + part; })
        .on('end', () => resolve({ key, status: reply.statusCode, text: reply.text }));
    });
    request.on('error', reject).end(text);
  });
  const keys = Array.from({ length: 1500 }, (_, i) => `storm-${i - (i % 10 === 9 ? 1 : 0)}`);
  const answers = [];
  await Promise.all(Array.from({ length: 32 }, async () => {
    while (keys.length) answers.push(await once(keys.shift()));
  }));
  agent.destroy();
  const byKey = new Map();
  for (const { key, status, text: body } of answers) {
    assert.ok(status === 200 || status === 409, `${status} ${body}`);
    if (status === 200) {
      assert.equal(byKey.get(key) ?? body, body, 'one answer for each key');
      byKey.set(key, body);
    }
  }
  assert.equal(byKey.size, 1000, 'exactly the credits there were');
  assert.equal(new Set([...byKey.values()].map((body) => JSON.parse(body).balance)).size, 1000, 'each at a balance of its own');
  assert.equal(await t.value("select credits::int from accounts where email = 'max@example.com'"), 0);
  assert.equal(await t.value("select deadlocks::int from pg_stat_database where datname = current_database()"), 0);
  await ledgerIsSound();
});

test('purchases, refunds of them, and deductions at once', async () => {
  const bought = await buy('pack', 'mix@example.com');
  const work = Array.from({ length: 40 }, (_, i) => () => post(i % 2 ? 'deduct' : 'refund', { account: 'mix@example.com', amount: 7 }));
  const { payment_id } = await t.order(bought.reference).row;
  work.splice(10, 0, () => t.stripe.refunds.create({ payment_intent: payment_id }));
  await Promise.all(work.map((one) => one()));
  await t.order(bought.reference).becomes('refunded');
  await ledgerIsSound();
});

test('the connection is cut at random, and whoever had no answer asks again: each once', async () => {
  t.allowLog('SP0501', 'SP0502', 'apr_dbd', 'dbd');
  await buy('pack', 'cut@example.com');
  const keys = Array.from({ length: 300 }, (_, i) => `cut-${i}`);
  const answers = new Map();
  let cutting = true;
  const cuts = (async () => {
    while (cutting) {
      await t.sql(`select pg_terminate_backend(pid) from pg_stat_activity
        where usename = 'subpay_web' and datname = current_database() order by random() limit 1`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let key = keys.shift(); key; key = keys.shift()) {
      let reply = await post('deduct', { account: 'cut@example.com', amount: 2, reason: 'cut' }, key);
      for (let i = 0; reply.status === 503 && i < 200; i++) {
        reply = await post('deduct', { account: 'cut@example.com', amount: 2, reason: 'cut' }, key);
      }
      answers.set(key, reply);
    }
  }));
  cutting = false;
  await cuts;
  for (const [key, reply] of answers) assert.equal(reply.status, 200, `${key}: ${reply.text}`);
  assert.equal(new Set([...answers.values()].map(({ json }) => json.balance)).size, 300, 'each at a balance of its own');
  assert.equal((await get('/credits?account=cut@example.com')).json.balance, 400);
  await ledgerIsSound();
});

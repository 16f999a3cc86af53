#!/usr/bin/env -S node --test-reporter=tap
// How often somebody may knock: alone, and over all nodes that share a cache.
'use strict';
const net = require('node:net');
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use();
t.allowLog('SP0203');

/* One window of a minute must hold a whole test. */
const roomInMinute = () => new Promise((resolve) => {
  const left = 60_000 - Date.now() % 60_000;
  setTimeout(resolve, left < 15_000 ? left + 50 : 0);
});

function refused(reply, what) {
  assert.equal(reply.status, 429, what);
  const wait = Number(reply.headers['retry-after']);
  assert.ok(wait > 0 && wait <= 60, `Retry-After: ${wait}`);
}

const buy = (email, node = t) => t.browser().post(`${node.url}/checkout`, { form: { product: 'annual', email } });

test('ten checkouts a minute for one address', async () => {
  await roomInMinute();
  for (let i = 0; i < 10; i++) assert.equal((await buy('ana@example.com')).status, 303);
  const page = await buy('ANA@example.com');
  refused(page, 'the eleventh');
  assert.match(page.text, /Please try again in a minute/);
  const json = await t.post('/checkout', { json: { product: 'annual', email: 'ana@example.com' } });
  refused(json);
  assert.equal(json.json.error.code, 'too_many_tries');
  assert.equal(await t.value('select count(*)::int from orders'), 10, 'no order was written');
  assert.equal((await buy('eva@example.com')).status, 303, 'another address is free');
  assert.equal((await t.post('/checkout', { form: { product: 'annual', email: 'ana' } })).status, 400, 'what is no order is none');
});

test('unsigned webhooks: a hundred a minute; signed ones without end', async () => {
  const forged = (where = '/webhook/stripe') => t.post(where, { body: '{"id":"evt_1"}', headers: { 'Stripe-Signature': 't=1,v1=00' } });
  await roomInMinute();
  for (let i = 0; i < 99; i++) assert.equal((await forged()).status, 400);
  assert.equal((await forged('/webhook/paypal')).status, 404);
  refused(await forged(), 'the next');
  refused(await forged('/webhook/paypal'), 'by whatever name');
  const lines = t.log().split('SP0203').length;
  refused(await forged());
  assert.equal(t.log().split('SP0203').length, lines, 'and the log stays as it is');
  const bought = await t.buy('annual', 'signed@example.com', { follow: false });
  assert.equal((await t.order(bought.reference).becomes('completed', { within: 2000 })).completed_via, 'webhook');
});

/* As much of redis as a cache needs: GET, SET, SETEX, DEL, PING, VERSION. */
function redis() {
  const store = new Map();
  const answer = ([verb, key, ...rest]) => {
    const value = store.get(key);
    switch (verb.toUpperCase()) {
      case 'GET': return value === undefined ? '$-1\r\n' : `$${value.length}\r\n${value}\r\n`;
      case 'SET': store.set(key, rest[0]); return '+OK\r\n';
      case 'SETEX': store.set(key, rest[1]); return '+OK\r\n';
      case 'DEL': return `:${Number(store.delete(key))}\r\n`;
      case 'PING': return '+PONG\r\n';
      default: return '-ERR unknown command\r\n';
    }
  };
  const server = net.createServer((socket) => {
    let seen = '';
    socket.setEncoding('latin1').on('error', () => {}).on('data', (text) => {
      seen += text;
      for (let [words, length] = take(seen); length; [words, length] = take(seen)) {
        seen = seen.slice(length);
        socket.write(answer(words), 'latin1');
      }
    });
  });
  return { server, store };
}

/* The first whole command of the text, and its length; 0: there is none. */
function take(text) {
  if (text[0] !== '*') {
    const end = text.indexOf('\r\n');
    return end < 0 ? [[], 0] : [text.slice(0, end).split(' '), end + 2];
  }
  let at = text.indexOf('\r\n') + 2;
  const words = [];
  for (let n = Number(text.slice(1, at - 2)); n > 0 && at > 1; n--) {
    const begin = text.indexOf('\r\n', at) + 2;
    const end = begin + Number(text.slice(at + 1, begin - 2));
    if (begin < 2 || text.length < end + 2) return [[], 0];
    words.push(text.slice(begin, end));
    at = end + 2;
  }
  return [words, at > 1 ? at : 0];
}

test('two nodes that share redis count together, and alone when it is gone', async (context) => {
  const { server, store } = redis();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const settings = { SubPayCache: `redis:127.0.0.1:${server.address().port}`, SubPayRateLimit: 'checkout 5' };
  const httpd = 'LoadModule socache_redis_module /usr/lib/apache2/modules/mod_socache_redis.so';
  const shop = await SubPay.start({ settings, httpd });
  context.after(() => shop.stop());
  context.after(() => server.close());
  shop.allowLog(/socache_redis|redis/i);
  const other = await shop.node({ settings, httpd, worker: false });
  await other.start();
  await roomInMinute();
  for (let i = 0; i < 5; i++) assert.equal((await buy('ana@example.com', i % 2 ? other : shop)).status, 303);
  assert.ok(store.size > 0 && ![...store].some((entry) => entry.join().includes('ana')), 'redis is asked, and not told who');
  refused(await buy('ana@example.com', shop), 'three here, two there');
  refused(await buy('ana@example.com', other));
  server.close();
  store.clear();
  assert.equal((await buy('eva@example.com', shop)).status, 303);
});

#!/usr/bin/env -S node --test-reporter=tap
// The application hears what becomes of access: signed, once each, retried until it answers.
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { SubPay, test, assert } = require('../lib/subpay.js');

const KEY = crypto.randomBytes(32);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'subpay-notify-'));
const secret = path.join(folder, 'secret');
fs.writeFileSync(secret, `whsec_${KEY.toString('base64')}\n`, { mode: 0o600 });
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));

/* The application: keeps what it was sent, and answers as it is told. */
const heard = [];
let answer = 204;
const app = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part)).on('end', () => {
    if (answer === 'nothing') return request.socket.destroy();
    heard.push({ url: request.url, headers: request.headers, text: Buffer.concat(parts).toString(), answer });
    response.writeHead(answer).end();
  });
});
const listening = new Promise((resolve) => app.listen(0, '127.0.0.1', resolve));
app.unref();

let shop;
const start = () => {
  shop ??= listening.then(() => SubPay.start({ settings: {
    SubPayNotifyURL: `http://127.0.0.1:${app.address().port}/hooks/subpay/`,
    SubPayNotifySecret: `file:${secret}`,
  } }));
  return shop;
};

const said = (type, account) => heard.filter(({ text, answer: given }) => {
  const body = JSON.parse(text);
  return given === 204 && body.type === `entitlement.${type}` && body.data.account === account;
});

async function hears(t, type, account) {
  await t.until(() => said(type, account).length > 0, { within: 15_000, what: `${type} for ${account}` });
  return said(type, account)[0];
}

/* As any Standard Webhooks library does. */
function verify({ headers, text }) {
  const id = headers['webhook-id'];
  const at = headers['webhook-timestamp'];
  assert.ok(Math.abs(Date.now() / 1000 - at) < 60, 'a fresh timestamp');
  const mac = crypto.createHmac('sha256', KEY).update(`${id}.${at}.${text}`).digest('base64');
  assert.equal(headers['webhook-signature'], `v1,${mac}`);
}

/* Let the outbox try again now what waits for its next try. */
async function hurry(t) {
  await t.sql("update outbox set next_try_at = now() where kind = 'notify' and state = 'pending'");
  await t.sql('select outbox_wake()');
}

test('granted: signed, with what the gates now say', async () => {
  const t = await start();
  const bought = await t.buy('annual', 'ana@example.com');
  const message = await hears(t, 'granted', 'ana@example.com');
  assert.equal(message.url, '/hooks/subpay/', 'the address as it was written');
  assert.match(message.headers['content-type'], /^application\/json/);
  verify(message);
  const { type, timestamp, data } = JSON.parse(message.text);
  assert.equal(type, 'entitlement.granted');
  assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const { plans: [plan] } = (await t.get('/api/entitlements?account=ana@example.com', { auth: t.api })).json;
  assert.deepEqual(data, { account: 'ana@example.com', reference: bought.reference, ...plan });
  await t.get(bought.return_url);
  assert.equal(await t.value("select count(*)::int from outbox where kind = 'notify'"), 1, 'once, by all roads');
});

test('an error is tried again, under the same id; mails do not wait for it', async () => {
  const t = await start();
  t.allowLog('SP0352');
  for (const way of [500, 'nothing']) {
    const email = `retry-${way}@example.com`;
    answer = way;
    const bought = await t.buy('annual', email);
    await t.order(bought.reference).becomes('completed');
    const row = () => t.sql("select * from outbox where kind = 'notify' order by id desc limit 1").then(([one]) => one);
    await t.until(async () => (await row()).last_error, { what: 'a try in vain' });
    await t.mailsBecome(email);
    assert.equal((await row()).state, 'pending');
    answer = 204;
    await t.until(async () => {
      await hurry(t);
      return said('granted', email).length > 0;
    }, { within: 45_000, every: 250, what: 'the next try' });
    verify(said('granted', email)[0]);
    assert.equal(said('granted', email)[0].headers['webhook-id'], `msg_${(await row()).message_id}`);
  }
  const ids = heard.filter(({ text }) => text.includes('retry-500')).map(({ headers }) => headers['webhook-id']);
  assert.ok(ids.length >= 2 && new Set(ids).size === 1, 'one id for all tries');
});

test('refunded and ended', async () => {
  const t = await start();
  const back = await t.buy('annual', 'back@example.com');
  const { payment_id } = await t.order(back.reference).becomes('completed');
  await t.stripe.refunds.create({ payment_intent: payment_id });
  const refunded = JSON.parse((await hears(t, 'refunded', 'back@example.com')).text);
  assert.deepEqual([refunded.data.active, refunded.data.status], [false, 'refunded']);

  const over = await t.buy('annual', 'over@example.com');
  await t.order(over.reference).becomes('completed');
  await t.sql(`update subscriptions set starts_at = now() - interval '1 y', expires_at = now()
    where order_id = (select id from orders where reference = $1)`, [over.reference]);
  const ended = await hears(t, 'ended', 'over@example.com');
  verify(ended);
  assert.deepEqual([JSON.parse(ended.text).data.active, JSON.parse(ended.text).data.status], [false, 'ended']);
  assert.equal(said('ended', 'over@example.com').length, 1);
});

test('nobody listens: no row', async (context) => {
  const t = await SubPay.start();
  context.after(() => t.stop());
  const bought = await t.buy('annual', 'ana@example.com');
  await t.order(bought.reference).becomes('completed');
  assert.equal(await t.value("select count(*)::int from outbox where kind = 'notify'"), 0);
});

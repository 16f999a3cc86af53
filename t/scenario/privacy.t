#!/usr/bin/env -S node --test-reporter=tap
// Whoever asks is told all that is held about them, and is forgotten: in every row of
// every table, for good, and without a hole in the books.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { SubPay, test, assert } = require('../lib/subpay.js');
const invariants = require('../lib/invariants.js');

const PASSWORD = 'correct horse battery';
const NAME = 'Anouk Lindqvist';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'subpay-privacy-'));
fs.writeFileSync(path.join(folder, 'secret'), `whsec_${'a'.repeat(32)}\n`, { mode: 0o600 });
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));

/* The application that wants to know whose access ends. */
const heard = [];
const app = http.createServer((request, reply) => {
  let body = '';
  request.on('data', (data) => { body += data; });
  request.on('end', () => { heard.push(JSON.parse(body)); reply.end(); });
});
app.unref();
let t;
let bought;

async function open() {
  await new Promise((done) => { app.listen(0, '127.0.0.1', done); });
  t = await SubPay.start({ settings: { SubPayReconcileInterval: '1s', SubPayRateLimit: ['find 0', 'support 0'],
    SubPayNotifyURL: `http://127.0.0.1:${app.address().port}/`, SubPayNotifySecret: `file:${folder}/secret` } });
}

/* Rows that hold it, in any column of any table; bytes are looked into as well. */
async function traces(what, also = '') {
  const tables = await t.sql(`select c.relname from pg_class c
    where c.relnamespace = 'subpay'::regnamespace and c.relkind in ('r', 'p')`);
  const found = [];
  for (const { relname } of tables) {
    const hex = Buffer.from(what).toString('hex');
    const rows = await t.sql(`select to_jsonb(r)::text as text from subpay.${relname} r
      where (to_jsonb(r)::text ilike $1 or to_jsonb(r)::text ilike $2)`, [`%${what}%`, `%${hex}%`]);
    found.push(...rows.map(({ text }) => `${relname}: ${text}`).filter((text) => !also || !text.includes(also)));
  }
  return found;
}

test('a customer with all that one can leave behind', async () => {
  await open();
  bought = await t.buy('annual', 'Anouk@Example.com', { name: NAME });
  await t.order(bought.reference).becomes('completed');
  const form = { t: new URL(bought.return_url).searchParams.get('t'), password: PASSWORD };
  await bought.browser.post('/password', { form });
  await bought.browser.post('/support', { form: { email: 'anouk@example.com', message: `Hello, ${NAME} here.\nThank you` } });
  await t.browser().post('/find', { form: { email: 'anouk@example.com' } });
  await t.browser().post('/password', { form: { send: 1, email: 'anouk@example.com' } });
  await t.buy('annual', 'jeanouk@example.com', { name: 'Somebody Else' });
  await t.mailsBecome('Anouk@Example.com', 1);
  await t.until(async () => await t.value("select count(*) from subpay.outbox where state in ('pending', 'sending') and kind in ('mail', 'notify')") === '0',
    { within: 10_000, what: 'all mails to leave' });
  assert.ok((await traces('anouk@example.com')).length > 8);
});

test('export: one JSON document, with everything and no secret', async () => {
  const told = await t.subpayctl('export', 'ANOUK@example.com');
  assert.equal(told.status, 0, told.stderr);
  const { account, orders, payments, tickets, mails, events, audit, sessions } = told.json;
  assert.equal(account.email, 'anouk@example.com');
  assert.deepEqual(orders.map(({ reference, name, email }) => [reference, name, email]),
    [[bought.reference, NAME, 'Anouk@Example.com']]);
  assert.equal(payments[0].amount, 24900);
  assert.match(tickets[0].messages[0].body, /Thank you/);
  assert.ok(mails.length >= 2 && events.length >= 1 && audit.length >= 1 && sessions.length >= 1);
  assert.doesNotMatch(told.stdout, /_hash|jeanouk|Somebody/);
  assert.equal((await t.subpayctl('export', 'nobody@example.com')).status, 1);
  assert.equal((await t.subpayctl('export', 'nobody')).status, 1);
});

test('erase: running access needs a reason, and says so', async () => {
  const refused = await t.subpayctl('erase', 'anouk@example.com');
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /access that goes on; with --reason it ends/);
  assert.equal((await bought.browser.get('/members/')).status, 200, 'and nothing has happened');
});

test('erased: no trace in any table, the books whole, nobody gets in', async () => {
  const before = await t.sql('select id, reference, state, amount, payment_id, completed_at from subpay.orders order by id');
  const done = await t.subpayctl('erase', 'anouk@example.com', '--reason', `${NAME} wrote to us`, '--json');
  assert.equal(done.status, 0, done.stderr);
  assert.equal(done.json.verdict, 'erased');
  assert.match(done.json.pseudonym, /^erased-[0-9a-f-]+@erased\.invalid$/);
  assert.ok(heard.some(({ type, data }) => type === 'entitlement.ended' && data.account === 'anouk@example.com'),
    'the application heard whose access ended');

  assert.deepEqual(await traces('anouk@example.com', 'jeanouk'), []);
  assert.deepEqual(await traces(NAME), []);
  assert.ok((await traces('jeanouk@example.com')).length > 3, 'who is called alike is not touched');
  assert.deepEqual(await t.sql('select id, reference, state, amount, payment_id, completed_at from subpay.orders order by id'), before);
  await t.until(async () => (await bought.browser.get('/members/')).status !== 200, { what: 'the gate to close' });
  assert.notEqual((await t.browser().post('/login', { form: { email: 'anouk@example.com', password: PASSWORD } })).status, 303);
  const back = await bought.browser.get(bought.return_url);
  assert.doesNotMatch(back.text, /249\.00|You have access|nouk/, 'an old address opens nothing');
  assert.equal((await t.subpayctl('lookup', 'anouk@example.com')).status, 1);
  const seen = await t.subpayctl('show', bought.reference);
  assert.match(seen.stdout, /erased/, 'support sees what has happened');
});

test('what the provider says afterwards counts, and names nobody', async () => {
  const { payment_id } = await t.order(bought.reference).row;
  const mails = (await t.mails()).length;
  await t.stripe.refunds.create({ payment_intent: payment_id });
  await t.order(bought.reference).becomes('refunded');
  await t.subpayctl('reconcile', '--since', '1h');
  await t.subpayctl('recover', payment_id);
  assert.deepEqual(await traces(NAME), []);
  assert.deepEqual(await traces('anouk@example.com', 'jeanouk'), []);
  assert.equal((await t.mails()).length, mails, 'and nobody is written to');
  assert.deepEqual(await invariants.inDatabase(t), []);
});

test('the log has never named her', () => {
  assert.doesNotMatch(t.log(), /anouk|lindqvist/i);
});

test('by age: the worker forgets each day what SubPayRetention says', async () => {
  await t.sql("update subpay.provider_events set received_at = received_at - interval '401 days'");
  await t.sql("update subpay.outbox set created_at = created_at - interval '3 years'");
  await t.sql("update subpay.tickets set state = 'solved', solved_at = now() - interval '3 years'");
  await t.sql("update subpay.searches set state = 'none', done_at = now() - interval '3 years'");
  await t.sql("delete from subpay.watermarks where name = 'daily:clean'");
  const outbox = await t.value('select count(*) from subpay.outbox');
  await t.httpd.restart();
  await t.until(async () => await t.value("select count(*) from subpay.provider_events where received_at < now() - interval '400 days'") === '0',
    { within: 20_000, what: 'old events to go' });
  await t.until(async () => await t.value("select count(*) from subpay.outbox where recipient like '%@example.com'") === '0');
  assert.equal(await t.value('select count(*) from subpay.outbox'), outbox, 'that mails went out stays');
  assert.equal(await t.value("select count(*) from subpay.ticket_messages where body like '%Thank you%'"), '0');
  assert.equal(await t.value("select count(*) from subpay.searches where done_at < now() - interval '2 years'"), '0');
  await t.until(async () => await t.value("select count(*) from subpay.watermarks where name = 'daily:clean'") === '1');
  assert.deepEqual(await invariants.inDatabase(t), []);
});

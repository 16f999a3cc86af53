#!/usr/bin/env -S node --test-reporter=tap
// What the database has decided to say leaves: once, or under the same Message-ID.
'use strict';
const http = require('node:http');
const { SubPay, test, assert, proc } = require('./lib/subpay.js');
const past = require('./lib/past.js');

/* Somebody's chat, and somebody's dead-man switch. */
const heard = [];
const ears = http.createServer((request, response) => {
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', () => {
    heard.push({ method: request.method, path: request.url, body });
    response.end('ok');
  });
});
const listening = new Promise((resolve) => { ears.listen(0, '127.0.0.1', resolve); });

let t;
const start = listening.then(async () => {
  const { port } = ears.address();
  ears.unref();
  t = await SubPay.start({
    settings: {
      SubPayReconcileInterval: '1s',
      SubPayAlertWebhook: `http://127.0.0.1:${port}/chat`,
      SubPayHeartbeatURL: `http://127.0.0.1:${port}/alive`,
    },
  });
});

let count = 0;
/* Queue welcomes to these addresses, all at once; -> ids of their rows. */
async function queue(...addresses) {
  await start;
  const ids = [];
  const orders = [];
  for (const email of addresses) orders.push(await past.order(t, email));
  await t.sql('begin');
  for (const [n, email] of addresses.entries()) {
    ids.push(Number(await t.value(`insert into subpay.outbox (kind, template, dedupe_key, order_id, recipient)
      values ('mail', 'confirmation', $1, $2, $3) returning id`, [`test:${++count}`, orders[n].id, email])));
  }
  await t.sql("select pg_notify('subpay_outbox', '')");
  await t.sql('commit');
  return ids;
}

const row = async (id) => (await t.sql('select * from subpay.outbox where id = $1', [id]))[0];
const soon = (id) => t.sql(`update subpay.outbox set next_try_at = now() where id = $1 and state = 'pending';
  select pg_notify('subpay_outbox', '')`.replace('$1', id));

test('a mail leaves within a second, with everything in its place', async () => {
  await start;
  const took = []; /* the best of three: another program may have taken the time */
  do {
    const before = Date.now();
    await queue(`quick${took.length}@example.com`);
    await t.mailsBecome(`quick${took.length}@example.com`);
    took.push(Date.now() - before);
  } while (took.at(-1) >= 1000 && took.length < 3);
  assert.ok(took.at(-1) < 1000 * (process.env.SUBPAY_SANITIZE ? 3 : 1), `it took ${took} ms`);
  const [id] = await queue('first@example.com');
  const [mail] = await t.mailsBecome('first@example.com');
  await t.until(async () => (await row(id)).state === 'sent');
  assert.equal(mail.messageId, `<outbox-${id}.${(await row(id)).message_id}@example.com>`);
  assert.match(mail.raw, /^Auto-Submitted: auto-generated\r?$/m);
  assert.match(mail.raw, /^Reply-To: .*help@example\.com/m);
  assert.match(mail.raw, /multipart\/alternative/);
});

test('an address that bounces becomes a ticket and holds up nobody', async () => {
  t.expectLog('SP0351');
  await t.sandbox.fault({ on: 'SMTP RCPT bounce@*', do: 'status', status: 550, times: 'always' });
  const [bad, good] = await queue('bounce@example.com', 'good@example.com');
  await t.mailsBecome('good@example.com');
  await t.until(async () => (await row(bad)).state === 'dead', { what: 'the row to be given up' });
  assert.equal((await row(good)).state, 'sent');
  assert.equal(await t.value("select count(*)::int from subpay.tickets where kind = 'dead_mail' and state = 'open'"), 1);
  assert.ok(!t.log().includes('bounce@example.com'), 'no address in the log');
  await t.sandbox.clearFaults();
});

test('a mail that the server puts off is tried again, the others are not', async () => {
  t.expectLog('SP0352');
  await t.sandbox.fault({ on: 'SMTP RCPT later@*', do: 'status', status: 451, times: 1 });
  const [later] = await queue('later@example.com', 'now@example.com');
  await t.mailsBecome('now@example.com');
  const put_off = await t.until(async () => {
    const seen = await row(later);
    return seen.last_error && seen;
  });
  assert.equal(put_off.state, 'pending');
  assert.ok(put_off.next_try_at > new Date(Date.now() + 5000), 'not at once');
  await soon(later);
  assert.equal((await t.mailsBecome('later@example.com')).length, 1);
});

test('the server dies after the words: twice rather than never, under one Message-ID', async () => {
  await t.sandbox.fault({ on: 'SMTP DATA', do: 'drop_reply', when: 'after', times: 1 });
  const [id] = await queue('twice@example.com');
  await t.until(async () => (await row(id)).last_error, { what: 'the answer to be missed' });
  await soon(id);
  const mails = await t.mailsBecome('twice@example.com', 2);
  assert.equal(new Set(mails.map(({ messageId }) => messageId)).size, 1);
});

test('what a killed worker had in hand leaves at once, not at the end of its lease', async () => {
  t.expectLog('SP0701');
  await t.sandbox.fault({ on: 'SMTP DATA', do: 'kill', when: 'before', pids: [t.httpd.workerPid()] });
  const ids = await queue(...Array.from({ length: 5 }, (_, n) => `hand${n}@example.com`));
  for (let n = 0; n < 5; n++) await t.mailsBecome(`hand${n}@example.com`, 1, { within: 5000 });
  for (const id of ids) await t.until(async () => (await row(id)).state === 'sent');
});

test('restarts in the middle lose nothing', async () => {
  await t.sandbox.fault({ on: 'SMTP DATA', do: 'delay', ms: 15, times: 'always' });
  const to = Array.from({ length: 40 }, (_, n) => `many${n}@example.com`);
  await queue(...to);
  await t.httpd.graceful();
  await t.httpd.graceful();
  await t.sandbox.clearFaults();
  const copies = [];
  for (const address of to) copies.push((await t.mailsBecome(address, 1, { within: 10_000 })).length);
  await t.until(() => t.value("select count(*) = 0 from subpay.outbox where state <> 'sent' and state <> 'dead'"));
  const extra = copies.reduce((sum, n) => sum + n - 1, 0);
  assert.ok(extra <= 2, `at most one mail for each restart came twice: ${extra}`);
});

test('no mail server at all: mail waits, and leaves when it is back', async () => {
  t.allowLog('SP0352');
  await t.sandbox.fault({ on: 'SMTP CONNECT', do: 'status', status: 421, times: 'always' });
  await t.httpd.graceful(); /* a connection that is open would be used again */
  const ids = await queue('wait1@example.com', 'wait2@example.com', 'wait3@example.com');
  for (const id of ids) await t.until(async () => (await row(id)).last_error);
  await t.sandbox.clearFaults();
  for (const id of ids) await soon(id);
  for (let n = 1; n <= 3; n++) assert.equal((await t.mailsBecome(`wait${n}@example.com`)).length, 1);
});

test('an alert goes by mail and to the chat; one telling is enough', async () => {
  await t.sandbox.clearMail();
  heard.length = 0;
  await t.sql("select subpay.alert_raise('test:1', 'page', 'Three people wait', '{}')");
  const [mail] = await t.mailsBecome('alerts@example.com');
  assert.equal(mail.subject, 'Three people wait');
  await t.until(() => heard.some(({ path }) => path === '/chat'));
  const { text } = JSON.parse(heard.find(({ path }) => path === '/chat').body);
  assert.match(text, /^Demo Shop: Three people wait\n/);

  await t.sandbox.fault({ on: 'SMTP RCPT alerts@*', do: 'status', status: 451, times: 'always' });
  await t.sql("select subpay.alert_raise('test:2', 'page', 'Four people wait', '{}')");
  await t.until(() => heard.some(({ body }) => body.includes('Four people')));
  await t.until(() => t.value("select state = 'sent' from subpay.outbox where payload ->> 'key' = 'test:2'"));
  await t.sandbox.clearFaults();
});

test('each good round is told outside, a bad one is not', async () => {
  t.allowLog('SP04', 'SP0712');
  heard.length = 0;
  await t.until(() => heard.some(({ path, method }) => path === '/alive' && method === 'GET'));
  await t.sandbox.fault({ on: 'GET /v1/charges', do: 'status', status: 401, times: 'always' });
  await t.until(() => t.value("select not ok from subpay.runs where kind = 'objects' order by id desc limit 1"));
  heard.length = 0;
  const runs = () => t.value("select count(*)::int from subpay.runs where kind = 'objects' and not ok");
  const before = await runs();
  await t.until(async () => await runs() > before, { within: 10_000 });
  assert.ok(!heard.some(({ path }) => path === '/alive'), 'silence is loud');
  await t.sandbox.clearFaults();
  assert.ok(proc.look(t.httpd.workerPid()));
});

#!/usr/bin/env -S node --test-reporter=tap
// Customers answer by mail, and it is on their ticket; a mail that came back is known as
// not delivered. The mail server hands each in to subpayctl.
'use strict';
const path = require('node:path');
const { SubPay, test, assert, proc, place } = require('../lib/subpay.js');

const t = SubPay.use({ settings: { SubPayReconcileInterval: '1h', SubPayRateLimit: ['checkout 0', 'support 0'] } });

const hand = (mail, ...more) => proc.run(path.join(place.BUILD, 'subpayctl'),
  ['--config', t.httpd.conf, '--json', ...more, 'inbox'], { input: mail });
async function take(headers, text) {
  const mail = `${Object.entries({ 'MIME-Version': '1.0', 'Content-Type': 'text/plain; charset=utf-8', ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text.replaceAll('\n', '\r\n')}\r\n`;
  const done = await hand(mail);
  assert.equal(done.status, 0, done.stderr);
  return JSON.parse(done.stdout);
}
const ticketOf = async (reference) => (await t.sql('select * from tickets where reference = $1', [reference]))[0];
const said = (id) => t.sql('select direction, author, body, message_id from ticket_messages where ticket_id = $1 order by id', [id]);
async function answer(reference, message) {
  const page = await t.get('/admin/tickets/' + reference, { auth: t.admin });
  const [, csrf] = /name="csrf" value="(\w+)"/.exec(page.text);
  return t.post(`/admin/tickets/${reference}/reply`, { auth: t.admin, form: { csrf, message } });
}
const report = (id, to, why = '550 5.1.1 no such user') => `From: MAILER-DAEMON@mail.example\r
Message-ID: <report.${Math.random()}@mail.example>\r
Return-Path: <>\r
Subject: Undelivered Mail Returned to Sender\r
Auto-Submitted: auto-replied\r
Content-Type: multipart/report; report-type=delivery-status; boundary=r\r
\r
--r\r
Content-Type: text/plain\r
\r
I am sorry.\r
--r\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mail.example\r
\r
Final-Recipient: rfc822; ${to}\r
Action: failed\r
Status: 5.1.1\r
Diagnostic-Code: smtp; ${why}\r
\r
--r\r
Content-Type: text/rfc822-headers\r
\r
Message-ID: ${id}\r
\r
--r--\r
`;

let ticket;
let lastMail;

test('a mail begins a ticket: found, acknowledged in its thread, with its subject', async () => {
  const bought = await t.buy('annual', 'ana@example.com');
  await t.order(bought.reference).becomes('completed');
  const letter = { From: 'Ana <ana@example.com>', Subject: `Charged for ${bought.reference}`, 'Message-ID': '<first$1@mail.example>' };
  const taken = await take(letter, 'Hello,\n\nI see no invoice.');
  assert.equal(taken.verdict, 'opened');
  ticket = taken.ticket;
  assert.deepEqual(await take(letter, 'Hello,\n\nI see no invoice.'), { verdict: 'again' }, 'handed in twice is one');
  const row = await ticketOf(ticket);
  assert.deepEqual([row.kind, row.email, row.subject, row.state], ['customer', 'ana@example.com', letter.Subject, 'open']);
  await t.until(async () => (await ticketOf(ticket)).order_id !== null, { within: 15_000 });
  const mails = await t.mailsBecome('ana@example.com', 2, { within: 15_000 });
  lastMail = mails.at(-1);
  assert.match(lastMail.text, /Your message has the number T-/);
  assert.equal(lastMail.headers['in-reply-to'], '<first$1@mail.example>');
});

test('our answer, theirs, and ours again: one thread, one ticket', async () => {
  await answer(ticket, 'Hello Ana, it is attached to your account.');
  [lastMail] = (await t.mailsBecome('ana@example.com', 3)).slice(-1);
  assert.match(lastMail.subject, new RegExp(`^Re: .*\\[${ticket}\\]$`));
  assert.deepEqual(lastMail.headers.references.split(/\s+/), ['<first$1@mail.example>', lastMail.headers['in-reply-to']]);
  assert.equal((await ticketOf(ticket)).state, 'waiting');

  // From another address, and without our number: her reader knows which mail it answers.
  const taken = await take({
    From: 'work@example.com', Subject: 'Antwort', 'Message-ID': '<second@phone.example>',
    References: `<first$1@mail.example> ${lastMail.messageId}`, 'In-Reply-To': lastMail.messageId,
  }, 'Thank you, found it.\n\nOn Monday Ana and Sam wrote:\n> Hello Ana,\n> it is attached');
  assert.deepEqual(taken, { verdict: 'added', ticket });
  const row = await ticketOf(ticket);
  assert.equal(row.state, 'open', 'it needs a person again');
  assert.ok(row.due_at > new Date(), 'by a time');
  assert.deepEqual((await said(row.id)).map(({ direction, author, body }) => [direction, author, body]), [
    ['in', 'customer', 'Hello,\n\nI see no invoice.'],
    ['out', 'support', 'Hello Ana, it is attached to your account.'],
    ['in', 'work@example.com', 'Thank you, found it.']]);
  await answer(ticket, 'Glad to hear.');
  [lastMail] = (await t.mailsBecome('ana@example.com', 4)).slice(-1);
  assert.equal(lastMail.headers['in-reply-to'], '<second@phone.example>');
  assert.equal(lastMail.headers.references.split(/\s+/).length, 4);
});

test('the number in the subject counts from the ticket\'s own address alone', async () => {
  const own = await take({ From: 'ANA@example.com', Subject: `Re: [${ticket}]`, 'Message-ID': '<third@mail.example>' }, 'One thing more.');
  assert.deepEqual(own, { verdict: 'added', ticket });
  const other = await take({ From: 'mallory@example.com', Subject: `Re: [${ticket}]`, 'Message-ID': '<fourth@mail.example>' }, 'Let me in.');
  assert.equal(other.verdict, 'opened');
  assert.notEqual(other.ticket, ticket);
  const guessed = await take({ From: 'mallory@example.com', Subject: 'x', 'Message-ID': '<fifth@mail.example>',
    'In-Reply-To': `<outbox-1.00000000-0000-4000-8000-000000000000@shop.example>` }, 'Let me in.');
  assert.equal(guessed.verdict, 'opened', 'nor does an id that was guessed');
});

test('programs are not answered, and do not wake anybody', async () => {
  const before = await t.value('select count(*)::int from tickets');
  const away = { From: 'ana@example.com', Subject: 'Out of office', 'Auto-Submitted': 'auto-replied' };
  await t.sql("update tickets set state = 'waiting' where reference = $1", [ticket]);
  assert.deepEqual(await take({ ...away, 'Message-ID': '<away@mail.example>', 'In-Reply-To': lastMail.messageId }, 'Back in May.'), { verdict: 'noted', ticket });
  assert.equal((await ticketOf(ticket)).state, 'waiting');
  assert.equal((await take({ ...away, 'Message-ID': '<away2@mail.example>' }, 'Back in May.')).verdict, 'ignored');
  assert.equal((await take({ From: 'shop@example.com', 'Message-ID': lastMail.messageId }, 'x')).verdict, 'ignored', 'our own, in a circle');
  assert.equal(await t.value('select count(*)::int from tickets'), before);
});

test('a mail that came back: the case says so, a ticket has the name, once', async () => {
  const bought = await t.buy('annual', 'gone@example.com');
  await t.order(bought.reference).becomes('completed');
  const [mail] = await t.mailsBecome('gone@example.com');
  await t.until(() => t.value("select count(*) = 0 from outbox where kind = 'mail' and state <> 'sent'"));
  const came = report(mail.messageId, 'gone@example.com');
  const taken = JSON.parse((await hand(came)).stdout);
  assert.equal(taken.verdict, 'bounced');
  const look = await t.get('/admin/orders/' + bought.reference, { auth: t.admin, headers: { accept: 'application/json' } });
  assert.equal(look.json.diagnosis.code, 'mail_not_sent');
  assert.match(JSON.stringify(look.json.mails), /came back: 550 5\.1\.1 no such user/);
  const row = await ticketOf(taken.ticket);
  assert.deepEqual([row.kind, row.email, row.state], ['dead_mail', 'gone@example.com', 'open']);
  assert.equal(JSON.parse((await hand(came)).stdout).verdict, 'again');

  const forged = report('<outbox-1.00000000-0000-4000-8000-000000000000@shop.example>', 'ana@example.com');
  assert.equal(JSON.parse((await hand(forged)).stdout).verdict, 'noted', 'a report that proves nothing changes nothing');
  assert.equal(await t.value("select count(*)::int from outbox where state = 'dead'"), 1);
});

test('what mail servers go by: later while the database is away, refused when it is no mail', async () => {
  t.allowLog('SP0502');
  const mail = 'From: a@example.com\r\nSubject: x\r\nMessage-ID: <last@mail.example>\r\n\r\nHello\r\n';
  assert.equal((await hand(mail, '--database', 'host=/nonexistent')).status, 75);
  assert.equal((await hand('')).status, 65);
  const unread = await proc.run('bash', ['-c', '"$0" "$@" </', path.join(place.BUILD, 'subpayctl'), '--config', t.httpd.conf, 'inbox']);
  assert.equal(unread.status, 75, `what cannot be read to its end is kept: ${unread.stderr}`);
  assert.equal((await hand(mail)).status, 0);
  const plain = await proc.run(path.join(place.BUILD, 'subpayctl'), ['--config', t.httpd.conf, 'inbox'], { input: mail });
  assert.equal(plain.stdout, 'again\n');
});

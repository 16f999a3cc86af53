/*
 * The mailbox takes everything, shows it parsed, and fails on demand.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { open, until } from './lib.mjs';

const nodemailer = createRequire(import.meta.url)('nodemailer'); /* comes with mailparser */

function sender(sandbox, more = {}) {
  return nodemailer.createTransport({ host: '127.0.0.1', port: sandbox.smtpPort, ignoreTLS: true, ...more });
}

const MESSAGE = { from: '"The Shop" <shop@example.com>', to: 'Ana Ünsal <ana@example.com>',
  subject: 'You have access – ✓', text: 'Dear Ana,\n\nready.', html: '<p>Dear Ana</p>',
  messageId: '<order-1@example.com>', headers: { 'X-Thing': 'one' } };

test('messages come parsed, newest last', async (t) => {
  const { sandbox, control } = await open(t);
  await sender(sandbox).sendMail(MESSAGE);
  await sender(sandbox).sendMail({ ...MESSAGE, to: ['bo@example.com', 'cy@example.com'], subject: 'Second' });
  const [first, second] = await control('GET', 'mail');
  assert.deepEqual([first.from, first.to, first.subject, first.messageId, first.headers['x-thing']],
    ['shop@example.com', 'ana@example.com', 'You have access – ✓', '<order-1@example.com>', 'one']);
  assert.match(first.text, /Dear Ana,\s+ready\./);
  assert.equal(first.html, '<p>Dear Ana</p>');
  assert.match(first.raw, /^From: /m);
  assert.ok(Date.parse(first.receivedAt) > 0);
  assert.deepEqual([second.to, second.envelope.to], ['bo@example.com, cy@example.com', ['bo@example.com', 'cy@example.com']]);
  await control('DELETE', 'mail');
  assert.deepEqual(await control('GET', 'mail'), []);
});

test('STARTTLS with a certificate that can be trusted, and a login', async (t) => {
  const { sandbox, control } = await open(t);
  const ca = await (await fetch(`${sandbox.url}/sandbox/mail/certificate`)).text();
  assert.match(ca, /BEGIN CERTIFICATE/);
  await sender(sandbox, { ignoreTLS: false, requireTLS: true, tls: { ca, servername: 'localhost' },
    auth: { user: 'shop', pass: 'secret' } }).sendMail(MESSAGE);
  assert.equal((await control('GET', 'mail')).length, 1);
});

test('each step can refuse, for one address or for all', async (t) => {
  const { sandbox, control, fault } = await open(t);
  for (const [on, status] of [['SMTP CONNECT', 421], ['SMTP MAIL', 451], ['SMTP RCPT', 550], ['SMTP DATA', 452]]) {
    await fault({ on, do: 'status', status });
    await assert.rejects(sender(sandbox).sendMail(MESSAGE), { responseCode: status }, on);
  }
  await fault({ on: 'SMTP RCPT bounce@*', do: 'status', status: 550, times: 'always' });
  await assert.rejects(sender(sandbox).sendMail({ ...MESSAGE, to: 'bounce@example.com' }), { responseCode: 550 });
  await sender(sandbox).sendMail(MESSAGE);
  assert.equal((await control('GET', 'mail')).length, 1, 'the others get through');
});

test('drop_reply: the message is there, the sender cannot know', async (t) => {
  const { sandbox, control, fault } = await open(t);
  await fault({ on: 'SMTP DATA', do: 'drop_reply' });
  await assert.rejects(sender(sandbox).sendMail(MESSAGE));
  assert.equal((await control('GET', 'mail')).length, 1);
});

test('reset takes the connection and keeps nothing', async (t) => {
  const { sandbox, control, fault } = await open(t);
  await fault({ on: 'SMTP DATA', do: 'reset' });
  await assert.rejects(sender(sandbox).sendMail(MESSAGE));
  assert.equal((await control('GET', 'mail')).length, 0);
});

test('delay and kill', async (t) => {
  const { sandbox, control, fault } = await open(t);
  await fault({ on: 'SMTP DATA', do: 'delay', ms: 300 });
  const began = Date.now();
  await sender(sandbox).sendMail(MESSAGE);
  assert.ok(Date.now() - began >= 300);
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const gone = new Promise((done) => { child.once('exit', (_, signal) => done(signal)); });
  await fault({ on: 'SMTP DATA', do: 'kill', pids: [child.pid] });
  await sender(sandbox).sendMail(MESSAGE);
  assert.equal(await gone, 'SIGKILL');
  await until(async () => (await control('GET', 'mail')).length === 2);
});

#!/usr/bin/env -S node --test-reporter=tap
// Whether an address has an account shows neither in the answer nor in its time.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const TRIES = 200;
const t = SubPay.use({ settings: { SubPayLoginTries: 0, SubPayRateLimit: 'find 0' } });

const median = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
/* What differs from page to page by itself. */
const same = (reply, email) => [reply.status, reply.text
  .replace(/form_key" value="[^"]*/g, '').replaceAll(email, 'ADDRESS')].join('\n');

/* All kinds in turn, so that a busy moment falls on each; medians, in milliseconds. */
async function compare(lists, ask, { atOnce = 1 } = {}) {
  const times = lists.map(() => []);
  const answers = new Set();
  const one = async (i) => {
    const kind = (i + Math.floor(i / lists.length)) % lists.length;
    const email = lists[kind][Math.floor(i / lists.length) % lists[kind].length];
    const started = performance.now();
    const reply = await ask(email);
    times[kind].push(performance.now() - started);
    answers.add(same(reply, email));
  };
  for (let i = 0; i < TRIES * lists.length; i += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, (_, n) => one(i + n)));
  }
  assert.equal(answers.size, 1, [...answers].join('\n----\n'));
  return times.map(median);
}

test('log-in', { timeout: 300_000 }, async () => {
  await t.sql(`insert into accounts (email, password_hash) values ('known@example.com',
    '$2y$10$CdESqWSVa8NzOof8rXQAu.a5QqKfQmiERREPC3NKvfiZDVqNpOtiG'), ('none@example.com', null)`);
  /* Half of those who cannot be known have an account, and no password. */
  const [known, unknown] = await compare([['known@example.com'], ['unknown@example.com', 'none@example.com']],
    (email) => t.post('/login', { form: { email, password: 'wrong horse battery' } }));
  assert.ok(known / unknown > 0.85 && known / unknown < 1.18, `${known} ms and ${unknown} ms`);
});

test('asking for a link', { timeout: 300_000 }, async () => {
  const list = (name) => Array.from({ length: TRIES }, (_, i) => `${name}${i}@example.com`);
  for (const email of list('has')) await t.sql('insert into accounts (email) values ($1)', [email]);
  const [a, b] = await compare([list('has'), list('not')], (email) => t.post('/password', { form: { send: 1, email } }), { atOnce: 8 });
  assert.ok(Math.abs(a - b) < Math.max(1, 0.2 * Math.max(a, b)), `${a} ms and ${b} ms`);
  await t.until(async () => await t.value("select count(*) from outbox where template = 'set_password'") === String(TRIES));
});

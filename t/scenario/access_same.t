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

/* Both kinds in turn, so that a busy moment falls on both; milliseconds. */
async function compare(known, unknown, ask) {
  const times = { known: [], unknown: [] };
  const answers = new Set();
  for (let i = 0; i < TRIES; i++) {
    for (const [kind, list] of [['known', known], ['unknown', unknown]]) {
      const email = list[i % list.length];
      const started = performance.now();
      const reply = await ask(email);
      times[kind].push(performance.now() - started);
      answers.add(same(reply, email));
    }
  }
  assert.equal(answers.size, 1, [...answers].join('\n----\n'));
  return [median(times.known), median(times.unknown)];
}

test('log-in', async () => {
  await t.sql(`insert into accounts (email, password_hash) values ('known@example.com',
    '$2y$10$CdESqWSVa8NzOof8rXQAu.a5QqKfQmiERREPC3NKvfiZDVqNpOtiG'), ('none@example.com', null)`);
  for (const unknown of ['unknown@example.com', 'none@example.com']) {
    const [a, b] = await compare(['known@example.com'], [unknown],
      (email) => t.post('/login', { form: { email, password: 'wrong horse battery' } }));
    process.env.SHOW && console.log(`# ${a} ${b}`);
    assert.ok(a / b > 0.8 && a / b < 1.25, `${a} ms and ${b} ms`);
  }
});

test('asking for a link', async () => {
  const list = (name) => Array.from({ length: TRIES }, (_, i) => `${name}${i}@example.com`);
  for (const email of list('has')) await t.sql('insert into accounts (email) values ($1)', [email]);
  const [a, b] = await compare(list('has'), list('not'), (email) => t.post('/password', { form: { send: 1, email } }));
  process.env.SHOW && console.log(`# ${a} ${b}`);
  assert.ok(Math.abs(a - b) < Math.max(1, 0.2 * Math.max(a, b)), `${a} ms and ${b} ms`);
  await t.until(async () => await t.value("select count(*) from outbox where template = 'set_password'") === String(TRIES));
});

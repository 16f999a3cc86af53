#!/usr/bin/env -S node --test-reporter=tap
// /find and /support say nothing about who is known: the same status, the same bytes,
// in the same time. And nobody asks without end.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const TRIES = 200;
const t = SubPay.use({ settings: { SubPayRateLimit: 'find 0 support 0', SubPayReconcileInterval: '1h' } });

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

async function timed(where, form) {
  const begun = process.hrtime.bigint();
  const reply = await t.post(where, { form });
  return { reply, ms: Number(process.hrtime.bigint() - begun) / 1e6 };
}

/* What differs between any two answers, whoever asks: numbers of tickets. */
const shape = ({ status, text }) => `${status} ${text.replace(/T-\d+/g, 'T-0')}`;

/* Each address in turn, so that a slow moment of the machine meets both. */
async function measure(where, known, unknown, shapes) {
  const times = [[], []];
  for (let i = 0; i < TRIES; i++) {
    for (const [n, form] of (i % 2 ? [[0, known], [1, unknown]] : [[1, unknown], [0, known]])) {
      const { reply, ms } = await timed(where, typeof form === 'function' ? form(i) : form);
      times[n].push(ms);
      shapes.add(shape(reply));
    }
  }
  return times.map(median);
}

/* A difference that is there is there each time; one that the machine made is not. */
async function compare(where, known, unknown) {
  const shapes = new Set();
  const seen = [];
  let alike = false;
  while (!alike && seen.length < 3) {
    const [a, b] = await measure(where, known, unknown, shapes);
    alike = Math.abs(a - b) < Math.max(2, 0.2 * Math.max(a, b));
    seen.push(`known ${a} ms, unknown ${b} ms`);
  }
  assert.ok(shapes.size <= 2, `${shapes.size} kinds of answers; two at most, where the promised time moves on`);
  for (const one of shapes) assert.match(one, /^200 /);
  assert.ok(alike, `medians: ${seen.join('; ')}`);
}

async function drained() {
  await t.until(async () => await t.value("select count(*) from subpay.searches where state = 'open'") === '0',
    { within: 40_000, what: 'all searches to be done' });
}

test('find: a customer with access and an address that nobody has', async () => {
  const bought = await t.buy('annual', 'ana@example.com');
  await t.order(bought.reference).becomes('completed');
  await compare('/find', { email: 'ana@example.com' }, { email: 'eva@example.com' });
  await drained();
});

test('find: paid and not yet known here, and an address that nobody has', async () => {
  await t.sandbox.webhooks('off');
  const lost = [];
  for (let i = 0; i < 5; i++) lost.push(await t.buy('annual', `lost${i}@example.com`, { follow: false }));
  await compare('/find', (i) => ({ email: `lost${i % 5}@example.com` }), (i) => ({ email: `none${i % 5}@example.com` }));
  await drained();
  for (const { reference } of lost) await t.order(reference).becomes('completed');
});

test('find: a reference that exists and one that does not', async () => {
  const bought = await t.buy('annual', 'bea@example.com', { pay: false });
  const { rows: [{ free }] } = { rows: await t.sql('select subpay.reference_new() as free') };
  await compare('/find', { reference: bought.reference }, { reference: free });
  await drained();
});

test('support: a customer and a stranger', async () => {
  await compare('/support', { email: 'ana@example.com', message: 'Hello' }, { email: 'new@example.com', message: 'Hello' });
  await drained();
});

test('mails after all that: one an hour for each address', async () => {
  for (const [who, subject] of [['ana@example.com', 'We found your payment'], ['eva@example.com', 'We found no payment under this address']]) {
    assert.equal((await t.mails(who)).filter((mail) => mail.subject === subject).length, 1, who);
  }
});

test('who asks too often is told to wait, known or not', async (context) => {
  const shop = await SubPay.start({ settings: { SubPayRateLimit: 'find 3' } });
  context.after(() => shop.stop());
  const bought = await shop.buy('annual', 'ana@example.com');
  await shop.order(bought.reference).becomes('completed');
  const answers = [];
  for (const email of ['ana@example.com', 'eva@example.com']) {
    for (let i = 0; i < 3; i++) assert.equal((await shop.post('/find', { form: { email } })).status, 200);
    const reply = await shop.post('/find', { form: { email: email.toUpperCase() } });
    assert.equal(reply.status, 429);
    assert.ok(Number(reply.headers['retry-after']) > 0 && Number(reply.headers['retry-after']) <= 900);
    answers.push(reply.text.replace(/\d+ minutes?/, ''));
    const other = await shop.post('/support', { form: { email, message: 'Hello' } });
    assert.equal(other.status, 200, 'a person can be reached all the same');
  }
  assert.equal(answers[0], answers[1]);
  assert.equal((await shop.post('/find', { json: { email: 'ana@example.com' } })).json.error.code, 'too_many_tries');
});

test('a cookie of another browser\'s making opens nothing', async () => {
  const browser = t.browser();
  for (const value of ['0'.repeat(32), 'x', '.'.repeat(500), `${'a'.repeat(32)}.${'b'.repeat(32)}`]) {
    const reply = await browser.post('/find', { form: { email: 'eva@example.com' }, headers: { Cookie: `subpay_order=${value}` } });
    assert.equal(reply.status, 200);
    assert.match(reply.text, /Thank you\./);
  }
});

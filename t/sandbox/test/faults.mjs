/*
 * Each fault is seen by the one who meets it, and by nobody else.
 */

import fs from 'node:fs';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { asked, CARD, failure, open, until } from './lib.mjs';

const CREATE = 'POST /v1/checkout/sessions';

/* The official client asks once more by itself when a connection breaks. */
const TWICE = 2;

const sleeper = (t) => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  return { pid: child.pid, gone: new Promise((done) => { child.once('exit', (_, signal) => done(signal)); }) };
};

test('drop_reply: it happened, and nobody was told; the key tells', async (t) => {
  const { stripe, fault } = await open(t);
  await fault({ on: CREATE, do: 'drop_reply', times: TWICE });
  const key = { idempotencyKey: 'k' };
  const error = await failure(stripe.checkout.sessions.create(asked(), key));
  assert.equal(error.type, 'StripeConnectionError');
  const [made] = (await stripe.checkout.sessions.list()).data;
  assert.equal((await stripe.checkout.sessions.create(asked(), key)).id, made.id);
});

test('reset: nothing happened', async (t) => {
  const { stripe, fault } = await open(t);
  await fault({ on: CREATE, do: 'reset', times: TWICE });
  assert.equal((await failure(stripe.checkout.sessions.create(asked()))).type, 'StripeConnectionError');
  assert.equal((await stripe.checkout.sessions.list()).data.length, 0);
});

test('delay: the effect is there before the answer', async (t) => {
  const { stripe, fault } = await open(t);
  await fault({ on: CREATE, do: 'delay', ms: 400 });
  const began = Date.now();
  const slow = stripe.checkout.sessions.create(asked());
  await until(async () => (await stripe.checkout.sessions.list()).data.length === 1);
  await slow;
  assert.ok(Date.now() - began >= 399, 'a timer may be early by a part of a millisecond');
});

test('status: the answer of a provider in trouble, with headers', async (t) => {
  const { stripe, fault, sandbox } = await open(t);
  await fault({ on: 'GET /v1/charges*', do: 'status', status: 429, times: 2,
    headers: { 'Retry-After': '3', 'Stripe-Rate-Limited-Reason': 'global-rate' } });
  const error = await failure(stripe.charges.list());
  assert.deepEqual([error.type, error.statusCode, error.headers['retry-after']],
    ['StripeRateLimitError', 429, '3']);
  assert.equal((await failure(stripe.charges.retrieve('ch_none'))).statusCode, 429);
  assert.equal((await failure(stripe.charges.retrieve('ch_none'))).statusCode, 404, 'two times were two');

  await fault({ on: CREATE, do: 'status', status: 503 });
  assert.equal((await failure(stripe.checkout.sessions.create(asked()))).type, 'StripeAPIError');
  assert.equal((await stripe.checkout.sessions.list()).data.length, 0, 'nothing happened');
  await fault({ on: CREATE, do: 'status', status: 500, when: 'after' });
  const key = { idempotencyKey: 'after' };
  await failure(stripe.checkout.sessions.create(asked(), key));
  assert.equal((await stripe.checkout.sessions.list()).data.length, 1, 'it happened behind the 500');
  assert.ok((await stripe.checkout.sessions.create(asked(), key)).id);

  await fault({ on: CREATE, do: 'status', status: 500, store: true });
  const kept = { idempotencyKey: 'kept' };
  await failure(stripe.checkout.sessions.create(asked(), kept));
  const again = await failure(stripe.checkout.sessions.create(asked(), kept));
  assert.deepEqual([again.statusCode, again.headers['idempotent-replayed']], [500, 'true']);
  await fault({ on: '* /pay/*', do: 'status', status: 502, body: 'Bad gateway' });
  assert.equal((await fetch(`${sandbox.url}/pay/cs_test_x`)).status, 502);
});

test('truncate, body and replace: answers that cannot be read', async (t) => {
  const { stripe, fault, sandbox } = await open(t);
  const get = () => fetch(`${sandbox.url}/v1/charges`, { headers: { Authorization: 'Bearer sk_test_sandboxTest' } });
  await fault({ on: 'GET /v1/charges', do: 'truncate' });
  await assert.rejects(async () => (await get()).text());
  await fault({ on: 'GET /v1/charges', do: 'body', body: '<html>' });
  assert.equal(await (await get()).text(), '<html>');
  await stripe.paymentIntents.create({ amount: 500, currency: 'usd', confirm: true, payment_method: 'pm_card_visa' });
  await fault({ on: 'GET /v1/charges', do: 'replace', find: '"amount": 500', with: '"amount": 99999999999999999999' });
  assert.match(await (await get()).text(), /"amount": 99999999999999999999,/);
});

/* A killed process that nobody has waited for yet does nothing more: state Z. */
function isRunning(pid) {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('kill: the process is gone after the effect, before any answer or webhook', async (t) => {
  const { stripe, fault, pay, receiver, control } = await open(t);
  const session = await stripe.checkout.sessions.create(asked());
  const victim = sleeper(t);
  let wasAlive = null;
  receiver.before = async () => { wasAlive ??= isRunning(victim.pid); };
  await fault({ on: 'POST /pay/*', do: 'kill', pids: [victim.pid] });
  await pay(session, { card: CARD });
  assert.equal(await victim.gone, 'SIGKILL');
  assert.equal(wasAlive, false);
  assert.equal((await stripe.checkout.sessions.retrieve(session.id)).payment_status, 'paid');

  const early = sleeper(t);
  await fault({ on: CREATE, do: 'kill', when: 'before', pids: [early.pid] });
  await stripe.checkout.sessions.create(asked());
  assert.equal(await early.gone, 'SIGKILL');
  await assert.rejects(control('POST', 'faults', { on: CREATE, do: 'kill', pids: [1] }), /pids/);
});

test('times, skip, always, and the end of all faults', async (t) => {
  const { stripe, fault, control } = await open(t);
  const outcome = async () => (await stripe.charges.list().then(() => 200, (error) => error.statusCode));
  await fault({ on: 'GET /v1/charges', do: 'status', status: 500, skip: 1, times: 1 });
  assert.deepEqual([await outcome(), await outcome(), await outcome()], [200, 500, 200]);
  await fault({ on: 'GET /v1/charges', do: 'status', status: 500, times: 'always' });
  assert.deepEqual([await outcome(), await outcome(), await outcome()], [500, 500, 500]);
  assert.equal((await control('GET', 'faults')).length, 2);
  await control('DELETE', 'faults');
  assert.equal(await outcome(), 200);
  for (const on of ['get /v1/charges', '/v1/charges', '* *', 'GET /v1/{kind}', 'GET /v1/:kind']) {
    await fault({ on, do: 'status', status: 502 });
    assert.equal(await outcome(), 502, on);
  }
  await assert.rejects(fault({ on: 'GET /x', do: 'explode' }), /"do" must be one of/);
});

test('webhooks can stop half-way, come late, or kill who receives them', async (t) => {
  const { stripe, fault, pay, receiver } = await open(t);
  const victim = sleeper(t);
  await fault([
    { on: 'WEBHOOK charge.succeeded', do: 'truncate' },
    { on: 'WEBHOOK checkout.session.*', do: 'drop_reply' },
    { on: 'WEBHOOK payment_intent.succeeded', do: 'kill', when: 'before', pids: [victim.pid] },
    { on: 'WEBHOOK payment_intent.created', do: 'delay', ms: 200 },
  ]);
  const session = await stripe.checkout.sessions.create(asked());
  await pay(session, { card: CARD });
  await until(() => receiver.bad === 1);
  assert.equal(await victim.gone, 'SIGKILL');
  await until(() => new Set(receiver.types()).size === 5, 'all of them, after their retries');
});

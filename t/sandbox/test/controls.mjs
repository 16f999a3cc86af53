/*
 * The other controls: many payments at once, books, requests, patches, and a state that stays.
 */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { asked, CARD, clientOf, failure, KEY, open, SECRET, startReceiver, until } from './lib.mjs';

test('a hundred thousand past payments in seconds, and pages of them at once', async (t) => {
  const { stripe, control, sandbox } = await open(t);
  const began = Date.now();
  const made = await control('POST', 'payments', { count: 100_000, email: 'p{n}@example.com',
    metadata: { order: 'o-{n}' }, age_s: 3600, spread_s: 86400, events: 'undelivered' });
  assert.ok(Date.now() - began < 20_000, `${Date.now() - began} ms`);
  const now = Math.floor(Date.now() / 1000);
  const timed = Date.now();
  const page = await stripe.paymentIntents.list({ limit: 100, created: { gte: now - 3 * 86400 } });
  assert.deepEqual([page.data.length, page.has_more], [100, true]);
  assert.equal(page.data[0].id, made.last.payment_intent, 'the newest first');
  await stripe.charges.list({ limit: 100, starting_after: made.last.charge });
  const [charge] = (await stripe.charges.list({ payment_intent: made.first.payment_intent })).data;
  assert.deepEqual([charge.billing_details.email, charge.metadata.order], ['p0@example.com', 'o-0']);
  const [session] = (await stripe.checkout.sessions.list(
    { customer_details: { email: 'p77@example.com' } })).data;
  assert.equal(session.payment_status, 'paid');
  assert.equal((await stripe.events.list({ delivery_success: false, type: 'checkout.session.completed',
    limit: 100 })).data.length, 100);
  /* 0.2 s on a quiet machine; a search through all of them would take minutes. */
  assert.ok(Date.now() - timed < 15_000, `${Date.now() - timed} ms for five pages`);
  assert.equal(sandbox.world.intents.size, 100_000);

  const refund = await stripe.refunds.create({ payment_intent: made.first.payment_intent });
  assert.equal((await stripe.charges.retrieve(refund.charge)).refunded, true, 'they are real');
});

test('the past can be told as webhooks too', async (t) => {
  const { control, receiver } = await open(t);
  await control('POST', 'payments', { count: 3, email: 'a@example.com', deliver: true });
  await until(() => receiver.types().filter((type) => type === 'checkout.session.completed').length === 3);
});

test('books, requests, settings and patches', async (t) => {
  const { stripe, control, pay } = await open(t);
  const session = await stripe.checkout.sessions.create(asked(), { idempotencyKey: 'k1' });
  await pay(session, { card: CARD });
  await failure(stripe.charges.retrieve('ch_none'));
  const requests = await control('GET', 'requests');
  assert.deepEqual(requests.map(({ method, path: to, status }) => [method, to.split('/').slice(0, 3).join('/'), status]),
    [['POST', '/v1/checkout', 200], ['POST', `/pay/${session.id}`, 303], ['GET', '/v1/charges', 404]]);
  assert.equal(requests[0].idempotency_key, 'k1');
  assert.equal(requests[0].params.client_reference_id, 'order-1');
  assert.ok(!JSON.stringify(requests).includes(CARD));
  await control('DELETE', 'requests');
  assert.equal((await control('GET', 'requests')).length, 0);

  const [row] = await control('GET', 'payments');
  assert.deepEqual([row.session, row.status, row.amount_received, row.metadata.order],
    [session.id, 'succeeded', 24900, 'order-1']);
  await control('POST', `objects/${row.charge}`, { patch: { billing_details: { email: 'a\u0000b' }, status: 'pending' } });
  const odd = await stripe.charges.retrieve(row.charge);
  assert.deepEqual([odd.billing_details.email, odd.billing_details.name, odd.status], ['a\u0000b', null, 'pending']);
  await control('DELETE', `objects/${row.charge}`);
  assert.equal((await failure(stripe.charges.retrieve(row.charge))).statusCode, 404);
  assert.equal((await control('GET', 'state')).counts.session, 1);
  assert.ok((await control('GET', 'events')).length >= 4);
  await assert.rejects(control('POST', 'nonsense'), /no control/);
  await assert.rejects(control('POST', 'clock', { advance_s: -1 }), /advance_s/);
  await assert.rejects(control('POST', 'webhooks', { deliver: 'maybe' }), /deliver/);
});

const main = fileURLToPath(new URL('../main.mjs', import.meta.url));

/** Start the command; resolves with the line that it prints. */
async function launch(t, ...more) {
  const child = spawn(process.execPath, [main, '--port', '0', '--smtp-port', '0', '--key', KEY,
    '--webhook-secret', SECRET, ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const line = await new Promise((done, failed) => {
    child.stdout.once('data', (data) => done(JSON.parse(data)));
    child.once('exit', (code) => failed(new Error(`ended with ${code}`)));
  });
  const end = new Promise((done) => { child.once('exit', (code, signal) => done(code ?? signal)); });
  return { line, child, end, ...clientOf(line) };
}

test('the command says where it listens and ends on SIGTERM', async (t) => {
  const { line, child, end } = await launch(t);
  assert.ok(line.port > 0 && line.smtp_port > 0);
  assert.equal(line.pid, child.pid);
  child.kill('SIGTERM');
  assert.equal(await end, 0);
});

test('with --state nothing is forgotten, not even by SIGKILL', async (t) => {
  const state = fs.mkdtempSync(path.join(os.tmpdir(), 'sandbox-'));
  t.after(() => fs.rmSync(state, { recursive: true }));
  const receiver = await startReceiver();
  t.after(() => receiver.stop());
  const first = await launch(t, '--state', state, '--webhook-url', receiver.url);
  await first.control('POST', 'webhooks', { deliver: 'hold' });
  const key = { idempotencyKey: 'k' };
  const session = await first.stripe.checkout.sessions.create(asked(), key);
  await first.pay(session, { card: CARD });
  const open_ = await first.stripe.checkout.sessions.create(asked());
  const bulk = await first.control('POST', 'payments', { count: 50, email: 'b@example.com', age_s: 60 });
  await first.stripe.refunds.create({ payment_intent: bulk.payment_intent });
  await first.control('POST', 'clock', { advance_s: 1000 });
  first.child.kill('SIGKILL');
  await first.end;

  for (let round = 0; round < 2; round++) { /* the second start reads what the first rewrote */
    const again = await launch(t, '--state', state, '--webhook-url', receiver.url);
    const paid = await again.stripe.checkout.sessions.retrieve(session.id);
    assert.equal(paid.payment_status, 'paid');
    assert.equal((await again.stripe.checkout.sessions.create(asked(), key)).id, session.id);
    const intent = await again.stripe.paymentIntents.retrieve(bulk.payment_intent, { expand: ['latest_charge'] });
    assert.equal(intent.latest_charge.refunded, true);
    assert.equal((await again.stripe.webhookEndpoints.list()).data.length, 1);
    const { now, real } = await again.control('GET', 'clock');
    assert.ok(now - real >= 1000);
    if (round === 1) {
      await again.control('POST', 'webhooks', { deliver: 'release' });
      await until(() => receiver.types().includes('checkout.session.completed'));
      await again.control('POST', 'clock', { advance_s: 86400 });
      assert.equal((await again.stripe.checkout.sessions.retrieve(open_.id)).status, 'expired');
    }
    again.child.kill('SIGKILL');
    await again.end;
  }
});

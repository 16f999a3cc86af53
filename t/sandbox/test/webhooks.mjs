/*
 * Events arrive signed, are tried again, can be held, lost, doubled and mixed up.
 */

import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import Stripe from 'stripe';
import { asked, CARD, open, SECRET, startReceiver, until } from './lib.mjs';

async function bought({ stripe, pay }, ask = asked()) {
  const session = await stripe.checkout.sessions.create(ask);
  await pay(session, { card: CARD });
  return session;
}

test('the page waits for the shop to answer checkout.session.completed', async (t) => {
  const world = await open(t);
  let answered = false;
  world.receiver.before = async ({ type }) => {
    if (type === 'checkout.session.completed') {
      await new Promise((done) => { setTimeout(done, 300); });
      answered = true;
    }
  };
  await bought(world);
  assert.equal(answered, true, 'the redirect came after the answer');

  await world.control('POST', 'webhooks', { redirect_wait_ms: 0 });
  answered = false;
  await bought(world);
  assert.equal(answered, false, 'the wait can be switched off');
});

test('what is not answered 2xx is pending, and tried again', async (t) => {
  const world = await open(t);
  const { stripe, receiver, control } = world;
  receiver.status = 500;
  await control('POST', 'webhooks', { retry_s: [3600] });
  await bought(world);
  await until(() => receiver.events.length >= 4);
  const failed = await until(async () => {
    const { data } = await stripe.events.list({ delivery_success: false });
    return data.length >= 4 && data;
  });
  assert.equal(failed.find((one) => one.type === 'charge.succeeded').pending_webhooks, 1);
  assert.equal((await stripe.events.list({ delivery_success: true })).data.length, 0);

  receiver.status = 200;
  const sent = receiver.events.length;
  await control('POST', 'clock', { advance_s: 3601 });
  await until(async () => (await stripe.events.list({ delivery_success: false })).data.length === 0);
  assert.ok(receiver.events.length >= sent + 4);
  assert.equal(receiver.bad, 0, 'each retry is signed anew');
});

test('retries come by themselves within a second', async (t) => {
  const world = await open(t);
  world.receiver.status = 503;
  await bought(world);
  await until(() => world.receiver.events.length >= 4);
  world.receiver.status = 200;
  await until(async () => (await world.stripe.events.list({ delivery_success: false })).data.length === 0);
});

test('off loses them, hold keeps them, release sends them', async (t) => {
  const world = await open(t);
  const { receiver, control, stripe } = world;
  await control('POST', 'webhooks', { deliver: 'off' });
  await bought(world);
  await control('POST', 'webhooks', { deliver: 'hold' });
  const held = await bought(world);
  const state = await until(async () => {
    const { deliveries } = await control('GET', 'webhooks');
    return deliveries.held >= 4 && deliveries;
  });
  assert.ok(state.lost >= 4);
  assert.equal(receiver.events.length, 0);
  assert.ok((await stripe.events.list({ delivery_success: false })).data.length >= 8);

  await control('POST', 'webhooks', { deliver: 'release' });
  await until(() => receiver.types().includes('checkout.session.completed'));
  const completed = receiver.events.filter((one) => one.type === 'checkout.session.completed');
  assert.deepEqual(completed.map((one) => one.data.object.id), [held.id], 'lost is lost');

  const [lost] = (await stripe.events.list({ type: 'checkout.session.completed', delivery_success: false })).data;
  await control('POST', `events/${lost.id}/resend`);
  await until(() => receiver.events.some((one) => one.id === lost.id));
});

test('mixed up and doubled on demand', async (t) => {
  const world = await open(t);
  const { receiver, control } = world;
  await control('POST', 'webhooks', { deliver: 'hold', parallel: 1 });
  await bought(world);
  await until(async () => (await control('GET', 'webhooks')).deliveries.held >= 5);
  await control('POST', 'webhooks', { deliver: 'release', reverse: true, duplicate: 3 });
  await until(() => receiver.events.length >= 15);
  assert.deepEqual([...new Set(receiver.types())], ['charge.updated', 'checkout.session.completed',
    'payment_intent.succeeded', 'charge.succeeded', 'payment_intent.created']);
});

test('several endpoints, each with its secret, events and version', async (t) => {
  const world = await open(t);
  const { stripe, receiver } = world;
  const made = await stripe.webhookEndpoints.create({ url: 'http://127.0.0.1:9/x',
    enabled_events: ['charge.*'], api_version: '2025-03-31.basil' });
  const other = await startReceiver(made.secret);
  t.after(() => other.stop());
  await stripe.webhookEndpoints.update(made.id, { url: other.url });
  assert.equal((await stripe.webhookEndpoints.retrieve(made.id)).secret, undefined, 'shown once');
  await bought(world);
  await until(() => other.types().includes('charge.updated'));
  assert.deepEqual(new Set(other.types()), new Set(['charge.succeeded', 'charge.updated']));
  assert.equal(other.events[0].api_version, '2025-03-31.basil');
  assert.ok(receiver.types().includes('payment_intent.succeeded'));

  const [configured] = (await stripe.webhookEndpoints.list()).data.filter((one) => one.url === receiver.url);
  assert.deepEqual([configured.status, configured.enabled_events], ['enabled', ['*']]);
  await stripe.webhookEndpoints.update(configured.id, { disabled: true });
  const before = receiver.events.length;
  await stripe.webhookEndpoints.del(made.id);
  await bought(world);
  assert.equal(receiver.events.length, before);
});

test('a secret that is being rolled: two signatures, either is good', async (t) => {
  const world = await open(t);
  const { receiver, control } = world;
  const headers = [];
  const server = http.createServer((req, res) => {
    headers.push(req.headers['stripe-signature']);
    res.end();
  });
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  t.after(() => { server.closeAllConnections(); server.close(); });
  await control('POST', 'webhooks', { url: receiver.url, secrets: ['whsec_new', SECRET] });
  await control('POST', 'webhooks', { url: `http://127.0.0.1:${server.address().port}/`,
    secrets: ['whsec_a', 'whsec_b'] });
  await bought(world);
  await until(() => receiver.events.length >= 4 && headers.length >= 4);
  assert.equal(receiver.bad, 0);
  assert.match(headers[0], /^t=\d+,v1=[0-9a-f]{64},v1=[0-9a-f]{64}$/);
});

test('events of any kind and bytes of any kind', async (t) => {
  const world = await open(t);
  const { receiver, control, stripe } = world;
  const session = await bought(world);
  const made = await control('POST', 'events', { type: 'checkout.session.completed', object: session.id });
  await until(() => receiver.events.some((one) => one.id === made.id));
  assert.equal((await stripe.events.retrieve(made.id)).data.object.payment_status, 'paid');
  await control('POST', 'events', { id: 'evt_foreign', type: 'coupon.created', livemode: true,
    object: { id: 'co_1', object: 'coupon' } });
  await until(() => receiver.events.some((one) => one.id === 'evt_foreign' && one.livemode));

  const seen = receiver.bodies.length;
  const bytes = Buffer.from([0x7b, 0xff, 0x00, 0x7d]);
  await control('POST', 'events', { raw: bytes.toString('base64'), base64: true });
  await until(() => receiver.bodies.length > seen);
  assert.deepEqual(receiver.bodies.at(-1), bytes);
  const bad = receiver.bad;
  await control('POST', 'events', { raw: '{"object":"event"}', signature_age_s: 301 });
  await until(() => receiver.bad === bad + 1);
  await control('POST', 'events', { raw: '{"object":"event"}', secret: 'whsec_wrong' });
  await until(() => receiver.bad === bad + 2);
  const good = receiver.events.length;
  await control('POST', 'events', { raw: '{"object":"event","id":"evt_raw"}' });
  await until(() => receiver.events.length > good);
  assert.ok(Stripe.webhooks.signature, 'checked with the official library');
});

test('events are listed for thirty days', async (t) => {
  const world = await open(t);
  await bought(world);
  const [event] = (await world.stripe.events.list({ type: 'charge.succeeded' })).data;
  await world.control('POST', 'clock', { advance_s: 30 * 86400 + 10 });
  assert.equal((await world.stripe.events.list({ type: 'charge.succeeded' })).data.length, 0);
  await assert.rejects(world.stripe.events.retrieve(event.id), { statusCode: 404 });
});

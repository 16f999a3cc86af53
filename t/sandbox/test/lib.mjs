/*
 * lib.mjs - what the tests of the sandbox share: a sandbox, the official client, a receiver.
 */

import http from 'node:http';
import Stripe from 'stripe';
import { startSandbox } from '../sandbox.mjs';

export const KEY = 'sk_test_sandboxTest';
export const SECRET = 'whsec_sandboxTest';

/** A shop's end of the webhooks: checks each signature, keeps each event. */
export async function startReceiver(secret = SECRET) {
  const receiver = { events: [], bodies: [], bad: 0, status: 200, before: async () => {} };
  const server = http.createServer(async (req, res) => {
    const chunks = [];
    try {
      for await (const chunk of req) {
        chunks.push(chunk);
      }
    } catch {
      receiver.bad++;
      return;
    }
    const body = Buffer.concat(chunks);
    receiver.bodies.push(body);
    try {
      const event = Stripe.webhooks.constructEvent(body, req.headers['stripe-signature'], secret);
      await receiver.before(event);
      receiver.events.push(event);
    } catch {
      receiver.bad++;
    }
    res.writeHead(receiver.status).end();
  });
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  receiver.url = `http://127.0.0.1:${server.address().port}/webhook/stripe`;
  receiver.types = () => receiver.events.map((event) => event.type);
  receiver.stop = () => new Promise((done) => { server.closeAllConnections(); server.close(done); });
  return receiver;
}

/** A sandbox with a receiver, both ended with the test. */
export async function open(t, options = {}) {
  const receiver = await startReceiver();
  const sandbox = await startSandbox({ key: KEY, webhookSecret: SECRET, webhookUrl: receiver.url,
    ...options });
  t.after(async () => {
    await sandbox.stop();
    await receiver.stop();
  });
  return { sandbox, receiver, ...clientOf(sandbox) };
}

export function clientOf(sandbox) {
  const stripe = new Stripe(KEY, { host: '127.0.0.1', port: sandbox.port, protocol: 'http',
    maxNetworkRetries: 0, telemetry: false });
  const control = async (method, path, body) => {
    const answer = await fetch(`${sandbox.url}/sandbox/${path}`,
      { method, body: body === undefined ? undefined : JSON.stringify(body) });
    const value = await answer.json();
    if (!answer.ok) {
      throw new Error(value.error.message);
    }
    return value;
  };
  return {
    stripe,
    control,
    fault: (rule) => control('POST', 'faults', rule),
    pay: (session, form) => payPage(session.url, form),
  };
}

/** What a browser does with the form; redirects are not followed. */
export function payPage(url, form) {
  return fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams(form) });
}

export const CARD = '4242424242424242';

/** What a shop asks for when it sells a year. */
export const asked = (more = {}) => ({
  mode: 'payment',
  line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 24900,
    product_data: { name: 'Annual plan' } } }],
  customer_email: 'ana@example.com',
  client_reference_id: 'order-1',
  metadata: { where: 'session' },
  payment_intent_data: { metadata: { order: 'order-1' }, statement_descriptor_suffix: 'SP1234ABCD' },
  success_url: 'http://shop.example/return?t=abc&s={CHECKOUT_SESSION_ID}',
  cancel_url: 'http://shop.example/cancel',
  ...more,
});

export const askedYearly = (more = {}) => ({
  mode: 'subscription',
  line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 24900,
    product_data: { name: 'Annual plan' }, recurring: { interval: 'year' } } }],
  customer_email: 'ana@example.com',
  subscription_data: { metadata: { order: 'order-2' } },
  success_url: 'http://shop.example/return?s={CHECKOUT_SESSION_ID}',
  ...more,
});

/** Wait until `look` gives something true; the limit is there for what never comes. */
export async function until(look, what = 'it to happen') {
  const end = Date.now() + 10_000;
  while (Date.now() < end) {
    const found = await look();
    if (found) {
      return found;
    }
    await new Promise((done) => { setTimeout(done, 10); });
  }
  throw new Error(`waited in vain for ${what}`);
}

/** The error that a call ends with. */
export async function failure(call) {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error('expected an error');
}

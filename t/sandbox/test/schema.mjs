/*
 * Every kind of object served here is one that the provider's own document allows.
 */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { asked, askedYearly, CARD, failure, KEY, open, until } from './lib.mjs';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const reference = path.resolve(root, process.env.REFERENCE ?? '../shared/reference');
const file = path.join(reference, 'stripe-openapi.json');
const skip = fs.existsSync(file) ? false : 'no stripe-openapi.json (set REFERENCE to its folder)';

/** OpenAPI 3.0 says "nullable" where JSON Schema says "or null". */
function toJsonSchema(node) {
  if (Array.isArray(node)) {
    return node.map(toJsonSchema);
  }
  if (typeof node !== 'object' || node === null) {
    return node;
  }
  const { nullable, ...rest } = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, toJsonSchema(value)]));
  return nullable === true ? { anyOf: [rest, { type: 'null' }] } : rest;
}

function makeChecker() {
  const Ajv = require('ajv');
  const { components } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const ajv = new Ajv({ strict: false, validateFormats: false, inlineRefs: false,
    code: { optimize: false } });
  ajv.addSchema({ $id: 'stripe', components: toJsonSchema(components) });
  const seen = new Map();
  /** Check a value, and everything in it that calls itself an object of the API. */
  const look = (value) => {
    if (Array.isArray(value)) {
      value.forEach(look);
      return;
    }
    if (typeof value !== 'object' || value === null) {
      return;
    }
    if (components.schemas[value.object]) {
      check(value.object, value);
    }
    Object.values(value).forEach(look);
  };
  const check = (name, value) => {
    const schema = ajv.getSchema(`stripe#/components/schemas/${name}`);
    assert.ok(schema(value), `${name}: ${JSON.stringify(schema.errors?.slice(0, 5))}`);
    seen.set(name, (seen.get(name) ?? 0) + 1);
  };
  return { look, check, seen };
}

/** Do a bit of everything. */
async function live({ stripe, pay, control, sandbox }) {
  const buy = async (form, ask = asked()) => {
    const session = await stripe.checkout.sessions.create(ask);
    const answer = await pay(session, form);
    const bank = answer.headers.get('location') ?? '';
    if (bank.startsWith('/pay/')) {
      await pay({ url: sandbox.url + bank }, { outcome: 'approve' });
    }
    return stripe.checkout.sessions.retrieve(session.id);
  };
  for (const card of [CARD, '5555555555554444', '4000002760003184', '4000000000000259',
    '4000000000001976', '4000000000005423', '4000000000009235']) {
    await buy({ card, email: 'ana@example.com', name: 'Ana' });
  }
  for (const card of ['4000000000007726', '4000000000005126']) {
    await stripe.refunds.create({ payment_intent: (await buy({ card })).payment_intent });
  }
  await buy({ card: '4000000000000002' });
  await buy({ card: '4100000000000019' });
  for (const outcome of ['succeeded', 'failed']) {
    const { payment_intent: id } = await buy({ card: 'delayed' });
    await control('POST', `payments/${id}/settle`, { outcome });
  }
  await buy({ card: 'delayed' });
  const yearly = await buy({ card: CARD }, askedYearly());
  await buy({ card: CARD }, askedYearly({ subscription_data: { trial_period_days: 14 } }));
  await control('POST', `subscriptions/${yearly.subscription}/renew`, { outcome: 'paid' });
  await control('POST', `subscriptions/${yearly.subscription}/renew`, { outcome: 'failed' });
  await stripe.subscriptions.update(yearly.subscription, { cancel_at_period_end: true });
  await stripe.checkout.sessions.create(asked({ after_expiration: { recovery: { enabled: true } },
    consent_collection: { promotions: 'auto' }, locale: 'de', customer_creation: 'always' }));
  await stripe.customers.create({ email: 'bo@example.com' });
  await stripe.paymentIntents.create({ amount: 500, currency: 'eur', confirm: true,
    capture_method: 'manual', payment_method: 'pm_card_visa' });
  const { id } = await stripe.paymentIntents.create({ amount: 500, currency: 'eur', confirm: true,
    capture_method: 'manual', payment_method: 'pm_card_visa' });
  await stripe.paymentIntents.cancel(id);
  for (const more of [{}, { return_url: 'https://shop.example/back' }]) {
    await stripe.paymentIntents.create({ amount: 500, currency: 'eur', confirm: true,
      payment_method: 'pm_card_authenticationRequired', ...more });
  }
  await buy({ card: CARD }, asked({ payment_intent_data: { capture_method: 'manual' } }));
  await stripe.testHelpers.testClocks.create({ frozen_time: 1_800_000_000 });
  await control('POST', 'payments', { count: 3, email: 'p{n}@example.com', age_s: 1000, spread_s: 500,
    metadata: { order: 'o-{n}' }, events: 'undelivered', suffix: 'SP{n}AB' });
  await until(async () => (await stripe.disputes.list()).data.length === 2);
  const [won] = (await stripe.disputes.list()).data;
  await stripe.disputes.update(won.id, { evidence: { uncategorized_text: 'winning_evidence' } });
  await control('POST', 'clock', { advance_s: 2 * 86400 });
}

const HEADERS = { 'Authorization': `Bearer ${KEY}`,
  'Content-Type': 'application/x-www-form-urlencoded' };

const LISTS = {
  'checkout/sessions': ['data.payment_intent.latest_charge', 'data.line_items', 'data.customer'],
  payment_intents: ['data.latest_charge.balance_transaction', 'data.payment_method'],
  charges: ['data.refunds', 'data.payment_intent', 'data.balance_transaction'],
  customers: [],
  refunds: ['data.charge', 'data.balance_transaction'],
  disputes: ['data.charge', 'data.payment_intent'],
  subscriptions: ['data.latest_invoice', 'data.customer'],
  invoices: ['data.payments', 'data.customer'],
  invoice_payments: ['data.invoice'],
  balance_transactions: ['data.source'],
  prices: [],
  events: [],
  'test_helpers/test_clocks': [],
};

test('objects, lists, expansions, events and errors fit the document', { skip }, async (t) => {
  const world = await open(t);
  await live(world);
  const { look, check, seen } = makeChecker();
  for (const [name, paths] of Object.entries(LISTS)) {
    for (const expand of [[], ...paths.map((one) => [one])]) {
      const query = new URLSearchParams({ limit: 100 });
      expand.forEach((one) => query.append('expand[]', one));
      const answer = await fetch(`${world.sandbox.url}/v1/${name}?${query}`, { headers: HEADERS });
      const page = await answer.json();
      assert.equal(answer.status, 200, JSON.stringify(page.error));
      assert.ok(page.data.length > 0, name);
      look(page.data);
    }
  }
  const [charge] = (await world.stripe.charges.list({ limit: 1 })).data;
  for (const damage of [{ amount: 'much' }, { status: 'paid' }, { outcome: undefined }]) {
    assert.throws(() => check('charge', { ...charge, ...damage }), 'the checker itself sees mistakes');
  }
  const { raw } = await failure(world.stripe.charges.retrieve('ch_none'));
  check('error', { error: { type: raw.type, code: raw.code, message: raw.message, param: raw.param } });
  const declined = await failure(world.stripe.paymentIntents.create({ amount: 500, currency: 'usd',
    confirm: true, payment_method: 'pm_card_chargeDeclined' }));
  const { headers, statusCode, requestId, ...error } = declined.raw;
  check('error', { error });
  const types = (await world.stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 10000 }))
    .map((event) => event.type);
  assert.ok(new Set(types).size > 25, `${new Set(types).size} kinds of events`);
  assert.deepEqual(['balance_transaction', 'charge', 'checkout.session', 'customer', 'dispute', 'error',
    'event', 'invoice', 'invoice_payment', 'item', 'line_item', 'payment_intent', 'payment_method',
    'plan', 'price', 'refund', 'subscription', 'subscription_item', 'test_helpers.test_clock'],
  [...seen.keys()].sort());
});

test('each operation of the document is answered', { skip }, async (t) => {
  const { sandbox } = await open(t);
  const { paths } = JSON.parse(fs.readFileSync(file, 'utf8'));
  for (const [url, operations] of Object.entries(paths)) {
    for (const method of Object.keys(operations)) {
      const answer = await fetch(sandbox.url + url.replace(/\{\w+\}/g, 'none'),
        { method: method.toUpperCase(), headers: HEADERS });
      const body = await answer.json();
      assert.doesNotMatch(body.error?.message ?? '', /Unrecognized request URL/, `${method} ${url}`);
      assert.ok(answer.status < 500, `${method} ${url}: ${answer.status}`);
    }
  }
});

test('each parameter of the document is known', { skip }, async (t) => {
  const { sandbox } = await open(t);
  const { paths } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const unknown = [];
  for (const [url, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const form = operation.requestBody?.content['application/x-www-form-urlencoded']?.schema.properties ?? {};
      const query = (operation.parameters ?? []).filter((one) => one.in === 'query').map((one) => one.name);
      for (const name of [...Object.keys(form), ...query]) {
        const to = sandbox.url + url.replace(/\{\w+\}/g, 'none');
        const answer = method === 'post'
          ? await fetch(to, { method: 'POST', headers: HEADERS, body: `${name}=` })
          : await fetch(`${to}?${name}=`, { method: method.toUpperCase(), headers: HEADERS });
        const { error } = await answer.json();
        if (error?.code === 'parameter_unknown') {
          unknown.push(`${method} ${url} ${name}`);
        }
      }
    }
  }
  assert.deepEqual(unknown, []);
});

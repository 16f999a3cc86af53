/*
 * batch.mjs - many past payments at once: counted now, built when looked at.
 *
 * A batch is kept as the few values it was asked with; each object follows from
 * them and its number, so it is the same each time, also after a restart.
 */

import * as shape from '../objects/payment.mjs';
import { checkoutSession, customerDetails } from '../objects/checkout_session.mjs';
import { event } from '../objects/account.mjs';
import { findCard } from './cards.mjs';
import { batchId } from './ids.mjs';
import { feeOf, statementText } from './money.mjs';

const STEPS = [ /* what a card payment tells, and in which order */
  ['payment_intent.created', 'intent'],
  ['charge.succeeded', 'charge'],
  ['payment_intent.succeeded', 'intent'],
  ['checkout.session.completed', 'session'],
];

/** "{n}" in an e-mail, name or metadata value becomes the payment's number. */
const numbered = (text, n) => (typeof text === 'string' ? text.replaceAll('{n}', String(n)) : text);

/**
 * Make the payments of a batch.
 *
 * @param batch  {tag, count, first, step, amount, currency, email, name, metadata,
 *               session_metadata, client_reference_id, suffix, session, events, pending}
 */
export function addBatch(world, batch) {
  world.batches.push(batch);
  for (let n = 0; n < batch.count; n++) {
    addOne(world, batch, n);
  }
}

function addOne(world, batch, n) {
  const { tag } = batch;
  const at = Math.floor(batch.first + batch.step * n);
  const built = () => build(world, batch, n, at);
  const intent = batchId('pi_', tag, n);
  const charge = batchId('ch_', tag, n);
  world.intents.insertLazy(intent, at, () => built().intent);
  world.charges.insertLazy(charge, at, () => built().charge, { payment_intent: intent });
  world.transactions.insertLazy(batchId('txn_', tag, n), at, () => built().transaction,
    { source: charge });
  if (batch.session) {
    world.sessions.insertLazy(batchId(sessionPrefix(world), tag, n), at, () => built().session,
      { payment_intent: intent, email: numbered(batch.email, n) });
  }
  if (batch.events !== 'none') {
    addEvents(world, batch, n, at, built);
  }
}

const sessionPrefix = (world) => (world.livemode ? 'cs_live_' : 'cs_test_');

function addEvents(world, batch, n, at, built) {
  const pending = batch.events === 'undelivered' ? 1 : 0;
  STEPS.forEach(([type, kind], step) => {
    if (kind === 'session' && !batch.session) {
      return;
    }
    const id = batchId('evt_', batch.tag, n * STEPS.length + step);
    world.events.insertLazy(id, at, () => event({
      id, type, created: at, livemode: world.livemode, pending_webhooks: pending,
      data: { object: built()[kind] } }), {}, { type, pending });
  });
}

/** All objects of one payment. */
function build(world, batch, n, at) {
  const ids = {
    intent: batchId('pi_', batch.tag, n), charge: batchId('ch_', batch.tag, n),
    transaction: batchId('txn_', batch.tag, n), method: batchId('pm_', batch.tag, n),
    session: batchId(sessionPrefix(world), batch.tag, n) };
  const texts = (of) => Object.fromEntries(
    Object.entries(of ?? {}).map(([key, value]) => [key, numbered(value, n)]));
  const common = { created: at, livemode: world.livemode, amount: batch.amount,
    currency: batch.currency };
  const payer = { email: numbered(batch.email, n) ?? null, name: numbered(batch.name, n) ?? null };
  const suffix = numbered(batch.suffix, n) ?? null;
  const metadata = texts(batch.metadata);
  return {
    intent: shape.paymentIntent({ ...common, id: ids.intent, amount_received: batch.amount,
      latest_charge: ids.charge, metadata, payment_method: ids.method, status: 'succeeded',
      statement_descriptor_suffix: suffix }),
    charge: buildCharge(world, { ...common, ids, payer, metadata, suffix }),
    transaction: shape.balanceTransaction({ id: ids.transaction, created: at, type: 'charge',
      amount: batch.amount, currency: batch.currency, source: ids.charge,
      fee: feeOf(batch.amount), status: 'available' }),
    session: checkoutSession({ id: ids.session, created: at, livemode: world.livemode,
      amount_subtotal: batch.amount, amount_total: batch.amount, currency: batch.currency,
      client_reference_id: numbered(batch.client_reference_id, n) ?? null,
      customer_creation: 'if_required', customer_details: customerDetails(payer),
      expires_at: at + 86400, metadata: texts(batch.session_metadata ?? batch.metadata),
      payment_intent: ids.intent, payment_status: 'paid', status: 'complete',
      success_url: 'https://shop.example/return', cancel_url: 'https://shop.example/cancel' }),
  };
}

function buildCharge(world, { ids, payer, suffix, ...fields }) {
  return shape.charge({
    ...fields,
    id: ids.charge,
    amount_captured: fields.amount,
    balance_transaction: ids.transaction,
    billing_details: shape.billingDetails(payer),
    calculated_statement_descriptor: statementText(world.options.statementPrefix, suffix),
    captured: true,
    outcome: shape.outcome(),
    paid: true,
    payment_intent: ids.intent,
    payment_method: ids.method,
    payment_method_details: shape.cardDetails(findCard('4242424242424242'), fields.amount),
    receipt_url: `${world.options.baseUrl}/receipts/${ids.charge}`,
    statement_descriptor_suffix: suffix,
    status: 'succeeded',
  });
}

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

const CARD = findCard('4242424242424242');

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
  const payment = new PastPayment(world, batch, n);
  const { at, ids } = payment;
  world.intents.insertLazy(ids.intent, at, () => payment.intent());
  world.charges.insertLazy(ids.charge, at, () => payment.charge(), { payment_intent: ids.intent });
  world.transactions.insertLazy(ids.transaction, at, () => payment.transaction(),
    { source: ids.charge });
  if (batch.session) {
    world.sessions.insertLazy(ids.session, at, () => payment.session(),
      { payment_intent: ids.intent, email: numbered(batch.email, n) });
  }
  if (batch.events !== 'none') {
    addEvents(world, batch, n, payment);
  }
}

function addEvents(world, batch, n, payment) {
  const pending = batch.events === 'undelivered' ? 1 : 0;
  STEPS.forEach(([type, kind], step) => {
    if (kind === 'session' && !batch.session) {
      return;
    }
    const id = batchId('evt_', batch.tag, n * STEPS.length + step);
    world.events.insertLazy(id, payment.at, () => event({
      id, type, created: payment.at, livemode: world.livemode, pending_webhooks: pending,
      data: { object: payment[kind]() } }), {}, { type, pending });
  });
}

/** The ids of the n-th payment of a batch. */
export const idsOf = (world, tag, n) => ({
  intent: batchId('pi_', tag, n),
  charge: batchId('ch_', tag, n),
  transaction: batchId('txn_', tag, n),
  session: batchId(world.livemode ? 'cs_live_' : 'cs_test_', tag, n),
});

/** One payment of a batch: each of its objects is made when asked for. */
class PastPayment {
  #world;
  #batch;
  #n;

  constructor(world, batch, n) {
    this.#world = world;
    this.#batch = batch;
    this.#n = n;
    this.at = Math.floor(batch.first + batch.step * n);
  }

  get ids() {
    return idsOf(this.#world, this.#batch.tag, this.#n);
  }

  #text(name) {
    return numbered(this.#batch[name], this.#n) ?? null;
  }

  #texts(of) {
    return Object.fromEntries(
      Object.entries(of ?? {}).map(([key, value]) => [key, numbered(value, this.#n)]));
  }

  get #payer() {
    return { email: this.#text('email'), name: this.#text('name') };
  }

  get #common() {
    const { amount, currency, metadata } = this.#batch;
    return { created: this.at, livemode: this.#world.livemode, amount, currency,
      metadata: this.#texts(metadata), payment_method: batchId('pm_', this.#batch.tag, this.#n),
      statement_descriptor_suffix: this.#text('suffix') };
  }

  intent() {
    return shape.paymentIntent({ ...this.#common, id: this.ids.intent, status: 'succeeded',
      amount_received: this.#batch.amount, latest_charge: this.ids.charge });
  }

  charge() {
    const { amount } = this.#batch;
    const { ids } = this;
    const { statementPrefix, baseUrl } = this.#world.options;
    return shape.charge({
      ...this.#common,
      id: ids.charge,
      amount_captured: amount,
      balance_transaction: ids.transaction,
      billing_details: shape.billingDetails(this.#payer),
      calculated_statement_descriptor: statementText(statementPrefix, this.#text('suffix')),
      captured: true,
      outcome: shape.outcome(),
      paid: true,
      payment_intent: ids.intent,
      payment_method_details: shape.cardDetails(CARD, amount),
      receipt_url: `${baseUrl}/receipts/${ids.charge}`,
      status: 'succeeded',
    });
  }

  transaction() {
    const { amount, currency } = this.#batch;
    return shape.balanceTransaction({ id: this.ids.transaction, created: this.at, type: 'charge',
      amount, currency, source: this.ids.charge, fee: feeOf(amount), status: 'available' });
  }

  session() {
    const { amount, currency, metadata, session_metadata: own } = this.#batch;
    return checkoutSession({ id: this.ids.session, created: this.at,
      livemode: this.#world.livemode, amount_subtotal: amount, amount_total: amount, currency,
      client_reference_id: this.#text('client_reference_id'), customer_creation: 'if_required',
      customer_details: customerDetails(this.#payer), expires_at: this.at + 86400,
      metadata: this.#texts(own ?? metadata), payment_intent: this.ids.intent,
      payment_status: 'paid', status: 'complete', success_url: 'https://shop.example/return',
      cancel_url: 'https://shop.example/cancel' });
  }
}

/*
 * controls/money.mjs - payments of the past, disputes, settlements, renewals.
 */

import { addBatch, idsOf } from '../world/batch.mjs';
import { closeDispute, openDispute } from '../world/disputes.mjs';
import { batchId, randomText } from '../world/ids.mjs';
import { findCard } from '../world/cards.mjs';
import { settle } from '../world/checkout.mjs';
import { warn } from '../world/payments.mjs';
import { failRefund, nameRefund } from '../world/refunds.mjs';
import { payDue, renew } from '../world/subscriptions.mjs';

export const routes = [
  { method: 'GET', path: '/sandbox/payments', run: books },
  { method: 'POST', path: '/sandbox/payments', run: makePayments },
  { method: 'POST', path: '/sandbox/payments/:id/settle', run: settlePayment },
  { method: 'POST', path: '/sandbox/disputes', run: makeDispute },
  { method: 'POST', path: '/sandbox/disputes/:id/close', run: endDispute },
  { method: 'POST', path: '/sandbox/refunds/:id/fail', run: loseRefund },
  { method: 'POST', path: '/sandbox/refunds/:id/trace', run: traceRefund },
  { method: 'POST', path: '/sandbox/warnings', run: makeWarning },
  { method: 'POST', path: '/sandbox/subscriptions/:id/renew', run: renewSubscription },
  { method: 'POST', path: '/sandbox/invoices/:id/try', run: tryInvoice },
];

const EVENTS = ['none', 'delivered', 'undelivered'];

/**
 * Many succeeded payments of the past. `created` (or now - `age_s`) is the time
 * of the newest; the others lie evenly in the `spread_s` seconds before it.
 */
function makePayments(world, { ask }) {
  const { count = 1, age_s: age = 0, spread_s: spread = 0, deliver = false,
    created = world.clock.now() - age } = ask;
  if (!Number.isInteger(count) || count < 1 || count > 1_000_000) {
    throw new Error('"count" must be 1 to 1000000');
  }
  if (!EVENTS.includes(ask.events ?? 'none')) {
    throw new Error(`"events" must be one of ${EVENTS.join(', ')}`);
  }
  const { amount = 24900, currency = 'usd', email, name, metadata, session_metadata,
    client_reference_id, suffix, session = true } = ask;
  const batch = { tag: randomText(6), count, first: created - spread, amount, email, name, metadata,
    session_metadata, client_reference_id, suffix, session,
    step: count > 1 ? spread / (count - 1) : 0, currency: currency.toLowerCase(),
    events: ask.events ?? (deliver ? 'undelivered' : 'none') };
  addBatch(world, batch);
  world.store.noteBatch(batch);
  if (deliver) {
    announceBatch(world, batch);
  }
  return { count, ...named(world, batch, 0), first: named(world, batch, 0),
    last: named(world, batch, count - 1) };
}

/** As the answer names them. */
function named(world, { tag, session: wanted }, n) {
  const { intent, charge, session } = idsOf(world, tag, n);
  return { payment_intent: intent, charge, ...(wanted ? { session } : {}) };
}

/** The events of a batch go out like any other. */
function announceBatch(world, { tag, count }) {
  for (let i = 0; i < count * 4; i++) {
    const entry = world.events.entry(batchId('evt_', tag, i));
    if (entry) {
      entry.object.pending_webhooks = 0;
      world.delivery.announce(entry);
    }
  }
}

/** The sandbox's own books: what money moved, one row a payment. */
function books(world) {
  return world.intents.all().map((entry) => {
    const intent = world.intents.read(entry);
    const charge = intent.latest_charge ? world.charges.peek(intent.latest_charge) : null;
    return {
      payment_intent: intent.id,
      charge: charge?.id ?? null,
      session: entry.hidden.session
        ?? world.sessions.shelf('payment_intent', intent.id).entries[0]?.id ?? null,
      status: intent.status,
      amount: intent.amount,
      amount_received: intent.amount_received,
      amount_refunded: charge?.amount_refunded ?? 0,
      currency: intent.currency,
      disputed: charge?.disputed ?? false,
      email: charge?.billing_details.email ?? null,
      ...billed(world, intent),
      created: intent.created,
    };
  });
}

/** A payment of an invoice bears no marks of its own: its subscription's are told. */
function billed(world, intent) {
  const [paid] = world.invoicePayments.where('intent', intent.id);
  const invoice = paid && world.invoices.get(paid.object.invoice);
  return { invoice: invoice?.id ?? null,
    metadata: { ...invoice?.parent?.subscription_details?.metadata, ...intent.metadata } };
}

function settlePayment(world, { id, ask }) {
  const intent = need(world.intents, id);
  if (intent.object.status !== 'processing') {
    throw new Error(`the payment is ${intent.object.status}, not processing`);
  }
  settle(world, intent, word(ask.outcome, ['succeeded', 'failed']) === 'succeeded');
  return intent.object;
}

function makeDispute(world, { ask }) {
  const id = ask.charge ?? need(world.intents, ask.payment_intent).object.latest_charge;
  return openDispute(world, need(world.charges, id), ask).object;
}

/** Also lets a bank overturn what it had decided. */
function endDispute(world, { id, ask }) {
  const entry = need(world.disputes, id);
  closeDispute(world, entry, word(ask.status ?? 'lost', ['won', 'lost', 'warning_closed']),
    { flip: true });
  return entry.object;
}

function loseRefund(world, { id, ask }) {
  const entry = need(world.refunds, id);
  failRefund(world, entry, ask.reason ?? 'expired_or_canceled_card');
  return entry.object;
}

/** The bank's number of a refund is known, days after it. */
function traceRefund(world, { id, ask }) {
  const entry = need(world.refunds, id);
  nameRefund(world, entry, ask.reference);
  return entry.object;
}

function makeWarning(world, { ask }) {
  warn(world, need(world.charges, ask.charge));
}

function renewSubscription(world, { id, ask }) {
  return renew(world, need(world.subscriptions, id), word(ask.outcome ?? 'paid', ['paid', 'failed']));
}

/** The provider tries a due invoice once more. */
function tryInvoice(world, { id, ask }) {
  const entry = need(world.invoices, id);
  if (entry.object.status !== 'open') {
    throw new Error(`the invoice is ${entry.object.status}, not open`);
  }
  payDue(world, entry, findCard(word(ask.outcome ?? 'paid', ['paid', 'failed']) === 'paid'
    ? '4242424242424242' : '4000000000000002'));
  return entry.object;
}

function need(table, id) {
  const entry = table.entry(id);
  if (!entry) {
    throw Object.assign(new Error(`there is no ${table.kind} ${id}`), { status: 404 });
  }
  return entry;
}

function word(given, known) {
  if (!known.includes(given)) {
    throw new Error(`must be one of ${known.join(', ')}, not ${JSON.stringify(given)}`);
  }
  return given;
}

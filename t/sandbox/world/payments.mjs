/*
 * payments.mjs - one attempt to pay, from the card to the money, and its events.
 */

import * as shape from '../objects/payment.mjs';
import { fraudWarning } from '../objects/dispute.mjs';
import { refused } from '../http/errors.mjs';
import { declineOf } from './cards.mjs';
import { emit } from './events.mjs';
import { openDispute } from './disputes.mjs';
import { newId } from './ids.mjs';
import { feeOf, statementText } from './money.mjs';

const HOLD_S = 7 * 86400; /* how long a card's bank reserves money */
const SETTLES_MS = 500; /* a charge learns its balance transaction a little later */

/** A new intent; fields as the API shows them. */
export function openIntent(world, fields, hidden = {}) {
  const entry = world.intents.insert(shape.paymentIntent({
    id: newId('pi_'), created: world.clock.now(), livemode: world.livemode, ...fields }), hidden);
  emit(world, 'payment_intent.created', entry.object);
  return entry;
}

/**
 * Try to pay an intent.
 *
 * @param card      from cards.mjs
 * @param billing   {email, name} as the customer typed them
 * @param approved  the customer has passed the bank's own page
 * @return {state: succeeded | declined | requires_action | processing | requires_capture, error}
 */
export function confirm(world, entry, { card, billing = {}, approved = false, returnUrl }) {
  const intent = entry.object;
  const method = newMethod(world, card, billing, intent);
  Object.assign(intent, { payment_method: method.id, last_payment_error: null,
    payment_method_types: [method.type] });
  const attempt = { world, entry, intent, card: { ...card, authenticated: approved }, billing, method };
  if (card.challenge && !approved) {
    return challenge(attempt, returnUrl);
  }
  intent.next_action = null;
  if (card.decline) {
    return decline(attempt, card.decline);
  }
  if (card.delayed) {
    return process(attempt);
  }
  return intent.capture_method === 'manual' ? authorize(attempt) : succeed(attempt);
}

/** The customer failed, or left, the bank's own page. */
export function failChallenge(world, entry) {
  const { card, billing } = entry.hidden.challenge;
  const method = world.methods.get(entry.object.payment_method);
  entry.object.next_action = null;
  return refuseWithoutCharge({ world, entry, intent: entry.object, card, billing, method },
    'authentication');
}

function newMethod(world, card, billing, intent) {
  const details = card.delayed ? shape.bankDetails() : shape.cardDetails(card, intent.amount);
  const id = newId('pm_');
  return world.methods.insert(shape.paymentMethod({
    id, created: world.clock.now(), livemode: world.livemode, card, details,
    customer: intent.customer, billing_details: shape.billingDetails(billing) })).object;
}

/* A session's page sends the customer on by itself; who made the intent by hand says where
 * the customer goes afterwards, or leaves it to the provider's own script. */
function challenge({ world, entry, intent, card, billing }, returnUrl) {
  const url = entry.hidden.session ? returnUrl : `${world.options.baseUrl}/authenticate/${intent.id}`;
  intent.status = 'requires_action';
  intent.next_action = returnUrl
    ? { type: 'redirect_to_url', redirect_to_url: { return_url: returnUrl, url } }
    : { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url } };
  entry.hidden.returnUrl = returnUrl;
  entry.hidden.challenge = { card, billing };
  world.intents.changed(entry);
  emit(world, 'payment_intent.requires_action', intent);
  return { state: 'requires_action' };
}

/** A charge of this attempt, as it stands before anybody has decided. */
function newCharge({ world, intent, card, billing, method }, fields) {
  const id = newId(card.delayed ? 'py_' : 'ch_');
  const object = shape.charge({
    id,
    created: world.clock.now(),
    livemode: world.livemode,
    amount: intent.amount,
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    metadata: { ...intent.metadata },
    payment_intent: intent.id,
    payment_method: method.id,
    receipt_email: intent.receipt_email,
    statement_descriptor: intent.statement_descriptor,
    statement_descriptor_suffix: intent.statement_descriptor_suffix,
    billing_details: shape.billingDetails(billing),
    payment_method_details: card.delayed ? shape.bankDetails()
      : shape.cardDetails(card, intent.amount),
    calculated_statement_descriptor: card.delayed ? null
      : statementText(world.options.statementPrefix, intent.statement_descriptor_suffix),
    outcome: outcomeOf(card),
    ...fields,
  });
  intent.latest_charge = id;
  return world.charges.insert(object, { card });
}

function outcomeOf(card) {
  if (card.blocked) {
    return shape.outcome({ network_status: 'not_sent_to_network', reason: 'highest_risk_level',
      risk_level: 'highest', risk_score: 92, type: 'blocked',
      seller_message: 'Stripe blocked this payment as too risky.' });
  }
  if (card.elevated) {
    return shape.outcome({ reason: 'elevated_risk_level', risk_level: 'elevated', risk_score: 70,
      type: 'manual_review' });
  }
  if (card.decline) {
    return shape.outcome({ network_status: 'declined_by_network', reason: card.decline,
      type: 'issuer_declined', seller_message: 'The bank did not accept the payment.' });
  }
  return shape.outcome();
}

function decline(attempt, name) {
  const { world } = attempt;
  const why = declineOf(name);
  const charge = newCharge(attempt, { status: 'failed', failure_code: why.code,
    failure_message: why.message });
  emit(world, 'charge.failed', charge.object);
  return refuseWithoutCharge(attempt, name, charge.id);
}

function refuseWithoutCharge({ world, entry, intent, method }, name, charge) {
  const error = {
    ...declineOf(name),
    charge,
    doc_url: `https://stripe.com/docs/error-codes/${declineOf(name).code.replaceAll('_', '-')}`,
    payment_method: structuredClone(method),
    type: name === 'authentication' ? 'invalid_request_error' : 'card_error',
  };
  const known = Object.fromEntries(Object.entries(error).filter(([, value]) => value !== undefined));
  Object.assign(intent, { status: 'requires_payment_method', last_payment_error: known,
    payment_method: null });
  world.intents.changed(entry);
  emit(world, 'payment_intent.payment_failed', intent);
  return { state: 'declined', error: known };
}

/** A bank debit: the customer is done, the money takes days. */
function process(attempt) {
  const { world, entry, intent } = attempt;
  const charge = newCharge(attempt, { status: 'pending' });
  intent.status = 'processing';
  entry.hidden.pending = { charge: charge.id };
  world.intents.changed(entry);
  return { state: 'processing', announce: () => {
    emit(world, 'payment_intent.processing', intent);
    emit(world, 'charge.pending', charge.object);
  } };
}

function authorize(attempt) {
  const { world, entry, intent } = attempt;
  const charge = newCharge(attempt, { status: 'succeeded', paid: true });
  const until = world.clock.now() + HOLD_S;
  charge.object.payment_method_details.card.capture_before = until;
  world.charges.changed(charge);
  world.clock.at(until * 1000, 'hold_ends', { id: intent.id });
  Object.assign(intent, { status: 'requires_capture', amount_capturable: intent.amount });
  world.intents.changed(entry);
  emit(world, 'charge.succeeded', charge.object);
  emit(world, 'payment_intent.amount_capturable_updated', intent);
  return { state: 'requires_capture' };
}

function succeed(attempt) {
  const charge = newCharge(attempt, {});
  taken(attempt.world, attempt.entry, charge, attempt.intent.amount);
  emit(attempt.world, 'charge.succeeded', charge.object);
  emit(attempt.world, 'payment_intent.succeeded', attempt.intent);
  return { state: 'succeeded' };
}

/** The money has moved: both objects say so. */
function taken(world, entry, charge, amount) {
  Object.assign(charge.object, { status: 'succeeded', paid: true, captured: true,
    amount_captured: amount, receipt_url: `${world.options.baseUrl}/receipts/${charge.id}` });
  Object.assign(entry.object, { status: 'succeeded', amount_received: amount,
    amount_capturable: 0 });
  world.charges.changed(charge);
  world.intents.changed(entry);
  world.clock.at(world.clock.nowMs() + SETTLES_MS, 'charge_settled', { charge: charge.id });
}

export function capture(world, entry, amount = entry.object.amount_capturable) {
  const intent = entry.object;
  if (intent.status !== 'requires_capture') {
    throw unexpected(`This PaymentIntent could not be captured because it has a status of ${intent.status}. `
      + 'Only a PaymentIntent with one of the following statuses may be captured: requires_capture.');
  }
  if (amount > intent.amount_capturable) {
    throw refused(`The remaining amount on this PaymentIntent is ${intent.amount_capturable}.`,
      { code: 'amount_too_large', param: 'amount_to_capture' });
  }
  const charge = world.charges.entry(intent.latest_charge);
  if (amount < charge.object.amount) {
    charge.object.amount_refunded = charge.object.amount - amount;
  }
  taken(world, entry, charge, amount);
  const session = entry.hidden.session && world.sessions.entry(entry.hidden.session);
  if (session) {
    session.object.payment_status = 'paid';
    world.sessions.changed(session);
  }
  emit(world, 'charge.captured', charge.object);
  emit(world, 'payment_intent.succeeded', intent);
}

export function cancelIntent(world, entry, reason = null) {
  const intent = entry.object;
  if (['succeeded', 'canceled', 'processing'].includes(intent.status)) {
    throw unexpected(`You cannot cancel this PaymentIntent because it has a status of ${intent.status}.`);
  }
  const held = intent.status === 'requires_capture' && world.charges.entry(intent.latest_charge);
  Object.assign(intent, { status: 'canceled', canceled_at: world.clock.now(),
    cancellation_reason: reason, amount_capturable: 0, next_action: null });
  world.intents.changed(entry);
  if (held) { /* what was reserved and not taken counts as refunded */
    Object.assign(held.object, { refunded: true, amount_refunded: held.object.amount });
    world.charges.changed(held);
    emit(world, 'charge.refunded', held.object, { amount_refunded: 0, refunded: false });
  }
  emit(world, 'payment_intent.canceled', intent);
}

/** The bank reserves the money no longer. */
export function holdEnds(world, { id }) {
  const entry = world.intents.entry(id);
  if (entry.object.status === 'requires_capture') {
    emit(world, 'charge.expired', world.charges.get(entry.object.latest_charge));
    cancelIntent(world, entry, 'automatic');
  }
}

export const unexpected = (message) => refused(message,
  { code: 'payment_intent_unexpected_state' });

/** The bank has answered a debit that was processing: true is money. */
export function settleDelayed(world, entry, good) {
  const charge = world.charges.entry(entry.hidden.pending.charge);
  delete entry.hidden.pending;
  if (good) {
    taken(world, entry, charge, entry.object.amount);
    emit(world, 'payment_intent.succeeded', entry.object);
    emit(world, 'charge.succeeded', charge.object);
    return;
  }
  Object.assign(charge.object, { status: 'failed', failure_code: 'payment_method_customer_decline',
    failure_message: 'The customer\'s bank returned the debit.' });
  world.charges.changed(charge);
  Object.assign(entry.object, { status: 'requires_payment_method', last_payment_error: {
    charge: charge.id, code: 'payment_intent_payment_attempt_failed', type: 'card_error',
    message: charge.object.failure_message } });
  world.intents.changed(entry);
  emit(world, 'payment_intent.payment_failed', entry.object);
  emit(world, 'charge.failed', charge.object);
}

/** A moment after the payment: the balance transaction, and what this card brings. */
export function chargeSettled(world, { charge: id }) {
  const charge = world.charges.entry(id);
  const txn = addTransaction(world, { type: 'charge', source: id,
    amount: charge.object.amount_captured, currency: charge.object.currency,
    description: charge.object.description, fee: feeOf(charge.object.amount_captured) });
  charge.object.balance_transaction = txn.id;
  world.charges.changed(charge);
  emit(world, 'charge.updated', charge.object, { balance_transaction: null, receipt_url: null });
  const { card = {} } = charge.hidden;
  if (card.dispute) {
    openDispute(world, charge, card.dispute);
  }
  if (card.warning) {
    warn(world, charge);
  }
}

export function warn(world, charge) {
  const { object } = world.warnings.insert(fraudWarning({ id: newId('issfr_'),
    created: world.clock.now(), livemode: world.livemode, charge: charge.id,
    payment_intent: charge.object.payment_intent }));
  emit(world, 'radar.early_fraud_warning.created', object);
}

export function addTransaction(world, fields) {
  const { fee = 0, currency } = fields;
  return world.transactions.insert(shape.balanceTransaction({
    id: newId('txn_'), created: world.clock.now(),
    fee_details: fee ? [{ amount: fee, application: null, currency,
      description: 'Stripe processing fees', type: 'stripe_fee' }] : [],
    ...fields })).object;
}

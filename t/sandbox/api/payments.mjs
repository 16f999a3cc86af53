/*
 * api/payments.mjs - /v1/payment_intents, /v1/charges, /v1/payment_methods, /v1/balance_transactions
 */

import { ApiError, badParam, refused } from '../http/errors.mjs';
import { findCard } from '../world/cards.mjs';
import { emit } from '../world/events.mjs';
import { checkAmount, checkSuffix } from '../world/money.mjs';
import { cancelIntent, capture, confirm, openIntent, unexpected } from '../world/payments.mjs';
import { find, listPage, narrow } from './lists.mjs';
import { any, clearable, created, email, flag, integer, mergeMetadata, metadata, need, oneOf,
  paging, shape, text } from './params.mjs';
import { SEARCH, search } from './search.mjs';

const INTENT_FIELDS = ['amount', 'created', 'currency', 'customer', 'metadata', 'status'];
const CHARGE_FIELDS = [...INTENT_FIELDS, 'disputed', 'refunded',
  ...['last4', 'exp_month', 'exp_year', 'brand', 'fingerprint']
    .map((name) => `payment_method_details.card.${name}`)];

const METHODS = { automatic_payment_methods: any, payment_method: text(),
  payment_method_data: any, payment_method_options: any, payment_method_types: any,
  return_url: text(), off_session: any, error_on_requires_action: any, mandate_data: any,
  setup_future_usage: any };

/* Known to the provider, of no effect here. */
const PLAYED_DOWN = Object.fromEntries(['allowed_payment_method_types', 'amount_details',
  'application_fee_amount', 'customer_account', 'excluded_payment_method_types', 'hooks',
  'payment_details', 'payment_method_configuration', 'statement_descriptor', 'transfer_data',
  'transfer_group', 'shipping'].map((name) => [name, any]));

/* What an update changes as it is given. */
const CHANGED = ['amount', 'currency', 'customer', 'description', 'payment_method', 'receipt_email',
  'statement_descriptor_suffix'];

const INTENT_UPDATE = {
  ...METHODS,
  ...PLAYED_DOWN,
  capture_method: oneOf('automatic', 'automatic_async', 'manual'),
  amount: integer({ min: 1 }),
  currency: text(3),
  customer: text(),
  description: clearable(text(1000)),
  metadata: clearable(metadata),
  payment_method: text(),
  receipt_email: clearable(email),
  statement_descriptor_suffix: text(22),
};

export const routes = [
  { method: 'GET', path: '/v1/payment_intents/search', accepts: SEARCH,
    run: (world, { params }) => search(world, world.intents, params,
      { url: '/v1/payment_intents/search', fields: INTENT_FIELDS }) },
  { method: 'GET', path: '/v1/payment_intents', run: listIntents,
    accepts: { ...paging, ...created, customer: text(), customer_account: text() } },
  { method: 'POST', path: '/v1/payment_intents', run: createIntent,
    accepts: { ...INTENT_UPDATE, amount: need(integer({ min: 1 })), currency: need(text(3)),
      confirm: flag, confirmation_method: any } },
  { method: 'GET', path: '/v1/payment_intents/:id', accepts: { client_secret: text() },
    run: (world, { id }) => intentOf(world, id).object },
  { method: 'POST', path: '/v1/payment_intents/:id', accepts: INTENT_UPDATE, run: updateIntent },
  { method: 'POST', path: '/v1/payment_intents/:id/confirm', run: confirmIntent,
    accepts: { ...METHODS, receipt_email: email, capture_method: any, shipping: any } },
  { method: 'POST', path: '/v1/payment_intents/:id/capture', run: captureIntent,
    accepts: { amount_to_capture: integer({ min: 1 }), metadata: clearable(metadata),
      statement_descriptor_suffix: text(22), final_capture: flag } },
  { method: 'POST', path: '/v1/payment_intents/:id/cancel', run: cancel,
    accepts: { cancellation_reason: oneOf('abandoned', 'duplicate', 'fraudulent',
      'requested_by_customer') } },
  { method: 'GET', path: '/v1/charges/search', accepts: SEARCH,
    run: (world, { params }) => search(world, world.charges, params,
      { url: '/v1/charges/search', fields: CHARGE_FIELDS }) },
  { method: 'GET', path: '/v1/charges', run: listCharges,
    accepts: { ...paging, ...created, customer: text(), payment_intent: text(),
      transfer_group: text() } },
  { method: 'GET', path: '/v1/charges/:id',
    run: (world, { id }) => find(world.charges, id, 'charge', 'charge').object },
  { method: 'POST', path: '/v1/charges/:id', run: updateCharge,
    accepts: { customer: text(), description: clearable(text()), metadata: clearable(metadata),
      receipt_email: clearable(email), shipping: any, transfer_group: any,
      fraud_details: shape({ user_report: any }) } },
  { method: 'GET', path: '/v1/payment_methods/:id',
    run: (world, { id }) => find(world.methods, id, 'payment_method', 'payment_method').object },
  { method: 'GET', path: '/v1/balance_transactions', run: listTransactions,
    accepts: { ...paging, ...created, currency: text(3), payout: text(), source: text(), type: text() } },
  { method: 'GET', path: '/v1/balance_transactions/:id',
    run: (world, { id }) => find(world.transactions, id, 'balance transaction').object },
];

const intentOf = (world, id) => find(world.intents, id, 'payment_intent', 'intent');

function listIntents(world, { params }) {
  return listPage(world.intents, params,
    { url: '/v1/payment_intents', ...narrow({ customer: params.customer }) });
}

function listCharges(world, { params }) {
  const { payment_intent, customer } = params;
  return listPage(world.charges, params,
    { url: '/v1/charges', ...narrow({ payment_intent, customer }) });
}

function listTransactions(world, { params }) {
  const { source, type, currency } = params;
  const { by, fits } = narrow({ source });
  const passes = (one) => (!fits || fits(one)) && (!type || one.type === type)
    && (!currency || one.currency === currency);
  return listPage(world.transactions, params, { url: '/v1/balance_transactions', by, fits: passes });
}

function createIntent(world, { params }) {
  const { amount, currency, customer } = params;
  checkAmount(amount, currency.toLowerCase(), 'amount');
  if (customer) {
    find(world.customers, customer, 'customer', 'customer');
  }
  if (params.statement_descriptor_suffix) {
    checkSuffix(world.options.statementPrefix, params.statement_descriptor_suffix,
      'statement_descriptor_suffix');
  }
  const entry = openIntent(world, {
    amount,
    currency: currency.toLowerCase(),
    customer: customer ?? null,
    capture_method: params.capture_method ?? 'automatic_async',
    description: params.description ?? null,
    metadata: mergeMetadata({}, params.metadata),
    payment_method: params.payment_method ?? null,
    receipt_email: params.receipt_email ?? null,
    statement_descriptor_suffix: params.statement_descriptor_suffix ?? null,
    status: params.payment_method ? 'requires_confirmation' : 'requires_payment_method',
  });
  return params.confirm ? confirmNow(world, entry, params) : entry.object;
}

function updateIntent(world, { params, id }) {
  const entry = intentOf(world, id);
  const fields = CHANGED.filter((name) => params[name] !== undefined)
    .map((name) => [name, params[name]]);
  Object.assign(entry.object, Object.fromEntries(fields),
    { metadata: mergeMetadata(entry.object.metadata, params.metadata) });
  world.intents.changed(entry);
  return entry.object;
}

function confirmIntent(world, { params, id }) {
  const entry = intentOf(world, id);
  if (!['requires_payment_method', 'requires_confirmation'].includes(entry.object.status)) {
    throw unexpected(`You cannot confirm this PaymentIntent because it has a status of ${entry.object.status}.`);
  }
  return confirmNow(world, entry, params);
}

function confirmNow(world, entry, { payment_method: named, return_url: returnUrl }) {
  const method = named ?? entry.object.payment_method;
  const saved = method && world.methods.get(method);
  const card = findCard(saved ? '4242424242424242' : method);
  if (!card) {
    throw method ? badParam(`No such PaymentMethod: '${method}'`, 'resource_missing', 'payment_method')
      : unexpected('You cannot confirm this PaymentIntent because it\'s missing a payment method.');
  }
  const result = confirm(world, entry, { card, returnUrl });
  if (result.state === 'processing') {
    result.announce();
  }
  if (result.state === 'declined') {
    throw new ApiError(402, { ...result.error, payment_intent: structuredClone(entry.object) });
  }
  return entry.object;
}

function captureIntent(world, { params, id }) {
  const entry = intentOf(world, id);
  entry.object.metadata = mergeMetadata(entry.object.metadata, params.metadata);
  capture(world, entry, params.amount_to_capture);
  return entry.object;
}

function cancel(world, { params, id }) {
  const entry = intentOf(world, id);
  if (entry.hidden.session && entry.object.status !== 'requires_capture') {
    throw refused('You cannot cancel this PaymentIntent because it was created by Checkout. '
      + 'Expire the Checkout Session instead.', { code: 'payment_intent_unexpected_state' });
  }
  cancelIntent(world, entry, params.cancellation_reason);
  return entry.object;
}

function updateCharge(world, { params, id }) {
  const entry = find(world.charges, id, 'charge', 'charge');
  const { metadata: given, description, receipt_email } = params;
  Object.assign(entry.object, {
    metadata: mergeMetadata(entry.object.metadata, given),
    description: description === undefined ? entry.object.description : description,
    receipt_email: receipt_email === undefined ? entry.object.receipt_email : receipt_email });
  world.charges.changed(entry);
  emit(world, 'charge.updated', entry.object, {});
  return entry.object;
}

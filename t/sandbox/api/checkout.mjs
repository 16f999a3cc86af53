/*
 * api/checkout.mjs - /v1/checkout/sessions
 */

import { checkoutSession, customerDetails, item } from '../objects/checkout_session.mjs';
import { price as priceShape, product as productShape, recurring } from '../objects/catalog.mjs';
import { list } from '../objects/parts.mjs';
import { badParam } from '../http/errors.mjs';
import { expire, hostedUrl, openSession } from '../world/checkout.mjs';
import { newId } from '../world/ids.mjs';
import { checkAmount, checkSuffix } from '../world/money.mjs';
import { find, listPage, narrow } from './lists.mjs';
import { any, clearable, created, email, flag, integer, listOf, mergeMetadata, metadata, need, oneOf,
  paging, shape, text, url } from './params.mjs';

const NOUN = 'checkout.session';
const SHORTEST_S = 30 * 60;
const LONGEST_S = 24 * 3600;

const LINE_ITEM = shape({
  adjustable_quantity: any,
  metadata,
  price: text(),
  price_data: shape({
    currency: need(text(3)),
    product: text(),
    product_data: shape({ description: text(40000), images: any, metadata, name: need(text()),
      tax_code: any, unit_label: any }),
    recurring: shape({ interval: need(oneOf('day', 'week', 'month', 'year')),
      interval_count: integer({ min: 1, max: 1095 }) }),
    tax_behavior: any,
    unit_amount: integer({ min: 0 }),
    unit_amount_decimal: any,
  }),
  quantity: integer({ min: 1 }),
  tax_rates: any,
});

const INTENT_DATA = shape({
  application_fee_amount: any,
  capture_method: oneOf('automatic', 'automatic_async', 'manual'),
  description: text(1000),
  metadata,
  on_behalf_of: any,
  receipt_email: email,
  setup_future_usage: oneOf('off_session', 'on_session'),
  shipping: any,
  statement_descriptor: text(22),
  statement_descriptor_suffix: text(22),
  transfer_data: any,
  transfer_group: any,
});

const SUBSCRIPTION_DATA = shape({
  application_fee_percent: any,
  billing_cycle_anchor: any,
  billing_cycle_anchor_config: any,
  billing_mode: any,
  default_tax_rates: any,
  description: text(500),
  invoice_settings: any,
  metadata,
  on_behalf_of: any,
  pending_invoice_item_interval: any,
  proration_behavior: any,
  transfer_data: any,
  trial_end: integer(),
  trial_period_days: integer({ min: 1 }),
  trial_settings: any,
});

/* Known to the provider, of no effect here. */
const PLAYED_DOWN = ['adaptive_pricing', 'automatic_tax', 'branding_settings', 'custom_fields',
  'custom_text', 'customer_account', 'customer_update', 'discounts', 'excluded_payment_method_types',
  'integration_identifier', 'invoice_creation', 'managed_payments', 'name_collection',
  'optional_items', 'origin_context', 'payment_method_configuration', 'payment_method_data',
  'payment_method_options', 'permissions', 'phone_number_collection', 'redirect_on_completion',
  'return_url', 'saved_payment_method_options', 'setup_intent_data', 'shipping_address_collection',
  'shipping_options', 'tax_id_collection', 'wallet_options'];

const CREATE = {
  ...Object.fromEntries(PLAYED_DOWN.map((name) => [name, any])),
  after_expiration: shape({ recovery: shape({ enabled: need(flag), allow_promotion_codes: flag }) }),
  allow_promotion_codes: flag,
  billing_address_collection: oneOf('auto', 'required'),
  cancel_url: url,
  client_reference_id: text(200),
  consent_collection: shape({ payment_method_reuse_agreement: any,
    promotions: oneOf('auto', 'none'), terms_of_service: oneOf('none', 'required') }),
  currency: text(3),
  customer: text(),
  customer_creation: oneOf('always', 'if_required'),
  customer_email: email,
  expires_at: integer(),
  line_items: listOf(LINE_ITEM),
  locale: text(10),
  metadata,
  mode: need(oneOf('payment', 'subscription')),
  payment_intent_data: INTENT_DATA,
  payment_method_collection: oneOf('always', 'if_required'),
  payment_method_types: listOf(text()),
  submit_type: oneOf('auto', 'book', 'donate', 'pay', 'subscribe'),
  subscription_data: SUBSCRIPTION_DATA,
  success_url: need(url),
  ui_mode: oneOf('hosted_page'),
};

export const routes = [
  { method: 'POST', path: '/v1/checkout/sessions', accepts: CREATE, run: create },
  { method: 'GET', path: '/v1/checkout/sessions', run: listSessions,
    accepts: { ...paging, ...created, customer: text(), customer_account: text(),
      customer_details: shape({ email: need(text()) }), payment_intent: text(), payment_link: text(),
      status: oneOf('complete', 'expired', 'open'), subscription: text() } },
  { method: 'GET', path: '/v1/checkout/sessions/:id', run: (world, { id }) => entryOf(world, id).object },
  { method: 'POST', path: '/v1/checkout/sessions/:id', run: update,
    accepts: { collected_information: any, line_items: any, metadata: clearable(metadata),
      shipping_options: any } },
  { method: 'POST', path: '/v1/checkout/sessions/:id/expire', run: expireNow },
  { method: 'GET', path: '/v1/checkout/sessions/:id/line_items', accepts: paging, run: listItems },
];

const entryOf = (world, id) => find(world.sessions, id, NOUN, 'session');

function create(world, { params }) {
  const { line_items: lines, mode } = params;
  if (!lines?.length) {
    throw badParam('Missing required param: line_items.', 'parameter_missing', 'line_items');
  }
  checkTogether(world, params);
  const items = lines.map((line, i) => itemOf(world, line, `line_items[${i}]`));
  const { currency } = items[0];
  const total = amountToday(items, params);
  checkItems(items, { mode, currency, total });
  const id = newId(world.livemode ? 'cs_live_' : 'cs_test_');
  return openSession(world, sessionOf(world, params, { id, currency, total }), {
    items,
    intent_data: params.payment_intent_data,
    subscription_data: params.subscription_data,
  }).object;
}

/** Rules that look at more than one parameter. */
function checkTogether(world, params) {
  const { mode, expires_at: ends } = params;
  const wrong = { payment: 'subscription_data', subscription: 'payment_intent_data' }[mode];
  if (wrong && params[wrong]) {
    throw badParam(`You can not pass \`${wrong}\` in \`${mode}\` mode.`, undefined, wrong);
  }
  if (mode === 'subscription' && params.customer_creation) {
    throw badParam('`customer_creation` can only be used in `payment` mode.', undefined,
      'customer_creation');
  }
  if (params.customer && params.customer_email) {
    throw badParam('You may only specify one of these parameters: customer, customer_email.',
      undefined, 'customer');
  }
  if (params.customer) {
    find(world.customers, params.customer, 'customer', 'customer');
  }
  const now = world.clock.now();
  if (ends !== undefined && (ends < now + SHORTEST_S - 60 || ends > now + LONGEST_S + 60)) {
    throw badParam('The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout '
      + 'Session creation.', undefined, 'expires_at');
  }
  const suffix = params.payment_intent_data?.statement_descriptor_suffix;
  if (suffix !== undefined) {
    checkSuffix(world.options.statementPrefix, suffix,
      'payment_intent_data[statement_descriptor_suffix]');
  }
  if (params.payment_intent_data?.statement_descriptor !== undefined) {
    throw badParam('`statement_descriptor` cannot be used for card payments; use '
      + '`statement_descriptor_suffix`.', undefined, 'payment_intent_data[statement_descriptor]');
  }
}

function itemOf(world, line, path) {
  const price = line.price ? find(world.prices, line.price, 'price', `${path}[price]`).object
    : inlinePrice(world, line.price_data, path);
  const { quantity } = line;
  if (quantity === undefined) {
    throw badParam('Quantity is required. Add `quantity` to each line item.', 'parameter_missing',
      `${path}[quantity]`);
  }
  const description = world.products.get(price.product)?.name ?? null;
  return item({ id: newId('li_'), price, quantity, description, metadata: line.metadata ?? {} });
}

function inlinePrice(world, data, path) {
  if (!data) {
    throw badParam(`You must specify either \`price\` or \`price_data\` for ${path}.`,
      'parameter_missing', path);
  }
  if (data.unit_amount === undefined) {
    throw badParam(`Missing required param: ${path}[price_data][unit_amount].`, 'parameter_missing',
      `${path}[price_data][unit_amount]`);
  }
  const product = data.product ? find(world.products, data.product, 'product').object
    : inlineProduct(world, data.product_data, path);
  return world.prices.insert(priceShape({ id: newId('price_'), created: world.clock.now(),
    livemode: world.livemode, active: false, currency: data.currency.toLowerCase(),
    product: product.id, unit_amount: data.unit_amount,
    recurring: data.recurring ? recurring(data.recurring) : null })).object;
}

function inlineProduct(world, data, path) {
  if (!data) {
    throw badParam(`Missing required param: ${path}[price_data][product_data].`,
      'parameter_missing', `${path}[price_data][product_data]`);
  }
  return world.products.insert(productShape({ id: newId('prod_'), created: world.clock.now(),
    livemode: world.livemode, active: false, name: data.name,
    description: data.description ?? null })).object;
}

/** What is due today: a trial makes it nothing. */
function amountToday(items, { subscription_data: data }) {
  const trial = data?.trial_period_days || data?.trial_end;
  return items.filter((one) => !(trial && one.price.recurring))
    .reduce((sum, one) => sum + one.amount_total, 0);
}

function checkItems(items, { mode, currency, total }) {
  if (items.some((one) => one.currency !== currency)) {
    throw badParam('All line items must have the same currency.', undefined, 'line_items');
  }
  if (mode === 'payment' && items.some((one) => one.price.recurring)) {
    throw badParam('You specified `payment` mode but passed a recurring price. Either switch to '
      + '`subscription` mode or use only one-time prices.', undefined, 'line_items');
  }
  if (mode === 'subscription' && !items.some((one) => one.price.recurring)) {
    throw badParam('You must provide at least one recurring price in `subscription` mode when using '
      + 'prices.', undefined, 'line_items');
  }
  if (total !== 0) {
    checkAmount(total, currency, 'line_items');
  }
}

function sessionOf(world, params, { id, currency, total }) {
  const now = world.clock.now();
  const payment = params.mode === 'payment';
  const { customer_email: mail = null } = params;
  const echoed = ['allow_promotion_codes', 'billing_address_collection', 'cancel_url',
    'client_reference_id', 'customer', 'locale', 'payment_method_types', 'submit_type',
    'success_url', 'mode'].filter((name) => params[name] !== undefined)
    .map((name) => [name, params[name]]);
  return checkoutSession({
    ...Object.fromEntries(echoed),
    id,
    created: now,
    livemode: world.livemode,
    amount_subtotal: total,
    amount_total: total,
    currency,
    after_expiration: recoveryOf(params.after_expiration),
    consent: params.consent_collection ? { promotions: null, terms_of_service: null } : null,
    consent_collection: consentOf(params.consent_collection),
    customer_creation: payment ? params.customer_creation ?? 'if_required' : null,
    customer_details: mail ? customerDetails({ email: mail }) : null,
    customer_email: mail,
    expires_at: params.expires_at ?? now + LONGEST_S,
    metadata: mergeMetadata({}, params.metadata),
    payment_method_collection: params.payment_method_collection ?? (payment ? 'if_required' : 'always'),
    url: hostedUrl(world, id),
  });
}

const recoveryOf = (given) => (given?.recovery ? { recovery: {
  allow_promotion_codes: given.recovery.allow_promotion_codes ?? false,
  enabled: given.recovery.enabled, expires_at: null, url: null } } : null);

const consentOf = (given) => (given ? { payment_method_reuse_agreement: null,
  promotions: given.promotions ?? null, terms_of_service: given.terms_of_service ?? null } : null);

function listSessions(world, { params }) {
  const { customer, payment_intent, subscription, status, customer_details: details } = params;
  const { by, fits } = narrow({ payment_intent, subscription, email: details?.email, customer });
  const passes = (session) => (!fits || fits({ ...session, email: session.customer_details?.email }))
    && (!status || session.status === status);
  return listPage(world.sessions, params, { url: '/v1/checkout/sessions', by, fits: passes });
}

function update(world, { params, id }) {
  const entry = entryOf(world, id);
  entry.object.metadata = mergeMetadata(entry.object.metadata, params.metadata);
  world.sessions.changed(entry);
  return entry.object;
}

function expireNow(world, { id }) {
  const entry = entryOf(world, id);
  expire(world, entry);
  return entry.object;
}

function listItems(world, { params, id }) {
  const items = entryOf(world, id).hidden.items ?? [];
  const start = items.findIndex((one) => one.id === params.starting_after) + 1;
  const limit = params.limit ?? 10;
  return list(`/v1/checkout/sessions/${id}/line_items`, items.slice(start, start + limit),
    items.length > start + limit);
}

/*
 * api/billing.mjs - /v1/subscriptions, /v1/invoices, /v1/invoice_payments, /v1/prices, /v1/products
 */

import { price as priceShape, product as productShape, recurring } from '../objects/catalog.mjs';
import { newId } from '../world/ids.mjs';
import { changeSubscription, endSubscription } from '../world/subscriptions.mjs';
import { refused } from '../http/errors.mjs';
import { find, listPage, narrow } from './lists.mjs';
import { any, clearable, created, flag, integer, mergeMetadata, metadata, need, oneOf, paging, shape,
  text } from './params.mjs';
import { SEARCH, search } from './search.mjs';

const STATUSES = ['active', 'all', 'canceled', 'ended', 'incomplete', 'incomplete_expired',
  'past_due', 'paused', 'trialing', 'unpaid'];

const PLAYED_DOWN = ['add_invoice_items', 'application_fee_percent', 'automatic_tax',
  'billing_cycle_anchor', 'billing_schedules', 'billing_thresholds', 'cancel_at',
  'cancellation_details', 'collection_method', 'days_until_due', 'default_payment_method',
  'default_source', 'default_tax_rates', 'discounts', 'invoice_settings', 'items', 'off_session',
  'on_behalf_of', 'pause_collection', 'payment_behavior', 'payment_settings',
  'pending_invoice_item_interval', 'proration_behavior', 'proration_date', 'transfer_data',
  'trial_end', 'trial_from_plan', 'trial_settings'];

export const routes = [
  { method: 'GET', path: '/v1/subscriptions/search', accepts: SEARCH,
    run: (world, { params }) => search(world, world.subscriptions, params,
      { url: '/v1/subscriptions/search', fields: ['created', 'metadata', 'status'] }) },
  { method: 'GET', path: '/v1/subscriptions', run: listSubscriptions,
    accepts: { ...paging, ...created, customer: text(), customer_account: text(), plan: text(),
      price: text(), status: oneOf(...STATUSES), test_clock: text(), automatic_tax: any,
      collection_method: text(), current_period_end: any, current_period_start: any } },
  { method: 'GET', path: '/v1/subscriptions/:id', run: (world, { id }) => subscriptionOf(world, id).object },
  { method: 'POST', path: '/v1/subscriptions/:id', run: update,
    accepts: { ...Object.fromEntries(PLAYED_DOWN.map((name) => [name, any])),
      cancel_at_period_end: flag, description: clearable(text(500)),
      metadata: clearable(metadata) } },
  { method: 'DELETE', path: '/v1/subscriptions/:id', run: end,
    accepts: { cancellation_details: any, invoice_now: flag, prorate: flag } },
  { method: 'GET', path: '/v1/invoices/search', accepts: SEARCH,
    run: (world, { params }) => search(world, world.invoices, params, { url: '/v1/invoices/search',
      fields: ['created', 'currency', 'customer', 'metadata', 'number', 'status', 'total'] }) },
  { method: 'GET', path: '/v1/invoices', run: listInvoices,
    accepts: { ...paging, ...created, customer: text(), customer_account: text(), due_date: any,
      collection_method: text(), subscription: text(),
      status: oneOf('draft', 'open', 'paid', 'uncollectible', 'void') } },
  { method: 'GET', path: '/v1/invoices/:id',
    run: (world, { id }) => find(world.invoices, id, 'invoice', 'invoice').object },
  { method: 'GET', path: '/v1/invoice_payments', run: listInvoicePayments,
    accepts: { ...paging, ...created, invoice: text(), status: text(),
      payment: shape({ type: need(text()), payment_intent: text(), payment_record: text() }) } },
  { method: 'GET', path: '/v1/invoice_payments/:id',
    run: (world, { id }) => find(world.invoicePayments, id, 'invoice_payment').object },
  { method: 'GET', path: '/v1/prices', run: listOf('prices', '/v1/prices', ['product']),
    accepts: { ...paging, ...created, product: text(), active: flag } },
  { method: 'POST', path: '/v1/prices', run: createPrice,
    accepts: { currency: need(text(3)), unit_amount: need(integer({ min: 0 })), product: text(),
      product_data: shape({ name: need(text()), metadata }), metadata, nickname: text(),
      lookup_key: text(200), active: flag,
      recurring: shape({ interval: need(oneOf('day', 'week', 'month', 'year')),
        interval_count: integer({ min: 1 }) }) } },
  { method: 'GET', path: '/v1/prices/:id', run: (world, { id }) => find(world.prices, id, 'price', 'price').object },
  { method: 'GET', path: '/v1/products', run: listOf('products', '/v1/products', []),
    accepts: { ...paging, ...created, active: flag } },
  { method: 'POST', path: '/v1/products', run: createProduct,
    accepts: { name: need(text()), description: text(40000), metadata, active: flag } },
  { method: 'GET', path: '/v1/products/:id', run: (world, { id }) => find(world.products, id, 'product').object },
];

const subscriptionOf = (world, id) => find(world.subscriptions, id, 'subscription');

/** Cancelled ones are hidden unless asked for. */
function listSubscriptions(world, { params }) {
  const { customer, status, price } = params;
  const { by } = narrow({ customer });
  const fits = (one) => (status === 'all'
    || (status ? one.status === status : one.status !== 'canceled'))
    && (!price || one.items.data.some((item) => item.price.id === price));
  return listPage(world.subscriptions, params, { url: '/v1/subscriptions', by, fits });
}

function update(world, { params, id }) {
  const entry = subscriptionOf(world, id);
  if (entry.object.status === 'canceled') {
    throw refused('A canceled subscription can only update its cancellation_details and metadata.');
  }
  const { cancel_at_period_end, description, metadata: given } = params;
  const fields = { cancel_at_period_end, description,
    metadata: given === undefined ? undefined : mergeMetadata(entry.object.metadata, given) };
  changeSubscription(world, entry, Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined)));
  return entry.object;
}

function end(world, { id }) {
  const entry = subscriptionOf(world, id);
  if (entry.object.status === 'canceled') {
    throw refused(`No such subscription: '${id}'`, { code: 'resource_missing', param: 'id' });
  }
  endSubscription(world, entry);
  return entry.object;
}

function listInvoices(world, { params }) {
  const { customer, subscription, status } = params;
  const { by } = narrow({ subscription, customer });
  const fits = (one) => (!status || one.status === status) && (!customer || one.customer === customer);
  return listPage(world.invoices, params, { url: '/v1/invoices', by, fits });
}

function listInvoicePayments(world, { params }) {
  const { invoice, payment, status } = params;
  const { by } = narrow({ intent: payment?.payment_intent, invoice });
  const fits = (one) => (!invoice || one.invoice === invoice) && (!status || one.status === status);
  return listPage(world.invoicePayments, params, { url: '/v1/invoice_payments', by, fits });
}

function listOf(table, url, names) {
  return (world, { params }) => {
    const filters = Object.fromEntries(names.map((name) => [name, params[name]]));
    const { by } = narrow(filters);
    const fits = (one) => params.active === undefined || one.active === params.active;
    return listPage(world[table], params, { url, by, fits });
  };
}

function createPrice(world, { params }) {
  const { product, product_data: data, recurring: again, metadata: given, ...fields } = params;
  const parent = data ? createProduct(world, { params: data })
    : find(world.products, product, 'product', 'product').object;
  return world.prices.insert(priceShape({ ...fields, id: newId('price_'),
    created: world.clock.now(), livemode: world.livemode, product: parent.id,
    currency: fields.currency.toLowerCase(), recurring: again ? recurring(again) : null,
    metadata: mergeMetadata({}, given) })).object;
}

function createProduct(world, { params }) {
  return world.products.insert(productShape({ ...params, id: newId('prod_'),
    created: world.clock.now(), livemode: world.livemode,
    metadata: mergeMetadata({}, params.metadata) })).object;
}

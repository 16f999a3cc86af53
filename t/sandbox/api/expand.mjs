/*
 * expand.mjs - ids become objects where the caller asks for it.
 */

import { badParam } from '../http/errors.mjs';
import { list } from '../objects/parts.mjs';

const DEEPEST = 4;

const EXPANDABLE = new Set(['balance_transaction', 'charge', 'customer', 'default_payment_method',
  'default_source', 'failure_balance_transaction', 'invoice', 'latest_charge', 'latest_invoice',
  'on_behalf_of', 'payment_intent', 'payment_method', 'pending_setup_intent', 'product', 'source',
  'setup_intent', 'subscription', 'test_clock', 'application', 'review', 'schedule', 'transfer']);

/* Lists that are there only when asked for. */
const ON_REQUEST = {
  'checkout.session line_items': (world, { id }) => list(`/v1/checkout/sessions/${id}/line_items`,
    world.sessions.entry(id).hidden.items ?? []),
  'charge refunds': (world, { id }) => list(`/v1/charges/${id}/refunds`, newest(world.refunds, 'charge', id)),
  'invoice payments': (world, { id }) => list('/v1/invoice_payments',
    newest(world.invoicePayments, 'invoice', id)),
  'customer subscriptions': (world, { id }) => list(`/v1/customers/${id}/subscriptions`,
    newest(world.subscriptions, 'customer', id)),
};

const newest = (table, index, id) => table.where(index, id).map((entry) => entry.object).reverse();

/** A copy of `object` with these paths ("data.customer") expanded. */
export function expand(world, object, paths = []) {
  if (paths.length === 0) {
    return object;
  }
  const copy = structuredClone(object);
  for (const path of paths) {
    const steps = path.split('.');
    if (steps.length > DEEPEST + (object.object === 'list' ? 1 : 0)) {
      throw badParam(`You cannot expand more than ${DEEPEST} levels of a property (${path}).`,
        undefined, 'expand');
    }
    walk(world, copy, steps, path);
  }
  return copy;
}

function walk(world, value, steps, path) {
  if (Array.isArray(value)) {
    value.forEach((one) => walk(world, one, steps, path));
    return;
  }
  if (steps.length === 0 || value === null) {
    return;
  }
  const [step, ...rest] = steps;
  open(world, value, step, path);
  walk(world, value[step], rest, path);
}

/** Put an object where the id is. */
function open(world, value, step, path) {
  const make = ON_REQUEST[`${value.object} ${step}`];
  if (make) {
    value[step] ??= structuredClone(make(world, value));
    return;
  }
  if (typeof value[step] === 'object' && value[step] !== null) {
    return; /* a part, a list, or opened by an earlier path */
  }
  if (!EXPANDABLE.has(step) || !(step in value)) {
    throw badParam(`This property cannot be expanded (${path}).`, undefined, 'expand');
  }
  if (value[step] !== null) {
    value[step] = structuredClone(world.find(value[step])) ?? value[step];
  }
}

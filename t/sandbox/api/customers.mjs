/*
 * api/customers.mjs - /v1/customers
 */

import { customer as customerShape } from '../objects/customer.mjs';
import { emit } from '../world/events.mjs';
import { newId } from '../world/ids.mjs';
import { find, listPage, narrow } from './lists.mjs';
import { any, clearable, created, email, mergeMetadata, metadata, paging, text } from './params.mjs';
import { SEARCH, search } from './search.mjs';

const UPDATE = {
  address: any, balance: any, business_name: any, cash_balance: any, default_source: any,
  individual_name: any, invoice_prefix: any, invoice_settings: any, next_invoice_sequence: any,
  preferred_locales: any, shipping: any, source: any, tax: any, tax_exempt: any, validate: any,
  description: clearable(text()),
  email: clearable(email),
  metadata: clearable(metadata),
  name: clearable(text(256)),
  phone: clearable(text(20)),
};
const CREATE = { ...UPDATE, payment_method: any, tax_id_data: any, test_clock: text() };

export const routes = [
  { method: 'GET', path: '/v1/customers/search', accepts: SEARCH,
    run: (world, { params }) => search(world, world.customers, params,
      { url: '/v1/customers/search', fields: ['created', 'email', 'metadata', 'name', 'phone'] }) },
  { method: 'GET', path: '/v1/customers', run: listCustomers,
    accepts: { ...paging, ...created, email: text(), test_clock: text() } },
  { method: 'POST', path: '/v1/customers', accepts: CREATE, run: create },
  { method: 'GET', path: '/v1/customers/:id', run: get },
  { method: 'POST', path: '/v1/customers/:id', accepts: UPDATE, run: update },
  { method: 'DELETE', path: '/v1/customers/:id', run: remove },
];

const entryOf = (world, id) => find(world.customers, id, 'customer');

const shown = (entry) => (entry.hidden.deleted
  ? { id: entry.id, object: 'customer', deleted: true } : entry.object);

/** The e-mail filter is exact, capitals included; deleted ones are not listed. */
function listCustomers(world, { params }) {
  const { by } = narrow({ email: params.email });
  const fits = (object, entry) => !entry.hidden.deleted
    && object.test_clock === (params.test_clock ?? null);
  return listPage(world.customers, params, { url: '/v1/customers', by, fits });
}

const simple = ({ description, email: mail, name, phone }) => Object.fromEntries(
  Object.entries({ description, email: mail, name, phone })
    .filter(([, value]) => value !== undefined));

function create(world, { params }) {
  if (params.test_clock) {
    find(world.clocks, params.test_clock, 'test clock', 'test_clock');
  }
  const { object } = world.customers.insert(customerShape({
    id: newId('cus_'), created: world.clock.now(), livemode: world.livemode, ...simple(params),
    metadata: mergeMetadata({}, params.metadata), test_clock: params.test_clock ?? null }));
  emit(world, 'customer.created', object);
  return object;
}

function get(world, { id }) {
  return shown(entryOf(world, id));
}

function update(world, { params, id }) {
  const entry = entryOf(world, id);
  const fields = simple(params);
  const before = Object.fromEntries(Object.keys(fields).map((name) => [name, entry.object[name]]));
  Object.assign(entry.object, fields,
    { metadata: mergeMetadata(entry.object.metadata, params.metadata) });
  world.customers.changed(entry);
  emit(world, 'customer.updated', entry.object, before);
  return entry.object;
}

function remove(world, { id }) {
  const entry = entryOf(world, id);
  entry.hidden.deleted = true;
  world.customers.changed(entry);
  emit(world, 'customer.deleted', entry.object);
  return shown(entry);
}

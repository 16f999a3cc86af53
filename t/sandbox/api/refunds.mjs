/*
 * api/refunds.mjs - /v1/refunds
 */

import { badParam } from '../http/errors.mjs';
import { emit } from '../world/events.mjs';
import { unexpected } from '../world/payments.mjs';
import { cancelRefund, makeRefund } from '../world/refunds.mjs';
import { find, listPage, narrow } from './lists.mjs';
import { any, clearable, created, integer, mergeMetadata, metadata, oneOf, paging, text } from './params.mjs';

export const routes = [
  { method: 'GET', path: '/v1/refunds', run: listRefunds,
    accepts: { ...paging, ...created, charge: text(), payment_intent: text() } },
  { method: 'POST', path: '/v1/refunds', run: create,
    accepts: { amount: integer({ min: 1 }), charge: text(), payment_intent: text(), metadata,
      reason: oneOf('duplicate', 'fraudulent', 'requested_by_customer'),
      currency: any, customer: any, instructions_email: any, origin: any,
      refund_application_fee: any, reverse_transfer: any } },
  { method: 'GET', path: '/v1/refunds/:id', run: (world, { id }) => entryOf(world, id).object },
  { method: 'POST', path: '/v1/refunds/:id', accepts: { metadata: clearable(metadata) }, run: update },
  { method: 'POST', path: '/v1/refunds/:id/cancel', run: cancel },
];

const entryOf = (world, id) => find(world.refunds, id, 'refund');

function listRefunds(world, { params }) {
  const { charge, payment_intent } = params;
  return listPage(world.refunds, params, { url: '/v1/refunds', ...narrow({ charge, payment_intent }) });
}

function create(world, { params }) {
  const { charge, payment_intent: intent, amount, reason = null } = params;
  if (!charge && !intent) {
    throw badParam('One of the following params should be provided for this request: payment_intent '
      + 'or charge.', 'parameter_missing', 'payment_intent');
  }
  return makeRefund(world, charge ? find(world.charges, charge, 'charge', 'charge')
    : chargeOf(world, intent),
  { amount, reason, metadata: mergeMetadata({}, params.metadata) }).object;
}

function chargeOf(world, id) {
  const intent = find(world.intents, id, 'payment_intent', 'payment_intent').object;
  const charge = intent.latest_charge && world.charges.entry(intent.latest_charge);
  if (!charge || charge.object.status !== 'succeeded') {
    throw unexpected(`This PaymentIntent (${id}) does not have a successful charge to refund.`);
  }
  return charge;
}

function update(world, { params, id }) {
  const entry = entryOf(world, id);
  entry.object.metadata = mergeMetadata(entry.object.metadata, params.metadata);
  world.refunds.changed(entry);
  emit(world, 'refund.updated', entry.object, {});
  return entry.object;
}

function cancel(world, { id }) {
  const entry = entryOf(world, id);
  cancelRefund(world, entry);
  return entry.object;
}

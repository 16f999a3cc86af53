/*
 * refunds.mjs - money goes back, at once, later, or not after all.
 */

import { refund as shape } from '../objects/payment.mjs';
import { refused } from '../http/errors.mjs';
import { emit } from './events.mjs';
import { newId } from './ids.mjs';
import { addTransaction } from './payments.mjs';

const LATER_MS = 60_000; /* days in real life: advance the clock */

/* After a partial capture the rest already counts as refunded. */
const left = (charge) => charge.amount - charge.amount_refunded;

/** Refund part or all of a charge, if the rules allow it. */
export function makeRefund(world, charge, { amount, ...fields }) {
  checkRefundable(world, charge.object);
  const sum = amount ?? left(charge.object);
  if (sum > left(charge.object)) {
    throw refused(`Refund amount (${sum}) is greater than unrefunded amount on charge `
      + `(${left(charge.object)})`, { param: 'amount' });
  }
  const { refund: habit } = charge.hidden.card ?? {};
  const pending = habit === 'pending_then_succeeded';
  const entry = world.refunds.insert(shape({
    id: newId(charge.id.startsWith('py_') ? 'pyr_' : 're_'), created: world.clock.now(),
    amount: sum, currency: charge.object.currency, charge: charge.id,
    payment_intent: charge.object.payment_intent, status: pending ? 'pending' : 'succeeded',
    ...(pending ? { pending_reason: 'processing' } : {}), ...fields }));
  book(world, entry, charge, sum);
  emit(world, 'refund.created', entry.object);
  emit(world, 'charge.refunded', charge.object, { amount_refunded: charge.object.amount_refunded - sum });
  if (habit) {
    world.clock.at(world.clock.nowMs() + LATER_MS, 'refund_later', { id: entry.id, habit });
  }
  return entry;
}

function checkRefundable(world, charge) {
  if (!charge.captured) {
    throw refused(`Charge ${charge.id} has not been captured; it cannot be refunded.`,
      { code: 'charge_not_refundable', charge: charge.id });
  }
  const disputes = world.disputes.where('charge', charge.id);
  if (disputes.some((entry) => !entry.object.is_charge_refundable)) {
    throw refused(`Charge ${charge.id} has been charged back; cannot issue a refund.`,
      { code: 'charge_disputed', charge: charge.id });
  }
  if (left(charge) === 0) {
    throw refused(`Charge ${charge.id} has already been refunded.`,
      { code: 'charge_already_refunded', charge: charge.id });
  }
}

function book(world, entry, charge, sum) {
  setRefunded(world, charge, charge.object.amount_refunded + sum);
  if (entry.object.status === 'succeeded') {
    entry.object.balance_transaction = addTransaction(world, { type: 'refund', amount: -sum,
      currency: charge.object.currency, source: entry.id,
      description: `REFUND FOR CHARGE (${charge.id})` }).id;
    world.refunds.changed(entry);
  }
}

function setRefunded(world, charge, sum) {
  charge.object.amount_refunded = sum;
  charge.object.refunded = sum === charge.object.amount;
  world.charges.changed(charge);
}

/** What some cards do to their refunds when time has passed. */
export function refundLater(world, { id, habit }) {
  const entry = world.refunds.entry(id);
  if (habit === 'pending_then_succeeded' && entry.object.status === 'pending') {
    delete entry.object.pending_reason;
    changeRefund(world, entry, 'succeeded');
  }
  if (habit === 'succeeded_then_failed' && entry.object.status === 'succeeded') {
    failRefund(world, entry, 'lost_or_stolen_card');
  }
}

function changeRefund(world, entry, status) {
  const before = entry.object.status;
  entry.object.status = status;
  world.refunds.changed(entry);
  emit(world, 'refund.updated', entry.object, { status: before });
  emit(world, 'charge.refund.updated', entry.object, { status: before });
}

/** The money did not arrive: it is ours again, and the charge says so. */
export function failRefund(world, entry, reason) {
  const charge = world.charges.entry(entry.object.charge);
  entry.object.failure_reason = reason;
  setRefunded(world, charge, charge.object.amount_refunded - entry.object.amount);
  entry.object.failure_balance_transaction = addTransaction(world, { type: 'refund_failure',
    amount: entry.object.amount, currency: entry.object.currency, source: entry.id }).id;
  changeRefund(world, entry, 'failed');
  emit(world, 'refund.failed', entry.object);
}

/** Banks trace it by this number, which is known only days after it was made. */
export function nameRefund(world, entry, reference) {
  const before = entry.object.destination_details;
  entry.object.destination_details = { ...before,
    card: { ...before.card, reference, reference_status: 'available' } };
  world.refunds.changed(entry);
  emit(world, 'refund.updated', entry.object, { destination_details: before });
  emit(world, 'charge.refund.updated', entry.object, { destination_details: before });
}

export function cancelRefund(world, entry) {
  if (entry.object.status !== 'requires_action') {
    throw refused(`You cannot cancel a refund with status ${entry.object.status}.`);
  }
  changeRefund(world, entry, 'canceled');
}

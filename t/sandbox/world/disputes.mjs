/*
 * disputes.mjs - a bank takes a payment back, and how that ends.
 */

import { dispute as shape } from '../objects/dispute.mjs';
import { refused } from '../http/errors.mjs';
import { emit } from './events.mjs';
import { newId } from './ids.mjs';
import { addTransaction } from './payments.mjs';

const FEE = 1500;

/* How a dispute with this end had begun. */
const BEGAN = { won: 'needs_response', lost: 'needs_response',
  warning_closed: 'warning_needs_response' };
const FINAL = ['won', 'lost', 'warning_closed', 'prevented'];

const isInquiry = (dispute) => dispute.status.startsWith('warning');

export function openDispute(world, charge, { reason = 'general', status = 'needs_response',
  amount = charge.object.amount - charge.object.amount_refunded, due_by: dueBy }) {
  const entry = world.disputes.insert(shape({
    id: newId('du_'), created: world.clock.now(), livemode: world.livemode, amount,
    currency: charge.object.currency, charge: charge.id, reason, status: BEGAN[status] ?? status,
    payment_intent: charge.object.payment_intent,
    brand: charge.object.payment_method_details?.card?.brand }));
  if (dueBy !== undefined) {
    entry.object.evidence_details.due_by = dueBy;
  }
  charge.object.disputed = true;
  world.charges.changed(charge);
  emit(world, 'charge.dispute.created', entry.object);
  if (!isInquiry(entry.object)) {
    moveMoney(world, entry, -1);
  }
  if (BEGAN[status]) {
    closeDispute(world, entry, status);
  }
  return entry;
}

/** -1: the bank takes the money, +1: it comes back. */
function moveMoney(world, entry, sign) {
  const { object: dispute } = entry;
  dispute.balance_transactions.push(addTransaction(world, {
    type: 'adjustment', reporting_category: sign < 0 ? 'dispute' : 'dispute_reversal',
    amount: sign * dispute.amount, fee: sign < 0 ? FEE : -FEE, currency: dispute.currency,
    source: dispute.id,
    description: `Chargeback ${sign < 0 ? 'withdrawal' : 'reversal'} for ${dispute.charge}` }));
  world.disputes.changed(entry);
  emit(world, sign < 0 ? 'charge.dispute.funds_withdrawn' : 'charge.dispute.funds_reinstated',
    dispute);
}

/** Evidence goes to the bank with `submit`, and once only. */
export function answerDispute(world, entry, { evidence = {}, submit, metadata }) {
  const { object: dispute } = entry;
  const details = dispute.evidence_details;
  const has = Object.keys(evidence).length > 0;
  if (has && !dispute.status.endsWith('needs_response')) {
    throw refused('This dispute is already closed or has been submitted.');
  }
  Object.assign(dispute.evidence, evidence);
  dispute.metadata = metadata ?? dispute.metadata;
  details.has_evidence = Object.entries(dispute.evidence)
    .some(([name, value]) => name !== 'enhanced_evidence' && value);
  const before = { status: dispute.status };
  if (submit && details.has_evidence && dispute.status.endsWith('needs_response')) {
    details.submission_count += 1;
    dispute.status = isInquiry(dispute) ? 'warning_under_review' : 'under_review';
    decideBySubmission(world, entry);
  }
  world.disputes.changed(entry);
  emit(world, 'charge.dispute.updated', dispute, before);
}

/** In test mode two magic words decide the case, a moment later. */
function decideBySubmission(world, { id, object: { evidence } }) {
  const status = { winning_evidence: 'won', losing_evidence: 'lost' }[evidence.uncategorized_text];
  if (status) {
    world.clock.at(world.clock.nowMs() + 500, 'dispute_decided', { id, status });
  }
}

/** @param flip  a bank may overturn its own decision; nobody else may */
export function closeDispute(world, entry, status, { flip = false } = {}) {
  const { object: dispute } = entry;
  const before = dispute.status;
  if (FINAL.includes(before) && !flip) {
    throw refused('This dispute is already closed.');
  }
  const end = isInquiry(dispute) && status === 'won' ? 'warning_closed' : status;
  dispute.status = end;
  dispute.is_charge_refundable = end === 'warning_closed' || end === 'won';
  world.disputes.changed(entry);
  emit(world, 'charge.dispute.closed', dispute, { status: before });
  if (end === 'won') {
    moveMoney(world, entry, +1);
  } else if (before === 'won') {
    moveMoney(world, entry, -1);
  }
}

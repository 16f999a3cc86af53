/*
 * subscriptions.mjs - what is paid again and again: periods, invoices, their end.
 */

import * as shape from '../objects/subscription.mjs';
import { list, periodEnd } from '../objects/parts.mjs';
import { findCard } from './cards.mjs';
import { emit } from './events.mjs';
import { newId } from './ids.mjs';
import { confirm, openIntent } from './payments.mjs';

const DAY_S = 86400;

/**
 * Begin the subscription that a checkout session sells.
 *
 * @param takeMoney  pays and returns the intent's entry; null where nothing is due today
 * @return {subscription, invoice, activate}: `activate` comes after the session is complete
 */
export function startSubscription(world, session, takeMoney) {
  const subscription = newSubscription(world, session);
  const invoice = newInvoice(world, subscription, { reason: 'subscription_create',
    amount: session.object.amount_total, customer: session.object });
  subscription.object.latest_invoice = invoice.id;
  const intent = takeMoney?.();
  world.subscriptions.insert(subscription.object, subscription.hidden);
  emit(world, 'customer.subscription.created', subscription.object);
  payInvoice(world, invoice, intent);
  const active = () => activate(world, world.subscriptions.entry(subscription.object.id));
  if (!takeMoney) {
    active();
  }
  return { subscription: subscription.object, invoice, activate: active };
}

function newSubscription(world, { object: session, hidden }) {
  const id = newId('sub_');
  const created = world.clock.now();
  const data = hidden.subscription_data ?? {};
  const trialEnd = data.trial_end
    ?? (data.trial_period_days ? created + data.trial_period_days * DAY_S : null);
  const items = hidden.items.filter((item) => item.price.recurring).map((item) => (
    shape.subscriptionItem({
      id: newId('si_'), created, subscription: id, price: item.price, quantity: item.quantity,
      current_period_start: created,
      current_period_end: trialEnd ?? periodEnd(created, item.price.recurring) })));
  return {
    object: shape.subscription({
      id, created, livemode: world.livemode, currency: session.currency,
      customer: session.customer, description: data.description ?? null,
      metadata: { ...data.metadata }, trial_start: trialEnd && created, trial_end: trialEnd,
      items: list(`/v1/subscription_items?subscription=${id}`, items) }),
    hidden: {},
  };
}

function activate(world, entry) {
  const before = entry.object.status;
  entry.object.status = entry.object.trial_end > world.clock.now() ? 'trialing' : 'active';
  world.subscriptions.changed(entry);
  emit(world, 'customer.subscription.updated', entry.object, { status: before });
}

/** A finalized invoice for one period of a subscription. */
function newInvoice(world, { object: subscription }, { reason, amount, customer }) {
  const id = newId('in_');
  const created = world.clock.now();
  const items = subscription.items.data;
  const lines = items.map((item) => shape.invoiceLine({
    id: newId('il_'), invoice: id, item, livemode: world.livemode, currency: subscription.currency,
    amount: amount === 0 ? 0 : item.price.unit_amount * item.quantity,
    metadata: { ...subscription.metadata },
    period: { start: item.current_period_start, end: item.current_period_end } }));
  const entry = world.invoices.insert(shape.invoice({
    id, created, livemode: world.livemode, total: amount, currency: subscription.currency,
    customer: subscription.customer, billing_reason: reason,
    customer_email: customer?.customer_email ?? world.customers.get(subscription.customer)?.email ?? null,
    customer_name: world.customers.get(subscription.customer)?.name ?? null,
    lines: shape.invoiceLines(id, lines),
    period_start: created, period_end: created,
    parent: { quote_details: null, type: 'subscription_details', subscription_details: {
      metadata: { ...subscription.metadata }, subscription: subscription.id } } }));
  emit(world, 'invoice.created', entry.object);
  Object.assign(entry.object, { status: 'open', effective_at: created,
    number: `SBX-${String(world.invoices.size).padStart(4, '0')}`,
    hosted_invoice_url: `${world.options.baseUrl}/invoices/${id}` });
  entry.object.status_transitions.finalized_at = created;
  world.invoices.changed(entry);
  emit(world, 'invoice.finalized', entry.object);
  return entry;
}

/** What ties an invoice to the intent that pays it, made with the first attempt. */
function paymentOf(world, { object: invoice }, intent) {
  const [made] = world.invoicePayments.where('invoice', invoice.id);
  return made ?? world.invoicePayments.insert(shape.invoicePayment({
    id: newId('inpay_'), created: world.clock.now(), livemode: world.livemode, invoice: invoice.id,
    currency: invoice.currency, amount_requested: invoice.total,
    payment: { type: 'payment_intent', payment_intent: intent.id } }));
}

function payInvoice(world, entry, intent) {
  const { object: invoice } = entry;
  const now = world.clock.now();
  Object.assign(invoice, { status: 'paid', attempted: true, amount_paid: invoice.total,
    amount_remaining: 0, attempt_count: intent ? invoice.attempt_count + 1 : 0,
    next_payment_attempt: null });
  invoice.status_transitions.paid_at = now;
  world.invoices.changed(entry);
  if (intent) {
    const payment = paymentOf(world, entry, intent);
    Object.assign(payment.object, { status: 'paid', amount_paid: invoice.total,
      status_transitions: { canceled_at: null, paid_at: now } });
    world.invoicePayments.changed(payment);
  }
  emit(world, 'invoice.paid', invoice);
  emit(world, 'invoice.payment_succeeded', invoice);
}

/** One more period: paid, or the card fails and the subscription is past due. */
export function renew(world, entry, outcome) {
  const before = structuredClone(entry.object);
  moveOn(entry.object);
  const amount = entry.object.items.data
    .reduce((sum, item) => sum + item.price.unit_amount * item.quantity, 0);
  const invoice = newInvoice(world, entry, { reason: 'subscription_cycle', amount });
  entry.object.latest_invoice = invoice.id;
  const intent = openIntent(world, { amount, currency: entry.object.currency,
    customer: entry.object.customer, description: 'Subscription update' });
  collect(world, { entry, invoice, intent, before,
    card: findCard(outcome === 'paid' ? '4242424242424242' : '4000000000000002') });
  return invoice.object;
}

/** An invoice that is due is tried again: by the provider, or by the customer by hand. */
export function payDue(world, invoice, card) {
  const entry = world.subscriptions.entry(invoice.object.parent.subscription_details.subscription);
  const [{ object: { payment } }] = world.invoicePayments.where('invoice', invoice.id);
  return collect(world, { entry, invoice, card, before: structuredClone(entry.object),
    intent: world.intents.entry(payment.payment_intent) });
}

/** One attempt; true where the money came. */
function collect(world, { entry, invoice, intent, card, before }) {
  const { state } = confirm(world, intent, { card, billing: {
    email: invoice.object.customer_email, name: invoice.object.customer_name } });
  const good = state === 'succeeded';
  if (good) {
    payInvoice(world, invoice, intent);
  } else {
    paymentOf(world, invoice, intent);
    failInvoice(world, invoice);
  }
  if (entry.object.status !== 'canceled') {
    entry.object.status = good ? 'active' : 'past_due';
    world.subscriptions.changed(entry);
    emit(world, 'customer.subscription.updated', entry.object,
      { items: before.items, latest_invoice: before.latest_invoice, status: before.status });
  }
  return good;
}

function moveOn(subscription) {
  for (const item of subscription.items.data) {
    item.current_period_start = item.current_period_end;
    item.current_period_end = periodEnd(item.current_period_start, item.price.recurring);
  }
}

/** Four attempts in nine days; then it stays open, and only the customer can pay it. */
function failInvoice(world, entry) {
  const tries = entry.object.attempt_count + 1;
  Object.assign(entry.object, { attempted: true, attempt_count: tries,
    next_payment_attempt: tries < 4 ? world.clock.now() + 3 * DAY_S : null });
  world.invoices.changed(entry);
  emit(world, 'invoice.payment_failed', entry.object);
}

/** Cancelled now: access ends at once. */
export function endSubscription(world, entry) {
  const now = world.clock.now();
  Object.assign(entry.object, { status: 'canceled', canceled_at: now, ended_at: now,
    cancellation_details: { comment: null, feedback: null, reason: 'cancellation_requested' } });
  world.subscriptions.changed(entry);
  emit(world, 'customer.subscription.deleted', entry.object);
}

/** Cancelled later, or not after all. */
export function changeSubscription(world, entry, fields) {
  const before = Object.fromEntries(Object.keys(fields).map((name) => [name, entry.object[name]]));
  Object.assign(entry.object, fields);
  if ('cancel_at_period_end' in fields) {
    const ends = Math.max(...entry.object.items.data.map((item) => item.current_period_end));
    const on = fields.cancel_at_period_end;
    Object.assign(entry.object, { cancel_at: on ? ends : null,
      canceled_at: on ? world.clock.now() : null });
    if (on) {
      world.clock.at(ends * 1000, 'subscription_ends', { id: entry.id });
    }
  }
  world.subscriptions.changed(entry);
  emit(world, 'customer.subscription.updated', entry.object, before);
}

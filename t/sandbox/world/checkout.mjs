/*
 * checkout.mjs - the life of a checkout session, from open to complete or expired.
 */

import { customerDetails } from '../objects/checkout_session.mjs';
import { customer as customerShape } from '../objects/customer.mjs';
import { refused } from '../http/errors.mjs';
import { emit } from './events.mjs';
import { newId, randomText } from './ids.mjs';
import { cancelIntent, confirm, failChallenge, openIntent, settleDelayed } from './payments.mjs';
import { startSubscription } from './subscriptions.mjs';

const RECOVERY_S = 30 * 86400;

/** Long, and with the fragment that the real page needs too. */
export function hostedUrl(world, id) {
  return `${world.options.baseUrl}/pay/${id}#fid${randomText(180)}%2FZ${randomText(40)}`;
}

export function openSession(world, object, hidden) {
  const entry = world.sessions.insert(object, hidden);
  world.clock.at(object.expires_at * 1000, 'session_expires', { id: object.id });
  return entry;
}

/**
 * The customer pressed "Pay".
 *
 * @param card   from cards.mjs; not needed where nothing is due
 * @param typed  {email, name}: what stands in the form
 * @return {state, error, event}: `event` is checkout.session.completed once there is one
 */
export function pay(world, entry, { card, typed }) {
  const billing = known(world, entry.object, typed);
  if (entry.object.amount_total === 0) {
    return { state: 'succeeded', event: complete(world, entry, billing, 'no_payment_required') };
  }
  if (entry.object.mode === 'subscription' && !card.decline && !card.challenge) {
    return paySubscription(world, entry, card, billing);
  }
  const intent = intentOf(world, entry);
  const result = confirm(world, intent, { card, billing,
    returnUrl: `${world.options.baseUrl}/pay/${entry.id}/authenticate` });
  return finish(world, entry, intent, billing, result);
}

/** What the customer typed wins over what was filled in. */
function known(world, session, { email, name }) {
  const of = session.customer ? world.customers.get(session.customer) : {};
  return {
    email: email || session.customer_email || of.email || null,
    name: name || of.name || null,
  };
}

/** The session's payment intent, made at the first attempt. */
function intentOf(world, entry) {
  const session = entry.object;
  if (entry.hidden.intent) {
    return world.intents.entry(entry.hidden.intent);
  }
  const { intent_data: data = {} } = entry.hidden;
  const intent = openIntent(world, {
    amount: session.amount_total,
    currency: session.currency,
    customer: session.customer,
    capture_method: data.capture_method ?? 'automatic_async',
    description: data.description ?? (session.mode === 'subscription' ? 'Subscription creation' : null),
    metadata: { ...data.metadata },
    receipt_email: data.receipt_email ?? null,
    setup_future_usage: session.mode === 'subscription' ? 'off_session'
      : data.setup_future_usage ?? null,
    statement_descriptor_suffix: data.statement_descriptor_suffix ?? null,
  }, { session: entry.id });
  entry.hidden.intent = intent.id;
  session.payment_intent = session.mode === 'payment' ? intent.id : null;
  world.sessions.changed(entry);
  return intent;
}

function finish(world, entry, intent, billing, result) {
  switch (result.state) {
  case 'succeeded':
    return { ...result, event: complete(world, entry, billing, 'paid') };
  case 'requires_capture':
    return { ...result, event: complete(world, entry, billing, 'unpaid') };
  case 'processing': {
    const event = complete(world, entry, billing, 'unpaid');
    result.announce();
    return { ...result, event };
  }
  default:
    return result;
  }
}

function paySubscription(world, entry, card, billing, approved = false) {
  joinCustomer(world, entry, billing);
  let result;
  const parts = startSubscription(world, entry, () => {
    const intent = intentOf(world, entry);
    result = confirm(world, intent, { card, billing, approved });
    return intent;
  });
  Object.assign(entry.object, { subscription: parts.subscription.id, invoice: parts.invoice.id });
  const event = complete(world, entry, billing, 'paid');
  parts.activate();
  return { ...result, event };
}

/** Subscriptions belong to a customer; payments only if asked for. */
function joinCustomer(world, entry, billing) {
  const session = entry.object;
  if (session.customer) {
    return;
  }
  const { object } = world.customers.insert(customerShape({
    id: newId('cus_'), created: world.clock.now(), livemode: world.livemode,
    email: billing.email, name: billing.name }));
  emit(world, 'customer.created', object);
  session.customer = object.id;
}

function complete(world, entry, billing, paymentStatus) {
  const session = entry.object;
  if (session.mode === 'subscription' || session.customer_creation === 'always') {
    joinCustomer(world, entry, billing);
  }
  if (session.mode === 'subscription' && !session.subscription) {
    const parts = startSubscription(world, entry, null);
    Object.assign(session, { subscription: parts.subscription.id, invoice: parts.invoice.id });
  }
  Object.assign(session, {
    status: 'complete',
    payment_status: paymentStatus,
    customer_details: customerDetails(billing),
    url: null,
  });
  world.sessions.changed(entry);
  attachCustomer(world, session);
  return emit(world, 'checkout.session.completed', session).id;
}

/** A customer that was made only now belongs to the payment as well. */
function attachCustomer(world, { payment_intent: id, customer }) {
  const intent = id && world.intents.entry(id);
  if (!intent || !customer || intent.object.customer) {
    return;
  }
  intent.object.customer = customer;
  world.intents.changed(intent);
  const charge = world.charges.entry(intent.object.latest_charge);
  charge.object.customer = customer;
  world.charges.changed(charge);
}

/** The customer came back from the bank's own page. */
export function answerChallenge(world, entry, approved) {
  const intent = world.intents.entry(entry.hidden.intent);
  if (!approved) {
    return failChallenge(world, intent);
  }
  const { card, billing } = intent.hidden.challenge;
  if (entry.object.mode === 'subscription' && !card.decline) {
    return paySubscription(world, entry, card, billing, true);
  }
  return finish(world, entry, intent, billing, confirm(world, intent, { card, billing, approved }));
}

export const isChallenged = (world, entry) => Boolean(entry.hidden.intent)
  && world.intents.get(entry.hidden.intent).status === 'requires_action';

/** A delayed payment of a completed session was settled. */
export function settle(world, intent, good) {
  settleDelayed(world, intent, good);
  const entry = intent.hidden.session && world.sessions.entry(intent.hidden.session);
  if (!entry) {
    return;
  }
  if (good) {
    entry.object.payment_status = 'paid';
    world.sessions.changed(entry);
  }
  emit(world, `checkout.session.async_payment_${good ? 'succeeded' : 'failed'}`, entry.object);
}

export function expire(world, entry) {
  const session = entry.object;
  if (session.status !== 'open') {
    throw refused('Only Checkout Sessions with a status in ["open"] can be expired. '
      + `This Checkout Session has a status of ${session.status}.`);
  }
  Object.assign(session, { status: 'expired', url: null,
    expires_at: Math.min(session.expires_at, world.clock.now()) });
  if (session.after_expiration?.recovery?.enabled) {
    Object.assign(session.after_expiration.recovery, {
      expires_at: world.clock.now() + RECOVERY_S,
      url: `${world.options.baseUrl}/recover/${session.id}` });
  }
  world.sessions.changed(entry);
  const intent = entry.hidden.intent && world.intents.entry(entry.hidden.intent);
  if (intent && intent.object.status !== 'succeeded') {
    cancelIntent(world, intent, 'automatic');
  }
  emit(world, 'checkout.session.expired', session);
}

/** Somebody followed a recovery link: a new session like the old one. */
export function recoverSession(world, entry) {
  const id = newId(world.livemode ? 'cs_live_' : 'cs_test_');
  const created = world.clock.now();
  const { hidden } = entry;
  return openSession(world, {
    ...structuredClone(entry.object), id, created, status: 'open', expires_at: created + 86400,
    recovered_from: entry.id, payment_intent: null, url: hostedUrl(world, id) },
  { ...structuredClone(hidden), intent: undefined });
}

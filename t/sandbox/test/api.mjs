/*
 * The official client finds what it expects: shapes, pages, keys, errors.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asked, askedYearly, CARD, failure, open, until } from './lib.mjs';

test('one payment: session, page, intent, charge, and no metadata that travels', async (t) => {
  const { stripe, pay, receiver } = await open(t);
  const session = await stripe.checkout.sessions.create(asked());
  assert.equal(session.status, 'open');
  assert.equal(session.payment_intent, null, 'the intent is made when the customer confirms');
  assert.match(session.url, /^http:\/\/127\.0\.0\.1:\d+\/pay\/cs_test_\w+#fid/);

  const answer = await pay(session, { card: CARD, email: 'Ana@example.com', name: 'Ana' });
  assert.equal(answer.status, 303);
  assert.equal(answer.headers.get('location'), `http://shop.example/return?t=abc&s=${session.id}`);

  const paid = await stripe.checkout.sessions.retrieve(session.id,
    { expand: ['payment_intent.latest_charge', 'line_items'] });
  assert.equal(paid.status, 'complete');
  assert.equal(paid.payment_status, 'paid');
  assert.equal(paid.url, null);
  assert.equal(paid.customer_details.email, 'Ana@example.com', 'what was typed wins');
  assert.equal(paid.customer_email, 'ana@example.com');
  assert.equal(paid.line_items.data[0].description, 'Annual plan');
  const { payment_intent: intent } = paid;
  assert.deepEqual(intent.metadata, { order: 'order-1' });
  assert.equal(intent.amount_received, 24900);
  const charge = intent.latest_charge;
  assert.deepEqual(charge.metadata, { order: 'order-1' });
  assert.equal(charge.calculated_statement_descriptor, 'SHOP* SP1234ABCD');
  assert.equal(charge.payment_method_details.card.last4, '4242');
  assert.equal(charge.customer, null, 'a guest has no customer');

  assert.deepEqual(receiver.types().sort(), ['charge.succeeded', 'checkout.session.completed',
    'payment_intent.created', 'payment_intent.succeeded']);
  const settled = await until(() => receiver.events.find((one) => one.type === 'charge.updated'));
  assert.equal(charge.balance_transaction, null, 'at first there is none');
  const txn = await stripe.balanceTransactions.retrieve(settled.data.object.balance_transaction);
  assert.equal(txn.net, 24900 - txn.fee);
});

test('a paid session is not paid again, an expired one not at all', async (t) => {
  const { stripe, pay } = await open(t);
  const session = await stripe.checkout.sessions.create(asked());
  const both = await Promise.all([pay(session, { card: CARD }), pay(session, { card: CARD })]);
  assert.deepEqual(both.map((answer) => answer.status).sort(), [303, 409]);
  assert.equal((await stripe.charges.list()).data.length, 1);

  const other = await stripe.checkout.sessions.create(asked());
  const expired = await stripe.checkout.sessions.expire(other.id);
  assert.equal(expired.status, 'expired');
  assert.equal((await pay(other, { card: CARD })).status, 410);
  const error = await failure(stripe.checkout.sessions.expire(other.id));
  assert.equal(error.statusCode, 400);
});

test('declines keep the session open, and say why', async (t) => {
  const { stripe, pay } = await open(t);
  const session = await stripe.checkout.sessions.create(asked());
  for (const [tail, code, decline] of [['0002', 'card_declined', 'generic_decline'],
    ['9995', 'card_declined', 'insufficient_funds'], ['9987', 'card_declined', 'lost_card'],
    ['9979', 'card_declined', 'stolen_card'], ['0069', 'expired_card', undefined],
    ['0127', 'incorrect_cvc', undefined], ['0119', 'processing_error', undefined]]) {
    const answer = await pay(session, { card: `400000000000${tail}` });
    assert.equal(answer.status, 402);
    const { payment_intent: intent, status } = await stripe.checkout.sessions.retrieve(session.id,
      { expand: ['payment_intent'] });
    assert.equal(status, 'open');
    assert.equal(intent.status, 'requires_payment_method');
    assert.equal(intent.last_payment_error.code, code);
    assert.equal(intent.last_payment_error.decline_code, decline);
  }
  assert.equal((await pay(session, { card: '4100000000000019' })).status, 402);
  assert.equal((await pay(session, { card: CARD })).status, 303);
  const charges = await stripe.charges.list({ payment_intent:
    (await stripe.checkout.sessions.retrieve(session.id)).payment_intent });
  assert.equal(charges.data.length, 9);
  assert.equal(charges.data[1].outcome.type, 'blocked');
  assert.equal(charges.data.filter((one) => one.paid).length, 1);
  const events = await stripe.events.list({ types: ['charge.failed', 'payment_intent.payment_failed'],
    limit: 100 });
  assert.equal(events.data.length, 16);
});

test('3-D Secure: the money waits for the bank, for minutes if need be', async (t) => {
  const { stripe, pay, control, sandbox } = await open(t);
  for (const card of ['4000002760003184', '4000002500003155']) {
    const session = await stripe.checkout.sessions.create(asked());
    const answer = await pay(session, { card });
    assert.equal(answer.status, 303);
    const bank = new URL(answer.headers.get('location'), sandbox.url);
    assert.match(await (await fetch(bank)).text(), /Approve the payment/);
    await control('POST', 'clock', { advance_s: 2400 });
    const waiting = await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] });
    assert.equal(waiting.payment_intent.status, 'requires_action');
    const back = await pay({ url: bank }, { outcome: 'approve' });
    assert.equal(back.headers.get('location'), `http://shop.example/return?t=abc&s=${session.id}`);
  }
  const session = await stripe.checkout.sessions.create(asked());
  const bank = new URL((await pay(session, { card: '4000002760003184' })).headers.get('location'),
    sandbox.url);
  assert.equal((await pay({ url: bank }, { outcome: 'fail' })).status, 402);
  const poor = new URL((await pay(session, { card: '4000008260003178' })).headers.get('location'),
    sandbox.url);
  assert.equal((await pay({ url: poor }, { outcome: 'approve' })).status, 402);
  assert.equal((await stripe.charges.list()).data.filter((one) => one.paid).length, 2);
});

test('a bank debit completes unpaid and settles later, or fails', async (t) => {
  const { stripe, pay, control } = await open(t);
  for (const outcome of ['succeeded', 'failed']) {
    const session = await stripe.checkout.sessions.create(asked());
    assert.equal((await pay(session, { method: 'us_bank_account' })).status, 303);
    const open_ = await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] });
    assert.deepEqual([open_.status, open_.payment_status, open_.payment_intent.status],
      ['complete', 'unpaid', 'processing']);
    await control('POST', `payments/${open_.payment_intent.id}/settle`, { outcome });
    const end = await stripe.checkout.sessions.retrieve(session.id);
    assert.equal(end.payment_status, outcome === 'succeeded' ? 'paid' : 'unpaid');
    const { data: [event] } = await stripe.events.list({ type: `checkout.session.async_payment_${outcome}` });
    assert.equal(event.data.object.id, session.id);
  }
});

test('sessions expire by the sandbox clock and can be recovered', async (t) => {
  const { stripe, control, receiver, pay } = await open(t);
  const session = await stripe.checkout.sessions.create(
    asked({ after_expiration: { recovery: { enabled: true } } }));
  await control('POST', 'clock', { advance_s: 86400 });
  const expired = await stripe.checkout.sessions.retrieve(session.id);
  assert.equal(expired.status, 'expired');
  await until(() => receiver.types().includes('checkout.session.expired'));
  const answer = await fetch(expired.after_expiration.recovery.url, { redirect: 'manual' });
  const fresh = (await stripe.checkout.sessions.list({ status: 'open' })).data[0];
  assert.equal(fresh.recovered_from, session.id);
  assert.equal(answer.headers.get('location'), fresh.url);
  assert.equal((await pay(fresh, { card: CARD })).status, 303);
});

test('nothing due is paid without a card', async (t) => {
  const { stripe, pay } = await open(t);
  const free = asked({ line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 0,
    product_data: { name: 'Gift' } } }] });
  const session = await stripe.checkout.sessions.create(free);
  assert.equal((await pay(session, {})).status, 303);
  const done = await stripe.checkout.sessions.retrieve(session.id);
  assert.deepEqual([done.payment_status, done.payment_intent], ['no_payment_required', null]);
});

test('pages: newest first, both directions, has_more, filters', async (t) => {
  const { stripe, pay } = await open(t);
  const ids = [];
  for (let i = 0; i < 7; i++) {
    const session = await stripe.checkout.sessions.create(asked({ customer_email: `n${i}@example.com` }));
    ids.unshift(session.id);
    if (i < 3) {
      await pay(session, { card: CARD });
    }
  }
  const idsOf = (page) => page.data.map((one) => one.id);
  const first = await stripe.checkout.sessions.list({ limit: 3 });
  assert.deepEqual(idsOf(first), ids.slice(0, 3));
  assert.equal(first.has_more, true);
  const next = await stripe.checkout.sessions.list({ limit: 3, starting_after: ids[2] });
  assert.deepEqual(idsOf(next), ids.slice(3, 6));
  const back = await stripe.checkout.sessions.list({ limit: 2, ending_before: ids[5] });
  assert.deepEqual(idsOf(back), ids.slice(3, 5), 'the ones next to the cursor');
  assert.equal(back.has_more, true);
  const all = await stripe.checkout.sessions.list({ limit: 2 }).autoPagingToArray({ limit: 100 });
  assert.deepEqual(all.map((one) => one.id), ids);

  assert.equal((await stripe.checkout.sessions.list({ status: 'complete' })).data.length, 3);
  const by = await stripe.checkout.sessions.list({ customer_details: { email: 'n1@example.com' } });
  assert.deepEqual(idsOf(by), [ids[5]]);
  const { payment_intent: intent } = by.data[0];
  assert.deepEqual(idsOf(await stripe.checkout.sessions.list({ payment_intent: intent })), [ids[5]]);
  const later = Math.floor(Date.now() / 1000) + 60;
  assert.equal((await stripe.charges.list({ created: { gt: later } })).data.length, 0);
  assert.equal((await stripe.charges.list({ created: { lte: later } })).data.length, 3);
  const error = await failure(stripe.charges.list({ limit: 101 }));
  assert.equal(error.code, 'parameter_invalid_integer');
  assert.equal((await failure(stripe.charges.list({ starting_after: 'ch_none' }))).code, 'resource_missing');
});

test('idempotency keys keep the first answer, refusals included', async (t) => {
  const { stripe, control } = await open(t);
  const key = { idempotencyKey: 'order-1-try-1' };
  const first = await stripe.checkout.sessions.create(asked(), key);
  const again = await stripe.checkout.sessions.create(asked(), key);
  assert.equal(again.id, first.id);
  assert.equal(again.lastResponse.headers['idempotent-replayed'], 'true');
  assert.equal(again.lastResponse.headers['original-request'], first.lastResponse.requestId);
  assert.equal((await stripe.checkout.sessions.list()).data.length, 1);

  const other = await failure(stripe.checkout.sessions.create(asked({ client_reference_id: 'x' }), key));
  assert.equal(other.type, 'StripeIdempotencyError');
  assert.equal(other.statusCode, 400);

  const gone = await failure(stripe.refunds.create({ charge: 'ch_none' }, { idempotencyKey: 'r' }));
  assert.equal(gone.code, 'resource_missing');
  const replayed = await failure(stripe.refunds.create({ charge: 'ch_none' }, { idempotencyKey: 'r' }));
  assert.equal(replayed.headers['idempotent-replayed'], 'true', 'execution had begun');
  await failure(stripe.refunds.create({ charge: 'ch_none', amount: 'x' }, { idempotencyKey: 'v' }));
  const invalid = await failure(stripe.refunds.create({ charge: 'ch_none', amount: 'x' }, { idempotencyKey: 'v' }));
  assert.equal(invalid.headers['idempotent-replayed'], undefined, 'validation is not kept');

  await control('POST', 'clock', { advance_s: 86401 });
  const late = await stripe.checkout.sessions.create(asked(), key);
  assert.notEqual(late.id, first.id, 'after a day the key is new');
});

test('a key in progress is refused, not run twice', async (t) => {
  const { stripe, fault } = await open(t);
  await fault({ on: 'POST /v1/checkout/sessions', do: 'delay', when: 'before', ms: 300 });
  const key = { idempotencyKey: 'slow' };
  const slow = stripe.checkout.sessions.create(asked(), key);
  const error = await until(async () => {
    try {
      await stripe.checkout.sessions.create(asked(), key);
    } catch (refusal) {
      return refusal;
    }
    return null;
  });
  assert.equal(error.statusCode, 409);
  assert.equal(error.code, 'idempotency_key_in_use');
  assert.ok((await slow).id);
  assert.equal((await stripe.checkout.sessions.list()).data.length, 1);
});

test('errors are the provider\'s: status, type, code, param', async (t) => {
  const { stripe, sandbox } = await open(t);
  const { sessions } = stripe.checkout;
  const cases = [
    [sessions.retrieve('cs_test_none'), 404, 'resource_missing', 'session'],
    [sessions.create(asked({ colour: 'red' })), 400, 'parameter_unknown', 'colour'],
    [sessions.create(asked({ payment_intent_data: { colour: 'red' } })), 400, 'parameter_unknown',
      'payment_intent_data[colour]'],
    [sessions.create({ ...asked(), success_url: undefined }), 400, 'parameter_missing', 'success_url'],
    [sessions.create(asked({ success_url: 'shop' })), 400, 'url_invalid', 'success_url'],
    [sessions.create(asked({ customer_email: 'ana' })), 400, 'email_invalid', 'customer_email'],
    [sessions.create(asked({ line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 49,
      product_data: { name: 'x' } } }] })), 400, 'amount_too_small', 'line_items'],
    [sessions.create(asked({ line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: '1.5',
      product_data: { name: 'x' } } }] })), 400, 'parameter_invalid_integer',
    'line_items[0][price_data][unit_amount]'],
    [sessions.create(asked({ metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v'])) })),
      400, undefined, 'metadata'],
    [sessions.create(asked({ expires_at: Math.floor(Date.now() / 1000) + 60 })), 400, undefined, 'expires_at'],
    [sessions.create(asked({ payment_intent_data: { statement_descriptor_suffix: '12345' } })), 400,
      'parameter_invalid_string_blank', 'payment_intent_data[statement_descriptor_suffix]'],
    [stripe.refunds.create({}), 400, 'parameter_missing', 'payment_intent'],
  ];
  for (const [call, status, code, param] of cases) {
    const error = await failure(call);
    assert.deepEqual([error.statusCode, error.code, error.param, error.type],
      [status, code, param, 'StripeInvalidRequestError'], error.message);
    assert.match(error.requestId, /^req_/);
  }
  const answer = await fetch(`${sandbox.url}/v1/charges`, { headers: { Authorization: 'Bearer sk_test_x' } });
  assert.equal(answer.status, 401);
  assert.equal((await fetch(`${sandbox.url}/v1/charges`)).status, 401);
  const basic = await fetch(`${sandbox.url}/v1/charges`, { headers: {
    'Authorization': `Basic ${Buffer.from('sk_test_sandboxTest:').toString('base64')}`,
    'Stripe-Version': '2026-07-29.dahlia' } });
  assert.equal(basic.status, 200);
  assert.equal(basic.headers.get('stripe-version'), '2026-07-29.dahlia');
});

test('customers: exact e-mail with its capitals, several of one address', async (t) => {
  const { stripe } = await open(t);
  await stripe.customers.create({ email: 'Ana@example.com', name: 'Ana', metadata: { a: '1', b: '2' } });
  const second = await stripe.customers.create({ email: 'Ana@example.com' });
  assert.equal((await stripe.customers.list({ email: 'Ana@example.com' })).data.length, 2);
  assert.equal((await stripe.customers.list({ email: 'ana@example.com' })).data.length, 0);
  const updated = await stripe.customers.update(second.id, { metadata: { a: '1', b: '2' } });
  assert.deepEqual(updated.metadata, { a: '1', b: '2' });
  assert.deepEqual((await stripe.customers.update(second.id, { metadata: { a: '' } })).metadata, { b: '2' });
  assert.deepEqual((await stripe.customers.update(second.id, { metadata: '' })).metadata, {});
  assert.equal((await stripe.customers.del(second.id)).deleted, true);
  assert.equal((await stripe.customers.retrieve(second.id)).deleted, true);
  assert.equal((await stripe.customers.list({ email: 'Ana@example.com' })).data.length, 1);

  const session = await stripe.checkout.sessions.create(asked({ customer_creation: 'always' }));
  await fetch(session.url, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ card: CARD }) });
  const paid = await stripe.checkout.sessions.retrieve(session.id, { expand: ['customer'] });
  assert.equal(paid.customer.email, 'ana@example.com');
  assert.equal((await stripe.charges.list({ customer: paid.customer.id })).data.length, 1);
});

test('search finds by metadata, a little late', async (t) => {
  const { stripe, pay, control } = await open(t);
  await control('POST', 'settings', { search_lag_s: 30 }); /* one second may be over at once */
  const session = await stripe.checkout.sessions.create(asked());
  await pay(session, { card: CARD });
  const query = 'metadata["order"]:"order-1" AND status:"succeeded"';
  assert.equal((await stripe.paymentIntents.search({ query })).data.length, 0, 'not at once');
  await control('POST', 'clock', { advance_s: 60 });
  assert.equal((await stripe.paymentIntents.search({ query })).data.length, 1);
  assert.equal((await stripe.paymentIntents.search({ query: 'amount>24900' })).data.length, 0);
  assert.equal((await stripe.charges.search({ query: 'payment_method_details.card.last4:"4242"' })).data.length, 1);
  assert.equal((await failure(stripe.charges.search({ query: 'nonsense' }))).statusCode, 400);
});

test('refunds: all, in parts, never more than there is', async (t) => {
  const { stripe, pay, receiver } = await open(t);
  const session = await stripe.checkout.sessions.create(asked());
  await pay(session, { card: CARD });
  const { payment_intent: intent } = await stripe.checkout.sessions.retrieve(session.id);
  const part = await stripe.refunds.create({ payment_intent: intent, amount: 4900,
    reason: 'requested_by_customer', metadata: { ticket: '7' } });
  assert.deepEqual([part.status, part.amount, part.metadata.ticket], ['succeeded', 4900, '7']);
  assert.equal((await failure(stripe.refunds.create({ payment_intent: intent, amount: 20001 }))).param, 'amount');
  const rest = await stripe.refunds.create({ charge: part.charge });
  assert.equal(rest.amount, 20000);
  const charge = await stripe.charges.retrieve(part.charge, { expand: ['refunds'] });
  assert.deepEqual([charge.amount_refunded, charge.refunded, charge.refunds.data.length], [24900, true, 2]);
  const error = await failure(stripe.refunds.create({ payment_intent: intent }));
  assert.equal(error.code, 'charge_already_refunded');
  assert.equal((await stripe.refunds.list({ payment_intent: intent })).data.length, 2);
  await until(() => receiver.types().filter((type) => type === 'charge.refunded').length === 2);
  const event = receiver.events.find((one) => one.type === 'refund.created');
  assert.match(event.request.id, /^req_/, 'an event names the request that caused it');
});

test('refunds that wait, and refunds that fail after all', async (t) => {
  const { stripe, pay, control } = await open(t);
  const refundOf = async (card) => {
    const session = await stripe.checkout.sessions.create(asked());
    await pay(session, { card });
    const { payment_intent: intent } = await stripe.checkout.sessions.retrieve(session.id);
    return stripe.refunds.create({ payment_intent: intent });
  };
  const waits = await refundOf('4000000000007726');
  const fails = await refundOf('4000000000005126');
  assert.deepEqual([waits.status, fails.status], ['pending', 'succeeded']);
  await control('POST', 'clock', { advance_s: 3 * 86400 });
  assert.equal((await stripe.refunds.retrieve(waits.id)).status, 'succeeded');
  const failed = await stripe.refunds.retrieve(fails.id);
  assert.deepEqual([failed.status, typeof failed.failure_reason], ['failed', 'string']);
  assert.equal((await stripe.charges.retrieve(fails.charge)).amount_refunded, 0);
  assert.equal((await stripe.events.list({ type: 'refund.failed' })).data.length, 1);
});

test('disputes: opened by card or control, answered once, won or lost', async (t) => {
  const { stripe, pay, control } = await open(t);
  const bought = async (card) => {
    const session = await stripe.checkout.sessions.create(asked());
    await pay(session, { card });
    return (await stripe.checkout.sessions.retrieve(session.id)).payment_intent;
  };
  const disputeOf = (intent) => until(async () => (
    (await stripe.disputes.list({ payment_intent: intent })).data[0]));
  const dispute = await disputeOf(await bought('4000000000000259'));
  assert.deepEqual([dispute.reason, dispute.status], ['fraudulent', 'needs_response']);
  assert.equal((await failure(stripe.refunds.create({ charge: dispute.charge }))).code, 'charge_disputed');
  const staged = await stripe.disputes.update(dispute.id, { submit: false,
    evidence: { uncategorized_text: 'winning_evidence' } });
  assert.deepEqual([staged.status, staged.evidence_details.has_evidence], ['needs_response', true]);
  assert.equal((await stripe.disputes.update(dispute.id, { submit: true })).status, 'under_review');
  const again = failure(stripe.disputes.update(dispute.id, { evidence: { uncategorized_text: 'more' } }));
  assert.equal((await again).statusCode, 400, 'evidence goes in once');
  await until(async () => (await stripe.disputes.retrieve(dispute.id)).status === 'won');
  const types = (await stripe.events.list({ type: 'charge.dispute.*' })).data.map((one) => one.type);
  assert.deepEqual(types, ['charge.dispute.funds_reinstated', 'charge.dispute.closed',
    'charge.dispute.updated', 'charge.dispute.updated', 'charge.dispute.funds_withdrawn',
    'charge.dispute.created']);

  const inquiry = await disputeOf(await bought('4000000000001976'));
  assert.deepEqual([inquiry.status, inquiry.balance_transactions.length], ['warning_needs_response', 0]);
  assert.equal((await stripe.refunds.create({ charge: inquiry.charge })).status, 'succeeded');

  const made = await control('POST', 'disputes',
    { payment_intent: await bought(CARD), reason: 'duplicate' });
  assert.equal((await stripe.disputes.close(made.id)).status, 'lost');
  assert.equal((await failure(stripe.disputes.close(made.id))).statusCode, 400);
  assert.equal((await control('POST', `disputes/${made.id}/close`, { status: 'won' })).status, 'won',
    'the bank may overturn its decision');

  const warned = await bought('4000000000005423');
  await until(async () => (await stripe.radar.earlyFraudWarnings.list({ payment_intent: warned })).data[0]);
});

test('subscriptions: bought, renewed, failed, ended', async (t) => {
  const { stripe, pay, control, receiver } = await open(t);
  const session = await stripe.checkout.sessions.create(askedYearly());
  assert.equal((await pay(session, { card: '4000000000000002' })).status, 402);
  await pay(session, { card: CARD });
  const paid = await stripe.checkout.sessions.retrieve(session.id,
    { expand: ['subscription', 'invoice.payments', 'customer'] });
  assert.equal(paid.payment_intent, null, 'the invoice has it');
  assert.equal(paid.subscription.status, 'active');
  assert.deepEqual(paid.subscription.metadata, { order: 'order-2' });
  assert.equal(paid.customer.email, 'ana@example.com');
  const { payment_intent: intent } = paid.invoice.payments.data[0].payment;
  const [{ invoice }] = (await stripe.invoicePayments.list(
    { payment: { type: 'payment_intent', payment_intent: intent } })).data;
  assert.equal(invoice, paid.invoice.id);
  const order = (await stripe.events.list({ limit: 100 })).data.reverse().map((one) => one.type)
    .filter((type) => !/^payment_intent.created|failed$/.test(type));
  assert.deepEqual(order.slice(0, 10), ['customer.created', 'invoice.created', 'invoice.finalized',
    'charge.succeeded', 'payment_intent.succeeded', 'customer.subscription.created', 'invoice.paid',
    'invoice.payment_succeeded', 'checkout.session.completed', 'customer.subscription.updated']);

  const item = paid.subscription.items.data[0];
  const renewal = await control('POST', `subscriptions/${paid.subscription.id}/renew`, { outcome: 'paid' });
  assert.equal(renewal.billing_reason, 'subscription_cycle');
  const longer = await stripe.subscriptions.retrieve(paid.subscription.id);
  assert.equal(longer.items.data[0].current_period_start, item.current_period_end);
  await control('POST', `subscriptions/${paid.subscription.id}/renew`, { outcome: 'failed' });
  assert.equal((await stripe.subscriptions.retrieve(paid.subscription.id)).status, 'past_due');
  await until(() => receiver.types().includes('invoice.payment_failed'));

  const later = await stripe.subscriptions.update(paid.subscription.id, { cancel_at_period_end: true });
  assert.ok(later.cancel_at > later.created);
  await stripe.subscriptions.cancel(paid.subscription.id);
  assert.equal((await stripe.subscriptions.list()).data.length, 0, 'ended ones are hidden');
  assert.equal((await stripe.subscriptions.list({ status: 'all' })).data.length, 1);

  const trial = await stripe.checkout.sessions.create(askedYearly(
    { subscription_data: { trial_period_days: 14 } }));
  await pay(trial, { card: CARD });
  const tried = await stripe.checkout.sessions.retrieve(trial.id, { expand: ['subscription'] });
  assert.deepEqual([tried.payment_status, tried.subscription.status], ['no_payment_required', 'trialing']);
});

test('intents by hand: manual capture, declines as 402, cancellation', async (t) => {
  const { stripe } = await open(t);
  const base = { amount: 2000, currency: 'usd', confirm: true };
  const held = await stripe.paymentIntents.create({ ...base, capture_method: 'manual', payment_method: 'pm_card_visa' });
  assert.deepEqual([held.status, held.amount_capturable], ['requires_capture', 2000]);
  assert.equal((await stripe.paymentIntents.capture(held.id, { amount_to_capture: 1500 })).amount_received, 1500);
  const error = await failure(stripe.paymentIntents.create({ ...base, payment_method: 'pm_card_chargeDeclined' }));
  assert.deepEqual([error.statusCode, error.type, error.decline_code, error.payment_intent.status],
    [402, 'StripeCardError', 'generic_decline', 'requires_payment_method']);
  const loose = await stripe.paymentIntents.create({ amount: 2000, currency: 'usd' });
  assert.equal((await stripe.paymentIntents.cancel(loose.id)).status, 'canceled');
  assert.equal((await failure(stripe.paymentIntents.cancel(loose.id))).code, 'payment_intent_unexpected_state');
});

test('a page with manual capture: reserved and unpaid, then paid; released counts as refunded', async (t) => {
  const { stripe, pay, control } = await open(t);
  const manual = () => asked({ payment_intent_data: { capture_method: 'manual' } });
  const session = await stripe.checkout.sessions.create(manual());
  await pay(session, { card: CARD });
  const held = await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent.latest_charge'] });
  const { payment_intent: intent } = held;
  assert.deepEqual([held.status, held.payment_status, intent.status, intent.amount_capturable, intent.amount_received],
    ['complete', 'unpaid', 'requires_capture', held.amount_total, 0]);
  const { captured, status, payment_method_details: { card } } = intent.latest_charge;
  assert.deepEqual([captured, status], [false, 'succeeded']);
  assert.ok(Math.abs(card.capture_before - intent.created - 7 * 86400) < 60);
  assert.equal((await stripe.paymentIntents.capture(intent.id)).status, 'succeeded');
  assert.equal((await failure(stripe.paymentIntents.capture(intent.id))).code, 'payment_intent_unexpected_state', 'once');
  assert.equal((await stripe.checkout.sessions.retrieve(session.id)).payment_status, 'paid');
  const types = async (id) => (await stripe.events.list({ limit: 100 })).data
    .filter((one) => [one.data.object.id, one.data.object.payment_intent].includes(id)).map((one) => one.type);
  for (const type of ['payment_intent.amount_capturable_updated', 'charge.captured', 'payment_intent.succeeded']) {
    assert.ok((await types(intent.id)).includes(type), type);
  }

  const open2 = await stripe.checkout.sessions.create(manual());
  await pay(open2, { card: '4000000000000002' });
  const refused = (await stripe.checkout.sessions.retrieve(open2.id)).payment_intent;
  assert.equal((await failure(stripe.paymentIntents.cancel(refused))).statusCode, 400, 'an open page is expired, not its payment cancelled');
  await pay(open2, { card: CARD });
  assert.equal((await stripe.paymentIntents.cancel(refused)).status, 'canceled');
  const [gone] = (await stripe.charges.list({ payment_intent: refused, limit: 1 })).data;
  assert.deepEqual([gone.captured, gone.refunded, gone.amount_refunded], [false, true, gone.amount]);
  assert.equal((await stripe.refunds.list({ charge: gone.id })).data.length, 0);

  const late = await stripe.checkout.sessions.create(manual());
  await pay(late, { card: CARD });
  await control('POST', 'clock', { advance_s: 7 * 86400 + 60 });
  const ended = await stripe.checkout.sessions.retrieve(late.id, { expand: ['payment_intent'] });
  assert.deepEqual([ended.payment_intent.status, ended.payment_intent.cancellation_reason], ['canceled', 'automatic']);
  assert.ok((await types(ended.payment_intent.id)).includes('charge.expired'));
});

test('intents by hand: the bank asks, its customer answers', async (t) => {
  const { stripe } = await open(t);
  const base = { amount: 2000, currency: 'usd', payment_method: 'pm_card_authenticationRequired' };
  const answer = (url, outcome) => fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ outcome }) });
  const begun = await stripe.paymentIntents.create(base);
  const asked3 = await stripe.paymentIntents.confirm(begun.id, { return_url: 'http://127.0.0.1/back?t=1' });
  const { type, redirect_to_url: to } = asked3.next_action;
  assert.deepEqual([asked3.status, type, to.return_url], ['requires_action', 'redirect_to_url', 'http://127.0.0.1/back?t=1']);
  assert.equal((await fetch(to.url)).status, 200);
  const back = new URL((await answer(to.url, 'approve')).headers.get('location'));
  assert.deepEqual([back.searchParams.get('t'), back.searchParams.get('payment_intent'), back.searchParams.get('redirect_status')],
    ['1', begun.id, 'succeeded']);
  assert.equal((await stripe.paymentIntents.retrieve(begun.id)).status, 'succeeded');
  assert.equal((await answer(to.url, 'approve')).status, 404, 'once');

  const other = await stripe.paymentIntents.create({ ...base, confirm: true, return_url: 'http://127.0.0.1/back' });
  await answer(other.next_action.redirect_to_url.url, 'fail');
  const failed = await stripe.paymentIntents.retrieve(other.id);
  assert.deepEqual([failed.status, failed.last_payment_error.code], ['requires_payment_method', 'payment_intent_authentication_failure']);
  assert.equal((await stripe.paymentIntents.confirm(other.id, { payment_method: 'pm_card_visa' })).status, 'succeeded');
  const script = await stripe.paymentIntents.create({ ...base, confirm: true });
  assert.equal(script.next_action.type, 'use_stripe_sdk', 'without an address to come back to');
  const debit = await stripe.paymentIntents.create({ ...base, confirm: true, payment_method: 'pm_usBankAccount_success' });
  assert.equal(debit.status, 'processing');
});

test('prices, products and test clocks', async (t) => {
  const { stripe } = await open(t);
  const price = await stripe.prices.create({ currency: 'eur', unit_amount: 1999, product_data: { name: 'Year' },
    recurring: { interval: 'year' } });
  assert.equal((await stripe.products.retrieve(price.product)).name, 'Year');
  const session = await stripe.checkout.sessions.create({ ...askedYearly(), line_items: [{ price: price.id, quantity: 2 }] });
  assert.deepEqual([session.amount_total, session.currency], [3998, 'eur']);
  assert.equal((await stripe.checkout.sessions.listLineItems(session.id)).data[0].price.id, price.id);
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: 1_800_000_000 });
  const moved = await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: 1_800_000_100 });
  assert.equal(moved.status, 'ready');
});

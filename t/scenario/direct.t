#!/usr/bin/env -S node --test-reporter=tap
// POST /subscribe: the owner's own page asks for the card, and whoever paid gets access as
// surely as through the payment page, whatever dies in between.
'use strict';
const crypto = require('node:crypto');
const { SubPay, test, assert } = require('../lib/subpay.js');
const invariants = require('../lib/invariants.js');

const t = SubPay.use({ settings: { SubPayProviderTimeout: '2s', SubPayReconcileInterval: '1s', SubPayRateLimit: 'checkout 0' } });

const uuid = () => crypto.randomUUID();
const ask = (email, method, more = {}) => ({ email, name: 'Ana', product: 'annual', payment_method: method, ...more });
const subscribe = (email, method, more) => t.post('/subscribe', { json: ask(email, method, more), headers: { Accept: 'application/json' } });
const intents = async (reference) => (await t.stripe.paymentIntents.list({ limit: 100 })).data
  .filter((one) => one.metadata.subpay_reference === reference);
const answerBank = async (intent, outcome) => fetch(intent.next_action.redirect_to_url.url,
  { method: 'POST', redirect: 'manual', body: new URLSearchParams({ outcome }) });
const referenceOf = (email) => t.value('select reference from orders where email = $1', [email]);
async function sound() {
  const { left } = await invariants.quiet(t, { within: 20_000, hurry: true });
  assert.deepEqual(left, []);
  assert.deepEqual(await invariants.violations(t), []);
}

test('a good card: access in the same answer, one payment, one mail', async () => {
  const answer = await subscribe('ana@example.com', 'pm_card_visa');
  assert.equal(answer.status, 200, answer.text);
  const { reference, token, status, return_url: url, ...rest } = answer.json;
  assert.deepEqual([status, rest], ['paid', {}]);
  assert.match(token, /^[0-9a-f]{32}$/);
  assert.equal(await t.order(reference).state, 'completed');
  const [intent, ...more] = await intents(reference);
  assert.deepEqual([intent.status, intent.amount, intent.currency, more.length], ['succeeded', 24900, 'usd', 0]);
  assert.deepEqual(Object.keys(intent.metadata).sort(), ['subpay_amount', 'subpay_credits', 'subpay_email', 'subpay_order',
    'subpay_period', 'subpay_product', 'subpay_reference', 'subpay_site', 'subpay_token'], 'the whole snapshot travels');
  const requests = await t.sandbox.requests();
  const begun = requests.find(({ method, path }) => method === 'POST' && path === '/v1/payment_intents');
  assert.match(begun.idempotency_key, /^payment-[0-9a-f-]{36}$/);
  assert.match((await t.get(new URL(url).pathname + new URL(url).search)).text, /You have access/);
  assert.equal((await t.mailsBecome('ana@example.com')).length, 1);
  await sound();
});

test('a form without script goes to the return page', async () => {
  const browser = t.browser();
  const answer = await browser.post('/subscribe', { form: ask('form@example.com', 'pm_card_visa') });
  assert.equal(answer.status, 303);
  assert.match(answer.location, /\/return\?t=/);
  assert.match((await browser.get(answer.location)).text, /We received your payment/);
});

test('the bank wants to see the customer: the secret, then access by any road', async () => {
  const answer = await subscribe('sca@example.com', 'pm_card_authenticationRequired');
  assert.equal(answer.status, 200);
  const { reference, status, client_secret: secret } = answer.json;
  assert.equal(status, 'requires_action');
  const [intent] = await intents(reference);
  assert.equal(secret, intent.client_secret);
  assert.equal(await t.order(reference).state, 'pending');
  assert.equal(await t.value("select count(*)::int from provider_events where fact::text like '%_secret_%'"), 0, 'it is kept nowhere');
  const back = await answerBank(intent, 'approve');
  assert.equal(back.status, 303);
  assert.match(back.headers.get('location'), /\/return\?t=[0-9a-f]{32}.*redirect_status=succeeded/);
  await t.order(reference).becomes('completed', { within: 5000 });
  await sound();
});

test('refused at the bank: not charged, and another method may follow', async () => {
  const key = uuid();
  const first = await subscribe('refuse@example.com', 'pm_card_authenticationRequired', { form_key: key });
  const [intent] = await intents(first.json.reference);
  await answerBank(intent, 'fail');
  const again = await subscribe('refuse@example.com', 'pm_card_mastercard', { form_key: key });
  assert.deepEqual([again.status, again.json.status, again.json.reference], [200, 'paid', first.json.reference]);
  assert.equal((await intents(first.json.reference)).length, 1, 'the same payment');
  await sound();
});

test('declined: 402, true, and the same form with another card pays once', async () => {
  const key = uuid();
  const no = await subscribe('no@example.com', 'pm_card_chargeDeclinedInsufficientFunds', { form_key: key });
  assert.equal(no.status, 402);
  assert.deepEqual(Object.keys(no.json.error).sort(), ['code', 'message', 'reference']);
  assert.equal(no.json.error.code, 'declined');
  assert.match(no.json.error.message, /You have not been charged/);
  assert.doesNotMatch(no.text, /insufficient/i, 'nobody is told what the bank thinks of them');
  const { reference } = no.json.error;
  assert.equal((await t.order(reference).row).failure, 'insufficient_funds', 'support is');
  const same = await subscribe('no@example.com', 'pm_card_chargeDeclined', { form_key: key });
  assert.equal(same.status, 402);
  const yes = await subscribe('no@example.com', 'pm_card_visa', { form_key: key });
  assert.deepEqual([yes.status, yes.json.status, yes.json.reference], [200, 'paid', reference]);
  const once = await subscribe('no@example.com', 'pm_card_visa', { form_key: key });
  assert.deepEqual([once.status, once.json.status], [200, 'paid']);
  assert.equal((await intents(reference)).length, 1);
  await sound();
});

test('the answer to the payment is lost: "checking", never "declined"; the sweep brings it', async () => {
  await t.sandbox.webhooks('off');
  await t.sandbox.fault({ on: 'POST /v1/payment_intents/*/confirm', do: 'drop_reply', times: 'always' });
  t.allowLog('SP0401');
  const answer = await subscribe('lost@example.com', 'pm_card_visa');
  assert.deepEqual([answer.status, answer.json.status], [202, 'checking']);
  assert.equal(answer.json.client_secret, undefined);
  await t.sandbox.clearFaults();
  await t.sql("update orders set next_ask_at = now() where state = 'pending'");
  await t.order(answer.json.reference).becomes('completed', { within: 10_000 });
  assert.equal((await intents(answer.json.reference)).filter((one) => one.status === 'succeeded').length, 1);
  await t.sandbox.webhooks('on');
  await sound();
});

test('the same, and the customer sends the form again: one payment', async () => {
  await t.sandbox.webhooks('off');
  const key = uuid();
  await t.sandbox.fault({ on: 'POST /v1/payment_intents/*/confirm', do: 'drop_reply', times: 'always' });
  const first = await subscribe('twice@example.com', 'pm_card_visa', { form_key: key });
  assert.equal(first.status, 202);
  await t.sandbox.clearFaults();
  const again = await subscribe('twice@example.com', 'pm_card_visa', { form_key: key });
  assert.deepEqual([again.status, again.json.status], [200, 'paid']);
  assert.equal((await intents(first.json.reference)).length, 1);
  await t.sandbox.webhooks('on');
  await sound();
});

test('httpd dies as the money moves, and nothing else ever tells: access within seconds of its return', async () => {
  await t.sandbox.webhooks('off');
  await t.sandbox.fault({ on: 'POST /v1/payment_intents/*/confirm', do: 'kill', pids: t.httpd.pids() });
  await subscribe('crash@example.com', 'pm_card_visa').catch(() => {});
  const reference = await t.until(() => referenceOf('crash@example.com'));
  assert.equal(await t.order(reference).state, 'pending', 'the intent outlived the crash');
  await t.httpd.start();
  await t.order(reference).becomes('completed', { within: 10_000 });
  await t.sandbox.webhooks('on');
  await sound();
});

test('it dies before the payment\'s id is stored: nobody was charged, and the form pays once', async () => {
  await t.sandbox.webhooks('off');
  const key = uuid();
  await t.sandbox.fault({ on: 'POST /v1/payment_intents', do: 'kill', pids: t.httpd.pids() });
  await subscribe('begun@example.com', 'pm_card_visa', { form_key: key }).catch(() => {});
  const reference = await t.until(() => referenceOf('begun@example.com'));
  assert.equal((await t.order(reference).row).checkout_id, null, 'the id was lost');
  await t.httpd.start();
  assert.deepEqual((await intents(reference)).map(({ status }) => status), ['requires_payment_method']);
  const again = await subscribe('begun@example.com', 'pm_card_visa', { form_key: key });
  assert.deepEqual([again.status, again.json.status, again.json.reference], [200, 'paid', reference]);
  assert.equal((await intents(reference)).length, 1);
  await t.sandbox.webhooks('on');
  await sound();
});

test('the id is gone from our books, money moved, no webhook: found in the provider\'s list', async () => {
  await t.sandbox.webhooks('off');
  const answer = await subscribe('lostid@example.com', 'pm_card_authenticationRequired');
  const { reference } = answer.json;
  await t.sql('update orders set checkout_id = null where reference = $1', [reference]);
  /* neither events nor charges tell of it: our open order alone asks */
  await t.sandbox.fault(['events', 'charges'].map((list) => ({ on: `GET /v1/${list}`, do: 'status', status: 500, times: 'always' })));
  t.allowLog('SP0401', 'SP0712');
  await answerBank((await intents(reference))[0], 'approve');
  await t.sql("update orders set next_ask_at = now(), created_at = created_at - interval '3 min' where reference = $1", [reference]);
  await t.order(reference).becomes('completed', { within: 30_000 });
  await t.sandbox.clearFaults();
  await t.sandbox.webhooks('on');
  await sound();
});

test('a bank debit takes days: processing now, access when it comes, an end when it does not', async () => {
  for (const outcome of ['succeeded', 'failed']) {
    const answer = await subscribe(`debit-${outcome}@example.com`, 'pm_usBankAccount_success');
    const { reference } = answer.json;
    assert.deepEqual([answer.status, answer.json.status], [200, 'processing']);
    const row = await t.order(reference).row;
    assert.deepEqual([row.state, row.processing], ['pending', true]);
    const [intent] = await intents(reference);
    await t.sandbox.control('POST', `payments/${intent.id}/settle`, { outcome });
    if (outcome === 'succeeded') {
      await t.order(reference).becomes('completed', { within: 5000 });
    } else {
      await t.until(async () => !(await t.order(reference).row).processing, { within: 15_000, what: 'no longer on its way' }); // the event asks for a look of the open orders, which is each five seconds
      assert.match((await t.get(new URL(answer.json.return_url).pathname + new URL(answer.json.return_url).search)).text, /You have not been charged/);
      assert.deepEqual(await t.order(reference).subscriptions, []);
    }
  }
  await sound();
});

test('given up: closed when its time is over, and never asked about again', async () => {
  const no = await subscribe('gone@example.com', 'pm_card_chargeDeclined');
  const { reference } = no.json.error;
  await t.sandbox.webhooks('off');
  await t.sql(`update orders set created_at = created_at - interval '25 h', checkout_expires_at = now() - interval '1 h',
    next_ask_at = now() where reference = $1`, [reference]);
  await t.order(reference).becomes('expired', { within: 10_000 });
  assert.equal((await intents(reference))[0].status, 'canceled');
  await t.sandbox.webhooks('on');
  await t.sql("update orders set created_at = created_at - interval '2 days', checkout_expires_at = now() - interval '3 days', next_ask_at = now() where reference = $1", [reference]);
  await t.until(async () => (await t.order(reference).row).next_ask_at === null, { within: 10_000, what: 'nothing left to ask' });
  await sound();
});

test('while new payments are paused nothing is begun', async () => {
  await t.sql('insert into switches (name, "on", by, why) values (\'checkout_paused\', true, \'tester\', \'a test\')');
  const answer = await subscribe('paused@example.com', 'pm_card_visa');
  assert.equal(answer.status, 503);
  assert.equal(answer.json.error.code, 'paused');
  assert.equal(answer.headers['retry-after'], '300', 'a pause is longer than a busy moment');
  assert.equal(await referenceOf('paused@example.com'), undefined);
  await t.sql("delete from switches where name = 'checkout_paused'");
});

test('what cannot be: no method, no plan, a bad address, an unknown method, the other road\'s form', async () => {
  for (const [body, status, code] of [
    [ask('x@example.com', undefined), 400, 'bad_method'],
    [ask('x@example.com', 'pm_1/../../refunds'), 400, 'bad_method'],
    [ask('x@example.com', 'pm_card_visa', { product: undefined }), 400, 'no_product'],
    [ask('x@example.com', 'pm_card_visa', { product: 'gold' }), 404, 'no_such_product'],
    [ask('not an address', 'pm_card_visa'), 400, 'bad_email'],
  ]) {
    const answer = await t.post('/subscribe', { json: body, headers: { Accept: 'application/json' } });
    assert.deepEqual([answer.status, answer.json.error.code], [status, code]);
  }
  assert.equal(await t.value("select count(*)::int from orders where email = 'x@example.com'"), 0);
  t.allowLog('SP0403');
  const none = await subscribe('y@example.com', 'pm_none');
  assert.deepEqual([none.status, none.json.error.code], [402, 'bad_method']);
  const key = uuid();
  const page = await t.post('/checkout', { json: ask('z@example.com', undefined, { form_key: key }), headers: { Accept: 'application/json' } });
  assert.match(page.json.checkout_url, /\/pay\//);
  const other = await subscribe('z@example.com', 'pm_card_visa', { form_key: key });
  assert.deepEqual([other.status, other.json.error.code], [409, 'has_page']);
  await sound();
});

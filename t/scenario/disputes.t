#!/usr/bin/env -S node --test-reporter=tap
// A bank questions a payment: a deadline, one letter, one answer; access follows what it decides.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use({
  settings: {
    SubPayReconcileInterval: '1s', SubPayProviderTimeout: '2s', SubPayRateLimit: 'checkout 0',
    SubPayRefundPolicy: '"Money back within 14 days, whatever the reason."',
  },
  products: { annual: { Title: 'Annual plan', Price: '249.00 USD', Period: '1y', Credits: 10 } },
});

const JSON_ONLY = { Accept: 'application/json' };
/* Generous: a busy machine takes its time, and nothing waits that need not. */
const until = (ask, more) => t.until(ask, { within: 30_000, ...more });
const mailsBecome = (to, count) => t.mailsBecome(to, count, { within: 30_000 });
const look = (where) => t.get('/admin' + where, { auth: t.admin });
const twin = async (where) => (await t.get('/admin' + where, { auth: t.admin, headers: JSON_ONLY })).json;
/* The form as it is drawn now, to be sent later. */
async function draw(reference, action) {
  const where = `/orders/${reference}/${action}`;
  const page = await look(where);
  const hidden = Object.fromEntries([...page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  return (more = {}) => t.post('/admin' + where, { auth: t.admin, form: { ...hidden, reason: 'a test', ...more } });
}
const press = async (reference, action, more) => (await draw(reference, action))(more);
const paid = async (email, options) => {
  const bought = await t.buy('annual', email, options);
  await t.order(bought.reference).becomes('completed', { within: 30_000 });
  return bought;
};
const intentOf = async (reference) => (await t.stripe.paymentIntents.list({ limit: 100 })).data
  .find((one) => one.metadata.subpay_reference === reference);
const disputed = async (email, more = {}) => {
  const bought = await paid(email);
  const intent = await intentOf(bought.reference);
  const dispute = await t.sandbox.control('POST', 'disputes', { payment_intent: intent.id, reason: 'product_not_received', ...more });
  await until(async () => (await t.value('select count(*)::int from disputes where dispute_id = $1', [dispute.id])) === 1);
  return { ...bought, intent: intent.id, dispute: dispute.id };
};
const status = async (reference) => (await t.order(reference).subscriptions)[0].status;
const credits = (email) => t.value('select credits::int from accounts where email = $1', [email]);
const becomes = (reference, wanted) => until(async () => (await status(reference)) === wanted, { within: 60_000, what: wanted });
const ticket = (id) => t.value("select state from tickets where dedupe_key = 'dispute:' || $1", [id]);
const answers = async (id) => (await t.sandbox.requests()).filter(({ method, path }) => method === 'POST' && path.startsWith('/v1/disputes/' + id));
/* It is an hour since the provider said how this one stands. */
const hourGoesBy = (id) => t.sql("update disputes set asked_at = now() - interval '61 min' where dispute_id = $1", [id]);

test('a deadline, one letter; no refund by anybody; access stays while it is open', async () => {
  const { reference, dispute, intent } = await disputed('open@example.com');
  const mails = await mailsBecome('open@example.com', 2);
  assert.match(mails[1].subject, /About your bank's question on 249\.00 USD/);
  assert.match(mails[1].text, /That is your right/);
  assert.equal(await status(reference), 'active');
  const due = (await t.stripe.disputes.retrieve(dispute)).evidence_details.due_by;
  const [row] = await t.sql("select state, extract(epoch from due_at)::int as due from tickets where dedupe_key = 'dispute:' || $1", [dispute]);
  assert.ok(row.state === 'open' && row.due <= due);
  assert.equal((await press(reference, 'refund')).status, 409);
  assert.match((await look(`/orders/${reference}`)).text, /<title>disputed: /);
  for (const { id } of (await t.stripe.events.list({ limit: 10, type: 'charge.dispute.*' })).data) {
    await t.sandbox.control('POST', `events/${id}/resend`, {});
  }
  await t.subpayctl('reconcile', '--since', '1h');
  assert.equal((await t.mails('open@example.com')).length, 2, 'one letter, on whatever road it comes');
  assert.equal((await t.stripe.refunds.list({ payment_intent: intent })).data.length, 0);
});

test('the evidence: what was sold, written, used; sent once at a press, and won', async () => {
  const browser = t.browser();
  const bought = await t.buy('annual', 'used@example.com', { browser });
  await t.order(bought.reference).becomes('completed');
  const token = new URL(bought.return_url).searchParams.get('t');
  assert.equal((await browser.post('/password', { form: { t: token, password: 'a long good one' } })).status, 200);
  for (let n = 0; n < 3; n++) assert.equal((await browser.get('/members/')).status, 200);
  await until(async () => (await t.value('select count(*)::int from account_days where used_at is not null')) === 1);
  await mailsBecome('used@example.com', 1);
  const intent = await intentOf(bought.reference);
  const { id } = await t.sandbox.control('POST', 'disputes', { payment_intent: intent.id, reason: 'fraudulent' });
  await until(async () => (await ticket(id)) === 'open');

  const where = `/orders/${bought.reference}/evidence`;
  const page = await look(where);
  assert.equal(page.status, 200);
  for (const part of ['used@example.com', 'Annual plan', 'Money back within 14 days', 'Customer used what was bought',
    'confirmation of the order', 'Access opened', 'Customer logged in 1 time', 'Send this to the bank']) assert.ok(page.text.includes(part), part);
  const { evidence } = await twin(where);
  assert.equal(evidence.dispute.dispute_id, id);
  assert.match(evidence.log, /Paid 249\.00 USD/);
  assert.equal((await t.post('/admin' + where, { auth: t.admin, form: { message: 'x' } })).status, 403, 'no answer without a token');
  assert.equal((await answers(id)).length, 0, 'looking sends nothing');

  const [first, second] = [await draw(bought.reference, 'evidence'), await draw(bought.reference, 'evidence')];
  assert.match((await first({ message: 'winning_evidence' })).location, /done=answering/);
  assert.match((await first({ message: 'winning_evidence' })).location, /done=answering/, 'a double click');
  assert.equal((await second({ message: 'again' })).status, 409, 'it goes there once');
  await until(async () => (await t.stripe.disputes.retrieve(id)).evidence_details.submission_count === 1);
  const sent = (await t.stripe.disputes.retrieve(id)).evidence;
  assert.equal(sent.uncategorized_text, 'winning_evidence');
  assert.match(sent.access_activity_log, /Customer used what was bought/);
  assert.match(sent.refund_policy_disclosure, /14 days/);
  assert.equal(sent.customer_email_address, 'used@example.com');
  await until(async () => (await t.value('select status from disputes where dispute_id = $1', [id])) === 'won', { within: 30_000 });
  assert.deepEqual([await status(bought.reference), await ticket(id)], ['active', 'solved']);
  assert.deepEqual(await t.sql("select actor, reason from audit where action = 'support.dispute_evidence'"), [{ actor: 'support', reason: 'a test' }]);
  assert.equal((await press(bought.reference, 'refund', { amount: '10.00' })).status, 303, 'a dispute that is won forbids no refund');
  await until(async () => (await t.stripe.refunds.list({ payment_intent: intent.id })).data.length === 1, { within: 30_000 });
});

test('the answer of the provider is lost: asked for, not assumed, and not sent twice', async () => {
  const { reference, dispute } = await disputed('lost@example.com');
  await t.sandbox.fault({ on: 'POST /v1/disputes/*', do: 'drop_reply', times: 'always' });
  t.allowLog('SP0401', 'SP0352');
  await press(reference, 'evidence');
  await until(async () => (await t.value("select count(*)::int from outbox where kind = 'dispute' and state = 'pending' and last_error is not null")) === 1, { within: 30_000 });
  assert.match((await look(`/orders/${reference}`)).text, /not known yet whether the bank has it/);
  const before = (await answers(dispute)).length;
  await t.sandbox.clearFaults();
  await t.sandbox.control('DELETE', 'idempotency');
  await t.sql("update outbox set next_try_at = now() where kind = 'dispute' and state = 'pending'");
  await until(async () => (await t.value("select count(*)::int from outbox where kind = 'dispute' and state = 'sent' and order_id = (select id from orders where reference = $1)", [reference])) === 1, { within: 30_000 });
  assert.equal((await t.stripe.disputes.retrieve(dispute)).evidence_details.submission_count, 1);
  assert.equal((await answers(dispute)).length, before, 'it was looked at, not sent again');
});

test('answered in the dashboard meanwhile: not again, and the person hears', async () => {
  const { reference, dispute } = await disputed('elsewhere@example.com');
  await t.sandbox.webhooks('off');
  await t.sandbox.fault({ on: 'GET /v1/events', do: 'status', status: 500, times: 'always' });
  await t.stripe.disputes.update(dispute, { evidence: { uncategorized_text: 'ours' }, submit: true });
  t.allowLog('SP0351', 'SP0401', 'SP0712', 'SP0713');
  const pressed = await press(reference, 'evidence');
  assert.ok([303, 409].includes(pressed.status), `${pressed.status}: ${pressed.text}`);
  if (pressed.status === 303) {
    await until(async () => (await t.value("select count(*)::int from outbox where kind = 'dispute' and state = 'dead'")) === 1, { within: 30_000 });
  }
  assert.equal((await t.stripe.disputes.retrieve(dispute)).evidence_details.submission_count, 1);
  await t.sandbox.clearFaults();
  await t.sandbox.webhooks('on');
});

test('the customer wants the money: agree with the bank, once; access ends, nothing is refunded', async () => {
  const { reference, dispute, intent } = await disputed('accept@example.com');
  assert.match((await look(`/orders/${reference}/accept`)).text, /the dispute is lost, and access ends/);
  const [first, second] = [await draw(reference, 'accept'), await draw(reference, 'accept')];
  assert.match((await first()).location, /done=accepting/);
  await becomes(reference, 'suspended');
  assert.equal(await credits('accept@example.com'), 0);
  assert.equal((await t.stripe.disputes.retrieve(dispute)).status, 'lost');
  assert.equal((await t.stripe.refunds.list({ payment_intent: intent })).data.length, 0);
  assert.equal((await second()).status, 409);
  assert.equal((await answers(dispute)).length, 1);
});

test('lost, and then won after all: access and credits go and come', async () => {
  const { reference, dispute } = await disputed('flip@example.com');
  await t.sandbox.control('POST', `disputes/${dispute}/close`, { status: 'lost' });
  await becomes(reference, 'suspended');
  assert.equal(await credits('flip@example.com'), 0);
  /* A bank's second word comes in another second than its first. */
  await t.sandbox.clock(2);
  await t.sandbox.control('POST', `disputes/${dispute}/close`, { status: 'won' });
  await becomes(reference, 'active');
  assert.equal(await credits('flip@example.com'), 10);
});

test('access that waits for the bank: the letter says so, in either language, and opens nothing', async () => {
  const shop = await SubPay.start({ settings: { SubPayReconcileInterval: '1s', SubPayDisputeAccess: 'suspend' } });
  for (const [lang, waits] of [['en', "Your access waits for your bank's answer."], ['de', 'Ihr Zugang wartet auf die Antwort Ihrer Bank.']]) {
    const email = `waits-${lang}@example.com`;
    const { reference } = await shop.buy('annual', email);
    await shop.order(reference).becomes('completed', { within: 30_000 });
    await shop.mailsBecome(email, 1, { within: 30_000 });
    await shop.sql("update orders set lang = $1 where reference = $2", [lang, reference]);
    const payment = await shop.value('select payment_id from orders where reference = $1', [reference]);
    await shop.sandbox.control('POST', 'disputes', { payment_intent: payment, reason: 'product_not_received' });
    const letter = (await shop.mailsBecome(email, 2, { within: 30_000 }))[1];
    assert.equal((await shop.order(reference).subscriptions)[0].status, 'suspended');
    for (const said of [letter.text, letter.html.replace(/&#39;|&#x27;/g, "'")]) {
      assert.ok(said.includes(waits), said);
      assert.doesNotMatch(said, /could not get in|Start (here|using)|hineinkamen|Beginnen Sie|öffnen</);
    }
    assert.equal(letter.headers['content-language'], lang);
  }
  await shop.stop();
});

test('an inquiry moves no money: no letter, and a person may refund', async () => {
  const { reference, dispute, intent } = await disputed('inquiry@example.com', { status: 'warning_needs_response' });
  assert.equal(await ticket(dispute), 'open');
  await mailsBecome('inquiry@example.com', 1);
  assert.match((await press(reference, 'refund')).location, /done=asked/);
  await t.order(reference).becomes('refunded', { within: 30_000 });
  assert.equal((await t.stripe.refunds.list({ payment_intent: intent })).data.length, 1);
  assert.deepEqual((await mailsBecome('inquiry@example.com', 2)).map(({ subject }) => subject.split(' (')[0])[1], 'We have sent 249.00 USD back');
});

test('an early fraud warning: in the queue with its step, on the case, answered by a refund', async () => {
  const { reference } = await paid('warned@example.com', { card: '4000000000005423' });
  await until(async () => (await t.value("select count(*)::int from tickets where kind = 'fraud_warning' and state = 'open'")) === 1);
  const page = await look(`/orders/${reference}`);
  assert.match(page.text, /<title>fraud_warning: /);
  assert.match(page.text, /not made by the cardholder/);
  const { rows } = await twin('/');
  const row = rows.find((one) => one.reference === reference);
  assert.equal(row.diagnosis.action, 'refund');
  await press(reference, 'refund');
  await t.order(reference).becomes('refunded', { within: 30_000 });
  assert.equal(await t.value("select state from tickets where kind = 'fraud_warning'"), 'solved');
});

test('a decision whose event was lost is asked for', async () => {
  const { reference, dispute } = await disputed('asked@example.com');
  await t.sandbox.webhooks('off');
  await t.sandbox.fault({ on: 'GET /v1/events', do: 'status', status: 500, times: 'always' });
  await t.sandbox.fault({ on: 'GET /v1/disputes', do: 'status', status: 500, times: 'always' });
  await t.sandbox.control('POST', `disputes/${dispute}/close`, { status: 'lost' });
  t.allowLog('SP0401', 'SP0712', 'SP0355');
  /* The provider does not answer the first question. */
  await t.sandbox.fault({ on: `GET /v1/disputes/${dispute}`, do: 'status', status: 500, times: 2 });
  await hourGoesBy(dispute);
  await until(async () => (await t.sandbox.requests()).some(({ path, status }) => path === `/v1/disputes/${dispute}` && status === 500));
  assert.equal(await status(reference), 'active');
  await hourGoesBy(dispute);
  await becomes(reference, 'suspended');
  await t.sandbox.clearFaults();
  await t.sandbox.webhooks('on');
});

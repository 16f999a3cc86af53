#!/usr/bin/env -S node --test-reporter=tap
// SubPayCapture after-access: access first, then the charge. A crash in between leaves a
// reservation, never a charge without access; and what is reserved is taken once.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');
const invariants = require('../lib/invariants.js');
const past = require('../lib/past.js');

const t = SubPay.use({ settings: { SubPayCapture: 'after-access', SubPayProviderTimeout: '2s', SubPayReconcileInterval: '1s', SubPayRateLimit: 'checkout 0' } });

const words = (html) => html.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ');
const intentOf = async (reference) => (await t.stripe.paymentIntents.list({ limit: 100 })).data
  .find((one) => one.metadata.subpay_reference === reference);
const look = (where) => t.get('/admin' + where, { auth: t.admin });
async function press(reference, action, more = {}) {
  const where = `/orders/${reference}/${action}`;
  const page = await look(where);
  const hidden = Object.fromEntries([...page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  return t.post('/admin' + where, { auth: t.admin, form: { ...hidden, reason: 'a test', ...more } });
}
const hurry = () => t.sql("update outbox set next_try_at = now() where state = 'pending'; select pg_notify('subpay_outbox', '')");
const payment = async (reference) => (await t.sql(`select p.* from payments p join orders o on o.id = p.order_id
  where o.reference = $1`, [reference]))[0];
const becomes = (reference, state, within = 20_000) => t.until(async () => {
  const one = await payment(reference);
  return one?.state === state && one;
}, { within, what: `payment ${state}` });
const captures = async () => (await t.sandbox.requests()).filter(({ path, status }) => /\/capture$/.test(path) && status === 200);
const pageOf = async ({ browser, return_url: url }) => words((await browser.get(url)).text);
const CAPTURE = 'POST /v1/payment_intents/*/capture';
/* The outbox's next try, whenever it was put off to. */
const taken = (reference) => t.until(async () => {
  await hurry();
  return (await payment(reference))?.state === 'taken';
}, { within: 20_000, every: 300, what: 'taken' });
/* Hold captures back as long as a test looks at what is only reserved. */
const noCapture = () => t.sandbox.fault({ on: CAPTURE, do: 'status', status: 503, times: 'always' });
/* The worker has tried, and is not to try again for now. */
async function putOff(reference) {
  await t.until(async () => (await t.sql(`update outbox set next_try_at = now() + interval '1 h'
    where kind = 'capture' and state = 'pending' and last_error is not null
      and order_id = (select id from orders where reference = $1) returning id`, [reference])).length === 1);
  await t.sandbox.clearFaults();
}
/* A minute goes by: what a dead worker had in hand is free again. */
const leasesEnd = () => t.sql("update outbox set next_try_at = now(), leased_until = now() where state = 'sending'");
let twice = 0; /* mails that a kill may have let out twice */
async function sound() {
  const { left } = await invariants.quiet(t, { within: 20_000, hurry: true });
  assert.deepEqual(left, []);
  assert.deepEqual(await invariants.violations(t, { twice }), []);
}

test('reserved, access, then taken: once, and the customer reads so', async () => {
  await t.sandbox.fault({ on: 'POST /v1/payment_intents/*/capture', do: 'delay', ms: 1500, when: 'before' });
  const bought = await t.buy('annual', 'ana@example.com');
  const { reference } = bought;
  assert.match(words(bought.page.text), /You have access\. Your bank has reserved 249\.00 USD for us\. It is taken only once you have access\./);
  assert.doesNotMatch(words(bought.page.text), /We received your payment/);
  assert.equal(await t.order(reference).state, 'completed');
  assert.deepEqual([(await payment(reference)).state, Number((await payment(reference)).amount)], ['held', 24900]);
  await becomes(reference, 'taken');
  const intent = await intentOf(reference);
  assert.deepEqual([intent.status, intent.amount_received], ['succeeded', 24900]);
  assert.equal((await captures()).length, 1);
  const page = await bought.browser.get(bought.return_url);
  assert.match(words(page.text), /You have access\. We received your payment of 249\.00 USD/);
  const [mail] = await t.mailsBecome('ana@example.com');
  assert.match(mail.text, /Your bank has reserved 249\.00 USD for us|We received your payment of 249\.00 USD/);
  await sound();
});

test('without any webhook: the way back grants, the worker takes', async () => {
  await t.sandbox.webhooks('off');
  /* nor do the provider's lists tell of it */
  await t.sandbox.fault(['events', 'charges'].map((list) => ({ on: `GET /v1/${list}`, do: 'status', status: 500, times: 'always' })));
  t.allowLog('SP0401', 'SP0712');
  const { reference, page } = await t.buy('annual', 'back@example.com');
  assert.match(words(page.text), /You have access\./);
  const one = await becomes(reference, 'taken');
  assert.ok(one.hold_until > Date.now() + 6.9 * 86_400_000, 'how long the bank would have held it');
  await t.sandbox.clearFaults();
  await t.sandbox.webhooks('on');
  await sound();
});

for (const [when, name] of [['before', 'before'], ['after', 'after']]) {
  test(`the worker dies ${name} the money is taken: taken, once`, async () => {
    const email = `dies-${when}@example.com`;
    await t.sandbox.webhooks('off');
    await t.sandbox.fault({ on: CAPTURE, do: 'kill', when, pids: [await t.httpd.workerPid()] });
    const { reference } = await t.buy('annual', email);
    assert.equal(await t.order(reference).state, 'completed');
    await t.until(async () => (await t.sql("select 1 from outbox where kind = 'capture' and state = 'sending' and order_id = (select id from orders where reference = $1)", [reference])).length === 1
      || (await payment(reference)).state === 'taken');
    await leasesEnd();
    twice += 1;
    await taken(reference);
    const charges = (await t.stripe.charges.list({ payment_intent: (await intentOf(reference)).id })).data;
    assert.deepEqual(charges.map(({ amount_captured: sum }) => sum), [24900]);
    t.allowLog('SP0701');
    await t.sandbox.webhooks('on');
    await sound();
  });
}

test('everything dies after the bank said yes: a reservation, then access, then the charge', async () => {
  await t.sandbox.webhooks('off');
  const { reference, session_url: url } = await t.buy('annual', 'crash@example.com', { pay: false });
  await t.sandbox.fault({ on: 'POST /pay/*', do: 'kill', pids: t.httpd.pids() });
  await t.pay(url, { card: '4242424242424242' }).catch(() => {});
  assert.equal((await intentOf(reference)).status, 'requires_capture', 'reserved, not charged');
  await t.httpd.start();
  await t.order(reference).becomes('completed', { within: 10_000 });
  await becomes(reference, 'taken');
  await t.sandbox.webhooks('on');
  await sound();
});

test('it dies between access and charge: the charge follows', async () => {
  await noCapture();
  t.allowLog('SP0401', 'SP0352');
  const { reference } = await t.buy('annual', 'between@example.com');
  assert.equal(await t.order(reference).state, 'completed');
  await t.httpd.kill9();
  await t.sandbox.clearFaults();
  assert.equal((await intentOf(reference)).status, 'requires_capture');
  await leasesEnd();
  twice += 1;
  await t.httpd.start();
  await taken(reference);
  await sound();
});

test('the answer is lost: the provider is asked, and nothing is taken twice', async () => {
  await t.sandbox.webhooks('off');
  await t.sandbox.fault({ on: CAPTURE, do: 'drop_reply', times: 3 });
  const { reference } = await t.buy('annual', 'lost@example.com');
  await taken(reference);
  assert.equal((await intentOf(reference)).amount_received, 24900);
  assert.equal(await t.value("select count(*)::int from audit where action = 'payment.captured' and order_id = (select id from orders where reference = $1)", [reference]), 1);
  await t.sandbox.webhooks('on');
  await sound();
});

test('an answer 500 that the provider keeps under its key does not hold the money back', async () => {
  await t.sandbox.fault({ on: CAPTURE, do: 'status', status: 500, store: true });
  const { reference } = await t.buy('annual', 'kept@example.com');
  await taken(reference);
  await sound();
});

test('taken by hand at the provider meanwhile: once, and nobody is troubled', async () => {
  await noCapture();
  const { reference } = await t.buy('annual', 'hand@example.com');
  const intent = await intentOf(reference);
  await putOff(reference);
  await t.sandbox.webhooks('off');
  await t.stripe.paymentIntents.capture(intent.id);
  await taken(reference);
  assert.equal(await t.value("select count(*)::int from tickets where kind like 'capture%'"), 0);
  await t.sandbox.webhooks('on');
  await sound();
});

test('support gives it back before it was taken: released, nothing charged, no refund claimed', async () => {
  await noCapture();
  const bought = await t.buy('annual', 'regret@example.com');
  const { reference } = bought;
  await t.until(async () => (await t.sql("select 1 from outbox where kind = 'capture' and state = 'pending' and last_error is not null")).length === 1);
  assert.equal((await press(reference, 'refund')).status, 303);
  await t.order(reference).becomes('refunded', { within: 10_000 });
  await t.sandbox.clearFaults();
  assert.equal((await intentOf(reference)).status, 'canceled');
  assert.equal((await payment(reference)).state, 'released');
  assert.equal((await t.order(reference).subscriptions)[0].status, 'refunded');
  assert.equal(await t.value('select count(*)::int from refunds where payment_id = $1', [(await payment(reference)).payment_id]), 0);
  assert.match(await pageOf(bought), /Nothing was charged\. You have not been charged\. Your bank may show 249\.00 USD as pending\. That is a reservation/);
  const mails = await t.mailsBecome('regret@example.com', 2);
  assert.match(mails[1].subject, /Nothing was charged/);
  assert.doesNotMatch(mails[1].text, /sent .* back/);
  assert.equal(await t.value("select count(*)::int from tickets where kind = 'capture_failed'"), 0);
  await sound();
});

test('taken by hand while it is being released: then it is refunded', async () => {
  await noCapture();
  const { reference } = await t.buy('annual', 'race@example.com');
  const intent = await intentOf(reference);
  await putOff(reference);
  await t.sandbox.webhooks('off');
  await t.sandbox.fault({ on: 'POST /v1/payment_intents/*/cancel', do: 'delay', when: 'before', ms: 1500 });
  await press(reference, 'refund');
  await t.until(async () => (await t.sandbox.control('GET', 'faults')).some(({ met }) => met === 1), { what: 'the release under way' });
  await t.stripe.paymentIntents.capture(intent.id);
  await t.until(async () => {
    await t.sql("update outbox set next_try_at = now() where kind = 'refund' and state = 'pending'; select pg_notify('subpay_outbox', '')");
    return await t.order(reference).state === 'refunded';
  }, { within: 15_000, every: 300 });
  const { status } = (await t.sandbox.requests()).find(({ path: where }) => where === `/v1/payment_intents/${intent.id}/cancel`);
  assert.equal(status, 400, 'the release came too late');
  const one = await becomes(reference, 'taken'); /* by the next look: webhooks are off */
  assert.equal(Number(one.amount_refunded), 24900);
  t.allowLog('SP0403');
  await t.sandbox.webhooks('on');
  await sound();
});

test('a detail differs: not taken, and let go in time when nobody has decided', async () => {
  const order = await past.order(t, 'review@example.com');
  await t.stripe.paymentIntents.create({ amount: 24901, currency: 'usd', confirm: true, capture_method: 'manual',
    payment_method: 'pm_card_visa', metadata: order.metadata });
  await t.order(order.reference).becomes('review', { within: 5000 });
  const page = words((await t.get(`/return?t=${order.token}&r=${order.reference}`)).text);
  assert.match(page, /A person looks at one detail\. Your bank has reserved/);
  assert.doesNotMatch(page, /Your payment is here/);
  assert.equal((await payment(order.reference)).state, 'held');
  await t.sql("update payments set hold_until = now() + interval '20 h' where state = 'held'");
  await t.sql("select subpay.anomaly_mend(code, order_id) from subpay.anomalies() where code = 'hold_ends'");
  await t.order(order.reference).becomes('refunded', { within: 15_000 });
  assert.equal((await intentOf(order.reference)).status, 'canceled');
  t.allowLog('SP0356');
  await sound();
});

test('the hold ends before it could be taken: access ends, everybody is told, no charge', async () => {
  await noCapture();
  const bought = await t.buy('annual', 'ended@example.com');
  const { reference } = bought;
  assert.equal(await t.order(reference).state, 'completed');
  const form = { t: new URL(bought.return_url, t.url).searchParams.get('t'), password: 'correct horse battery' };
  await bought.browser.post('/password', { form });
  assert.equal((await bought.browser.get('/members/')).status, 200, 'in');
  await t.sandbox.clock(8 * 86_400);
  await t.order(reference).becomes('refunded', { within: 10_000 });
  assert.notEqual((await bought.browser.get('/members/')).status, 200, 'out, with the next request');
  await t.sandbox.clearFaults();
  t.allowLog('SP0313', 'SP0403');
  assert.equal((await payment(reference)).state, 'released');
  assert.match(await pageOf(bought), /Nothing was charged\./);
  assert.equal((await t.mailsBecome('ended@example.com', 2))[1].subject, 'Nothing was charged: Annual plan has ended');
  const [ticket] = await t.sql("select kind, order_id from tickets where kind = 'capture_failed'");
  assert.ok(ticket, 'a person is told');
  await sound();
});

test('its end is told before its beginning: no access that lasts, no charge', async () => {
  await t.sandbox.webhooks('off');
  await noCapture();
  const { reference, session_url: url } = await t.buy('annual', 'backwards@example.com', { pay: false });
  await t.pay(url, { card: '4242424242424242' });
  const intent = await intentOf(reference);
  await t.stripe.paymentIntents.cancel(intent.id);
  await t.sandbox.clearFaults();
  await t.sandbox.webhooks('on');
  const events = (await t.stripe.events.list({ limit: 100 })).data.filter((one) => one.data.object.id === intent.id);
  for (const type of ['payment_intent.canceled', 'payment_intent.amount_capturable_updated']) {
    const { id } = events.find((one) => one.type === type);
    await t.sandbox.control('POST', `events/${id}/resend`);
    await t.until(async () => (await t.sql("select 1 from provider_events where event_id = $1 and state = 'processed'", [id])).length === 1);
  }
  await t.until(async () => {
    await hurry();
    return (await t.sql("select 1 from subscriptions s join orders o on o.id = s.order_id where s.status = 'active' and o.reference = $1", [reference])).length === 0;
  }, { within: 10_000 });
  assert.equal((await intentOf(reference)).amount_received, 0);
  await sound();
});

test('paid without a page: reserved, access, taken as well', async () => {
  await noCapture();
  const answer = await t.post('/subscribe', { json: { email: 'direct@example.com', product: 'annual', payment_method: 'pm_card_visa' }, headers: { Accept: 'application/json' } });
  assert.deepEqual([answer.status, answer.json.status], [200, 'reserved']);
  await t.sandbox.clearFaults();
  await taken(answer.json.reference);
  await sound();
});

test('after a change back to automatic, what is reserved is still taken', async () => {
  await noCapture();
  const { reference } = await t.buy('annual', 'switch@example.com');
  await t.httpd.stop();
  t.httpd.extra = t.httpd.extra.replace('SubPayCapture after-access', 'SubPayCapture automatic');
  t.httpd.configure();
  await t.sandbox.clearFaults();
  await leasesEnd();
  twice += 1;
  await t.httpd.start();
  await taken(reference);
  const next = await t.buy('annual', 'automatic@example.com');
  assert.match(words(next.page.text), /We received your payment of 249\.00 USD/);
  assert.equal(await t.value("select count(*)::int from outbox where kind = 'capture' and order_id = (select id from orders where reference = $1)", [next.reference]), 0);
  await sound();
});

#!/usr/bin/env -S node --test-reporter=tap
// Money that goes back: by the dashboard, by itself, not after all; told once, and access follows.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use({
  settings: { SubPayReconcileInterval: '1s', SubPayRateLimit: 'checkout 0', SubPayRefundConfirm: '300.00 USD' },
  products: {
    annual: { Title: 'Annual plan', Price: '249.00 USD', Period: '1y', Credits: 100 },
    big: { Title: 'Big plan', Price: '900.00 USD', Period: '1y' },
    monthly: { Title: 'Monthly plan', Price: '9.00 USD', Period: '1mo', Renews: 'on', Credits: 10 },
    seats: { Title: 'Seats', Price: '400.00 USD', Period: '1mo', Renews: 'on' },
  },
});

const paid = async (email, options = {}) => {
  const bought = await t.buy(options.product ?? 'annual', email, options);
  await t.order(bought.reference).becomes('completed', { within: 30_000 });
  return bought;
};
const intentsOf = async (reference) => (await t.stripe.paymentIntents.list({ limit: 100 })).data
  .filter((one) => one.metadata.subpay_reference === reference);
const refundsOf = async (reference) => (await Promise.all((await intentsOf(reference))
  .map(({ id }) => t.stripe.refunds.list({ payment_intent: id })))).flatMap(({ data }) => data);
const credits = (email) => t.value('select credits::int from accounts where email = $1', [email]);
const status = async (reference) => (await t.order(reference).subscriptions)[0]?.status;
const subjects = async (email) => (await t.mails(email)).map(({ subject }) => subject);
/* Generous: a busy machine takes its time, and nothing waits that need not. */
const until = (ask, more) => t.until(ask, { within: 30_000, ...more });
const mailsBecome = (to, count) => t.mailsBecome(to, count, { within: 30_000 });
const look = (where) => t.get('/admin' + where, { auth: t.admin });
async function press(reference, action, more = {}, auth = t.admin) {
  const where = `/orders/${reference}/${action}`;
  const page = await t.get('/admin' + where, { auth });
  const hidden = Object.fromEntries([...page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  return t.post('/admin' + where, { auth, form: { ...hidden, reason: 'a test', ...more } });
}

test('in the dashboard, with all webhooks off: found, access and credits follow, told once', async () => {
  const { reference } = await paid('dash@example.com');
  await mailsBecome('dash@example.com', 1);
  assert.equal(await credits('dash@example.com'), 100);
  await t.sandbox.webhooks('off');
  const [intent] = await intentsOf(reference);
  await t.stripe.refunds.create({ payment_intent: intent.id, amount: 4900 });
  await mailsBecome('dash@example.com', 2);
  assert.equal(await status(reference), 'active', 'a part takes nothing away');
  await t.stripe.refunds.create({ payment_intent: intent.id });
  await t.order(reference).becomes('refunded', { within: 30_000 });
  assert.deepEqual([await status(reference), await credits('dash@example.com')], ['refunded', 0]);
  const mails = await mailsBecome('dash@example.com', 3);
  assert.match(mails[1].text, /49\.00 USD[\s\S]*Your plan stays as it is/);
  assert.match(mails[2].text, /200\.00 USD[\s\S]*Your plan ends/);
  await t.sandbox.webhooks('on');
  for (const { id } of (await t.stripe.events.list({ limit: 20, types: ['refund.created', 'charge.refunded'] })).data) {
    await t.sandbox.control('POST', `events/${id}/resend`, {});
  }
  await t.subpayctl('reconcile', '--since', '1h');
  assert.equal((await t.mails('dash@example.com')).length, 3, 'all roads, one letter for each refund');
});

test('the same where even the events were lost: the list of refunds has it', async () => {
  const { reference } = await paid('noevent@example.com');
  await mailsBecome('noevent@example.com', 1);
  await t.sandbox.fault({ on: 'GET /v1/events', do: 'status', status: 500, times: 'always' });
  await t.sandbox.webhooks('off');
  const [intent] = await intentsOf(reference);
  await t.stripe.refunds.create({ payment_intent: intent.id });
  t.allowLog('SP0401', 'SP0712', 'SP0713', 'SP0355');
  await t.order(reference).becomes('refunded', { within: 30_000 });
  await mailsBecome('noevent@example.com', 2);
  await t.sandbox.clearFaults();
  await t.sandbox.webhooks('on');
});

test('succeeded, then failed: access and credits are back, a correction, a ticket', async () => {
  const { reference } = await paid('fails@example.com', { card: '4000000000005126' });
  await mailsBecome('fails@example.com', 1);
  await press(reference, 'refund');
  await t.order(reference).becomes('refunded', { within: 30_000 });
  await mailsBecome('fails@example.com', 2);
  await t.sandbox.clock(120);
  await t.order(reference).becomes('completed', { within: 30_000 });
  assert.deepEqual([await status(reference), await credits('fails@example.com')], ['active', 100]);
  const mails = await mailsBecome('fails@example.com', 3);
  assert.match(mails[2].subject, /Your bank sent 249\.00 USD back to us/);
  assert.match(mails[2].text, /Your plan is open meanwhile/);
  assert.match(mails[2].text, /We received your payment of 249\.00 USD/);
  assert.deepEqual(await t.sql("select kind, state from tickets where order_id = (select id from orders where reference = $1)", [reference]),
    [{ kind: 'refund_failed', state: 'open' }]);
});

test("the bank's number, days later: the support area has it, and nobody is written to again", async () => {
  const { reference } = await paid('trace@example.com');
  const [intent] = await intentsOf(reference);
  const refund = await t.stripe.refunds.create({ payment_intent: intent.id });
  await t.order(reference).becomes('refunded', { within: 30_000 });
  await mailsBecome('trace@example.com', 2);
  assert.doesNotMatch((await look(`/orders/${reference}`)).text, /ARN/);
  await t.sandbox.control('POST', `refunds/${refund.id}/trace`, { reference: '74627418230' });
  await until(async () => /finds it by <[^>]*>74627418230</.test((await look(`/orders/${reference}`)).text));
  assert.equal((await t.mails('trace@example.com')).length, 2);
});

test('a part that comes back is named as such, beside what was paid, in either language', async () => {
  for (const [lang, part, received, back, people] of [
    ['en', 'Your bank sent 100.00 USD back to us', 'We received your payment of 249.00 USD',
      'we wrote that 100.00 USD is on its way back', 'Ana and Sam find another way and write to you'],
    ['de', 'Ihre Bank hat 100.00 USD an uns zurückgeschickt', 'Ihre Zahlung von 249.00 USD ist bei uns eingegangen',
      'dass 100.00 USD auf dem Rückweg', 'Ana and Sam finden einen anderen Weg und schreiben Ihnen']]) {
    const email = `part-${lang}@example.com`;
    const { reference } = await paid(email, { card: '4000000000005126' });
    await t.sql('update orders set lang = $1 where reference = $2', [lang, reference]);
    await press(reference, 'refund', { amount: '100.00' });
    await mailsBecome(email, 2);
    await t.sandbox.clock(120);
    const { subject, text, html } = (await mailsBecome(email, 3))[2];
    assert.equal(subject, part);
    for (const words of [received, back, people]) {
      for (const said of [text, html.replace(/<[^>]*>/g, '')]) assert.ok(said.includes(words), `${words} in ${said}`);
    }
  }
});

test('pending: the customer hears when it has succeeded, not before', async () => {
  const { reference } = await paid('later@example.com', { card: '4000000000007726' });
  await mailsBecome('later@example.com', 1);
  await press(reference, 'refund', { amount: '10.00' });
  await until(async () => (await t.value("select count(*)::int from refunds where status = 'pending'")) === 1);
  assert.match((await look(`/orders/${reference}`)).text, /10\.00 USD<\/span>, pending/);
  assert.equal((await t.mails('later@example.com')).length, 1);
  await t.sandbox.clock(120);
  const mails = await mailsBecome('later@example.com', 2);
  assert.match(mails[1].subject, /We have sent 10\.00 USD back/);
});

test('paid twice, by two orders: the second goes back unasked, and leaves what one purchase gives', async () => {
  const first = await paid('twice@example.com');
  const second = await t.buy('annual', 'twice@example.com', { browser: t.browser() });
  await t.order(second.reference).becomes('refunded', { within: 30_000 });
  assert.equal(await t.order(first.reference).state, 'completed');
  assert.deepEqual([(await refundsOf(first.reference)).length, (await refundsOf(second.reference)).map(({ amount }) => amount)], [0, [24900]]);
  assert.deepEqual([await status(first.reference), await status(second.reference), await credits('twice@example.com')],
    ['active', 'refunded', 100]);
  assert.deepEqual(await t.sql("select amount::int from credit_transactions where account_id = (select id from accounts where email = 'twice@example.com')"),
    [{ amount: 100 }], 'the second never brought any');
  await until(async () => (await subjects('twice@example.com')).includes('You paid twice; one is on its way back'));
  const told = (await t.mails('twice@example.com')).filter(({ subject }) => /sent|twice/.test(subject));
  assert.equal(told.length, 1);
  assert.deepEqual((await refundsOf(second.reference)).map(({ metadata }) => metadata.subpay_refund),
    (await t.sql("select message_id from outbox where kind = 'refund' and payload ->> 'why' = 'duplicate'")).map(({ message_id }) => message_id), 'one that the machine makes says whose it is as well');
  assert.match(told[0].text, /Two payments of 249\.00 USD reached us, one on .* and one on .*; your plan needs one/);
  assert.equal(await t.value("select count(*)::int from tickets where kind = 'duplicate'"), 0, 'nobody is asked');
  assert.equal((await look(`/orders/${first.reference}`)).text.includes('<title>healthy: '), true);
});

test('paid twice, one order, while the provider does not refund: a ticket after minutes, gone when it is done', async () => {
  const { reference } = await paid('again@example.com');
  const [{ metadata }] = await intentsOf(reference);
  await t.sandbox.fault({ on: 'POST /v1/refunds', do: 'status', status: 500, times: 'always' });
  t.allowLog('SP0401', 'SP0352');
  await t.sandbox.control('POST', 'payments', { count: 1, amount: 24900, currency: 'usd', email: 'again@example.com', metadata, events: 'delivered', deliver: true });
  await until(async () => (await t.value("select count(*)::int from outbox where kind = 'refund' and state = 'pending' and last_error is not null")) === 1, { within: 30_000 });
  await t.sql("update outbox set created_at = now() - interval '5 min' where kind = 'refund' and state = 'pending'");
  await until(async () => (await t.value("select count(*)::int from tickets where kind = 'duplicate' and state = 'open'")) === 1, { within: 30_000 });
  await t.sandbox.clearFaults();
  await t.sql("update outbox set next_try_at = now() where kind = 'refund' and state = 'pending'");
  await until(async () => (await t.value("select count(*)::int from tickets where kind = 'duplicate' and state = 'solved'")) === 1, { within: 30_000 });
  assert.equal((await refundsOf(reference)).length, 1);
  assert.equal(await t.order(reference).state, 'completed');
});

test('over the set sum a second person confirms; the first cannot, nor by halves', async () => {
  const { reference } = await paid('large@example.com', { product: 'big' });
  assert.match((await press(reference, 'refund')).location, /done=refund_asked/);
  assert.equal((await press(reference, 'refund')).status, 409, 'the same person does not confirm');
  assert.match((await look(`/orders/${reference}`)).text, /waits for a second person/);
  assert.equal(await t.value("select count(*)::int from outbox where kind = 'refund' and payload ->> 'amount' = '90000'"), 0);
  const ask = await t.value("select desk_refund(jsonb_build_object('reference', $1::text, 'actor', 'sam', 'reason', 'right'))", [reference]);
  assert.equal(ask.verdict, 'asked', 'somebody else does');
  await t.order(reference).becomes('refunded', { within: 30_000 });
  assert.deepEqual(await t.sql('select asked_by, confirmed_by from refund_asks'), [{ asked_by: 'support', confirmed_by: 'sam' }]);

  const other = await paid('halves@example.com', { product: 'big' });
  assert.match((await press(other.reference, 'refund', { amount: '200.00' })).location, /done=asked/);
  await until(async () => (await refundsOf(other.reference)).length === 1);
  assert.match((await press(other.reference, 'refund', { amount: '200.00' })).location, /done=refund_asked/, '200 and 200 are 400');
});

/* The payments of an order that renews, oldest first, once it has so many. */
async function renewed(product, email, periods) {
  const { reference } = await paid(email, { product });
  const of = () => t.sql(`select p.payment_id from subpay.periods p join subpay.orders o on o.id = p.order_id
    where o.reference = $1 and p.state = 'paid' order by p.starts_at`, [reference]);
  const { data } = await t.stripe.subscriptions.list({ status: 'all', limit: 100 });
  const { id } = data.find(({ metadata }) => metadata.subpay_reference === reference);
  for (let n = 2; n <= periods; n++) {
    await t.sandbox.control('POST', `subscriptions/${id}/renew`, { outcome: 'paid' });
    await until(async () => (await of()).length === n, { what: `period ${n}` });
  }
  return { reference, payments: (await of()).map(({ payment_id }) => payment_id) };
}
const ends = async (reference) => (await t.order(reference).subscriptions)[0].expires_at;
const wentBack = async (payment) => (await t.stripe.refunds.list({ payment_intent: payment })).data.length;
const chosen = (html) => [...html.matchAll(/<input type="radio" name="payment" [^>]*value="([^"]*)"[^>]* checked/g)].map(([, id]) => id);
const offered = (html) => [...html.matchAll(/<input type="radio" name="payment" [^>]*value="([^"]*)"/g)].map(([, id]) => id);

test('a plan that renews: a person sends one period back, the newest unless another is chosen', async () => {
  const email = 'renews@example.com';
  const { reference, payments: [first, second, third] } = await renewed('monthly', email, 3);
  const other = await paid('stranger@example.com');
  const [foreign] = await intentsOf(other.reference);
  await mailsBecome(email, 3);
  assert.equal(await credits(email), 30);
  const before = await ends(reference);

  const seen = await look(`/orders/${reference}`);
  assert.doesNotMatch(seen.text, /a second one|refund-duplicate/, 'a renewal is no duplicate');
  assert.ok(seen.text.includes(`/orders/${reference}/refund?payment=${second}`));
  const page = await look(`/orders/${reference}/refund`);
  assert.deepEqual(offered(page.text), [third, second, first]);
  assert.deepEqual(chosen(page.text), [third]);
  assert.match(page.text, /the renewal from/);
  assert.match(page.text, /the plan is not ended\. Access goes on until/);
  assert.deepEqual(chosen((await look(`/orders/${reference}/refund?payment=${second}`)).text), [second]);
  const twin = (await t.get(`/admin/orders/${reference}/refund`, { auth: t.admin, headers: { Accept: 'application/json' } })).json;
  assert.deepEqual(twin.refund_choices.map((one) => [one.payment_id, one.selected ?? false, one.amount_text]),
    [[third, true, '9.00 USD'], [second, false, '9.00 USD'], [first, false, '9.00 USD']]);

  assert.equal((await press(reference, 'refund', { payment: foreign.id })).status, 409, 'a payment of another order');
  // As the form is: the newest. Sent twice, it is one decision.
  const form = { form_key: '0b7f9c1e-4d5a-4c52-9a53-6c1f0a5b7d10', payment: third };
  assert.match((await press(reference, 'refund', form)).location, /done=asked/);
  assert.match((await press(reference, 'refund', form)).location, /done=asked/);
  await until(async () => (await credits(email)) === 20, { what: 'the credits of that period' });
  const after = await ends(reference);
  assert.ok(after < before && after > new Date(), 'its time goes');
  assert.deepEqual([await t.order(reference).state, await status(reference)], ['completed', 'active'], 'the plan does not');
  const mails = await mailsBecome(email, 4);
  assert.match(mails[3].subject, /We have sent 9\.00 USD back/, 'and not "you paid twice"');
  assert.match(mails[3].text, /The period that it was for goes with it: your plan runs until /);

  const again = await look(`/orders/${reference}/refund`);
  assert.deepEqual([offered(again.text), chosen(again.text)], [[second, first], [second]]);
  const cli = await t.subpayctl('--payment', second, '--reason', 'the month before', 'refund', reference);
  // Within a minute of the other: two people do not send money back at once.
  assert.equal(cli.status, 1);
  assert.match((await press(reference, 'refund', { payment: second, amount: '4.00' })).location, /done=asked/);
  await mailsBecome(email, 5);
  assert.equal(await credits(email), 20, 'a part takes none');
  assert.match((await look(`/orders/${reference}/refund`)).text, /5\.00 USD of it is left/);
  assert.equal((await press(reference, 'refund', { payment: second, amount: '5.01' })).status, 409);
  assert.match((await press(reference, 'refund', { payment: second })).location, /done=asked/);
  await until(async () => (await credits(email)) === 10);
  assert.deepEqual(await Promise.all([third, second, first].map(wentBack)), [1, 2, 0]);
  assert.deepEqual((await t.sql(`select actor, after ->> 'payment' as payment, after ->> 'amount' as amount from audit
      where action = 'support.refund' and order_id = (select id from orders where reference = $1) order by id`, [reference])),
    [[third, '900'], [second, '400'], [second, '500']].map(([payment, amount]) => ({ actor: 'support', payment, amount })));
  assert.equal(await t.value("select count(*)::int from tickets where kind = 'duplicate' and order_id = (select id from orders where reference = $1)", [reference]), 0);

  // What is left is the purchase: that ends the plan.
  assert.match((await look(`/orders/${reference}/refund`)).text, /In full: the plan ends at once/);
  await press(reference, 'refund');
  await t.order(reference).becomes('refunded', { within: 30_000 });
  assert.equal(await credits(email), 0);
});

test('the same from the command line', async () => {
  const { reference, payments: [first, second, third] } = await renewed('monthly', 'shell@example.com', 3);
  const done = await t.subpayctl('--payment', second, 'refund', reference);
  assert.equal(done.status, 0, done.stderr);
  assert.ok(done.stdout.includes(second));
  await until(async () => (await wentBack(second)) === 1);
  assert.deepEqual(await Promise.all([first, third].map(wentBack)), [0, 0]);
  await until(async () => (await credits('shell@example.com')) === 20);
});

test('a large renewal: the second person confirms that very payment', async () => {
  const { reference, payments: [first, second] } = await renewed('seats', 'seats@example.com', 2);
  assert.match((await press(reference, 'refund', { payment: first })).location, /done=refund_asked/);
  const page = await look(`/orders/${reference}/refund`);
  assert.deepEqual(chosen(page.text), [first], 'what was asked for is chosen');
  assert.match(page.text, /asked for 400\.00 USD of the payment from/);
  const ask = (actor, payment) => t.value(`select desk_refund(jsonb_build_object('reference', $1::text, 'actor', $2::text,
    'payment', $3::text, 'reason', 'right', 'seen', desk_seen((select id from orders where reference = $1))::text))`, [reference, actor, payment]);
  assert.equal((await ask('sam', second)).verdict, 'refund_asked', 'another payment is another question');
  assert.equal((await ask('support', first)).verdict, 'second_person');
  assert.equal((await ask('sam', first)).verdict, 'asked');
  await until(async () => (await wentBack(first)) === 1);
  assert.equal(await wentBack(second), 0);
});

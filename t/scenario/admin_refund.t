#!/usr/bin/env -S node --test-reporter=tap
// Money goes back once, for each decision, whatever becomes of the provider's answer.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use({ settings: { SubPayProviderTimeout: '2s', SubPayReconcileInterval: '1h', SubPayDuplicates: 'ticket', SubPayRateLimit: 'checkout 0' } });

const words = (html) => html.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ');
const look = (where) => t.get('/admin' + where, { auth: t.admin });
async function press(reference, action, more = {}) {
  const where = `/orders/${reference}/${action}`;
  const page = await look(where);
  const hidden = Object.fromEntries([...page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  return t.post('/admin' + where, { auth: t.admin, form: { ...hidden, reason: 'a test', ...more } });
}
const done = async (email) => {
  const bought = await t.buy('annual', email);
  await t.order(bought.reference).becomes('completed');
  await t.mailsBecome(email);
  return bought;
};
const intentOf = async (reference) => (await t.stripe.paymentIntents.list({ limit: 100 })).data
  .filter((one) => one.metadata.subpay_reference === reference);
const refundsOf = async (reference) => (await Promise.all((await intentOf(reference))
  .map(({ id }) => t.stripe.refunds.list({ payment_intent: id })))).flatMap(({ data }) => data);

/* A refund of 50.00 that was asked for, and whose answer nobody has. */
async function askedInVain(email, fault) {
  const { reference } = await done(email);
  const [intent] = await intentOf(reference);
  t.allowLog('SP0351', 'SP0352', 'SP0401');
  await t.sandbox.fault({ on: 'POST /v1/refunds', times: 'always', ...fault });
  await press(reference, 'refund', { amount: '50.00' });
  const row = "select id::int, state from outbox where kind = 'refund' and order_id = (select id from orders where reference = $1) and last_error is not null";
  await t.until(async () => (await t.sql(row, [reference]))[0]?.state === 'pending', { within: 20_000 });
  await t.sandbox.clearFaults();
  return { row: (await t.sql(row, [reference]))[0].id, intent, reference };
}
/* -> what became of it a day later, when the provider has forgotten the key */
async function askedLater(row) {
  await t.sandbox.control('DELETE', 'idempotency');
  await t.sql(`update outbox set next_try_at = now(),
      payload = payload || jsonb_build_object('asked_at', extract(epoch from now() - interval '25 h')::bigint)
    where id = $1`, [row]);
  const state = () => t.value('select state from outbox where id = $1', [row]);
  await t.until(async () => ['dead', 'sent'].includes(await state()), { within: 30_000 });
  return state();
}

test('in full: money back, access ended, the customer told once', async () => {
  const bought = await done('full@example.com');
  assert.equal((await press(bought.reference, 'refund')).status, 303);
  await t.order(bought.reference).becomes('refunded');
  const [refund, ...more] = await refundsOf(bought.reference);
  assert.deepEqual([refund.amount, more.length], [24900, 0]);
  assert.equal(refund.metadata.subpay_refund, await t.value("select message_id from outbox where kind = 'refund'"), 'it says whose it is');
  assert.equal((await t.order(bought.reference).subscriptions)[0].status, 'refunded');
  const mails = await t.mailsBecome('full@example.com', 2);
  assert.match(mails[1].subject, /We have sent 249\.00 USD back/);
  assert.match(mails[1].text, /Your plan ends/);
  await t.until(async () => (await t.stripe.events.list({ delivery_success: false })).data.length === 0);
  assert.equal((await t.mails('full@example.com')).length, 2);
  const rows = await t.sql("select actor, reason from audit where action = 'support.refund'");
  assert.deepEqual(rows, [{ actor: 'support', reason: 'a test' }]);
});

test('a part: access stays, the mail names the part', async () => {
  const bought = await done('part@example.com');
  await press(bought.reference, 'refund', { amount: '100.00' });
  const mails = await t.mailsBecome('part@example.com', 2);
  assert.match(mails[1].text, /100\.00 USD/);
  assert.match(mails[1].text, /Your plan stays as it is/);
  assert.equal(await t.order(bought.reference).state, 'completed');
  const offered = async () => (await look(`/orders/${bought.reference}`)).text.includes('>Send money back<');
  assert.equal(await offered(), true, 'the rest can go back as well');
  await press(bought.reference, 'refund');
  await t.order(bought.reference).becomes('refunded');
  assert.equal(await offered(), false, 'nothing is left to send back');
  assert.deepEqual((await refundsOf(bought.reference)).map(({ amount }) => amount).sort(), [10000, 14900]);
});

test('the answer is lost: the page tells the truth, and it is not made twice', async () => {
  const bought = await done('lost@example.com');
  await t.sandbox.fault({ on: 'POST /v1/refunds', do: 'drop_reply', times: 'always' });
  t.allowLog('SP0401', 'SP0352');
  await press(bought.reference, 'refund');
  await t.until(async () => (await t.value("select count(*)::int from outbox where kind = 'refund' and last_error is not null")) === 1, { within: 15_000 });
  const page = words((await look('/orders/' + bought.reference)).text);
  assert.match(page, /not known yet whether it was made/);
  assert.equal((await press(bought.reference, 'refund')).status, 409, 'nobody decides on a second one meanwhile');
  await t.sandbox.clearFaults();
  await t.sql("update outbox set next_try_at = now() where kind = 'refund' and state = 'pending'");
  await t.order(bought.reference).becomes('refunded', { within: 20_000 });
  await t.until(async () => (await t.value("select state from outbox where kind = 'refund' order by id desc limit 1")) === 'sent', { within: 20_000 });
  assert.equal((await refundsOf(bought.reference)).length, 1);
  assert.equal((await t.mailsBecome('lost@example.com', 2)).length, 2);
});

test('made, answer lost, and the provider has forgotten the key: still one', async () => {
  const bought = await done('forgot@example.com');
  await t.sandbox.fault({ on: 'POST /v1/refunds', do: 'drop_reply', times: 'always' });
  await press(bought.reference, 'refund', { amount: '50.00' });
  await t.until(async () => (await t.value("select count(*)::int from outbox where kind = 'refund' and state = 'pending' and last_error is not null")) === 1, { within: 15_000 });
  await t.sandbox.clearFaults();
  await t.sandbox.control('DELETE', 'idempotency');
  await t.sql(`update outbox set next_try_at = now(),
      payload = payload || jsonb_build_object('asked_at', extract(epoch from now() - interval '25 h')::bigint)
    where kind = 'refund' and state = 'pending'`);
  await t.until(async () => (await t.value("select state from outbox where kind = 'refund' order by id desc limit 1")) === 'sent', { within: 20_000 });
  assert.deepEqual((await refundsOf(bought.reference)).map(({ amount }) => amount), [5000]);
  assert.equal(await t.value("select amount_refunded::int from payments p join orders o on o.id = p.order_id where o.reference = $1", [bought.reference]), 5000);
});

test('a dispute that arrives between decision and refund: not made, a person hears', async () => {
  const bought = await done('late@example.com');
  await t.sandbox.webhooks('off');
  const [intent] = await intentOf(bought.reference);
  await t.sandbox.control('POST', 'disputes', { payment_intent: intent.id, reason: 'fraudulent' });
  t.allowLog('SP0351');
  await press(bought.reference, 'refund');
  await t.until(async () => (await t.value("select count(*)::int from tickets where kind = 'refund_failed'")) === 1);
  assert.equal((await refundsOf(bought.reference)).length, 0);
  await t.sandbox.webhooks('on');
});

test('paid twice: the second goes back, access stays, both told in one mail', async () => {
  const bought = await done('double@example.com');
  const [order] = await t.sql('select * from orders where reference = $1', [bought.reference]);
  const [first] = await intentOf(bought.reference);
  await t.sandbox.control('POST', 'payments', { count: 1, amount: 24900, currency: 'usd', email: 'double@example.com', metadata: first.metadata, events: 'delivered', deliver: true });
  await t.subpayctl('reconcile', '--since', '1h');
  await t.until(async () => (await t.value('select count(*)::int from payments where order_id = $1', [order.id])) === 2);
  const page = await look('/orders/' + bought.reference);
  assert.match(page.text, /<title>duplicate: /);
  assert.equal((await press(bought.reference, 'refund-duplicate')).status, 303);
  await t.until(async () => (await refundsOf(bought.reference)).length === 1);
  const mails = await t.mailsBecome('double@example.com', 2);
  assert.match(mails.at(-1).subject, /You paid twice/);
  assert.equal(await t.order(bought.reference).state, 'completed');
  assert.match((await look('/orders/' + bought.reference)).text, /<title>healthy: /);
});

test('the desk from the command line', async () => {
  const bought = await done('cli@example.com');
  const shown = await t.subpayctl('show', bought.reference);
  assert.equal(shown.status, 0, shown.stderr);
  assert.match(shown.stdout, /healthy/);
  assert.equal((await t.subpayctl('resend', bought.reference)).status, 0);
  await t.mailsBecome('cli@example.com', 2);
  assert.equal((await t.subpayctl('--days', '5', 'extend', bought.reference)).status, 0);
  assert.equal(await t.value('select bonus_days from orders where reference = $1', [bought.reference]), 5);
  assert.equal((await t.subpayctl('--amount', '10.00', '--reason', 'goodwill', 'refund', bought.reference)).status, 0);
  await t.until(async () => (await refundsOf(bought.reference)).length === 1);
  for (const command of ['queue', 'runs', 'alerts']) {
    assert.equal((await t.subpayctl(command)).status, 0, command);
    assert.equal(typeof (await t.subpayctl('--json', command)).json, 'object', command);
  }
  assert.equal((await t.subpayctl('refund', 'SP-0000-0000')).status, 1);
});

test('run now: the worker looks at once', async () => {
  const page = await look('/runs');
  const before = await t.value('select max(id)::int from runs');
  const csrf = /name="csrf" value="(\w+)"/.exec(page.text)[1];
  assert.equal((await t.post('/admin/runs/now', { auth: t.admin, form: {} })).status, 403);
  assert.equal((await t.post('/admin/runs/now', { auth: t.admin, form: { csrf } })).status, 303);
  await t.until(async () => (await t.value('select max(id)::int from runs')) > before);
});

test('not made, the key forgotten, and somebody else gave more back: a person looks, nothing is taken for it', async () => {
  const bought = await done('other@example.com');
  const [intent] = await intentOf(bought.reference);
  t.allowLog('SP0351');
  await t.sandbox.fault({ on: 'POST /v1/refunds', do: 'status', status: 500, times: 'always' });
  await press(bought.reference, 'refund', { amount: '50.00' });
  const row = "select %s from outbox m join orders o on o.id = m.order_id where m.kind = 'refund' and o.reference = $1";
  await t.until(async () => (await t.value(row.replace('%s', "count(*)::int") + " and m.state = 'pending' and m.last_error is not null", [bought.reference])) === 1, { within: 20_000 });
  await t.sandbox.clearFaults();
  await t.sandbox.control('DELETE', 'idempotency');
  await t.stripe.refunds.create({ payment_intent: intent.id, amount: 8000 });
  await t.sql(`update outbox set next_try_at = now(),
      payload = payload || jsonb_build_object('asked_at', extract(epoch from now() - interval '25 h')::bigint)
    where kind = 'refund' and state = 'pending'`);
  await t.until(async () => ['dead', 'sent'].includes(await t.value(row.replace('%s', 'm.state'), [bought.reference])), { within: 30_000 });
  assert.equal(await t.value(row.replace('%s', 'm.state'), [bought.reference]), 'dead');
  assert.deepEqual((await refundsOf(bought.reference)).map(({ amount }) => amount), [8000]);
});

test('the key forgotten, and somebody gave the same sum back by hand: not taken for ours; a person looks', async () => {
  const { row, intent, reference } = await askedInVain('byhand@example.com', { do: 'status', status: 500 });
  await t.stripe.refunds.create({ payment_intent: intent.id, amount: 5000 });
  assert.equal(await askedLater(row), 'dead');
  assert.deepEqual((await refundsOf(reference)).map(({ amount }) => amount), [5000]);
  assert.match(await t.value("select body from ticket_messages m join tickets t on t.id = m.ticket_id where t.kind = 'refund_failed' order by m.id desc limit 1"), /went back another way/);
});

test('made, the key forgotten, and somebody gave more back by hand: ours is found by its name', async () => {
  const { row, intent, reference } = await askedInVain('named@example.com', { do: 'drop_reply' });
  await t.stripe.refunds.create({ payment_intent: intent.id, amount: 8000 });
  assert.equal(await askedLater(row), 'sent');
  assert.deepEqual((await refundsOf(reference)).map(({ amount }) => amount), [8000, 5000]);
});

test('asked for before refunds said whose they are: found by its order, its sum and its time', async () => {
  const { row, intent, reference } = await askedInVain('nameless@example.com', { do: 'drop_reply' });
  const [refund] = await refundsOf(reference);
  await t.stripe.refunds.update(refund.id, { metadata: { subpay_refund: '' } });
  await t.stripe.refunds.create({ payment_intent: intent.id, amount: 8000 });
  assert.equal(await askedLater(row), 'sent');
  assert.equal((await refundsOf(reference)).length, 2);
});

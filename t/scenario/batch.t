#!/usr/bin/env -S node --test-reporter=tap
// Webhooks of one moment share a commit, and each is as safe as by itself.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');
const past = require('../lib/past.js');

const t = SubPay.use({ worker: false });
let pattern; /* a real event of the sandbox, with %N where its own numbers were */
let made = 0;

async function learn() {
  await t.sandbox.webhooks('off');
  const { reference } = await t.buy('annual', 'pattern@example.com', { follow: false });
  const { data: [event] } = await t.stripe.events.list({ type: 'checkout.session.completed' });
  const { id, payment_intent } = event.data.object;
  const order = await t.order(reference).row;
  pattern = JSON.stringify(event);
  for (const [from, to] of [[event.id, 'evt_%N'], [id, 'cs_test_%N'], [payment_intent, 'pi_%N'],
    [order.id, '%ORDER'], [reference, '%REFERENCE'], ['pattern@example.com', '%EMAIL']]) {
    pattern = pattern.replaceAll(from, to);
  }
}

/* Orders with the event that pays for each. */
async function paid(count, email = (n) => `c${n}@example.com`) {
  if (!pattern) await learn();
  return Promise.all(Array.from({ length: count }, async () => {
    const n = ++made;
    const order = await past.order(t, email(n));
    return {
      ...order,
      event: `evt_${n}`,
      body: pattern.replaceAll('%N', n).replaceAll('%ORDER', order.id)
        .replaceAll('%REFERENCE', order.reference).replaceAll('%EMAIL', email(n)),
    };
  }));
}

async function deliver({ body }) {
  const signature = t.stripe.webhooks.generateTestHeaderString({ payload: body, secret: t.keys.webhook });
  const { status } = await t.post('/webhook/stripe', {
    body, headers: { 'Content-Type': 'application/json', 'Stripe-Signature': signature },
  });
  return status;
}

const stateOf = ({ id }) => t.value('select state from subpay.orders where id = $1', [id]);
const completions = ({ id }) =>
  t.value("select count(*)::int from subpay.audit where action = 'order.completed' and order_id = $1", [id]);

test('64 at once: twice the same, a poisoned one, one locked elsewhere; each costs only itself', async () => {
  t.expectLog('SP0305'); /* the poisoned one is kept */
  t.allowLog('SP0501'); /* the locked one may end in a lock timeout */
  const orders = await paid(56);
  const [locked, poisoned, ...free] = orders;
  await t.sql(`create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'poison'; end $$`);
  await t.sql(`create trigger refuse before insert on payments for each row
    when (new.order_id = '${poisoned.id}') execute function refuse()`);
  const holder = await t.postgres.connect(t.database);
  await holder.query('begin');
  await holder.query('select from subpay.orders where id = $1 for update', [locked.id]);

  let released = false;
  const waits = deliver(locked).then((status) => ({ status, released }));
  const answers = await Promise.all([...free, ...free.slice(0, 8), poisoned].map(deliver));
  assert.deepEqual([...new Set(answers)], [200], 'all others are answered while the lock is held');
  assert.equal(await stateOf(locked), 'pending');

  released = true;
  await holder.query('commit');
  await holder.end();
  const answer = await waits;
  assert.ok(answer.status === 503 || (answer.status === 200 && answer.released), JSON.stringify(answer));
  if (answer.status === 503) assert.equal(await deliver(locked), 200, 'delivered again, it is taken');

  for (const order of [...free, locked]) {
    assert.equal(await stateOf(order), 'completed');
    assert.equal(await completions(order), 1);
  }
  assert.equal(await stateOf(poisoned), 'pending');
  assert.equal(await t.value('select state from subpay.provider_events where event_id = $1', [poisoned.event]), 'failed');
  const [{ events, commits }] = await t.sql(`select count(*)::int as events, count(distinct processed_at)::int as commits
    from subpay.provider_events where state = 'processed'`);
  assert.ok(commits < events, `${events} events in ${commits} transactions`);
  await t.sql('drop trigger refuse on payments');
});

test('events of one customer, in many batches at once: each order is completed once', async () => {
  const orders = await paid(24, () => 'same@example.com');
  const twice = [...orders, ...[...orders].reverse()];
  const answers = await Promise.all(twice.map(deliver));
  for (const order of twice.filter((_, i) => answers[i] !== 200)) assert.equal(await deliver(order), 200);
  for (const order of orders) assert.equal(await completions(order), 1);
  assert.equal(await t.value(`select count(*)::int from subpay.subscriptions s join subpay.accounts a on a.id = s.account_id
    where a.email = 'same@example.com'`), 24);
});

test('an account locked elsewhere delays nobody else', async () => {
  t.allowLog('SP0501');
  const [first, held, ...free] = await paid(30);
  assert.equal(await deliver(first), 200);
  const holder = await t.postgres.connect(t.database);
  await holder.query('begin');
  await holder.query("insert into subpay.accounts (email) select email from subpay.orders where id = $1", [held.id]);
  const waits = deliver(held);
  const answers = await Promise.all(free.map(deliver));
  assert.deepEqual([...new Set(answers)], [200]);
  await holder.query('rollback');
  await holder.end();
  if (await waits !== 200) assert.equal(await deliver(held), 200);
  for (const order of [held, ...free]) assert.equal(await completions(order), 1);
});

test('connections cut in the middle: what was answered 200 is committed, the rest comes again', async () => {
  t.allowLog('SP0501', 'SP0502');
  const orders = await paid(64);
  const answers = orders.map(async (order) => ({ order, status: await deliver(order) }));
  await t.postgres.terminateBackends(t.database).catch(() => {});
  for (const { order, status } of await Promise.all(answers)) {
    assert.ok(status === 200 || status === 503, `${status}`);
    if (status === 200) assert.equal(await completions(order), 1, 'answered, so committed');
    else assert.equal(await deliver(order), 200);
  }
  assert.equal(await t.value("select count(*)::int from subpay.orders where state = 'completed'"), 55 + 24 + 30 + 64);
});

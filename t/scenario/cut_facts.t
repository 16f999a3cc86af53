#!/usr/bin/env -S node --test-reporter=tap
// Whatever order facts come in, and however often the database connection is cut meanwhile:
// the same end; and no credit is lost or made. SEED=n repeats a run.
'use strict';
const crypto = require('node:crypto');
const { SubPay, test, assert } = require('../lib/subpay.js');
const { inDatabase } = require('../lib/invariants.js');

const SEED = Number(process.env.SEED ?? Date.now() % 1e6);
const ORDERS = 12;

/* mulberry32: small, and the same everywhere. */
function dice(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let x = Math.imul(a ^ (a >>> 15), 1 | a);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}
const roll = dice(SEED);
const shuffled = (list) => list.map((one) => [roll(), one]).sort(([a], [b]) => a - b).map(([, one]) => one);

const t = SubPay.use({
  worker: false, // nothing comes in but what this test sends
  settings: { SubPayRateLimit: 'checkout 0 webhook 0' },
  products: { annual: { Title: 'Annual plan', Price: '249.00 USD', Period: '1y', Credits: 100 } },
});
t.allowLog('SP05', 'SP06', 'SP02', 'SP0305');

/* Cuts one or all of httpd's connections again and again, until it is told to stop. */
function cutter() {
  let stop = false;
  let cuts = 0;
  const done = (async () => {
    while (!stop) {
      const [{ n }] = await t.sql(`select count(pg_terminate_backend(pid))::int as n from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and usename in ('subpay_web', 'subpay_worker')
          and (random() < $1)`, [roll() < 0.3 ? 1 : 0.3]);
      cuts += n;
      await new Promise((resolve) => setTimeout(resolve, 5 + 40 * roll()));
    }
    return cuts;
  })();
  return async () => { stop = true; return done; };
}

function signed(event) {
  const body = JSON.stringify(event);
  const at = Math.floor(Date.now() / 1000);
  const mac = crypto.createHmac('sha256', t.keys.webhook).update(`${at}.${body}`).digest('hex');
  return { body, headers: { 'Content-Type': 'application/json', 'Stripe-Signature': `t=${at},v1=${mac}` } };
}
/* As the provider does: until it is answered 2xx. */
async function deliver(event) {
  for (let n = 0; n < 200; n++) {
    const { status } = await t.post('/webhook/stripe', signed(event)).catch(() => ({ status: 0 }));
    if (status >= 200 && status < 300) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${event.type} was never taken`);
}

const state = (reference) => t.value(`select jsonb_build_object(
    'order', o.state, 'refunded', p.amount_refunded, 'disputed', p.disputed, 'access', s.status = 'active',
    'credits', a.credits, 'booked', (select sum(c.amount) from credit_transactions c where c.order_id = o.id),
    'refunds', (select jsonb_agg(r.status order by r.amount) from refunds r where r.payment_id = p.payment_id),
    'disputes', (select jsonb_agg(d.status) from disputes d where d.payment_id = p.payment_id),
    'told', (select count(*) from outbox m where m.order_id = o.id and m.template = 'refund'),
    'letters', (select count(*) from outbox m where m.order_id = o.id and m.template in ('confirmation', 'recovered')))
  from orders o left join payments p on p.payment_id = o.payment_id left join subscriptions s on s.order_id = o.id
  left join accounts a on a.id = s.account_id where o.reference = $1`, [reference]);

test(`facts in any order, each twice, while connections are cut (SEED=${SEED})`, async () => {
  await t.sandbox.webhooks('off');
  const references = [];
  for (let n = 0; n < ORDERS; n++) {
    const { reference, session_url } = await t.buy('annual', `cut${n}@example.com`, { pay: false });
    await t.pay(session_url, { card: '4242424242424242' });
    references.push(reference);
  }
  for (const intent of (await t.stripe.paymentIntents.list({ limit: 100 })).data) {
    await t.stripe.refunds.create({ payment_intent: intent.id, amount: 4900 });
    const { id } = await t.sandbox.control('POST', 'disputes', { payment_intent: intent.id, reason: 'fraudulent' });
    await t.sandbox.clock(2);
    await t.sandbox.control('POST', `disputes/${id}/close`, { status: 'lost' });
  }
  const types = ['checkout.session.completed', 'payment_intent.succeeded', 'charge.succeeded', 'charge.refunded',
    'refund.created', 'charge.dispute.created', 'charge.dispute.funds_withdrawn', 'charge.dispute.closed'];
  const events = [];
  for await (const event of t.stripe.events.list({ limit: 100, types })) events.push(event);
  assert.equal(events.length, ORDERS * types.length);

  const stop = cutter();
  const queue = shuffled([...events, ...events]);
  await Promise.all(Array.from({ length: 6 }, async () => {
    for (let event = queue.pop(); event; event = queue.pop()) await deliver(event);
  }));
  const cuts = await stop();
  assert.ok(cuts > 5, `${cuts} connections were cut`);
  /* What waits for its payment is tried again by the worker, whenever it comes. */
  await t.sql(`select event_retry(e.provider, e.event_id)
    from (select provider, event_id from provider_events where next_try_at is not null order by event_id) e`);
  const ends = await Promise.all(references.map(state));
  for (const end of ends) {
    assert.deepEqual(end, {
      order: 'completed', refunded: 4900, disputed: true, access: false, credits: 0, booked: 0,
      refunds: ['succeeded'], disputes: ['lost'], told: 1, letters: 1,
    });
  }
  assert.deepEqual((await inDatabase(t)).filter((line) => !/^I1[234]/.test(line)), []);
});

test('credits: every deduction once, while connections are cut', async () => {
  const { reference, session_url } = await t.buy('annual', 'spender@example.com', { pay: false });
  await t.pay(session_url, { card: '4242424242424242' });
  const events = (await t.stripe.events.list({ limit: 20, type: 'checkout.session.completed' })).data;
  await deliver(events.find(({ data }) => data.object.metadata.subpay_reference === reference));
  const wanted = Array.from({ length: 130 }, (_, n) => `cut-${SEED}-${n}`);
  const stop = cutter();
  const verdicts = new Map();
  const queue = shuffled([...wanted, ...wanted]);
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let key = queue.pop(); key; key = queue.pop()) {
      for (let n = 0; ; n++) {
        assert.ok(n < 300, 'never answered');
        const { status } = await t.post('/api/credits/deduct', { auth: t.api, headers: { 'Idempotency-Key': key },
          json: { account: 'spender@example.com', amount: 1, reason: 'used' } }).catch(() => ({ status: 0 }));
        if (status === 200 || status === 409) { verdicts.set(key, [...(verdicts.get(key) ?? []), status]); break; }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }));
  assert.ok(await stop() > 0);
  const granted = [...verdicts.values()].filter((all) => all.includes(200)).length;
  assert.equal(granted, 100, 'as many as there were');
  const [row] = await t.sql(`select a.credits::int as balance, sum(c.amount)::int as total, count(*) filter (where c.amount < 0)::int as taken
    from accounts a join credit_transactions c on c.account_id = a.id where a.email = 'spender@example.com' group by a.id`);
  assert.deepEqual(row, { balance: 0, total: 0, taken: 100 });
});

#!/usr/bin/env -S node --test-reporter=tap
// Each money line is true: whatever a page or a mail says of somebody's money, the
// provider's own books say too, to the cent.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');
const { shop, prepare } = require('../browser/states.js');

const t = SubPay.use(shop);
t.allowLog('SP0401', 'SP0402'); // the provider does not answer about two of the orders
let world;

/* Which line a text holds; "held" begins like "not charged". */
const LINES = [
  ['paid', /We received your payment of ([\d.]+ [A-Z]{3})|Ihre Zahlung von ([\d.]+ [A-Z]{3})[^.]* (?:ist .*)?bei uns eingegangen/],
  ['reserved', /Your bank has reserved ([\d.]+ [A-Z]{3}) for us|Ihre Bank hat ([\d.]+ [A-Z]{3}) für uns reserviert/],
  ['held', /You have not been charged\. Your bank may show ([\d.]+ [A-Z]{3})|Ihnen wurde nichts abgebucht\. Ihre Bank zeigt ([\d.]+ [A-Z]{3})/],
  ['returned', /We have sent ([\d.]+ [A-Z]{3}) back to your card|Wir haben ([\d.]+ [A-Z]{3}) auf Ihre Karte/],
  ['not_charged', /You have not been charged|Ihnen wurde nichts abgebucht/],
  ['open', /No payment has reached us so far|Bisher ist keine Zahlung bei uns angekommen/],
  ['checking', /We are checking with Stripe whether|Wir fragen bei Stripe nach, ob/],
];
function lineOf(text) {
  const plain = text.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ');
  for (const [name, said] of LINES) {
    const found = said.exec(plain);
    if (found) return { name, amount: found[1] ?? found[2] };
  }
  return { name: 'none' };
}
const pageLine = ({ text }) => lineOf(/<p class="money">(.*?)<\/p>/s.exec(text)?.[1] ?? '');

/* All that the provider has about one order. */
async function books({ reference }) {
  const mine = ({ metadata }) => metadata?.subpay_reference === reference;
  const sessions = (await t.stripe.checkout.sessions.list({ limit: 100 })).data.filter(mine);
  const intents = (await t.stripe.paymentIntents.list({ limit: 100 })).data.filter(mine);
  const charges = (await t.stripe.charges.list({ limit: 100 })).data
    .filter((charge) => intents.some(({ id }) => id === charge.payment_intent));
  const good = charges.filter(({ status, paid, captured }) => paid && captured && status === 'succeeded');
  const text = (minor) => `${(minor / 100).toFixed(2)} ${(good[0] ?? intents[0] ?? sessions[0])?.currency.toUpperCase()}`;
  return {
    sessions, intents, charged: good.length > 0,
    paid: text(good.reduce((sum, { amount }) => sum + amount, 0)),
    returned: text(good.reduce((sum, { amount_refunded: back }) => sum + back, 0)),
    moving: intents.some(({ status }) => ['processing', 'requires_capture'].includes(status)),
    reserved: text(intents.filter(({ status }) => status === 'requires_capture')
      .reduce((sum, { amount }) => sum + amount, 0)),
    canPay: sessions.some(({ status }) => status === 'open'),
  };
}

/* What must be so where a line is said. */
const PROOF = {
  paid: (b, amount) => b.charged && b.paid === amount && b.returned !== b.paid,
  returned: (b, amount) => b.charged && b.returned === amount && b.returned !== '0.00 USD',
  reserved: (b, amount) => !b.charged && b.reserved === amount && amount !== '0.00 USD',
  held: (b) => !b.charged && !b.moving && b.intents.length > 0,
  not_charged: (b) => !b.charged && !b.moving && !b.canPay,
  open: (b) => !b.charged && !b.moving && b.canPay,
  checking: (b, _, order) => b.moving || order.isSilent,
};

async function proves(what, line, order) {
  const b = await books(order);
  assert.ok(line.name in PROOF, `${what}: says nothing of money`);
  assert.ok(PROOF[line.name](b, line.amount, order),
    `${what} says ${line.name} ${line.amount ?? ''}; the books: ${JSON.stringify({ ...b, sessions: b.sessions.map((s) => s.status), intents: b.intents.map((i) => i.status) })}`);
}

const WHERE = {
  started: 'open', silent: 'checking', handed: 'checking', fresh: 'paid', late: 'paid', review: 'paid', bank: 'checking',
  bounced: 'held', reserved: 'reserved', weighed: 'reserved', released: 'held', expired: 'not_charged', refunded: 'returned', member: 'paid',
};

test('orders of every kind', { timeout: 180_000 }, async () => {
  world = await prepare(t);
  world.silent.isSilent = true;
  world.handed.isSilent = true;
  const session = await world.session(world.started);
  world.started.return_url = session.success_url.replace('{CHECKOUT_SESSION_ID}', session.id);
  const over = await world.session(world.expired);
  world.expired.return_url = over.cancel_url;
});

for (const [name, wanted] of Object.entries(WHERE)) {
  test(`${name}: the way back says "${wanted}", in both languages and to programs, and it is so`, async () => {
    const order = world[name];
    for (const language of ['en', 'de']) {
      const line = pageLine(await order.browser.get(order.return_url, { headers: { 'Accept-Language': language } }));
      assert.equal(line.name, wanted, language);
      await proves(`${name} in ${language}`, line, order);
    }
    const token = new URL(order.return_url).searchParams.get('t');
    assert.equal((await t.get(`/status?t=${token}`, { headers: { Accept: 'application/json' } })).json.money, wanted);
  });
}

test('the plans, the support form and a stranger with the address hear nothing else', async () => {
  for (const name of ['started', 'expired', 'refunded']) {
    await proves(`plans, ${name}`, pageLine(await world[name].browser.get('/')), world[name]);
  }
  for (const name of ['fresh', 'review', 'expired', 'released']) {
    const own = pageLine(await world[name].browser.get('/support'));
    await proves(`support, ${name}`, own, world[name]);
    const stranger = pageLine(await t.browser().get(world[name].return_url));
    assert.equal(stranger.name, WHERE[name]);
  }
});

test('a payment of another amount is named by what came, not by the price', async () => {
  const { browser, return_url, email } = world.review;
  assert.equal(pageLine(await browser.get(return_url)).amount, '248.99 USD');
  const to = email ?? await t.value('select email from subpay.orders where reference = $1', [world.review.reference]);
  const [mail] = await t.mailsBecome(to, 1);
  assert.match(mail.subject, /^Your payment arrived; we look at one detail/);
  assert.deepEqual(lineOf(mail.text), { name: 'paid', amount: '248.99 USD' });
  const due = await t.value(`select k.due_at from subpay.tickets k join subpay.orders o on o.id = k.order_id
    where k.kind = 'review' and o.reference = $1`, [world.review.reference]);
  for (const text of [mail.text, (await browser.get(return_url)).text]) {
    assert.ok(text.includes(`${due.getUTCDate()} ${due.toLocaleString('en', { month: 'long', timeZone: 'UTC' })} ${due.getUTCFullYear()}, ${due.toISOString().slice(11, 16)} UTC`),
      `by when: ${due.toISOString()}`);
    assert.match(text.replace(/<[^>]*>/g, ''), /so Ana and Sam look at it by/);
  }
});

test('every mail that speaks of money is right', async () => {
  const orders = Object.keys(WHERE).map((name) => world[name]);
  let seen = 0;
  for (const [order, name] of orders.map((one, i) => [one, Object.keys(WHERE)[i]])) {
    const email = await t.value('select email from subpay.orders where reference = $1', [order.reference]);
    for (const mail of await t.mails(email)) {
      const line = lineOf(mail.text);
      if (line.name === 'none') continue;
      seen += 1;
      const b = await books(order);
      /* A welcome from before the refund was true when it left. */
      const then = line.name === 'paid' ? { ...b, returned: '0.00 USD' } : b;
      assert.ok(PROOF[line.name](then, line.amount, order), `${name}: ${mail.subject}: ${line.name} ${line.amount} ${mail.date}`);
    }
  }
  assert.ok(seen >= 6, `${seen} mails`);
});

test('paid is not access: a plan that is over, or closed by a dispute, is called that', async () => {
  const bought = await t.buy('annual', 'over@example.com');
  const row = await t.order(bought.reference).becomes('completed');
  const said = async (language = 'en') => {
    const { text } = await bought.browser.get(bought.return_url, { headers: { 'Accept-Language': language } });
    const token = new URL(bought.return_url).searchParams.get('t');
    const { page } = (await t.get(`/status?t=${token}`, { headers: { Accept: 'application/json' } })).json;
    return `${page}: ${/<h1>(.*?)<\/h1>/.exec(text)[1]}`;
  };
  const access = (change) => t.sql(`update subpay.subscriptions set ${change} where order_id = $1`, [row.id]);

  assert.equal(await said(), 'paid: You have access.');
  await access(`starts_at = now() - interval '2 years', expires_at = now() - interval '1 day'`);
  assert.equal(await said(), 'ended: Your plan has ended.');
  assert.equal(await said('de'), 'ended: Ihr Plan ist beendet.');
  await access(`grace_until = now() + interval '1 day'`);
  assert.equal(await said(), 'paid: You have access.', 'a renewal that is due');
  await access(`status = 'suspended'`);
  assert.equal(await said(), 'suspended: Access is closed for now.');
  assert.equal(await said('de'), 'suspended: Der Zugang ist vorerst geschlossen.');
  const answer = await bought.browser.post('/find', { form: { email: 'over@example.com' } });
  assert.doesNotMatch(answer.text, /You have access|Found it/);
});

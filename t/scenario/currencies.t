#!/usr/bin/env -S node --test-reporter=tap
// A price is the same everywhere: on the page, at the provider, in the mail, in a refund; in
// currencies without decimals, with three of them, and in those that only look like it.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');
const invariants = require('../lib/invariants.js');
const past = require('../lib/past.js');

const plan = (price) => ({ Title: 'Annual plan', Price: price, Period: '1y' });
/* plan: as configured; minor: as sent; shown: as read; part: a refund, typed, sent and shown */
const CASES = [
  { plan: 'usd', price: '249.00 USD', minor: 24900, shown: '249.00 USD', part: ['100.00', 10000, '100.00 USD'], wrong: ['100.5', '100,00', '300.00'] },
  { plan: 'jpy', price: '24900 JPY', minor: 24900, shown: '24900 JPY', part: ['100', 100, '100 JPY'], wrong: ['100.00', '24901'] },
  { plan: 'kwd', price: '24.900 KWD', minor: 24900, shown: '24.900 KWD', part: ['1.230', 1230, '1.230 KWD'], wrong: ['1.23', '1.234', '100.000'] },
  { plan: 'ugx', price: '900000 UGX', minor: 90000000, shown: '900000 UGX', part: ['50000', 5000000, '50000 UGX'], wrong: ['50000.50', '900001'] },
  { plan: 'isk', price: '34900 ISK', minor: 3490000, shown: '34900 ISK', part: ['4900', 490000, '4900 ISK'], wrong: ['49.5', '34901'] },
];
const products = Object.fromEntries(CASES.map(({ plan: name, price }) => [name, plan(price)]));

const t = SubPay.use({ products, settings: { SubPayReconcileInterval: '1s', SubPayRateLimit: 'checkout 0', SubPayDuplicateWindow: '0s' } });

const words = (html) => html.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ');
const look = (where) => t.get('/admin' + where, { auth: t.admin });
async function press(reference, action, more = {}) {
  const where = `/orders/${reference}/${action}`;
  const page = await look(where);
  const hidden = Object.fromEntries([...page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  return t.post('/admin' + where, { auth: t.admin, form: { ...hidden, reason: 'a test', ...more } });
}
const code = (price) => price.slice(-3);
async function sound() {
  const { left } = await invariants.quiet(t, { within: 20_000, hurry: true });
  assert.deepEqual(left, []);
  assert.deepEqual(await invariants.violations(t), []);
}

test('the plans page names each price as people write it', async () => {
  const page = words((await t.get('/')).text);
  for (const { shown } of CASES) assert.ok(page.includes(shown), shown);
  for (const { shown } of CASES) assert.ok(!page.includes(shown.replace(/ /, '.00 ')), `${shown}, and nothing behind it`);
});

for (const { plan: name, price, minor, shown, part: [typed, sent, said], wrong } of CASES) {
  const currency = code(price);
  const email = `${name}@example.com`;

  test(`${price}: sold, shown and paid back to the unit`, async () => {
    const bought = await t.buy(name, email);
    await t.order(bought.reference).becomes('completed');
    const asked = (await t.sandbox.requests()).filter(({ method, path }) => method === 'POST' && path === '/v1/checkout/sessions').pop();
    const { price_data: data } = asked.params.line_items[0];
    assert.deepEqual([Number(data.unit_amount), data.currency], [minor, currency.toLowerCase()], 'what is asked for');
    const [row] = await t.sql('select amount, currency from payments p where order_id = (select id from orders where reference = $1)', [bought.reference]);
    assert.deepEqual([Number(row.amount), row.currency], [minor, currency], 'what is written');
    assert.ok(words(bought.page.text).includes(`We received your payment of ${shown}`), 'what is read');
    const [mail] = await t.mailsBecome(email);
    assert.ok(mail.text.includes(`We received your payment of ${shown}.`), 'what is mailed');
    assert.ok(words((await look('/orders/' + bought.reference)).text).includes(shown), 'what support sees');

    for (const text of wrong) {
      const { status } = await press(bought.reference, 'refund', { amount: text });
      assert.ok(status >= 400, `${text} is not sent back`);
    }
    assert.equal((await press(bought.reference, 'refund', { amount: typed })).status, 303);
    await t.until(async () => Number(await t.value('select amount_refunded from payments p where order_id = (select id from orders where reference = $1)', [bought.reference])) === sent);
    const [refund, ...more] = (await t.stripe.refunds.list({ limit: 100 })).data.filter((one) => one.currency === currency.toLowerCase());
    assert.deepEqual([refund.amount, more.length], [sent, 0], 'what goes back');
    const mails = await t.mailsBecome(email, 2);
    assert.ok(mails[1].text.includes(`We have sent ${said} back`), mails[1].text);
  });

  test(`${price}: one minor unit less, one more, or the same digits in another currency is a person's`, async () => {
    const other = currency === 'USD' ? 'jpy' : 'usd';
    for (const [amount, paid, reason] of [[minor - 1, currency, 'amount'], [minor + 1, currency, 'amount'], [minor, other, 'currency']]) {
      const address = `${name}-${amount}-${paid}@example.com`.toLowerCase();
      const order = await past.order(t, address, { plan: { product: name, title: 'Annual plan', amount: minor, currency } });
      const made = await past.payment(t, order, { email: address, amount, currency: paid.toLowerCase() });
      await t.subpayctl('recover', made.payment_intent);
      const row = await t.order(order.reference).row;
      assert.deepEqual([row.state, row.review_reason], ['review', reason], `${amount} ${paid} for ${price}`);
      assert.deepEqual(await t.order(order.reference).subscriptions, []);
    }
  });

  test(`${price}: an order that is gone is rebuilt at its price`, async () => {
    const address = `${name}-gone@example.com`;
    const order = await past.order(t, address, { plan: { product: name, title: 'Annual plan', amount: minor, currency } });
    await t.sql('delete from orders where reference = $1', [order.reference]);
    const made = await past.payment(t, order, { email: address, amount: minor, currency: currency.toLowerCase() });
    await t.subpayctl('recover', made.payment_intent);
    const row = await t.order(order.reference).row;
    assert.deepEqual([row.state, Number(row.amount), row.currency], ['completed', minor, currency]);
  });
}

test('a change of price leaves what was sold as it was', async () => {
  const before = await t.buy('usd', 'before@example.com', { pay: false });
  const same = await t.buy('usd', 'same@example.com', { pay: false });
  await t.httpd.stop();
  t.httpd.extra = t.httpd.extra.replace('249.00 USD', '349.00 USD');
  t.httpd.configure();
  await t.httpd.start();
  assert.ok(words((await t.get('/')).text).includes('349.00 USD'));
  const { return_url: url } = await t.pay(before.session_url, { card: '4242424242424242' });
  await t.order(before.reference).becomes('completed');
  assert.equal(Number((await t.order(before.reference).row).amount), 24900, 'the price that was seen');
  assert.ok((await t.mailsBecome('before@example.com'))[0].text.includes('249.00 USD'));
  const page = words((await before.browser.get(url)).text);
  assert.ok(page.includes('We received your payment of 249.00 USD') && !page.includes('349.00'), 'the receipt too');

  const after = await t.buy('usd', 'after@example.com');
  await t.order(after.reference).becomes('completed');
  assert.deepEqual([Number((await t.order(after.reference).row).amount), after.page.text.includes('349.00 USD')], [34900, true]);

  t.httpd.extra = t.httpd.extra.replace('349.00 USD', '349.00 EUR');
  t.httpd.configure();
  await t.httpd.restart();
  await t.pay(same.session_url, { card: '4242424242424242' });
  await t.order(same.reference).becomes('completed');
  assert.deepEqual([Number((await t.order(same.reference).row).amount), (await t.order(same.reference).row).currency], [24900, 'USD']);
  await sound();
});

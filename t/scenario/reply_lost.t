#!/usr/bin/env -S node --test-reporter=tap
// The provider acted, and its answer never arrived.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use();

const form_key = async () => /name="form_key" value="([^"]+)"/.exec((await t.browser().get('/')).text)[1];

test('one lost reply: the same key finds the same page', async () => {
  await t.sandbox.fault({ on: 'POST /v1/checkout/sessions', do: 'drop_reply' });
  const bought = await t.buy('annual', 'ana@example.com');
  await t.order(bought.reference).becomes('completed');
  assert.equal((await t.stripe.checkout.sessions.list()).data.length, 1);
  assert.equal((await t.stripe.charges.list()).data.length, 1);
});

test('all replies lost: unknown is not failed, and the form sent again meets the same order', async () => {
  await t.sandbox.fault({ on: 'POST /v1/checkout/sessions', do: 'drop_reply', times: 'always' });
  const form = { product: 'annual', email: 'bea@example.com', form_key: await form_key() };
  const first = await t.post('/checkout', { form });
  assert.equal(first.status, 503);
  assert.doesNotMatch(first.text, /payment failed|has failed/i);
  assert.ok(first.text.includes(form.form_key), 'the page offers the very same form');
  const [order] = await t.sql("select * from orders where email = 'bea@example.com'");
  assert.equal(order.state, 'pending');

  await t.sandbox.clearFaults();
  const second = await t.post('/checkout', { form });
  assert.equal(second.status, 303);
  assert.equal((await t.sql("select 1 from orders where email = 'bea@example.com'")).length, 1, 'one order');
  const { data } = await t.stripe.checkout.sessions.list();
  assert.equal(data.filter((s) => s.client_reference_id === order.id).length, 1, 'one payment page');
  const { return_url } = await t.pay(second.location, { card: '4242424242424242' });
  await t.get(return_url);
  await t.order(order.reference).becomes('completed');
  t.allowLog('SP04');
});

test('two tries on two forms, both paid: never two charges unnoticed', async () => {
  const first = await t.buy('annual', 'cleo@example.com', { pay: false });
  const second = await t.buy('annual', 'cleo@example.com', { pay: false });
  assert.notEqual(first.reference, second.reference);
  await t.pay(first.session_url, { card: '4242424242424242' });
  await t.pay(second.session_url, { card: '4242424242424242' });
  const states = async () => [await t.order(first.reference).state, await t.order(second.reference).state].sort().join();
  await t.until(async () => await states() === 'completed,refunded', { within: 20_000 });
  assert.equal((await t.stripe.refunds.list()).data.length, 1, 'one goes back, unasked');
  await t.until(async () => (await t.mails('cleo@example.com')).some(({ subject }) => /^You paid twice/.test(subject)));
});

for (const [what, fault] of Object.entries({
  'cut in half': { do: 'truncate' },
  'not JSON': { do: 'body', body: '<html>bad gateway</html>' },
  'of the wrong shape': { do: 'body', body: '{"object":"list","data":7}' },
  'a 500 that was already stored': { do: 'status', status: 500, headers: { 'Stripe-Should-Retry': 'false' } },
})) {
  test('an answer ' + what + ' is unknown, never a crash, never "failed"', async () => {
    await t.sandbox.clearFaults();
    await t.sandbox.fault({ on: 'POST /v1/checkout/sessions', times: 'always', ...fault });
    const before = t.httpd.children().sort().join();
    const reply = await t.post('/checkout', { form: { product: 'annual', email: 'dora@example.com' } });
    assert.equal(reply.status, 503);
    assert.doesNotMatch(reply.text, /payment failed|has failed/i);
    assert.equal(t.httpd.children().sort().join(), before, 'no child died');
    await t.sandbox.clearFaults();
  });
}

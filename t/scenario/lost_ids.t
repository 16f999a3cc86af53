#!/usr/bin/env -S node --test-reporter=tap
// The provider opened the payment page, and the process died before its id was
// stored. Each road alone must end in the one order, updated, never in a second.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

/* An order whose second commit was lost, paid all the same. */
async function paidWithoutIds(t) {
  await t.sandbox.webhooks('off');
  await t.sandbox.fault({ on: 'POST /v1/checkout/sessions', do: 'kill', pids: t.httpd.pids() });
  await assert.rejects(t.post('/checkout', { form: { product: 'annual', email: 'ana@example.com' } }));
  const [order] = await t.sql('select * from orders');
  assert.equal(order.checkout_id, null, 'the ids were lost');
  const { data: [session] } = await t.stripe.checkout.sessions.list();
  return { order, session, browser: t.browser() };
}

async function isHealed(t, { order }, within = 5000) {
  await t.order(order.reference).becomes('completed', { within });
  assert.equal((await t.sql('select 1 from orders')).length, 1, 'one order');
  assert.equal((await t.sql('select 1 from subscriptions')).length, 1, 'one subscription');
  const mails = await t.mailsBecome('ana@example.com');
  assert.equal(mails.length, 1, 'one mail');
}

const roads = {
  async webhook(t, { session }) {
    await t.httpd.start();
    await t.sandbox.webhooks('on');
    await t.pay(session.url, { card: '4242424242424242' });
  },
  async 'return page'(t, { session, browser }) {
    await t.httpd.start();
    const { return_url } = await t.pay(session.url, { card: '4242424242424242' });
    const page = await browser.get(return_url);
    assert.match(page.text, /<title>Paid/);
  },
  async subpayctl(t, { session, order }) {
    await t.pay(session.url, { card: '4242424242424242' });
    const done = await t.subpayctl('recover', order.reference);
    assert.equal(done.status, 0, done.stderr);
    await t.httpd.start();
  },
  async 'subpayctl, by the payment'(t, { session }) {
    await t.pay(session.url, { card: '4242424242424242' });
    const { data: [payment] } = await t.stripe.paymentIntents.list();
    const done = await t.subpayctl('recover', payment.id);
    assert.equal(done.status, 0, done.stderr);
    await t.httpd.start();
  },
};

for (const [road, go] of Object.entries(roads)) {
  test(road + ' alone', async (context) => {
    const t = await SubPay.start({ worker: false });
    context.after(() => t.stop());
    const lost = await paidWithoutIds(t);
    await go(t, lost);
    await t.order(lost.order.reference).becomes('completed');
    t.allowLog('SP0355'); // a second address, whose webhook the provider does not know
    const node = await t.node(); // a worker, for the mail
    await node.start();
    await isHealed(t, lost);
  });
}

/* The worker's layers, each while the others are made blind. */
const blind = {
  events: { on: 'GET /v1/events', do: 'status', status: 403, times: 'always' },
  orders: { on: 'GET /v1/checkout/sessions*', do: 'status', status: 403, times: 'always' },
  objects: { on: 'GET /v1/charges', do: 'status', status: 403, times: 'always' },
};
for (const layer of Object.keys(blind)) {
  test('the ' + layer + ' layer alone', async (context) => {
    const t = await SubPay.start({ settings: { SubPayReconcileInterval: '1s' } });
    context.after(() => t.stop());
    t.allowLog('SP0');
    const lost = await paidWithoutIds(t);
    for (const [name, fault] of Object.entries(blind)) {
      if (name !== layer) await t.sandbox.fault(fault);
    }
    // Old enough that its page cannot be in the making any more.
    await t.sql("update orders set created_at = created_at - interval '10 minutes'");
    await t.pay(lost.session.url, { card: '4242424242424242' });
    await t.httpd.start();
    await isHealed(t, lost, 10_000);
  });
}

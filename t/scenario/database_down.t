#!/usr/bin/env -S node --test-reporter=tap
// PostgreSQL is away at the worst moments: nothing is lost, and the page is true.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

async function shop(context) {
  const t = await SubPay.start({ cluster: 'own' });
  context.after(() => t.stop());
  t.allowLog('SP0', /AH006\d\d|AH02655/);
  return t;
}

test('during checkout: refused before anything could be charged', async (context) => {
  const t = await shop(context);
  await t.postgres.stop('immediate');
  const reply = await t.post('/checkout', { form: { product: 'annual', email: 'ana@example.com' } });
  assert.equal(reply.status, 503);
  assert.ok(reply.headers['retry-after']);
  assert.match(reply.text, /You have not been charged/);
  assert.equal((await t.stripe.checkout.sessions.list()).data.length, 0, 'no payment page exists');

  const json = await t.post('/checkout', { json: { product: 'annual', email: 'ana@example.com' } });
  assert.equal(json.status, 503);
  assert.equal(json.json.error.code, 'database');

  await t.postgres.start();
  const bought = await t.buy('annual', 'ana@example.com');
  await t.order(bought.reference).becomes('completed');
});

test('the form sent again after paying: not a word that is not known to be true', async (context) => {
  const t = await shop(context);
  const browser = t.browser();
  const form_key = /name="form_key" value="([^"]+)"/.exec((await browser.get('/')).text)[1];
  const form = { product: 'annual', email: 'ana@example.com', form_key };
  const first = await browser.post('/checkout', { form });
  await t.pay(first.location, { card: '4242424242424242' });
  await t.postgres.stop('immediate');
  for (const reply of [await browser.post('/checkout', { form }), await browser.post('/checkout', { json: form })]) {
    assert.equal(reply.status, 503);
    assert.doesNotMatch(reply.text, /have not been charged/);
    assert.match(reply.text, /do not pay again/);
  }
  await t.postgres.start();
  await t.until(async () => await t.value('select state from subpay.orders') === 'completed');
});

test('during the webhook: 503, and the provider tries again', async (context) => {
  const t = await shop(context);
  const bought = await t.buy('annual', 'ana@example.com', { pay: false });
  await t.httpd.stop();
  await t.sandbox.webhooks('hold');
  await t.pay(bought.session_url, { card: '4242424242424242' });
  await t.httpd.start();
  await t.postgres.stop('immediate');
  await t.sandbox.webhooks('release');
  const undelivered = async () => (await t.stripe.events.list({ delivery_success: false })).data.length;
  await t.until(async () => /" 503 /.test(t.httpd.access()), { what: 'a webhook to be answered 503' });
  assert.ok(await undelivered() > 0);
  await t.postgres.start();
  await t.order(bought.reference).becomes('completed', { within: 10_000 });
  await t.mailsBecome('ana@example.com');
  assert.equal((await t.sql('select 1 from subscriptions')).length, 1);
});

test('during the return page: safe, being finished, with the reference', async (context) => {
  const t = await shop(context);
  const bought = await t.buy('annual', 'ana@example.com', { follow: false, pay: false });
  await t.sandbox.webhooks('off');
  const { return_url } = await t.pay(bought.session_url, { card: '4242424242424242' });
  await t.postgres.stop('immediate');
  const page = await bought.browser.get(return_url);
  assert.equal(page.status, 200);
  assert.ok(page.text.includes(bought.reference), 'the page names the reference');
  assert.match(page.text, /Please do not pay again/);
  assert.doesNotMatch(page.text, /not been charged|failed|error/i);
  const status = await t.get('/status?t=' + new URL(return_url).searchParams.get('t'));
  assert.deepEqual([status.status, status.json.money], [200, 'checking']);

  await t.postgres.start();
  await t.order(bought.reference).becomes('completed', { within: 5000 });
  assert.match((await bought.browser.get(return_url)).text, /<title>Paid/);
});

test('a restart under load: no request fails that a retry could have saved', async (context) => {
  const t = await shop(context);
  const bought = await t.buy('annual', 'ana@example.com');
  const where = '/status?t=' + new URL(bought.return_url).searchParams.get('t');
  const tally = new Map();
  let stop = false;
  const customers = Array.from({ length: 16 }, async () => {
    while (!stop) {
      const { status } = await t.browser().get(where);
      tally.set(status, (tally.get(status) ?? 0) + 1);
    }
  });
  for (let n = 0; n < 3; n++) {
    await t.until(() => (tally.get(200) ?? 0) > (n + 1) * 100);
    await t.postgres.terminateBackends();
  }
  const before = tally.get(200);
  await t.until(() => tally.get(200) > before + 200);
  stop = true;
  await Promise.all(customers);
  assert.deepEqual([...tally.keys()], [200], JSON.stringify([...tally]));
});

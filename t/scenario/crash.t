#!/usr/bin/env -S node --test-reporter=tap
// The customer has paid; in that moment every process of the server is killed.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use();

test('httpd dies at the payment: access and mail within 5 seconds of its return', async () => {
  const bought = await t.buy('annual', 'ana@example.com', { pay: false });
  await t.sandbox.webhooks('off');
  await t.sandbox.fault({ on: 'POST /pay/*', do: 'kill', pids: t.httpd.pids() });
  const { return_url } = await t.pay(bought.session_url, { card: '4242424242424242' });
  await assert.rejects(bought.browser.get(return_url), 'the blank page itself');
  assert.equal(await t.order(bought.reference).state, 'pending', 'the intent outlived the crash');

  const alive = t.httpd.start();
  await alive;
  const since = Date.now();
  await t.order(bought.reference).becomes('completed', { within: 5000 });
  const [mail] = await t.mailsBecome('ana@example.com', 1, { within: 5000 - (Date.now() - since) });
  assert.ok(mail.text.includes(bought.reference));
  assert.equal((await t.stripe.charges.list()).data.length, 1, 'and nobody paid twice');
  const row = await t.order(bought.reference).row;
  assert.ok(['replay', 'reconcile'].includes(row.completed_via), row.completed_via);
  assert.equal((await t.order(bought.reference).subscriptions).length, 1);

  const page = await bought.browser.get(return_url);
  assert.match(page.text, /<title>Paid/);
});

test('the same with the database killed too', async (context) => {
  const own = await SubPay.start({ cluster: 'own' });
  context.after(() => own.stop());
  own.allowLog('SP0');
  const bought = await own.buy('annual', 'ana@example.com', { pay: false });
  await own.sandbox.webhooks('off');
  await own.sandbox.fault({ on: 'POST /pay/*', do: 'kill', pids: own.httpd.pids() });
  await own.postgres.kill9();
  await own.pay(bought.session_url, { card: '4242424242424242' });
  await own.postgres.start();
  await own.httpd.start();
  await own.order(bought.reference).becomes('completed', { within: 5000 });
  await own.mailsBecome('ana@example.com');
});

#!/usr/bin/env -S node --test-reporter=tap
// Back from paying, and the provider says nothing: within ten minutes there is a mail,
// whatever the answer, and it is true.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use({ settings: { SubPayReconcileInterval: '1h', SubPayProviderTimeout: '1s' } });
const words = (html) => html.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ');

/* Came back, and read "we are checking". */
async function cameBack(email, { pay }) {
  await t.sandbox.webhooks('off');
  const bought = await t.buy('annual', email, { pay: false });
  const { id, success_url } = (await t.stripe.checkout.sessions.list()).data[0];
  if (pay) await t.pay(bought.session_url, { card: '4242424242424242' });
  await t.sandbox.fault({ on: 'GET /v1/*', do: 'status', status: 500, times: 'always' });
  bought.return_url = success_url.replace('{CHECKOUT_SESSION_ID}', id);
  const page = await bought.browser.get(bought.return_url);
  assert.match(words(page.text), /We are checking with Stripe/);
  assert.equal(await t.value(`select next_at - since from subpay.checkings c join subpay.orders o on o.id = c.order_id
    where o.reference = $1`, [bought.reference]).then((gap) => gap.minutes), 9);
  return bought;
}

const tenMinutesLater = () => t.sql('update subpay.checkings set next_at = now()');
const told = (email, count = 1) => t.mailsBecome(email, count, { within: 20_000 });

test('no answer: E6, once, a ticket, and a name on the page', async () => {
  const bought = await cameBack('ana@example.com', { pay: true });
  await tenMinutesLater();
  const [mail] = await told('ana@example.com');
  assert.equal(mail.subject, 'We are still checking your payment');
  assert.match(mail.text, /We are checking with Stripe whether your payment went through\. Please do not pay again\./);
  assert.match(mail.text, /Ana and Sam take it over at .* and write to you by .*, whatever comes out/);
  const [ticket] = await t.sql("select * from subpay.tickets where kind = 'checking'");
  assert.equal(ticket.email, 'ana@example.com');
  assert.ok(mail.text.includes(ticket.due_at.toISOString().slice(11, 16)), 'due when it was promised');

  const since = Math.floor(Date.now() / 1000) - 700;
  const page = await bought.browser.get(bought.return_url + '&w=' + since);
  assert.match(words(page.text), /This is taking longer than it should.*Ana and Sam look at it in person and write to you by/);
  assert.equal((await t.sql('select 1 from subpay.checkings')).length, 0, 'nobody is told twice');

  await t.sandbox.clearFaults();
  await bought.browser.get(bought.return_url);
  await t.order(bought.reference).becomes('completed');
  await told('ana@example.com', 2);
  await t.until(async () => (await t.value("select state from subpay.tickets where kind = 'checking'")) === 'solved', { within: 15_000 });
});

test('it answers before the time: the welcome is the mail', async () => {
  const bought = await cameBack('bea@example.com', { pay: true });
  await t.sandbox.clearFaults();
  await tenMinutesLater();
  await t.order(bought.reference).becomes('completed', { within: 15_000 });
  await told('bea@example.com');
  await t.until(async () => (await t.sql('select 1 from subpay.checkings')).length === 0);
  assert.equal((await t.mails('bea@example.com')).length, 1);
});

test('the answer is no: that is told as well', async () => {
  await cameBack('cleo@example.com', { pay: false });
  await t.sandbox.clearFaults();
  await tenMinutesLater();
  const [mail] = await told('cleo@example.com');
  assert.equal(mail.subject, 'No payment has reached us so far');
  assert.match(mail.text, /You came back from the payment page of your order from/);
  assert.doesNotMatch(mail.text, /Somebody asked us/);
  assert.equal((await t.sql("select 1 from subpay.tickets where email = 'cleo@example.com'")).length, 0);
  t.allowLog('SP04');
});

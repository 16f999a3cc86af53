#!/usr/bin/env -S node --test-reporter=tap
// Whoever bought or wrote in one language is written to in that language, whoever sends
// the mail and whenever.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use({ settings: { SubPayReconcileInterval: '1s', SubPayRateLimit: ['find 0', 'support 0'] } });

const german = { 'Accept-Language': 'de-AT,de;q=0.9,en;q=0.5' };
const klingon = { 'Accept-Language': 'tlh' };
const inGerman = ({ headers, html, text }) => {
  assert.equal(headers['content-language'], 'de', text);
  assert.match(html, /<html lang="de">/);
};

/* Somebody whose browser asks for this language, at the payment page. */
async function place(email, headers) {
  const who = t.browser();
  const plans = await who.get('/', { headers });
  const key = /name="form_key" value="([^"]+)"/.exec(plans.text)[1];
  const sent = await who.post('/checkout', { headers, form: { form_key: key, product: 'annual', email } });
  assert.equal(sent.status, 303, sent.text);
  return { who, session_url: sent.location };
}

test('a German buyer: welcome, refund and password, all sent by the worker, in German', async () => {
  const { who, session_url } = await place('eva@example.com', german);
  const { return_url } = await t.pay(session_url, { card: '4242424242424242' });
  await who.get(return_url, { headers: klingon }); // how they look at a page later changes nothing
  const [welcome] = await t.mailsBecome('eva@example.com', 1);
  inGerman(welcome);
  assert.match(welcome.subject, /^Ihr /);
  assert.match(welcome.text, /Ihre Zahlung von 249\.00 USD ist bei uns eingegangen\./);

  await t.browser().post('/password', { form: { send: 1, email: 'eva@example.com' } });
  inGerman((await t.mailsBecome('eva@example.com', 2)).at(-1));

  const { payment_id } = (await t.sql("select payment_id from subpay.orders where email = 'eva@example.com'"))[0];
  await t.stripe.refunds.create({ payment_intent: payment_id });
  inGerman((await t.mailsBecome('eva@example.com', 3)).at(-1));
});

test('the browser never came back: the worker finds the payment, and its words', async () => {
  await t.sandbox.webhooks('off');
  const { session_url } = await place('uwe@example.com', german);
  await t.pay(session_url, { card: '4242424242424242' });
  inGerman((await t.mailsBecome('uwe@example.com', 1))[0]);
  await t.sandbox.webhooks('on');
});

test('who writes, or looks for a payment, hears in the language they wrote in', async () => {
  const write = (email, headers) => t.browser().post('/support', { headers, form: { email, message: 'Wo ist mein Zugang?' } });
  const find = (email, headers) => t.browser().post('/find', { headers, form: { email } });
  await write('ilse@example.com', german);
  inGerman((await t.mailsBecome('ilse@example.com', 1))[0]);
  await find('otto@example.com', german);
  inGerman((await t.mailsBecome('otto@example.com', 1))[0]);
  await find('john@example.com', klingon);
  assert.equal((await t.mailsBecome('john@example.com', 1))[0].headers['content-language'], 'en');
});

test('an order that nobody has told a language of is written about in the default', async () => {
  const { session_url } = await place('ada@example.com', german);
  await t.sql("delete from subpay.orders where email = 'ada@example.com'");
  await t.pay(session_url, { card: '4242424242424242' });
  const [mail] = await t.mailsBecome('ada@example.com', 1);
  assert.equal(mail.headers['content-language'], 'en');
  assert.equal(await t.value("select lang from subpay.orders where email = 'ada@example.com'"), null);
});

test('who waits for the end of a pause hears of it in their language', async () => {
  const pause = (on) => t.sql("select subpay.checkout_pause($1, 'ana', 'trying')", [on]);
  await pause(true);
  const page = await t.browser().post('/notify', { headers: german, form: { email: 'kurt@example.com' } });
  assert.match(page.text, /<html lang="de">/);
  await pause(false);
  inGerman((await t.mailsBecome('kurt@example.com', 1))[0]);
});

test('a page says which language it was drawn in: the support area is English for everybody', async () => {
  const page = await t.get('/admin/', { auth: t.admin, headers: german });
  assert.match(page.text, /<html lang="en">/);
  assert.equal(page.headers['content-language'], 'en');
  assert.equal((await t.get('/', { headers: german })).headers['content-language'], 'de');
});

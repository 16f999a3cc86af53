#!/usr/bin/env -S node --test-reporter=tap
// Charged, but no access: /find sets it up, tells only whom it concerns, and says
// nothing to anybody else.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use({ settings: { SubPayReconcileInterval: '1h' } });

/* A page as it is read: without its tags. */
const words = (html) => html.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ');
const find = (form, who = t.browser()) => who.post('/find', { form });
const thanked = (page) => {
  assert.equal(page.status, 200, page.text);
  assert.match(words(page.text), /Thank you\. If there is a payment/);
};

/* Paid, and every other road closed: no webhook, no way back. */
async function paidAndLost(email, more = {}) {
  await t.sandbox.webhooks('off');
  const bought = await t.buy('annual', email, { follow: false, ...more });
  assert.equal(await t.order(bought.reference).state, 'pending');
  return bought;
}

test('the form asks for one thing, and not for a card number', async () => {
  const page = await t.get('/find');
  assert.equal(page.status, 200);
  assert.match(words(page.text), /Charged, but no access\?/);
  assert.match(page.text, /<details>/, 'the rest is there for who wants it');
  assert.equal((page.text.match(/ required/g) ?? []).length, 0);
});

test('by e-mail: access within seconds, and one mail', async () => {
  const bought = await paidAndLost('ana@example.com');
  thanked(await find({ email: 'Ana@Example.com' }));
  const order = await t.order(bought.reference).becomes('completed', { within: 3000 });
  assert.equal(order.completed_via, 'self_service');
  assert.equal(order.completed_by, 'customer');
  const [mail] = await t.mailsBecome('ana@example.com');
  assert.ok(mail.text.includes(bought.reference));
  await t.until(() => t.value("select state = 'found' from subpay.searches where email = 'Ana@Example.com'"));
  assert.equal((await t.mails('ana@example.com')).length, 1, 'the welcome is the answer');
});

test('somebody who has access already gets it in writing, once an hour', async () => {
  const bought = await t.buy('annual', 'bea@example.com');
  await t.order(bought.reference).becomes('completed');
  await t.mailsBecome('bea@example.com');
  for (let i = 0; i < 3; i++) thanked(await find({ email: 'bea@example.com' }));
  const mails = await t.mailsBecome('bea@example.com', 2);
  assert.equal(mails[1].subject, 'We found your payment');
  assert.match(mails[1].text, /We received your payment of 249\.00 USD/);
  assert.match(mails[1].text, /is active and runs until/);
  assert.match(mails[1].text, /\/password\?t=[0-9a-f]{32}/, 'and the way in');
  await t.until(async () => await t.value("select count(*) from subpay.searches where state = 'open'") === '0');
  assert.equal((await t.mails('bea@example.com')).length, 2);
});

test('by reference, as printed on the statement: the news goes to whom it belongs', async () => {
  const bought = await paidAndLost('cleo@example.com');
  const printed = 'SHOP* ' + bought.reference.replaceAll('-', '').toLowerCase();
  const page = await find({ email: 'thief@example.com', reference: printed });
  thanked(page);
  assert.doesNotMatch(page.text, /cleo/);
  await t.order(bought.reference).becomes('completed', { within: 3000 });
  await t.mailsBecome('cleo@example.com');
  await t.until(() => t.value("select state = 'found' from subpay.searches where email = 'thief@example.com'"));
  assert.equal((await t.mails('thief@example.com')).length, 0);
});

test('by amount, day and last four digits', async () => {
  const bought = await paidAndLost('dora@example.com');
  const day = new Date().toISOString().slice(0, 10);
  thanked(await find({ amount: '$249', day, last4: '4242' }));
  await t.order(bought.reference).becomes('completed', { within: 3000 });
  const [mail] = await t.mailsBecome('dora@example.com');
  assert.ok(mail.text.includes(bought.reference));
});

test('the row of the order is gone: the provider knows', async () => {
  for (const [email, form] of [
    ['emil@example.com', { email: 'emil@example.com' }],
    ['finn@example.com', { amount: '249.00', day: new Date().toISOString().slice(0, 10), last4: '4444' }],
  ]) {
    const bought = await paidAndLost(email, form.last4 ? { card: '5555555555554444' } : {});
    await t.sql('delete from subpay.orders where reference = $1', [bought.reference]);
    thanked(await find(form));
    await t.order(bought.reference).becomes('completed', { within: 3000 });
    await t.mailsBecome(email);
  }
});

test('the address typed at the payment page finds it as well, and both are told', async () => {
  const bought = await paidAndLost('gus@gmial.example', { payer: { email: 'gus@gmail.example' } });
  thanked(await find({ email: 'gus@gmail.example' }));
  await t.order(bought.reference).becomes('completed', { within: 3000 });
  const [mail] = await t.mailsBecome('gus@gmail.example');
  assert.equal(mail.subject, 'We found your payment');
  assert.match(mail.text, /Access is under the address g[^@]*@gmial\.example/);
  assert.doesNotMatch(mail.text + mail.html, /gus@gmial|password\?t=/, 'the way in is for the account\'s own address');
  await t.mailsBecome('gus@gmial.example');
});

test('nothing found: the typed address hears it, once an hour', async () => {
  thanked(await find({ email: 'nobody@example.com' }));
  thanked(await find({ email: 'Nobody@example.com' }));
  const [mail] = await t.mailsBecome('nobody@example.com');
  assert.equal(mail.subject, 'We found no payment under this address');
  await t.until(async () => await t.value("select count(*) from subpay.searches where state = 'open'") === '0');
  assert.equal((await t.mails('nobody@example.com')).length, 1);
});

test('an order that nobody paid is no payment', async () => {
  await t.buy('annual', 'hal@example.com', { pay: false });
  thanked(await find({ email: 'hal@example.com' }));
  const [mail] = await t.mailsBecome('hal@example.com');
  assert.equal(mail.subject, 'We found no payment under this address');
});

test('the browser that bought sees it at once', async () => {
  const bought = await paidAndLost('ida@example.com');
  const page = await find({ email: 'other@example.com' }, bought.browser);
  assert.match(words(page.text), /Found it\. We received your payment of 249\.00 USD\. You have access now/);
  assert.ok(page.text.includes('/return?t='));
  assert.equal(await t.order(bought.reference).state, 'completed');
});

test('a double click is one search', async () => {
  const page = await t.get('/find');
  const form_key = /name="form_key" value="([^"]+)"/.exec(page.text)[1];
  await Promise.all([1, 2, 3].map(() => find({ email: 'twice@example.com', form_key })));
  assert.equal(await t.value("select count(*)::int from subpay.searches where email = 'twice@example.com'"), 1);
});

const refused = {
  'nothing at all': [{}, 'email'],
  'no address': [{ email: 'ana' }, 'email'],
  'a typo in the reference': [{ reference: 'SP-0000-0001' }, 'reference'],
  'no reference': [{ reference: 'hello' }, 'reference'],
  'no amount': [{ day: '2026-11-21', last4: '4242' }, 'amount'],
  'an amount that is none': [{ amount: 'a lot', day: '2026-11-21', last4: '4242' }, 'amount'],
  'no such day': [{ amount: '249', day: '2026-31-31', last4: '4242' }, 'day'],
  'a day to come': [{ amount: '249', day: '2036-01-01', last4: '4242' }, 'day'],
  'a whole card number': [{ amount: '249', day: '2026-11-21', last4: '4242424242424242' }, 'last4'],
};
for (const [what, [form, field]] of Object.entries(refused)) {
  test('refused beside the field: ' + what, async () => {
    const page = await find(form);
    assert.equal(page.status, 400);
    assert.match(page.text, /<title>Error: /);
    assert.ok(page.text.includes(`id="${field}-problem"`), page.text);
    const reply = await t.post('/find', { json: form });
    assert.equal(reply.status, 400);
    assert.equal(reply.json.error.code, 'bad_' + field);
  });
}

test('"did you mean", but only in the browser that made the order', async () => {
  const bought = await t.buy('annual', 'jo@example.com', { pay: false });
  const r = bought.reference;
  const wrong = r.slice(0, -1) + (r.endsWith('0') ? '1' : '0');
  const own = await find({ reference: wrong }, bought.browser);
  assert.ok(words(own.text).includes(`Did you mean ${r}?`));
  const other = await find({ reference: wrong });
  assert.equal(other.status, 400);
  assert.ok(!other.text.includes(r));
});

test('line breaks in the address add no recipient', async () => {
  for (const email of ['a@b.example\r\nBcc: all@example.com', 'a@b.example\nSubject: x', 'a@b.example,c@d.example',
    'a@b.example <c@d.example>', '"a b"@example.com', 'a@b.example\0']) {
    assert.equal((await find({ email })).status, 400, JSON.stringify(email));
  }
  assert.equal((await t.mails('all@example.com')).length, 0);
});

test('a payment of the other mode opens nothing', async () => {
  const bought = await paidAndLost('kim@example.com');
  await t.sandbox.fault({ on: 'GET /v1/*', do: 'replace', find: '"livemode": false', with: '"livemode": true', times: 'always' });
  thanked(await find({ email: 'kim@example.com' }));
  await t.until(() => t.value("select state <> 'open' from subpay.searches where email = 'kim@example.com'"));
  assert.equal(await t.order(bought.reference).state, 'pending');
  await t.sandbox.clearFaults();
});

test('the provider is away: asked again until it answers, nothing false is told', async () => {
  const bought = await paidAndLost('lea@example.com');
  await t.sandbox.fault({ on: 'GET /v1/*', do: 'status', status: 500, times: 'always' });
  thanked(await find({ email: 'lea@example.com' }));
  await t.until(() => t.value("select attempts > 0 and lease is null from subpay.searches where email = 'lea@example.com'"), { within: 20_000 });
  assert.equal((await t.mails('lea@example.com')).length, 0);
  await t.sandbox.clearFaults();
  await t.order(bought.reference).becomes('completed', { within: 10_000 });
  await t.mailsBecome('lea@example.com');
  t.allowLog('SP04');
});

test('the worker dies in the middle of it: the next one does it', async () => {
  const bought = await paidAndLost('mia@example.com');
  await t.sandbox.fault({ on: 'GET /v1/*', do: 'kill', pids: [t.httpd.workerPid()] });
  thanked(await find({ email: 'mia@example.com' }));
  await t.order(bought.reference).becomes('completed', { within: 10_000 });
  await t.mailsBecome('mia@example.com');
  assert.equal((await t.mails('mia@example.com')).length, 1);
  t.expectLog('SP0701');
});

test('the database is away: it says so, and promises nothing', async (context) => {
  const shop = await SubPay.start({ cluster: 'own', worker: false });
  context.after(() => shop.stop());
  shop.allowLog('SP0', 'DBD', 'dbd');
  await shop.postgres.stop('immediate');
  for (const [where, form] of [['/find', { email: 'ana@example.com' }], ['/support', { email: 'ana@example.com', message: 'Hello' }]]) {
    const reply = await shop.post(where, { form });
    assert.equal(reply.status, 503);
    assert.ok(reply.headers['retry-after']);
    assert.doesNotMatch(reply.text, /Thank you|have your message/);
    assert.equal((await shop.get(where)).status, 200, 'the form is there all the same');
  }
});

test('another site cannot ask in a customer\'s name', async () => {
  const reply = await t.post('/find', { form: { email: 'x@example.com' }, headers: { 'Sec-Fetch-Site': 'cross-site' } });
  assert.equal(reply.status, 403);
});

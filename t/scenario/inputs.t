#!/usr/bin/env -S node --test-reporter=tap
// Bad input gets a clear error and loses nothing.
'use strict';
const crypto = require('node:crypto');
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use({ worker: false });
const nothing = async () => assert.equal((await t.sql('select 1 from orders')).length, 0, 'no order exists');
const good = { product: 'annual', email: 'ana@example.com' };

const refused = {
  'no e-mail': [{ form: { product: 'annual' } }, 400, 'bad_email'],
  'no domain': [{ form: { ...good, email: 'ana' } }, 400, 'bad_email'],
  'a control character in the e-mail': [{ form: { ...good, email: 'ana\u0001@example.com' } }, 400],
  'a line break in the e-mail': [{ form: { ...good, email: 'ana@example.com\r\nBcc: all@example.com' } }, 400],
  'an e-mail of 255 bytes': [{ form: { ...good, email: 'a'.repeat(243) + '@example.com' } }, 400, 'bad_email'],
  'an unknown product': [{ form: { ...good, product: 'monthly' } }, 404, 'no_such_product'],
  'malformed JSON': [{ body: '{"email":', headers: { 'Content-Type': 'application/json' } }, 400, 'malformed'],
  'JSON that is no object': [{ json: [1] }, 400],
  'a JSON field of another type': [{ json: { ...good, email: 7 } }, 400],
  'a JSON field twice': [{ body: '{"product":"annual","email":"a@b.cd","email":"e@f.gh"}', headers: { 'Content-Type': 'application/json' } }, 400],
  'a form field twice': [{ body: 'product=annual&email=a%40b.cd&email=e%40f.gh', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }, 400],
  'bytes that are no UTF-8': [{ body: 'product=annual&email=a%40b.cd&name=%ff', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }, 400],
  'a NUL in the form': [{ body: 'product=annual&email=a%40b.cd%00.evil', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }, 400],
  'another content type': [{ body: 'x', headers: { 'Content-Type': 'text/plain' } }, 415],
  'a body that is too large': [{ form: { ...good, name: 'x'.repeat(200_000) } }, 413],
};
for (const [what, [ask, status, code]] of Object.entries(refused)) {
  test(what + ': ' + status, async () => {
    const reply = await t.post('/checkout', { ...ask, headers: { Accept: 'application/json', ...ask.headers } });
    assert.equal(reply.status, status, reply.text);
    if (reply.headers['content-type']?.includes('json')) {
      assert.equal(typeof reply.json.error.message, 'string');
      if (code) assert.equal(reply.json.error.code, code);
    } else {
      assert.equal(status, 413, 'only what httpd refuses itself is no JSON');
    }
    await nothing();
  });
}

test('the form comes back with what was typed, the problem beside its field', async () => {
  const reply = await t.post('/checkout', { form: { product: 'annual', email: 'ana@', name: 'Ana "Q" <b>' } });
  assert.equal(reply.status, 400);
  assert.match(reply.text, /<title>Error: /);
  assert.match(reply.text, /Enter an e-mail address, like name@example\.com/);
  assert.ok(reply.text.includes('value="ana@"'));
  assert.ok(reply.text.includes('Ana &quot;Q&quot; &lt;b&gt;'), 'escaped, and not lost');
  await nothing();
});

for (const [method, where, allowed] of [
  ['GET', '/checkout', 'POST'], ['DELETE', '/', 'GET'], ['GET', '/webhook/stripe', 'POST'], ['PUT', '/return', 'GET'],
]) {
  test(method + ' ' + where + ': 405 with Allow', async () => {
    const reply = await t.browserOfAll.request(method, where);
    assert.equal(reply.status, 405);
    assert.ok(reply.headers.allow.includes(allowed), reply.headers.allow);
  });
}

/* A webhook body, signed at a time with a secret. */
function signed(body, { secret = t.keys.webhook, at = Math.floor(Date.now() / 1000) } = {}) {
  const mac = crypto.createHmac('sha256', secret).update(at + '.' + body).digest('hex');
  return { body, headers: { 'Content-Type': 'application/json', 'Stripe-Signature': 't=' + at + ',v1=' + mac } };
}
const event = JSON.stringify({ id: 'evt_1', object: 'event', type: 'product.updated', livemode: false,
  api_version: '2026-07-29.dahlia', created: 1790000000, data: { object: { id: 'prod_1', object: 'product' } } });

test('webhooks: only what is signed, now, by us', async () => {
  const post = (ask) => t.post('/webhook/stripe', ask).then(({ status }) => status);
  assert.equal(await post(signed(event)), 200);
  assert.equal(await post(signed(event, { secret: 'whsec_other' })), 400);
  assert.equal(await post(signed(event, { at: Math.floor(Date.now() / 1000) - 400 })), 400);
  assert.equal(await post({ body: event }), 400);
  assert.equal(await post({ ...signed(event), body: event + ' ' }), 400);
  assert.equal(await post(signed('{"object":"event"')), 200, 'signed but unreadable: kept, not refused');
  assert.equal((await t.sql("select 1 from provider_events where state = 'parked' and raw is not null")).length, 1);
  assert.equal(await post(signed('{"x":"' + 'y'.repeat(2_000_000) + '"}')), 413);
  assert.equal((await t.post('/webhook/nobody', signed(event))).status, 404);
  t.allowLog('SP0');
});

test('an unknown path: 404, and a way to a person', async () => {
  const reply = await t.get('/nowhere');
  assert.equal(reply.status, 404);
  assert.ok(reply.text.includes('/find'));
});

test('a made-up token: no such order, nothing told', async () => {
  const reply = await t.get('/return?t=' + '0'.repeat(32) + '&r=SP-0000-0000');
  assert.equal(reply.status, 404);
});

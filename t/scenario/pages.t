#!/usr/bin/env -S node --test-reporter=tap
// What every answer of the shop carries, and what the buying browser is told.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use();

test('every page has the security headers, and nothing keeps it', async () => {
  for (const where of ['/', '/return?t=0', '/nothing', '/problem', '/offline']) {
    const { headers, text } = await t.get(where);
    const csp = headers['content-security-policy'];
    assert.match(csp, /default-src 'none'/);
    assert.match(csp, /frame-ancestors 'none'/);
    assert.doesNotMatch(csp, /unsafe/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cache-control'], 'no-store');
    assert.doesNotMatch(text, /<style|<script(?! src=)| style=| on\w+="/, 'nothing inline');
  }
});

test('style and script come with a tag, and are not sent twice', async () => {
  const first = await t.get('/assets/subpay.css');
  assert.equal(first.status, 200);
  assert.match(first.headers['content-type'], /^text\/css/);
  const again = await t.get('/assets/subpay.css', { headers: { 'If-None-Match': first.headers.etag } });
  assert.equal(again.status, 304);
  assert.equal((await t.get('/assets/.htaccess')).status, 404);
  assert.equal((await t.get('/assets/none.css')).status, 404);
});

test('a wrong method is told which one is right', async () => {
  for (const [method, where, allow] of [['GET', '/checkout', 'POST'], ['POST', '/return', 'GET, HEAD'],
    ['GET', '/webhook/stripe', 'POST']]) {
    const reply = await t.browser()[method.toLowerCase()](where, {});
    assert.equal(reply.status, 405, where);
    assert.equal(reply.headers.allow, allow);
  }
  for (const [where, allow] of [['/login', 'GET, HEAD, POST'], ['/find', 'GET, HEAD, POST'], ['/account', 'GET, HEAD'],
    ['/logout', 'POST']]) {
    const reply = await fetch(new URL(where.slice(1), `${t.url}/`), { method: 'DELETE' });
    assert.equal(reply.status, 405, where);
    assert.equal(reply.headers.get('allow'), allow, where);
  }
});

test('a likely slip is questioned once, not refused', async () => {
  const form = { product: 'annual', email: 'ana@gmial.com' };
  const asked = await t.post('/checkout', { form });
  assert.equal(asked.status, 200);
  assert.match(asked.text, /Did you mean <strong[^>]*>ana@gmail\.com/);
  assert.equal((await t.sql('select 1 from orders')).length, 0, 'no order yet');
  const sure = await t.post('/checkout', { form: { ...form, email_checked: form.email } });
  assert.equal(sure.status, 303);
});

test('a second checkout in the same browser offers the first one', async () => {
  const browser = t.browser();
  const bought = await t.buy('annual', 'ana@example.com', { browser, pay: false });
  const cookie = bought.checkout.headers['set-cookie'];
  assert.match(String(cookie), /HttpOnly/);
  assert.match(String(cookie), /SameSite=Lax/);
  const plans = await browser.get('/');
  assert.match(plans.text, /You started paying for this plan/);
  assert.match(plans.text, /No payment has reached us so far/);
  assert.doesNotMatch(plans.text, /<form/, 'and nothing else');
  assert.match((await t.browser().get('/')).text, /<form/, 'another browser learns nothing');
});

test('problems stand beside the field, with what was typed', async () => {
  const { status, text } = await t.browser().post('/checkout',
    { form: { product: 'annual', email: 'nobody', name: 'Zoé <b>' } });
  assert.equal(status, 400);
  assert.match(text, /<title>Error: /);
  assert.match(text, /id="email-problem"/);
  assert.match(text, /value="nobody"/);
  assert.match(text, /value="Zoé &lt;b&gt;"/);
});

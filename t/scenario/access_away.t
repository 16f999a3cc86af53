#!/usr/bin/env -S node --test-reporter=tap
// The database is away: whoever was let in lately stays in, whoever was not does not.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const PASSWORD = 'correct horse battery';
const BASIC = `
  Alias /basic "\${SUBPAY_STATE}/site/members"
  <Location /basic>
    SetHandler none
    AuthType Basic
    AuthName x
    AuthBasicProvider subpay
    Require subpay-active
  </Location>`;

async function shop(context, settings = {}) {
  const t = await SubPay.start({ cluster: 'own', settings, httpd: BASIC });
  context.after(() => t.stop());
  t.allowLog('SP0', 'AH00629', 'AH00632', 'AH00633', 'AH00636', 'AH00639', 'AH02655');
  return t;
}

async function customer(t, email) {
  const browser = t.browser();
  const bought = await t.buy('annual', email, { browser });
  await t.order(bought.reference).becomes('completed');
  const token = new URL(bought.return_url).searchParams.get('t');
  await browser.post('/password', { form: { t: token, password: PASSWORD } });
  // Choosing a password ends every session, and the worker may hear of it a little late.
  await pause(1500);
  return { ...bought, browser, email };
}

const gate = (browser, where = '/members/index.html') => browser.get(where, { headers: { Accept: 'text/html' } });
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

test('in lately, and in still; also after a restart of httpd, and at its neighbour', async (context) => {
  const t = await shop(context, { SubPayCacheFor: '1s' });
  const ana = await customer(t, 'ana@example.com');
  assert.equal((await gate(ana.browser)).status, 200);
  const bo = await customer(t, 'bo@example.com'); // never at the gate
  const auth = ['ana@example.com', PASSWORD];
  assert.equal((await t.get('/basic/index.html', { auth })).status, 200);
  const neighbour = await t.node();
  await neighbour.start();

  await t.postgres.stop('immediate');
  await pause(1100); // what is cached has aged
  for (let i = 0; i < 5; i++) assert.equal((await gate(ana.browser)).status, 200);
  assert.equal((await gate(ana.browser, `${neighbour.url}/members/index.html`)).status, 200);
  assert.equal((await t.get('/basic/index.html', { auth })).status, 200);
  assert.notEqual((await t.get('/basic/index.html', { auth: ['ana@example.com', 'wrong horse'] })).status, 200);

  const stranger = await gate(bo.browser);
  assert.equal(stranger.status, 503);
  assert.ok(stranger.headers['retry-after']);
  assert.match(stranger.text, /Something broke on our side/);
  const session = [...ana.browser.cookies.values()].find((c) => c.name === 'subpay_session');
  const grace = [...ana.browser.cookies.values()].find((c) => c.name === 'subpay_grace');

  await t.httpd.kill9();
  await t.httpd.start();
  assert.equal((await gate(ana.browser)).status, 200, 'the browser proves it');
  const forged = (value, token = session.value) => t.browser().get('/members/index.html', {
    headers: { Accept: 'text/html', Cookie: `subpay_session=${token}; subpay_grace=${value}` },
  });
  assert.equal((await forged(grace.value)).status, 200);
  assert.equal((await forged(grace.value, '1'.repeat(32))).status, 503, 'only with its session');
  const [when, text, mac] = grace.value.split('.');
  assert.equal((await forged([(BigInt(`0x${when}`) + 1n).toString(16), text, mac].join('.'))).status, 503);
  const other = Buffer.from(text, 'base64').toString().replace('ana@', 'eve@');
  assert.equal((await forged([when, Buffer.from(other).toString('base64'), mac].join('.'))).status, 503);
  for (const value of ['', '.', '..', 'a.b.c', `${when}.${text}`, `${grace.value}0`]) {
    assert.equal((await forged(value)).status, 503, value);
  }

  await t.postgres.start();
  await t.until(async () => (await gate(bo.browser)).status === 200, { what: 'the database to answer' });
  assert.equal((await gate(ana.browser)).status, 200);
});

test('a refund ends it: the grace of before is void', async (context) => {
  const t = await shop(context, { SubPayCacheFor: '1s' });
  const ana = await customer(t, 'ana@example.com');
  assert.equal((await gate(ana.browser)).status, 200);
  const kept = ana.browser.cookieFor(new URL(t.url));
  assert.match(kept, /subpay_grace=/);
  const [{ payment_id }] = await t.sql('select payment_id from orders where reference = $1', [ana.reference]);
  await t.stripe.refunds.create({ payment_intent: payment_id });
  await t.order(ana.reference).becomes('refunded');
  assert.equal((await gate(ana.browser)).status, 403);
  assert.doesNotMatch(ana.browser.cookieFor(new URL(t.url)), /subpay_grace=/, 'the browser forgets it');

  await t.postgres.stop('immediate');
  const again = await t.browser().get('/members/index.html', { headers: { Accept: 'text/html', Cookie: kept } });
  assert.equal(again.status, 503, 'and one that was kept is worth nothing');
});

test('it has an end, and can be switched off', async (context) => {
  const t = await shop(context, { SubPayCacheFor: '1s', SubPayGrace: '4s' });
  const strict = await t.node({ settings: { SubPayGrace: '0', SubPayCacheFor: '1s' } });
  await strict.start();
  const ana = await customer(t, 'ana@example.com');
  assert.equal((await gate(ana.browser)).status, 200);
  assert.equal((await gate(ana.browser, `${strict.url}/members/index.html`)).status, 200);
  await t.postgres.stop('immediate');
  await pause(1500);
  assert.equal((await gate(ana.browser)).status, 200);
  assert.equal((await gate(ana.browser, `${strict.url}/members/index.html`)).status, 503);
  await t.until(async () => (await gate(ana.browser)).status === 503, { within: 6000, what: 'the grace to end' });
});

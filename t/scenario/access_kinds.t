#!/usr/bin/env -S node --test-reporter=tap
// Every kind of gate that httpd has works with the accounts: proxied applications,
// mod_auth_form, other requirements beside ours, https, a node without a worker.
'use strict';
const http = require('node:http');
const { SubPay, test, assert } = require('../lib/subpay.js');

const PASSWORD = 'correct horse battery';
const MODULES = '/usr/lib/apache2/modules';

/* An application that answers with the headers it was sent. */
async function application(context) {
  const app = http.createServer((request, reply) => {
    reply.setHeader('Content-Type', 'application/json');
    reply.end(JSON.stringify(request.headers));
  });
  await new Promise((ready) => { app.listen(0, '127.0.0.1', ready); });
  context.after(() => app.close());
  return app.address().port;
}

async function shop(context, options) {
  const t = await SubPay.start(options);
  context.after(() => t.stop());
  return t;
}

async function customer(t, email) {
  const browser = t.browser();
  const bought = await t.buy('annual', email, { browser });
  await t.order(bought.reference).becomes('completed');
  const token = new URL(bought.return_url).searchParams.get('t');
  await browser.post('/password', { form: { t: token, password: PASSWORD } });
  return { ...bought, browser, email };
}

test('a proxied application gets the plan from us and from nobody else', async (context) => {
  const port = await application(context);
  const t = await shop(context, { httpd: `
    LoadModule proxy_module ${MODULES}/mod_proxy.so
    LoadModule proxy_http_module ${MODULES}/mod_proxy_http.so
    <Location /app>
      SetHandler none
      ProxyPass http://127.0.0.1:${port}/
      AuthType SubPay
      AuthName x
      Require subpay-plan annual
      RequestHeader set X-Subpay-Account "%{SUBPAY_ACCOUNT}e"
      RequestHeader set X-Subpay-Plan "%{SUBPAY_PLAN}e"
    </Location>` });
  const ana = await customer(t, 'ana@example.com');
  assert.equal((await t.get('/app/x', { headers: { Accept: 'text/html' } })).status, 303);
  const seen = await ana.browser.get('/app/x', {
    headers: { 'X-Subpay-Plan': 'gold', 'X-Subpay-Account': 'eve@example.com' },
  });
  assert.equal(seen.status, 200);
  assert.equal(seen.json['x-subpay-account'], 'ana@example.com');
  assert.equal(seen.json['x-subpay-plan'], 'annual');
  assert.equal((await ana.browser.post('/app/x', { json: { a: 1 } })).status, 200);

  await t.sql("update subscriptions set status = 'ended', ended_at = now()");
  const lapsed = await t.until(async () => {
    const reply = await ana.browser.get('/app/x');
    return reply.status === 403 && reply;
  }, { within: 4500, what: 'the gate to close' });
  assert.match(lapsed.text, /Your plan has ended/);
  assert.equal((await ana.browser.post('/app/x', { json: {} })).status, 403);
});

test('mod_auth_form, with our provider behind it', async (context) => {
  const t = await shop(context, { httpd: `
    LoadModule request_module ${MODULES}/mod_request.so
    LoadModule session_module ${MODULES}/mod_session.so
    LoadModule session_cookie_module ${MODULES}/mod_session_cookie.so
    LoadModule auth_form_module ${MODULES}/mod_auth_form.so
    Alias /form "\${SUBPAY_STATE}/site/members"
    <Location /form>
      SetHandler none
      AuthType form
      AuthName x
      AuthFormProvider subpay
      AuthFormLoginRequiredLocation /own-login
      AuthFormLoginSuccessLocation /form/index.html
      AuthFormLocation unused
      Session On
      SessionCookieName own_session path=/
      Require subpay-active
    </Location>
    <Location /form/login>
      SetHandler form-login-handler
      AuthType None
      Require all granted
      AuthFormProvider subpay
      AuthFormLocation unused
    </Location>
    LogLevel auth_form:crit` });
  await customer(t, 'ana@example.com');
  const browser = t.browser();
  assert.equal((await browser.get('/form/index.html')).location, '/own-login');
  const wrong = await browser.post('/form/login', { form: { httpd_username: 'ana@example.com', httpd_password: 'wrong horse' } });
  assert.notEqual(wrong.location, '/form/index.html');
  const right = await browser.post('/form/login', { form: { httpd_username: 'ana@example.com', httpd_password: PASSWORD } });
  assert.match(right.location, /\/form\/index\.html$/);
  assert.equal((await browser.get('/form/index.html')).status, 200);
  assert.doesNotMatch(t.httpd.log(), /ana@/);
});

test('beside other requirements each counts for itself', async (context) => {
  const t = await shop(context, { httpd: `
    Alias /any "\${SUBPAY_STATE}/site/members"
    Alias /all "\${SUBPAY_STATE}/site/members"
    <Location /any>
      SetHandler none
      AuthType SubPay
      AuthName x
      Require subpay-plan gold
      Require expr "%{HTTP:X-Pass} == 'friend'"
    </Location>
    <Location /all>
      SetHandler none
      AuthType SubPay
      AuthName x
      <RequireAll>
        Require subpay-active
        Require not expr "%{HTTP:X-Pass} == 'banned'"
      </RequireAll>
    </Location>` });
  const ana = await customer(t, 'ana@example.com');
  const status = async (where, pass, browser = ana.browser) =>
    (await browser.get(where, { headers: { Accept: 'text/html', ...(pass && { 'X-Pass': pass }) } })).status;
  assert.equal(await status('/any/index.html'), 403);
  assert.equal(await status('/any/index.html', 'friend'), 200);
  assert.equal(await status('/any/index.html', 'friend', t.browser()), 200, 'who needs no account is not asked for one');
  assert.equal(await status('/all/index.html'), 200);
  assert.notEqual(await status('/all/index.html', 'banned'), 200);
});

test('over https the cookie is bound to this very host', async (context) => {
  const t = await shop(context, { settings: { SubPayBaseURL: 'https://shop.example.com' } });
  t.allowLog('SP0355'); // no endpoint there
  await t.sql(`insert into accounts (email, password_hash) values ('ana@example.com',
    '$2y$10$CdESqWSVa8NzOof8rXQAu.a5QqKfQmiERREPC3NKvfiZDVqNpOtiG')`);
  const [account] = await t.sql('select id from accounts');
  const token = 'ab'.repeat(16);
  await t.sql("select account_link($1, sha256($2), '1 h')", [account.id, Buffer.from(token, 'hex')]);
  const saved = await t.post('/password', { form: { t: token, password: PASSWORD } });
  assert.match(saved.headers['set-cookie'][0],
    /^__Host-subpay=[0-9a-f]{32}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure$/);
  const [cookie] = saved.headers['set-cookie'][0].split(';');
  const get = (headers) => t.browser().get('/account', { headers });
  assert.equal((await get({ Cookie: cookie })).status, 200);
  assert.equal((await get({ Cookie: cookie.replace('__Host-subpay', 'subpay_session') })).status, 303,
    'the name that a neighbour could set does not count');
  assert.equal((await t.browser().get('/members/', { headers: { Accept: 'text/html' } })).location,
    'https://shop.example.com/login?to=%2fmembers%2f');
});

test('two uses of one link at once: one wins', async (context) => {
  const t = await shop(context);
  await t.sql("insert into accounts (email) values ('ana@example.com')");
  const [account] = await t.sql('select id from accounts');
  const token = 'cd'.repeat(16);
  await t.sql("select account_link($1, sha256($2), '1 h')", [account.id, Buffer.from(token, 'hex')]);
  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) =>
    t.browser().post('/password', { form: { t: token, password: `${PASSWORD} ${i}` } })));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(7).fill(400)]);
  assert.equal(await t.value('select count(*)::int from sessions where revoked_at is null'), 1);
});

test('a node without a worker hears nothing, and remembers for no more than a second', async (context) => {
  const t = await shop(context);
  const deaf = await t.node({ worker: false, settings: { SubPayCacheFor: '60s' } });
  await deaf.start();
  const ana = await customer(t, 'ana@example.com');
  const there = () => ana.browser.get(`${deaf.url}/members/index.html`);
  assert.equal((await there()).status, 200);
  await t.sql("update subscriptions set status = 'ended', ended_at = now()");
  await t.until(async () => (await there()).status === 403, { within: 2000, what: 'the gate to close' });
});

#!/usr/bin/env -S node --test-reporter=tap
// What a customer gets for the money: a way in that works at once, lasts as long as was
// paid for, and opens for nobody else.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const GATES = `
  Header set X-Account "%{SUBPAY_ACCOUNT}e" env=SUBPAY_ACCOUNT
  Header set X-Plan "%{SUBPAY_PLAN}e" env=SUBPAY_PLAN
  Header set X-Expires "%{SUBPAY_EXPIRES}e" env=SUBPAY_EXPIRES
  Header set X-Credits "%{SUBPAY_CREDITS}e" env=SUBPAY_CREDITS
  Alias /active "\${SUBPAY_STATE}/site/members"
  Alias /others "\${SUBPAY_STATE}/site/members"
  <Location /others>
    SetHandler none
    AuthType Basic
    AuthName Others
    AuthBasicProvider file
    AuthUserFile "\${SUBPAY_STATE}/api.htpasswd"
    Require subpay-active
  </Location>
  Alias /basic "\${SUBPAY_STATE}/site/members"
  Alias /other "\${SUBPAY_STATE}/site/members"
  Alias /open "\${SUBPAY_STATE}/site/members"
  <Location /active>
    SetHandler none
    AuthType SubPay
    AuthName x
    Require subpay-active
  </Location>
  <Location /other>
    SetHandler none
    AuthType SubPay
    AuthName x
    Require subpay-plan gold platinum
  </Location>
  <Location /basic>
    SetHandler none
    AuthType Basic
    AuthName x
    AuthBasicProvider subpay
    Require subpay-plan gold annual
  </Location>
  <Location /open>
    SetHandler none
  </Location>
  LogLevel auth_basic:crit`;

const t = SubPay.use({ httpd: GATES });
const PASSWORD = 'correct horse battery';
/* Milliseconds, unless the worker that listens is in the middle of something. */
const HEARD = 4500;
const html = { Accept: 'text/html' };

/* Somebody who has paid and chosen a password in the same browser. */
async function customer(email, password = PASSWORD) {
  const browser = t.browser();
  const bought = await t.buy('annual', email, { browser });
  await t.order(bought.reference).becomes('completed');
  const token = new URL(bought.return_url).searchParams.get('t');
  const saved = await browser.post('/password', { form: { t: token, password } });
  assert.equal(saved.status, 200);
  return { ...bought, browser, token, email };
}

const login = (browser, email, password, more = {}) =>
  browser.post('/login', { form: { email, password, ...more } });
const linkIn = (mail) => new URL(mail.text.match(/https?:\S+\/password\?t=[0-9a-f]{32}/)[0]);

test('nobody gets in unasked: people are shown the way, programs are told', async () => {
  const person = await t.get('/members/a%20b?x=1', { headers: html });
  assert.equal(person.status, 303);
  assert.equal(person.location, `${t.url}/login?to=%2fmembers%2fa%2520b%3fx%3d1`);
  const program = await t.get('/members/', { headers: { Accept: 'application/json' } });
  assert.equal(program.status, 401);
  assert.equal(program.json.error.code, 'login_required');
  assert.equal((await t.get('/members/', { headers: { ...html, 'Sec-Fetch-Mode': 'no-cors' } })).status, 401);
  assert.equal((await t.post('/members/', { form: {} })).status, 401);
  const forged = t.browser();
  for (const cookie of ['subpay_session=', `subpay_session=${'0'.repeat(32)}`, 'subpay_session=x.y']) {
    assert.equal((await forged.get('/members/', { headers: { ...html, Cookie: cookie } })).status, 303);
  }
});

test('paid: the browser chooses a password without a mail, and is in', async () => {
  const ana = await customer('Ana@example.com');
  const page = await ana.browser.get(ana.return_url);
  assert.doesNotMatch(page.text, /Set your password/);
  const members = await ana.browser.get('/members/');
  assert.equal(members.status, 200);
  assert.match(members.text, /For subscribers/);
  assert.equal(members.headers['x-account'], 'ana@example.com');
  assert.equal(members.headers['x-plan'], 'annual');
  assert.equal(members.headers['x-credits'], '0');
  assert.match(members.headers['cache-control'], /^private\b/, 'no shared cache keeps it for others');
  assert.match(members.headers['x-expires'], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal((await ana.browser.get('/active/')).status, 200);

  const account = await ana.browser.get('/account');
  assert.match(account.text, /ana@example\.com/);
  assert.ok(account.text.includes(ana.reference));
  const receipt = account.text.match(/href="(\/return[^"]*)"/)[1].replace(/&amp;/g, '&');
  assert.match((await ana.browser.get(receipt)).text, /<title>Paid/);
});

test('only the browser that paid, and only the first password', async () => {
  const bo = await customer('bo@example.com');
  const again = await bo.browser.post('/password', { form: { t: bo.token, password: 'another good one' } });
  assert.equal(again.status, 400);
  assert.match(again.text, /has a password already/);
  const stranger = await t.browser().post('/password', { form: { t: bo.token, password: 'another good one' } });
  assert.match(stranger.text, /This link has expired/);
  assert.equal((await login(t.browser(), 'bo@example.com', 'another good one')).status, 401);
});

test('a password: long enough, short enough, not the first that others try', async () => {
  const cy = t.browser();
  const bought = await t.buy('annual', 'cy@example.com', { browser: cy });
  const token = new URL(bought.return_url).searchParams.get('t');
  await t.order(bought.reference).becomes('completed');
  const choose = (password) => cy.post('/password', { form: { t: token, password } });
  for (const [password, words] of [
    ['seven77', /8 characters or more/], ['ééééééé', /8 characters or more/],
    ['x'.repeat(73), /longer than we can keep/], ['é'.repeat(37), /longer than we can keep/],
    ['PassWord1', /would try/], ['', /8 characters or more/],
  ]) {
    const page = await choose(password);
    assert.equal(page.status, 400, password);
    assert.match(page.text, words);
    assert.match(page.text, /<title>Error: /);
  }
  const nul = await cy.post('/password', {
    body: `t=${token}&password=long%20enough%00really`,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  });
  assert.equal(nul.status, 400);
  assert.equal((await choose('é'.repeat(36))).status, 200, '72 bytes are whole');
  assert.equal((await login(t.browser(), 'cy@example.com', 'é'.repeat(36))).status, 303);
  assert.equal((await login(t.browser(), 'cy@example.com', `${'é'.repeat(36)}x`)).status, 401,
    'what lies beyond 72 bytes is not ignored');
});

test('log in and out', async () => {
  const dee = await customer('dee@example.com');
  const browser = t.browser();
  const wrong = await login(browser, 'dee@example.com', 'wrong horse battery', { to: '/members/' });
  assert.equal(wrong.status, 401);
  assert.match(wrong.text, /do not go together/);
  assert.match(wrong.text, /value="\/members\/"/, 'where to is not lost');
  const right = await login(browser, 'DEE@example.com', PASSWORD, { to: '/members/?a=b' });
  assert.equal(right.status, 303);
  assert.equal(right.location, '/members/?a=b');
  const [cookie] = right.headers['set-cookie'];
  assert.match(cookie, /^subpay_session=[0-9a-f]{32}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax$/);
  assert.equal((await browser.get('/login?to=/members/')).location, '/members/', 'in already');
  const stolen = browser.cookieFor(new URL(t.url));
  assert.equal((await browser.get('/members/')).status, 200);

  assert.match((await browser.post('/logout', { form: {} })).text, /You are logged out/);
  assert.equal((await browser.get('/members/')).status, 303);
  assert.equal((await t.browser().get('/members/', { headers: { Cookie: stolen } })).status, 303,
    'the session is over, not only the cookie');
  assert.equal((await dee.browser.get('/members/')).status, 200, 'other browsers stay in');
  assert.equal(await t.value('select count(*)::int from sessions where token_hash = sha256($1)',
    [Buffer.from(stolen.split('=')[1], 'hex')]), 1, 'only the hash is stored');
});

test('where to is a path of this host, or the account', async () => {
  const eve = await customer('eve@example.com');
  for (const to of ['https://evil.example/', '//evil.example/', '/\\evil.example', '/\t/evil.example',
    'javascript:alert(1)', 'members', '']) {
    const reply = await login(t.browser(), 'eve@example.com', PASSWORD, { to });
    assert.equal(reply.location ?? '/account', '/account', to);
    const shown = await t.get(`/login?to=${encodeURIComponent(to)}`);
    assert.match(shown.text, /name="to" value=""/, to);
  }
  assert.ok(eve);
});

test('a form of another site is refused', async () => {
  const fay = await customer('fay@example.com');
  for (const headers of [{ Origin: 'https://evil.example' }, { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site', Origin: t.url }]) {
    const reply = await fay.browser.post('/logout', { form: {}, headers });
    assert.equal(reply.status, 403);
    assert.equal((await fay.browser.post('/login', { form: { email: fay.email, password: PASSWORD }, headers })).status, 403);
  }
  assert.equal((await fay.browser.get('/members/')).status, 200, 'still in');
  for (const headers of [{ Origin: t.url }, { 'Sec-Fetch-Site': 'same-origin', Origin: 'null' }]) {
    assert.equal((await login(t.browser(), fay.email, PASSWORD)).status, 303);
    assert.equal((await t.browser().post('/login', { form: { email: fay.email, password: PASSWORD }, headers })).status, 303);
  }
});

test('a link by mail: opening spends nothing, the button does, every other device is out', async () => {
  const gus = await customer('gus@example.com');
  await t.sandbox.clearMail();
  const asked = await t.browser().post('/password', { form: { send: 1, email: 'GUS@example.com' } });
  assert.match(asked.text, /Look in your e-mail/);
  const unknown = await t.browser().post('/password', { form: { send: 1, email: 'nobody@example.com' } });
  assert.equal(unknown.text.replace(/form_key" value="[^"]*/g, ''), asked.text.replace(/form_key" value="[^"]*/g, ''));
  const [mail] = await t.mailsBecome('gus@example.com');
  const link = linkIn(mail);
  assert.equal(link.origin, t.url);
  assert.doesNotMatch(mail.subject, /[0-9a-f]{32}/);

  const other = t.browser();
  for (let i = 0; i < 3; i++) {
    assert.match((await other.get(link.href)).text, /Choose a password/);
  }
  assert.equal((await gus.browser.get('/members/')).status, 200);
  const saved = await other.post('/password', { form: { t: link.searchParams.get('t'), password: 'a wholly new one' } });
  assert.match(saved.text, /Your password is saved/);
  assert.equal((await other.get('/members/')).status, 200, 'in, where it was changed');
  assert.equal((await gus.browser.get('/members/')).status, 303, 'out everywhere else, at once');
  assert.match((await other.get(link.href)).text, /This link has expired/);
  assert.match((await t.browser().post('/password', {
    form: { t: link.searchParams.get('t'), password: 'yet another one' },
  })).text, /This link has expired/);
  assert.equal((await login(t.browser(), 'gus@example.com', PASSWORD)).status, 401);
  assert.equal((await login(t.browser(), 'gus@example.com', 'a wholly new one')).status, 303);
  assert.equal((await t.mails('nobody@example.com')).length, 0);
});

test('the confirmation leads in from any device', async () => {
  const bought = await t.buy('annual', 'hal@example.com');
  const [mail] = await t.mailsBecome('hal@example.com');
  assert.ok(mail.text.includes(bought.reference));
  const phone = t.browser();
  const page = await phone.get(linkIn(mail).href);
  assert.match(page.text, /hal@example\.com/);
  await phone.post('/password', { form: { t: linkIn(mail).searchParams.get('t'), password: PASSWORD } });
  assert.equal((await phone.get('/members/')).status, 200);
});

test('a refund closes the gate at once, a payment opens it at once', async () => {
  const ida = await customer('ida@example.com');
  const elsewhere = await t.node({ httpd: GATES });
  await elsewhere.start();
  const there = () => ida.browser.get(`${elsewhere.url}/members/index.html`, { headers: html });
  assert.equal((await ida.browser.get('/members/index.html')).status, 200);
  assert.equal((await there()).status, 200);

  const [{ payment_id }] = await t.sql('select payment_id from orders where reference = $1', [ida.reference]);
  await t.stripe.refunds.create({ payment_intent: payment_id });
  await t.order(ida.reference).becomes('refunded');
  const closed = await t.until(async () => {
    const reply = await ida.browser.get('/members/index.html');
    return reply.status === 403 && reply;
  }, { within: HEARD, what: 'the gate to close' });
  assert.match(closed.text, /Your plan has ended/);
  await t.until(async () => (await there()).status === 403, { within: HEARD, what: 'the other node to close' });

  const bought = await t.buy('annual', 'ida@example.com', { browser: ida.browser });
  await t.order(bought.reference).becomes('completed');
  assert.equal((await ida.browser.get('/members/index.html')).status, 200);
  assert.equal((await there()).status, 200);
  await elsewhere.stop();
});

test('lapsed, or never had it: a page that says so', async () => {
  const jo = await customer('jo@example.com');
  const other = await jo.browser.get('/other/index.html');
  assert.equal(other.status, 403);
  assert.match(other.text, /a plan you do not have/);
  assert.equal((await jo.browser.get('/other/', { headers: { Accept: 'application/json' } })).json.error.code, 'no_plan');

  await t.sql(`update subscriptions set starts_at = now() - interval '2 y', expires_at = now() - interval '1 d'
    where order_id = (select id from orders where reference = $1)`, [jo.reference]);
  await t.until(async () => (await jo.browser.get('/members/')).status === 403, { within: HEARD });
  for (const where of ['/members/', '/members/index.html', '/active/index.html', '/members/no-such-file']) {
    const lapsed = await jo.browser.get(where);
    assert.equal(lapsed.status, 403, where);
    assert.match(lapsed.text, /Your plan has ended/);
    assert.match(lapsed.text, />Renew</);
    assert.equal(lapsed.headers['cache-control'], 'no-store');
    assert.equal(lapsed.headers['www-authenticate'], undefined);
  }
  const json = await jo.browser.get('/members/', { headers: { Accept: 'application/json' } });
  assert.equal(json.status, 403);
  assert.equal(json.json.error.code, 'plan_ended');
  assert.equal((await t.get('/subpay-lapsed')).status, 404, 'the page has no address of its own');
});

test('request headers cannot pretend to be the variables', async () => {
  const kit = await customer('kit@example.com');
  const forged = { SUBPAY_PLAN: 'gold', 'Subpay-Plan': 'gold', HTTP_SUBPAY_PLAN: 'gold', SUBPAY_ACCOUNT: 'x@example.com' };
  const open = await t.get('/open/index.html', { headers: forged });
  assert.equal(open.status, 200);
  assert.equal(open.headers['x-plan'], undefined);
  assert.equal(open.headers['x-account'], undefined);
  const members = await kit.browser.get('/members/index.html', { headers: forged });
  assert.equal(members.headers['x-plan'], 'annual');
  assert.equal(members.headers['x-account'], 'kit@example.com');
});

test('whom another provider knows and we do not has no plan', async () => {
  const reply = await t.browser().get('/others/index.html', { auth: t.api });
  assert.equal(reply.status, 403, reply.text);
});

test('Basic, against the same accounts', async () => {
  const lea = await customer('lea@example.com');
  const basic = (...auth) => t.browser().get('/basic/index.html', { auth });
  assert.equal((await t.browser().get('/basic/index.html')).status, 401);
  assert.equal((await basic('lea@example.com', 'wrong horse')).status, 401);
  const asked = Date.now();
  const first = await basic('LEA@example.com', PASSWORD);
  const once = Date.now() - asked;
  assert.equal(first.status, 200);
  assert.equal(first.headers['x-plan'], 'annual');
  assert.equal(first.headers['x-account'], 'lea@example.com');
  const started = Date.now();
  for (let i = 0; i < 10; i++) assert.equal((await basic('lea@example.com', PASSWORD)).status, 200);
  assert.ok(Date.now() - started < 5 * once, `bcrypt does not run each time: ten took ${Date.now() - started} ms, the first ${once}`);
  await t.sql(`update subscriptions set status = 'suspended'
    where order_id = (select id from orders where reference = $1)`, [lea.reference]);
  const lapsed = await t.until(async () => {
    const reply = await basic('lea@example.com', PASSWORD);
    return reply.status === 403 && reply;
  }, { within: HEARD, what: 'the gate to close' });
  assert.match(lapsed.text, /Your plan has ended/);
});

test('too many tries: wait, and learn nothing', async () => {
  await customer('max@example.com');
  const tries = async (email) => {
    const seen = [];
    for (let i = 0; i < 12; i++) {
      const reply = await login(t.browser(), email, `wrong guess ${i}`);
      seen.push(reply.status);
      if (reply.status === 429) assert.ok(Number(reply.headers['retry-after']) > 0);
    }
    return seen;
  };
  const known = await tries('max@example.com');
  assert.deepEqual(known, [...Array(10).fill(401), 429, 429]);
  assert.deepEqual(await tries('nobody-at-all@example.com'), known);
  assert.equal((await login(t.browser(), 'max@example.com', PASSWORD)).status, 429, 'also with the right one');
});

test('the browser that paid corrects a mistyped address, once', async () => {
  const browser = t.browser();
  const bought = await t.buy('annual', 'nia@exampel.com', { browser });
  await t.order(bought.reference).becomes('completed');
  await t.mailsBecome('nia@exampel.com');
  const [wrong] = await t.mails('nia@exampel.com');
  const token = new URL(bought.return_url).searchParams.get('t');
  assert.match((await browser.get(bought.return_url)).text, /Not your e-mail address/);

  const form = { t: token, r: bought.reference, email: 'nia@example.com' };
  assert.equal((await t.browser().post('/email', { form })).status, 403, 'nobody else can');
  const bad = await browser.post('/email', { form: { ...form, email: 'nia@' } });
  assert.equal(bad.status, 400);
  assert.match(bad.text, /Enter an e-mail address/);
  assert.match(bad.text, /value="nia@"/, 'nothing typed is lost');
  assert.match(bad.text, /<title>Error: Paid/);
  const done = await browser.post('/email', { form });
  assert.equal(done.status, 303);
  const page = await browser.get(done.location);
  assert.doesNotMatch(page.text, /Not your e-mail address/);
  const again = await browser.post('/email', { form: { ...form, email: 'x@example.com' } });
  assert.equal(again.status, 400);
  assert.match(again.text, /corrected once already/);

  await t.mailsBecome('nia@exampel.com', 2);
  const old = (await t.mails('nia@exampel.com'))[1];
  assert.doesNotMatch(old.text, /nia@example\.com/, 'the old address learns no more than it must');
  assert.doesNotMatch(old.text, /password\?t=/);
  const [fresh] = await t.mailsBecome('nia@example.com');
  const right = t.browser();
  await right.post('/password', { form: { t: linkIn(fresh).searchParams.get('t'), password: PASSWORD } });
  assert.equal((await right.get('/members/')).status, 200);

  const stranger = t.browser(); // reads the wrong address, and has its first link
  await stranger.post('/password', { form: { t: linkIn(wrong).searchParams.get('t'), password: PASSWORD } });
  assert.equal((await stranger.get('/members/')).status, 403, 'the wrong address opens nothing');
});

test('no address and no token in any log', async () => {
  const log = t.httpd.log();
  assert.doesNotMatch(log, /@example\.com/);
  assert.doesNotMatch(log, /[0-9a-f]{32}/);
});

#!/usr/bin/env -S node --test-reporter=tap
// The support area: who gets in, what a search finds, and each diagnosis built for real.
'use strict';
const crypto = require('node:crypto');
const { SubPay, test, assert } = require('../lib/subpay.js');

// No worker: what is broken stays so until a person presses a button.
const t = SubPay.use({ worker: false, httpd: '<Location /open>\nSetHandler subpay-admin\n</Location>', settings: { SubPayProviderTimeout: '2s', SubPayRateLimit: 'checkout 0' } });

const JSON_ONLY = { accept: 'application/json' };
const words = (html) => html.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ');
const look = (where, auth = t.admin) => t.get('/admin' + where, { auth });
const search = async (q) => {
  const reply = await t.get('/admin/search?q=' + encodeURIComponent(q), { auth: t.admin, headers: JSON_ONLY });
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
};
const first = (q) => search(q).then(({ results }) => results[0]);
const intentOf = async (reference) => (await t.stripe.paymentIntents.list({ limit: 100 })).data
  .find((one) => one.metadata.subpay_reference === reference);
const worded = async (bought, code, action) => {
  const one = await first(bought.email);
  assert.equal(one.diagnosis.code, code, JSON.stringify(one));
  assert.equal(one.diagnosis.action, action);
  assert.ok(one.diagnosis.text.length > 20);
  const page = await look('/orders/' + bought.reference);
  if (page.status === 200) assert.match(page.text, new RegExp(`<title>${code}: `), 'the case says the same');
};

/* The form below an address of the area, as its page draws it. */
async function formAt(where, action, auth = t.admin) {
  const page = await look(where, auth);
  const [form] = (page.text.match(/<form[^]*?<\/form>/g) ?? []).filter((one) => one.includes(`method="post" action="/admin${action}"`));
  assert.ok(form, `${where} has a form for ${action}: ${page.status}`);
  return Object.fromEntries([...form.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]));
}
const send = (where, form, options = {}) => t.post('/admin' + where, { form, auth: t.admin, ...options });
async function press(reference, action, more = {}) {
  const where = `/orders/${reference}/${action}`;
  return send(where, { reason: 'a test', ...await formAt(where, where), ...more });
}
const lost = async (email) => {
  await t.sandbox.webhooks('off');
  const bought = await t.buy('annual', email, { follow: false });
  await t.sandbox.webhooks('on');
  return bought;
};
const done = async (email) => {
  const bought = await t.buy('annual', email);
  await t.order(bought.reference).becomes('completed');
  await t.sql("update outbox set state = 'sent', sent_at = now() where state = 'pending'");
  return bought;
};

test('nobody gets in whom httpd does not know, and nothing is done', async () => {
  const bought = await lost('gate@example.com');
  assert.equal((await t.get('/admin/')).status, 401);
  assert.equal((await t.post(`/admin/orders/${bought.reference}/recover`, { form: {} })).status, 401);
  assert.equal(await t.order(bought.reference).state, 'pending');
});

test('a location that does not authenticate answers 403, with a hint for the admin', async () => {
  t.expectLog(/SP0202: .*AuthType/);
  for (const where of ['/open/', '/open/search?q=ana@example.com', '/open/playbook']) assert.equal((await t.get(where)).status, 403, where);
  assert.equal((await t.post('/open/runs/now', { form: {} })).status, 403);
});

// ---- search ----------------------------------------------------------------------

test('found by whatever a customer may have', async () => {
  const bought = await done('ana@example.com');
  const [payment] = await t.sql('select * from payments where order_id = (select id from orders where reference = $1)', [bought.reference]);
  const [order] = await t.sql('select * from orders where reference = $1', [bought.reference]);
  const day = payment.paid_at.toISOString().slice(0, 10);
  const suffix = bought.reference.replaceAll('-', '');
  for (const q of ['ana@example.com', ' Ana@Example.COM ', '<ana@example.com>', bought.reference, bought.reference.toLowerCase(),
    suffix, `SHOP* ${suffix}`, payment.payment_id, payment.charge_id, order.checkout_id, payment.customer_id,
    `249.00 ${day} 4242`, `$249.00 ${day} 4242`, `4242 249.00 USD ${day}`].filter(Boolean)) {
    const found = await search(q);
    const one = found.results.find(({ reference }) => reference === bought.reference);
    assert.ok(one, `${q}: ${JSON.stringify(found)}`);
    assert.deepEqual([one.email, one.state, one.diagnosis.code], ['ana@example.com', 'completed', 'healthy'], q);
  }
});

test('a typo in one symbol: did you mean', async () => {
  const { reference } = await done('typo@example.com');
  const wrong = reference.slice(0, 6) + (reference[6] === 'K' ? 'M' : 'K') + reference.slice(7);
  const found = await search(wrong);
  assert.ok(found.did_you_mean.includes(reference), JSON.stringify(found));
  assert.match(words((await look('/search?q=' + wrong)).text), new RegExp(`Did you mean ${reference}`));
});

test('a ticket leads to its order', async () => {
  const bought = await lost('ticket@example.com');
  await t.sql(`insert into tickets (kind, subject, email, order_id, due_at)
    values ('customer', 'Where is it?', 'other@example.com', (select id from orders where reference = $1), now())`, [bought.reference]);
  const ticket = await t.value("select reference from tickets where email = 'other@example.com'");
  assert.equal((await first(ticket)).reference, bought.reference);
  assert.equal((await first('other@example.com')).reference, bought.reference);
});

test('the provider is silent: the page says so and claims nothing', async () => {
  const bought = await t.buy('annual', 'silent@example.com', { pay: false });
  await t.sandbox.fault({ on: 'GET /v1/*', do: 'delay', ms: 20_000, when: 'before', times: 'always' });
  t.allowLog('SP0401');
  const began = Date.now();
  const found = await search('silent@example.com');
  assert.ok(Date.now() - began < 5000, 'bounded patience');
  assert.equal(found.provider.silent, true);
  assert.match(found.results[0].diagnosis.text, /not known/);
  assert.equal(found.results[0].reference, bought.reference);
  assert.match(words((await look('/search?q=silent@example.com')).text), /Stripe did not answer in time/);
  await t.sandbox.clearFaults();
});

// ---- each diagnosis, built for real --------------------------------------------------

test('healthy', async () => worded(await done('healthy@example.com'), 'healthy', 'resend'));
test('never charged', async () => worded(await t.buy('annual', 'never@example.com', { pay: false }), 'never_charged', 'recover'));
test('paid, stuck', async () => worded(await lost('stuck@example.com'), 'paid_stuck', 'recover'));

test('paid, no order: recovered from what the provider holds', async () => {
  await t.sql("select settings_store(jsonb_build_object('mode', 'test', 'site', $1::text))", [t.url]); // the worker's, at start
  const bought = await lost('gone@example.com');
  await t.sql('delete from orders where reference = $1', [bought.reference]);
  assert.equal((await look('/orders/' + bought.reference)).status, 404);
  for (const q of [bought.email, bought.reference]) {
    const one = await first(q);
    assert.deepEqual([one.reference, one.email, one.state, one.diagnosis.code, one.diagnosis.action],
      [bought.reference, bought.email, null, 'paid_no_order', 'recover'], q);
  }
  const form = await formAt('/search?q=' + bought.email, `/orders/${bought.reference}/recover`);
  const pressed = await send(`/orders/${bought.reference}/recover`, form);
  assert.equal(pressed.status, 303, pressed.text);
  assert.equal(await t.order(bought.reference).state, 'completed');
  t.allowLog('adopted');
});

test('review', async () => {
  const bought = await t.buy('annual', 'review@example.com', { pay: false });
  await t.sql(`set session_replication_role = replica; update orders set amount = 1 where reference = '${bought.reference}'; set session_replication_role = origin`);
  await t.pay(bought.session_url, { card: '4242424242424242' });
  await t.order(bought.reference).becomes('review');
  await worded(bought, 'review', 'refund');
});

test('no subscription', async () => {
  const bought = await done('nosub@example.com');
  await t.sql('delete from subscriptions where order_id = (select id from orders where reference = $1)', [bought.reference]);
  await worded(bought, 'no_subscription', 'recover');
  await press(bought.reference, 'recover');
  await worded(bought, 'healthy', 'resend');
});

test('mail not sent', async () => {
  const bought = await done('unmailed@example.com');
  await t.sql(`update outbox set state = 'dead', sent_at = null, last_error = '550 no such user'
    where order_id = (select id from orders where reference = $1)`, [bought.reference]);
  await worded(bought, 'mail_not_sent', 'resend');
});

test('order without payment', async () => {
  const bought = await done('unpaid@example.com');
  const intent = await intentOf(bought.reference);
  await t.sandbox.control('DELETE', 'objects/' + intent.id);
  const one = await first(bought.reference);
  assert.equal(one.diagnosis.code, 'order_without_payment');
});

test('duplicate', async () => {
  const one = await done('twice@example.com');
  const two = await done('twice@example.com');
  assert.equal((await first(two.reference)).diagnosis.code, 'duplicate');
  assert.equal((await first(one.reference)).diagnosis.code, 'healthy');
});

test('refunded, at the provider and then here', async () => {
  const bought = await done('refunded@example.com');
  await t.sandbox.webhooks('off');
  await t.stripe.refunds.create({ payment_intent: (await intentOf(bought.reference)).id });
  await worded(bought, 'refunded', null);
  await t.sandbox.webhooks('on');
  await press(bought.reference, 'recover');
  assert.equal(await t.order(bought.reference).state, 'refunded');
  await worded(bought, 'refunded', null);
});

test('disputed, and then never refunded', async () => {
  const bought = await done('disputed@example.com');
  await t.sandbox.control('POST', 'disputes', { payment_intent: (await intentOf(bought.reference)).id, reason: 'fraudulent' });
  await t.until(async () => (await t.value('select count(*)::int from disputes')) > 0);
  await worded(bought, 'disputed', 'evidence');
  const refused = await press(bought.reference, 'refund');
  assert.equal(refused.status, 409);
  assert.match(words(refused.text), /a refund would go out twice/);
  assert.equal((await t.stripe.refunds.list({ payment_intent: (await intentOf(bought.reference)).id })).data.length, 0);
});

test('expired: the page closed unpaid', async () => {
  const bought = await t.buy('annual', 'expired@example.com', { pay: false });
  const { data } = await t.stripe.checkout.sessions.list({ limit: 100 });
  await t.stripe.checkout.sessions.expire(data.find((one) => one.metadata.subpay_reference === bought.reference).id);
  await t.order(bought.reference).becomes('expired');
  await worded(bought, 'expired', null);
});

test('expired: access ran out', async () => {
  const bought = await done('lapsed@example.com');
  await t.sql(`update subscriptions set starts_at = now() - interval '2 y', expires_at = now() - interval '1 y'
    where order_id = (select id from orders where reference = $1)`, [bought.reference]);
  await worded(bought, 'expired', null);
});

test('nothing found: what to ask next', async () => {
  const one = await first('nobody@example.com');
  assert.equal(one.diagnosis.code, 'not_found');
  assert.match(one.diagnosis.text, /last four digits/);
});

test('subpayctl gives the same word', async () => {
  for (const [email, code] of [['healthy@example.com', 'healthy'], ['stuck@example.com', 'paid_stuck'],
    ['never@example.com', 'never_charged'], ['review@example.com', 'review']]) {
    const { json } = await t.subpayctl('--json', 'lookup', email);
    assert.equal(json.orders[0].diagnosis, code, email);
  }
});

// ---- doing ---------------------------------------------------------------------------

test('recover: from the search, in one press, with a name and a reason', async () => {
  const bought = await lost('press@example.com');
  const where = `/orders/${bought.reference}/recover`;
  const pressed = await send(where, await formAt('/search?q=press@example.com', where));
  assert.equal(pressed.status, 303, pressed.text);
  const page = await look(new URL(pressed.location, t.url).pathname.slice('/admin'.length) + '?done=recovered');
  assert.match(words(page.text), /access is open, and the mail is on its way/);
  const order = await t.order(bought.reference).row;
  assert.deepEqual([order.state, order.completed_via, order.completed_by], ['completed', 'support', 'support']);
  const rows = await t.sql("select actor, action, reason from audit where order_id = $1 and action in ('order.completed', 'support.recover')", [order.id]);
  assert.deepEqual(rows.map(({ actor }) => actor), ['support', 'support']);
  assert.equal(rows[1].reason, 'Found by search');
});

test('recover proves first: what is not paid stays so', async () => {
  const bought = await t.buy('annual', 'prove@example.com', { pay: false });
  const pressed = await press(bought.reference, 'recover');
  assert.match(pressed.location, /done=unpaid/);
  assert.equal(await t.order(bought.reference).state, 'pending');
  assert.equal(await t.value("select count(*)::int from audit where action = 'support.recover' and order_id = (select id from orders where reference = $1)", [bought.reference]), 0);
});

test('no action by GET', async () => {
  const bought = await lost('get@example.com');
  const before = await t.value('select count(*)::int from audit');
  for (const action of ['recover', 'resend', 'email', 'refund', 'refund-duplicate', 'extend', 'grant', 'note', 'assign', 'close', 'accept']) {
    const page = await look(`/orders/${bought.reference}/${action}?days=5&email=x@example.com`);
    assert.equal(page.status, 200, action);
    assert.match(page.text, /What will happen/);
  }
  assert.equal(await t.order(bought.reference).state, 'pending');
  assert.equal(await t.value('select count(*)::int from audit'), before);
});

test('a POST without the token, with another person\'s, or from elsewhere is 403 and changes nothing', async () => {
  const bought = await lost('csrf@example.com');
  const where = `/orders/${bought.reference}/recover`;
  const form = await formAt(where, where);
  const evil = { headers: { origin: 'https://evil.example' } };
  for (const [what, fields, options] of [
    ['none', { ...form, csrf: '' }], ['wrong', { ...form, csrf: 'a'.repeat(32) }],
    ['foreign', form, evil], ['no origin', form, { headers: { origin: 'null' } }],
    ['cross-site', form, { headers: { 'sec-fetch-site': 'cross-site' } }],
    ['json without', undefined, { json: { form_key: crypto.randomUUID() } }]]) {
    const reply = await send(where, fields, options);
    assert.equal(reply.status, 403, what);
  }
  assert.equal(await t.order(bought.reference).state, 'pending');
  const own = await send(where, form, { headers: { origin: t.url } });
  assert.equal(own.status, 303);
  assert.equal(await t.order(bought.reference).state, 'completed');
});

test('the same by JSON', async () => {
  const bought = await lost('json@example.com');
  const found = await search(bought.email);
  const reply = await t.post(`/admin/orders/${bought.reference}/recover`, { auth: t.admin, json: { csrf: found.csrf, reason: 'by program' } });
  assert.equal(reply.status, 200, reply.text);
  assert.equal(reply.json.verdict, 'recovered');
  const again = await t.post(`/admin/orders/${bought.reference}/recover`, { auth: t.admin, json: { csrf: found.csrf } });
  assert.equal(again.json.verdict, 'open_already');
  assert.match(again.json.say, /Access is open already/);
  const shown = await t.get('/admin/orders/' + bought.reference, { auth: t.admin, headers: JSON_ONLY });
  assert.equal(shown.json.diagnosis.code, 'healthy');
  assert.ok(shown.json.timeline.length > 3);
});

test('the address put right: access moves along, both are told', async () => {
  const bought = await done('wrong@example.com');
  assert.equal((await press(bought.reference, 'email', { email: 'no address' })).status, 400);
  assert.equal((await press(bought.reference, 'email', { email: 'right@example.com' })).status, 303);
  const [row] = await t.sql(`select a.email from subscriptions s join accounts a on a.id = s.account_id
    join orders o on o.id = s.order_id where o.reference = $1`, [bought.reference]);
  assert.equal(row.email, 'right@example.com');
  const mails = await t.sql("select recipient from outbox where template = 'email_changed' order by id desc limit 2");
  assert.deepEqual(mails.map(({ recipient }) => recipient).sort(), ['right@example.com', 'wrong@example.com']);
});

test('days as goodwill', async () => {
  const bought = await done('extend@example.com');
  const [before] = await t.order(bought.reference).subscriptions;
  assert.equal((await press(bought.reference, 'extend', { days: '0' })).status, 400);
  assert.equal((await press(bought.reference, 'extend', { days: '10' })).status, 303);
  const [after] = await t.order(bought.reference).subscriptions;
  assert.equal(Math.round((after.expires_at - before.expires_at) / 86_400_000), 10);
});

test('access without payment takes two people, and a payment that comes later still counts', async () => {
  const bought = await t.buy('annual', 'granted@example.com', { pay: false });
  await press(bought.reference, 'grant', { days: '30' });
  const alone = await press(bought.reference, 'grant');
  assert.equal(alone.status, 409);
  assert.match(words(alone.text), /somebody else has to give it/);
  assert.equal((await t.order(bought.reference).subscriptions).length, 0);
  const two = await t.subpayctl('grant', bought.reference).catch(() => null);
  if (!two || two.status !== 0) {
    await t.sql(`select desk_grant(jsonb_build_object('reference', $1::text, 'actor', 'sam', 'reason', 'yes'))`, [bought.reference]);
  }
  assert.equal((await t.order(bought.reference).subscriptions)[0].status, 'active');
  assert.equal((await first(bought.reference)).diagnosis.code, 'order_without_payment');
  await t.pay(bought.session_url, { card: '4242424242424242' });
  await t.order(bought.reference).becomes('completed');
  assert.equal((await t.order(bought.reference).subscriptions).length, 1);
});

test('two people at the same moment, a hundred times: one effect each', { timeout: 240_000 }, async () => {
  for (let n = 0; n < 100; n++) {
    const bought = await lost(`race${n}@example.com`);
    const { reference } = bought;
    const both = async (action, more) => {
      const where = `/orders/${reference}/${action}`;
      const people = [t.admin, t.second];
      const forms = await Promise.all(people.map((auth) => formAt(where, where, auth)));
      assert.notEqual(forms[0].form_key, forms[1].form_key);
      const replies = await Promise.all(forms.map((form, i) => send(where, { ...form, reason: 'race', ...more }, { auth: people[i] })));
      for (const { status } of replies) assert.ok([303, 409].includes(status), `${action}: ${status}`);
      return replies;
    };
    await both('recover');
    await t.sql("update outbox set state = 'sent', sent_at = now() where state = 'pending'");
    await both('resend');
    await both('refund', { amount: '10.00' });
    const counts = await t.sql(`select a.action, count(*)::int n from audit a join orders o on o.id = a.order_id
      where o.reference = $1 and a.actor in ('support', 'sam') group by 1 order by 1`, [reference]);
    assert.deepEqual(counts, [['order.completed', 1], ['support.recover', 1], ['support.refund', 1], ['support.resend', 1]]
      .map(([action, count]) => ({ action, n: count })), `round ${n}`);
    assert.equal(await t.value("select count(*)::int from outbox m join orders o on o.id = m.order_id where o.reference = $1 and m.kind = 'refund'", [reference]), 1);
    assert.equal(await t.value("select count(*)::int from outbox m join orders o on o.id = m.order_id where o.reference = $1 and m.dedupe_key like 'resend:%'", [reference]), 1);
  }
});

test('a form sent twice is one action, and says so', async () => {
  const bought = await done('double@example.com');
  const where = `/orders/${bought.reference}/extend`;
  const form = { ...await formAt(where, where), days: '3', reason: 'x' };
  assert.equal((await send(where, form)).status, 303);
  assert.equal((await send(where, form)).status, 303);
  assert.equal(await t.value("select bonus_days from orders where reference = $1", [bought.reference]), 3);
  const stale = await send(where, { ...form, form_key: crypto.randomUUID() });
  assert.equal(stale.status, 409);
  assert.match(words(stale.text), /support did this while your page was open/);
});

test('a refund is never more than what is left', async () => {
  const bought = await done('much@example.com');
  assert.equal((await press(bought.reference, 'refund', { amount: '250.00' })).status, 409);
  assert.equal((await press(bought.reference, 'refund', { amount: '100,5' })).status, 400);
  assert.equal((await press(bought.reference, 'refund', { amount: '200.00' })).status, 303);
  const second = await press(bought.reference, 'refund', { amount: '100.00' });
  assert.equal(second.status, 409);
  assert.match(words((await look('/orders/' + bought.reference)).text), /200\.00 USD, asked for by support/);
});

test('who else is here, and what somebody did while a page was open', async () => {
  const bought = await done('here@example.com');
  const page = `/orders/${bought.reference}`;
  assert.doesNotMatch((await look(page)).text, /is here since/, 'nobody else');
  const { text } = await look(page, t.second);
  assert.match(words(text), /support is here since \d+ \w+ \d{4}, \d\d:\d\d UTC/);
  assert.match(words((await look(page)).text), /sam is here since/);
  assert.equal(await t.value("select count(*)::int from desk_visits where place = $1", [bought.reference]), 2);
  await t.get('/admin' + page, { auth: ['sam', t.second[1]], headers: JSON_ONLY });
  await t.sql("update desk_visits set last_at = now() - interval '11 min', since = now() - interval '1 h' where actor = 'sam'");
  assert.doesNotMatch((await look(page)).text, /sam is here/, 'who has not looked for ten minutes has left');

  const where = `${page}/extend`;
  const mine = await formAt(where, where);
  const theirs = await formAt(where, where, t.second);
  assert.equal((await send(where, { ...theirs, days: '5', reason: 'they asked' }, { auth: t.second })).status, 303);
  const stale = await send(where, { ...mine, days: '5', reason: 'x' });
  assert.equal(stale.status, 409);
  const said = words(stale.text);
  assert.match(said, /sam did this while your page was open/);
  assert.match(said, /Since you opened the page .* sam: extend ?they asked/);
  assert.equal(await t.value('select bonus_days from orders where reference = $1', [bought.reference]), 5);
});

test('a form that comes back has what was typed, and points to the field', async () => {
  const bought = await done('typed@example.com');
  const refused = await press(bought.reference, 'refund', { amount: '12,3', reason: 'a long story' });
  assert.equal(refused.status, 400);
  assert.match(refused.text, /<title>Error: /);
  assert.match(refused.text, /<a href="#amount">Enter an amount/);
  assert.match(refused.text, /name="amount"[^>]* value="12,3"/);
  assert.match(refused.text, /name="reason"[^>]* value="a long story"/);
  const email = await press(bought.reference, 'email', { email: 'ana@' });
  assert.match(email.text, /name="email"[^>]* value="ana@"/);
});

// ---- the rest of the house ---------------------------------------------------------------

test('every page answers, in words and in JSON', async () => {
  for (const where of ['/', '/runs', '/ledger', '/ledger?account=ana@example.com', '/playbook', '/alerts', '/pictures', '/search', '/search?q=ana@example.com']) {
    const page = await look(where);
    assert.equal(page.status, 200, where + page.text);
    assert.match(page.headers['content-type'], /^text\/html/);
    assert.equal(page.headers['cache-control'], 'no-store');
    assert.equal((page.text.match(/<h1/g) ?? []).length, 1, where);
    const twin = await t.get('/admin' + where, { auth: t.admin, headers: JSON_ONLY });
    assert.equal(twin.status, 200, where);
    assert.ok(twin.json.csrf, where);
  }
  assert.equal((await look('/nothing')).status, 404);
  assert.equal((await look('/orders/SP-0000-0000')).status, 404);
});

test('pictures: drawn by the server, the numbers beside, the figures by JSON', async () => {
  const { json } = await t.get('/admin/pictures', { auth: t.admin, headers: JSON_ONLY });
  const orders = await t.value('select count(*)::int from orders');
  const today = json.by_day.at(-1);
  assert.equal(today.orders, orders);
  assert.ok(today.payments > 0 && json.access.count > 0 && json.access.p95_s >= json.access.p50_s, JSON.stringify(json.access));
  assert.equal(json.orders_picture, undefined, 'where columns stand is no figure');
  const { text } = await look('/pictures');
  assert.equal((text.match(/<svg /g) ?? []).length, 5);
  assert.equal((text.match(/<rect /g) ?? []).length, 2 * 30 + json.access.spread.length + 6 + 2 * 30 + 4);
  assert.doesNotMatch(text, /style=|<style/, 'nothing that the policy would refuse');
  assert.ok(words(text).includes(`${today.label}${today.orders}${today.payments}`), 'the numbers as a table');
});

test('the queue: who waits, longest and with most money first; healed ones are a count', async () => {
  const page = await t.get('/admin/', { auth: t.admin, headers: JSON_ONLY });
  const kinds = page.json.rows.map(({ kind }) => kind);
  assert.ok(kinds.includes('review') && kinds.includes('dispute'), JSON.stringify(kinds));
  const row = page.json.rows.find(({ kind }) => kind === 'review');
  assert.equal(row.email, 'review@example.com');
  assert.equal(row.diagnosis.action, 'refund');
  assert.equal(typeof page.json.healed, 'number');
  assert.match((await look('/')).text, /review@example\.com/);
});

test('a ticket: words filled with this customer\'s facts, blocked while one is missing, threaded', async () => {
  const bought = await done('reply@example.com');
  await t.sql(`insert into tickets (kind, subject, email, order_id, due_at)
    values ('customer', 'Charged, no access', 'reply@example.com', (select id from orders where reference = $1), now() + interval '1 h')`, [bought.reference]);
  const ticket = await t.value("select reference from tickets where email = 'reply@example.com'");
  const page = await look('/tickets/' + ticket);
  assert.match(page.text, /the mail may be in your spam folder/, 'nothing broke, so nobody says that it did');
  const late = { text: (await look(`/tickets/${ticket}?reply=fixed`)).text };
  assert.match(late.text, /I found your payment of 249\.00 USD/);
  await t.sql("set session_replication_role = replica; update orders set completed_via = 'reconcile' where email = 'reply@example.com'; set session_replication_role = origin");
  assert.match((await look('/tickets/' + ticket)).text, /Our server stopped before it wrote down your order/, 'where it did, that is how to begin');
  const where = `/tickets/${ticket}/reply`;
  const form = await formAt('/tickets/' + ticket, where);
  const hole = await send(where, { ...form, message: 'I sent [refund_amount?] back.' });
  assert.equal(hole.status, 400);
  assert.match(hole.text, /I sent \[refund_amount\?\] back\.<\/textarea>/, 'nothing typed is lost');
  assert.match((await look(`/tickets/${ticket}?reply=paid_twice`)).text, /\[refund_amount\?\]/);
  assert.equal((await send(where, { ...form, message: 'Hello,\n\nit works now.\n\nAna' })).status, 303);
  assert.equal((await send(where, { ...form, message: 'Hello,\n\nit works now.\n\nAna' })).status, 303);
  const [row] = await t.sql('select * from tickets where reference = $1', [ticket]);
  assert.deepEqual([row.state, row.owner], ['waiting', 'support']);
  const mails = await t.sql("select payload from outbox where template = 'reply' and ticket_id = $1", [row.id]);
  assert.equal(mails.length, 1);
  await send(`/tickets/${ticket}/close`, await formAt('/tickets/' + ticket, `/tickets/${ticket}/close`));
  assert.equal(await t.value('select state from tickets where reference = $1', [ticket]), 'solved');
});

test('two people answer one customer: the second reads the first answer, and keeps what they wrote', async () => {
  await t.sql(`insert into tickets (kind, subject, email, due_at) values ('customer', 'Both', 'both@example.com', now() + interval '1 h')`);
  const ticket = await t.value("select reference from tickets where email = 'both@example.com'");
  const where = `/tickets/${ticket}/reply`;
  const forms = await Promise.all([t.admin, t.second].map((auth) => formAt('/tickets/' + ticket, where, auth)));
  assert.equal((await send(where, { ...forms[1], message: 'Hello, it works now. Sam' }, { auth: t.second })).status, 303);
  const late = await send(where, { ...forms[0], message: 'Hello, I send it back.' });
  assert.equal(late.status, 409);
  assert.match(words(late.text), /sam did this while your page was open/);
  assert.match(words(late.text), /sam: answered ?Hello, it works now\. Sam/);
  assert.match(late.text, /Hello, I send it back\.<\/textarea>/);
  const all = "select count(*)::int from outbox where template = 'reply' and recipient = 'both@example.com'";
  assert.equal(await t.value(all), 1, 'no customer gets two mails that disagree');
  const again = Object.fromEntries([...late.text.slice(late.text.indexOf(where)).matchAll(/name="(csrf|form_key|seen)" value="([^"]*)"/g)].slice(0, 3).map(([, name, value]) => [name, value]));
  assert.equal((await send(where, { ...again, message: 'Hello, one thing more.' })).status, 303, 'who has read it may write');
  assert.equal(await t.value(all), 2);
});

test('a thank-you is closed by one press, and both read it', async () => {
  await t.sql(`insert into tickets (kind, subject, email, due_at) values ('customer', 'Thanks', 'kind@example.com', now() + interval '1 h')`);
  const [row] = await t.sql("select id, reference from tickets where email = 'kind@example.com'");
  await t.sql("insert into ticket_messages (ticket_id, direction, author, body) values ($1, 'in', 'customer', E'That was quick.\n\nThank you both.')", [row.id]);
  const where = `/tickets/${row.reference}/thank`;
  assert.equal((await send(where, await formAt('/tickets/' + row.reference, where))).status, 303);
  assert.equal(await t.value('select state from tickets where id = $1', [row.id]), 'solved');
  assert.match(words((await look('/')).text), /Thank you That was quick\. Thank you both\./);
  assert.deepEqual(await t.value('select digest_text() -> \'thanks\''), ['That was quick. Thank you both.']);
});

test('the week changes hands, with a note that the queue and the digest show', async () => {
  assert.match(words((await look('/')).text), /Nobody has the week yet/);
  const [mine, theirs] = await Promise.all([t.admin, t.second].map((auth) => formAt('/duty', '/duty', auth)));
  assert.equal((await send('/duty', { ...mine, owner: 'sam', message: 'Ana waits for the bank until Friday.' })).status, 303);
  const late = await send('/duty', { ...theirs, owner: 'sam' }, { auth: t.second });
  assert.equal(late.status, 409, 'two who take it do not undo each other');
  assert.match(words(late.text), /sam has the week/);
  assert.match(words((await look('/')).text), /sam has the week since .* Note: Ana waits for the bank until Friday\./);
  const health = await t.value("select digest_text() -> 'health'");
  assert.match(health.find(({ name }) => name === 'On duty').value, /^sam since .*: Ana waits for the bank/);
  await t.sql("update duties set since = now() - interval '8 days'");
  assert.match(words((await look('/duty')).text), /That is a week or more: hand over/);
  assert.match(words((await look('/')).text), /time to hand over/);
});

test('every reply there is can be begun, in the customer\'s language, with no hole where the fact is known', async () => {
  const bought = await done('deutsch@example.com');
  await t.sql(`insert into tickets (kind, subject, email, lang, order_id, due_at) values ('customer', 'Wo', 'deutsch@example.com', 'de',
    (select id from orders where reference = $1), '2026-12-01T10:00Z')`, [bought.reference]);
  const ticket = await t.value("select reference from tickets where email = 'deutsch@example.com'");
  const draft = async (more) => words(/<textarea id="message"[^]*?<\/textarea>/.exec((await look(`/tickets/${ticket}${more}`)).text)[0]);
  assert.match(await draft('?reply=fixed'), /ich habe Ihre Zahlung von 249\.00 USD vom \d+\. \w+ \d{4}, \d\d:\d\d Uhr UTC gefunden/);
  assert.match(await draft('?reply=fixed&lang=en'), /I found your payment of 249\.00 USD/);
  const names = [...(await look('/tickets/' + ticket)).text.matchAll(/<option value="(\w+)"/g)].map(([, name]) => name).filter((name) => name !== 'en' && name !== 'de');
  assert.equal(names.length, 14);
  const known = /refund|dispute|mail_at/;
  for (const name of names) {
    for (const lang of ['de', 'en']) {
      const text = await draft(`?reply=${name}&lang=${lang}`);
      assert.ok(text.length > 30, name);
      assert.deepEqual((text.match(/\[\w+\?\]/g) ?? []).filter((hole) => !known.test(hole)), [], `${name} ${lang}: ${text}`);
    }
  }
  assert.match(await draft('?reply=angry'), /So steht es jetzt: Ihre Zahlung ist bei uns, und Ihr Zugang ist offen\./);
});

test('writing first: to somebody who has no ticket, or of whom nothing is found', async () => {
  const nobody = await look('/search?q=lostsoul@example.com');
  assert.match(nobody.text, /<form method="get" action="\/admin\/write">\s*<input type="hidden" name="email" value="lostsoul@example\.com">/);
  const where = '/write?email=lostsoul%40example.com&r=';
  const page = await look(where);
  assert.match(page.text, /I looked under lostsoul@example\.com and found no payment/);
  const form = await formAt(where, '/write');
  const message = 'Hello,\n\nwhich day was it?\n\nAna';
  assert.equal((await send('/write', { ...form, email: 'lost soul', subject: 'x', message })).status, 400);
  assert.equal((await send('/write', { ...form, email: 'lostsoul@example.com', subject: 'x', message: 'On [paid_at?].' })).status, 400);
  const sent = await Promise.all([1, 2].map(() => send('/write', { ...form, email: 'lostsoul@example.com', subject: 'Your payment', message })));
  assert.deepEqual(sent.map(({ status }) => status), [303, 303]);
  const rows = await t.sql("select reference, state, owner, subject from tickets where email = 'lostsoul@example.com'");
  assert.equal(rows.length, 1, 'pressed twice is one');
  assert.deepEqual([rows[0].state, rows[0].owner, rows[0].subject], ['waiting', 'support', 'Your payment']);
  assert.equal(await t.value("select count(*)::int from outbox where template = 'reply' and recipient = 'lostsoul@example.com'"), 1);
  assert.ok(sent.every(({ location }) => location.endsWith(`/tickets/${rows[0].reference}?done=replied`)), sent[1].location);

  const bought = await done('telephone@example.com');
  assert.match((await look('/orders/' + bought.reference)).text, new RegExp(`href="/admin/write\\?r=${bought.reference}"`));
  const draft = await look('/write?r=' + bought.reference);
  assert.match(draft.text, /value="telephone@example\.com"/);
  assert.match(draft.text, /Your plan is active until/);
  assert.equal((await send('/write', { ...await formAt('/write?r=' + bought.reference, '/write'), email: 'telephone@example.com', subject: 'Your plan', message: 'Hello, it works now.' })).status, 303);
  const [ticket] = await t.sql("select order_id from tickets where email = 'telephone@example.com'");
  assert.equal(ticket.order_id, (await t.order(bought.reference).row).id);
  assert.match(words((await look('/orders/' + bought.reference)).text), /Your plan: waiting/);
});

#!/usr/bin/env -S node --test-reporter=tap
// Who writes to us is looked after by the machine first, and told truly when a person
// answers.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');

const t = SubPay.use({ settings: { SubPayReconcileInterval: '1h', SubPayProviderTimeout: '2s',
  SubPaySupportHours: 'Mon-Sun 08:30-17:30 Europe/Berlin' } });

const words = (html) => html.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ');
const write = (form, who = t.browser()) => who.post('/support', { form: { message: 'Charged, but no access.', ...form } });
const ticketOf = (email) => t.sql('select * from subpay.tickets where email = $1 order by id desc', [email]).then(([row]) => row);
const ticketBecomes = async (email, state) => {
  await t.until(async () => (await ticketOf(email))?.state === state, { what: `ticket of ${email} to be ${state}` });
  return ticketOf(email);
};

async function paidAndLost(email, more = {}) {
  await t.sandbox.webhooks('off');
  return t.buy('annual', email, { follow: false, ...more });
}

test('the form: two fields, a question in a fieldset, a name and a time', async () => {
  const page = await t.get('/support');
  assert.equal(page.status, 200);
  assert.match(page.text, /<fieldset[^>]*>\s*<legend>Do you see the charge at your bank\?/);
  assert.match(words(page.text), /Write to Ana and Sam/);
  assert.match(words(page.text), /answers by \d/);
  const bought = await t.buy('annual', 'known@example.com', { pay: false });
  const own = await bought.browser.get('/support');
  assert.ok(own.text.includes('value="known@example.com"') && own.text.includes(bought.reference), 'filled in');
  assert.ok(!(await t.get('/support?r=' + bought.reference)).text.includes('known@'), 'for nobody else');
});

test('a ticket, its number, a time that is kept, and one acknowledgement', async () => {
  const page = await write({ email: 'ana@example.com', charged: 'unsure', message: 'Hello\r\n\r\nIs it there?' });
  assert.equal(page.status, 200);
  const ticket = await ticketOf('ana@example.com');
  assert.ok(page.text.includes(ticket.reference));
  assert.match(words(page.text), /Ana and Sam have your message\./);
  assert.equal(ticket.charged, 'unsure');
  assert.equal(ticket.state, 'open');
  assert.ok(page.text.includes(ticket.due_at.toISOString().slice(0, 16)), 'the time it says is when it is due');
  const hour = Number(new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', hour: 'numeric', hour12: false }).format(ticket.due_at));
  assert.ok(hour >= 8 && hour <= 17, 'somebody is there at ' + ticket.due_at.toISOString());
  assert.equal(await t.value('select body from subpay.ticket_messages where ticket_id = $1', [ticket.id]), 'Hello\n\nIs it there?');

  const [mail] = await t.mailsBecome('ana@example.com');
  assert.equal(mail.subject, `Your message to us [${ticket.reference}]`);
  assert.match(JSON.stringify(mail.headers), /auto-replied/);
  assert.match(mail.text, /you need not pay again/);
  assert.match(mail.text, /found none so far/);
  assert.match(mail.text, /You have an answer by \d/);

  await write({ email: 'ANA@example.com', message: 'And another thing' });
  await t.until(() => t.value("select acknowledged_at from subpay.tickets where email = 'ANA@example.com'"));
  assert.equal((await t.mails('ana@example.com')).length, 1, 'one an hour');
});

test('it heals: the fix is the answer, and the ticket closes itself', async () => {
  const bought = await paidAndLost('bea@example.com');
  const page = await write({ email: 'bea@example.com', charged: 'yes' });
  assert.match(words(page.text), /have your message/, 'who is not the buying browser reads the second text');
  assert.doesNotMatch(page.text, new RegExp(bought.reference));
  const order = await t.order(bought.reference).becomes('completed', { within: 3000 });
  assert.equal(order.completed_via, 'self_service');
  const ticket = await ticketBecomes('bea@example.com', 'solved');
  assert.equal(ticket.order_id, order.id);
  const mails = await t.mailsBecome('bea@example.com');
  assert.equal(mails.length, 1);
  assert.ok(mails[0].subject.includes(bought.reference), 'the welcome, not an acknowledgement');
  assert.match(await t.value("select body from subpay.ticket_messages where ticket_id = $1 and direction = 'note'", [ticket.id]), /Healed: order/);
  assert.equal((await t.sql("select 1 from subpay.audit where action = 'ticket.solved' and ticket_id = $1", [ticket.id])).length, 1);
});

test('the buying browser reads "Found it" at once', async () => {
  const bought = await paidAndLost('cleo@example.com');
  const page = await write({ email: 'other@example.com' }, bought.browser);
  assert.match(words(page.text), /Found it\. We received your payment of 249\.00 USD\. You have access now\. Sorry for the wait/);
  await ticketBecomes('other@example.com', 'solved');
  const [mail] = await t.mailsBecome('other@example.com');
  assert.match(mail.subject, /^The payment you asked about is settled/);
  assert.ok(!mail.text.includes('cleo@'), 'and nothing personal');
});

test('it heals later: closed then, and one mail tells it', async () => {
  const bought = await t.buy('annual', 'dora@example.com', { pay: false });
  await write({ email: 'dora@example.com', charged: 'no' });
  const [ack] = await t.mailsBecome('dora@example.com');
  assert.match(ack.text, /No payment has reached us so far/);
  assert.match(ack.text, /You began an order of 249\.00 USD/);
  await t.sandbox.webhooks('on');
  await t.pay(bought.session_url, { card: '4242424242424242' });
  await t.order(bought.reference).becomes('completed');
  await t.until(async () => (await ticketOf('dora@example.com')).state === 'solved', { within: 15_000 });
  assert.equal((await t.mailsBecome('dora@example.com', 2)).length, 2);
});

test('who has access and another question gets a person, and the facts', async () => {
  await t.sandbox.webhooks('on');
  const bought = await t.buy('annual', 'emil@example.com');
  await t.order(bought.reference).becomes('completed');
  await new Promise((done) => setTimeout(done, 2100));
  const page = await write({ email: 'emil@example.com', message: 'Can I have an invoice?' }, bought.browser);
  assert.match(words(page.text), /have your message/);
  const mails = await t.mailsBecome('emil@example.com', 2);
  assert.match(mails[1].text, /You need not pay again\.[^]*Annual.* is active until .*\/password\?t=/);
  const ticket = await ticketOf('emil@example.com');
  assert.equal(ticket.state, 'open');
  assert.equal(ticket.order_id, (await t.order(bought.reference).row).id, 'linked');
});

test('a reference tells its writer nothing personal', async () => {
  await t.sandbox.webhooks('on');
  const bought = await t.buy('annual', 'finn@example.com', { name: 'Finn Private' });
  await t.order(bought.reference).becomes('completed');
  await t.mailsBecome('finn@example.com');
  await new Promise((done) => setTimeout(done, 2100));
  await write({ email: 'nosy@example.com', r: bought.reference });
  const [mail] = await t.mailsBecome('nosy@example.com');
  assert.doesNotMatch(mail.text + mail.html, /finn@|Finn|249|active until/);
  const told = await t.mailsBecome('finn@example.com', 2);
  assert.equal(told[1].subject, 'We found your payment');
});

test('a double click is one ticket', async () => {
  const page = await t.get('/support');
  const form_key = /name="form_key" value="([^"]+)"/.exec(page.text)[1];
  const replies = await Promise.all([1, 2, 3].map(() => write({ email: 'twice@example.com', form_key })));
  assert.equal(await t.value("select count(*)::int from subpay.tickets where email = 'twice@example.com'"), 1);
  assert.equal(new Set(replies.map(({ text }) => /T-\d+/.exec(text)[0])).size, 1);
});

test('the field for machines', async () => {
  const page = await write({ email: 'bot@example.com', website: 'http://spam.example' });
  assert.equal(page.status, 400);
  assert.ok(page.text.includes('Charged, but no access.'), 'a person whose browser filled it in loses nothing');
  assert.equal(await ticketOf('bot@example.com'), undefined);
});

test('refused beside the field, nothing lost', async () => {
  for (const [form, field] of [[{ email: 'ana' }, 'email'], [{ email: '' }, 'email'],
    [{ email: 'x@example.com', message: ' ' }, 'message'], [{ email: 'x@example.com', message: 'x'.repeat(21_000) }, 'message']]) {
    const page = await write({ charged: 'yes', ...form });
    assert.equal(page.status, 400);
    assert.ok(page.text.includes(`id="${field}-problem"`));
    assert.match(page.text, /value="yes" checked/);
  }
  assert.equal((await write({ email: 'x@example.com', message: 'a\0b' })).status, 400);
  assert.equal((await write({ email: 'x@example.com', message: 'a\u0007b' })).status, 400);
});

test('nothing typed becomes a header or a recipient', async () => {
  for (const email of ['a@b.example\r\nBcc: all@example.com', 'a@b.example, all@example.com', 'a@b.example\n\nbody']) {
    assert.equal((await write({ email })).status, 400, JSON.stringify(email));
  }
  await write({ email: 'victim@example.com', message: 'Buy now http://spam.example\r\nBcc: all@example.com\r\nSubject: spam' });
  const [mail] = await t.mailsBecome('victim@example.com');
  assert.doesNotMatch(mail.raw ?? mail.text, /spam/, 'nobody can send their words through us');
  assert.equal((await t.mails('all@example.com')).length, 0);
});

test('by JSON', async () => {
  const reply = await t.post('/support', { json: { email: 'json@example.com', message: 'Hello' } });
  assert.equal(reply.status, 200);
  assert.match(reply.json.ticket, /^T-\d+$/);
  assert.ok(new Date(reply.json.answer_by) > new Date());
});

test('the provider does not answer: "we are checking", never "no payment"', async () => {
  await t.buy('annual', 'gus@example.com', { pay: false });
  await t.sandbox.fault({ on: 'GET /v1/*', do: 'status', status: 500, times: 'always' });
  await write({ email: 'gus@example.com', charged: 'yes' });
  await t.until(() => t.value("select attempts > 0 and lease is null from subpay.searches where email = 'gus@example.com'"), { within: 20_000 });
  assert.equal((await t.mails('gus@example.com')).length, 0, 'a minute for the fix to be the answer');
  await t.sql("update subpay.tickets set created_at = created_at - interval '2 minutes' where email = 'gus@example.com'");
  await t.sql("update subpay.searches set next_try_at = now() where email = 'gus@example.com'");
  const [ack] = await t.mailsBecome('gus@example.com', 1, { within: 20_000 });
  assert.match(ack.text, /We are checking with Stripe whether your payment went through/);
  assert.doesNotMatch(ack.text, /No payment has reached us|found none/);

  // Ten minutes later: who takes it over, and until when.
  await t.sql("update subpay.searches set created_at = created_at - interval '11 minutes', next_try_at = now() where email = 'gus@example.com'");
  const mails = await t.mailsBecome('gus@example.com', 2, { within: 20_000 });
  assert.equal(mails[1].subject, 'We are still checking your payment');
  assert.match(mails[1].text, /We asked \d+ times since .*Ana and Sam take it over at .* and write to you by/s);
  await t.sandbox.clearFaults();
  t.allowLog('SP04');
});

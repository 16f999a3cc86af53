#!/usr/bin/env -S node --test-reporter=tap
// Mails that real mail programs read, and that nobody can turn into others.
'use strict';
const { simpleParser } = require('mailparser');
const { SubPay, test, assert } = require('./lib/subpay.js');
const { Exim, absent } = require('./lib/exim.js');

const settings = { SubPayRateLimit: ['checkout 0', 'find 0', 'support 0'], SubPayAppName: 'Café Ünder' };
const t = SubPay.use({ settings });

/* What happens to one customer, and gives a mail each time: -> {address: how many} */
async function live(shop) {
  const bought = await shop.buy('annual', 'ana@example.com', { name: 'Zoé, "Ana" <x>' });
  await shop.order(bought.reference).becomes('completed');
  const post = (where, form) => shop.browser().post(where, { form });
  await post('/password', { send: 1, email: 'ana@example.com' });
  await post('/find', { email: 'nobody@example.com' });
  await post('/support', { email: 'sam@example.com', charged: 'yes', message: 'Where is it?\n.\nBcc: x@example.com' });
  const wrong = await shop.buy('annual', 'cy@exampel.com');
  await shop.order(wrong.reference).becomes('completed');
  await shop.until(() => shop.value("select id from outbox where recipient = 'cy@exampel.com' and state = 'sent'"));
  await wrong.browser.post('/email', {
    form: { t: new URL(wrong.return_url).searchParams.get('t'), r: wrong.reference, email: 'cy@example.com' },
  });
  const back = await shop.buy('annual', 'bo@example.com');
  const { payment_id } = await shop.order(back.reference).becomes('completed');
  await shop.stripe.refunds.create({ payment_intent: payment_id });
  await shop.sql("select subpay.alert_raise('mta', 'page', 'Somebody must look', '{}')");
  return { 'ana@example.com': 2, 'nobody@example.com': 1, 'sam@example.com': 1, 'cy@exampel.com': 2,
    'cy@example.com': 1, 'bo@example.com': 2, 'alerts@example.com': 1 };
}

/* The header lines of a message, unfolded: [[name, value]] */
const headerLines = (raw) => raw.replaceAll('\r\n', '\n').split('\n\n')[0].replace(/\n[ \t]+/g, ' ')
  .split('\n').map((line) => /^([^:]+):\s*(.*)$/.exec(line).slice(1));

const wordsOf = (text) => text.match(/[\p{L}\p{N}@.:/?=&*-]+/gu).map((word) => word.replace(/[.:?*-]+$/, ''))
  .filter(Boolean);

/* What a reader of the HTML part sees. In the text a button is its link, with or without
 * the words on it. */
const textOf = (html, { labels }) => html.replace(/<(style|title)[^]*?<\/\1>/g, '')
  .replace(/<a class="button" href="([^"]*)">([^<]*)<\/a>/g, labels ? ' $2 $1 ' : ' $1 ')
  .replace(/<a [^>]*href="([^"]*)"[^>]*>/g, ' $1 ').replace(/<[^>]+>/g, ' ')
  .replace(/&quot;/g, '"').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&#39;/g, "'").replace(/&amp;/g, '&');

/* Everything that is asked of one message, as it was received. */
async function examine(raw, to) {
  const lines = headerLines(raw);
  for (const name of ['From', 'To', 'Subject', 'Date', 'Message-ID', 'Auto-Submitted', 'MIME-Version', 'Content-Type']) {
    assert.equal(lines.filter(([one]) => one.toLowerCase() === name.toLowerCase()).length, 1, `one ${name} in ${raw}`);
  }
  for (const name of ['Cc', 'Bcc', 'List-Unsubscribe']) {
    assert.ok(!lines.some(([one]) => one.toLowerCase() === name.toLowerCase()), `no ${name}`);
  }
  const header = Object.fromEntries(lines.map(([name, value]) => [name.toLowerCase(), value]));
  assert.match(header['auto-submitted'], /^auto-(generated|replied)$/);
  assert.match(header['message-id'], /^<[^\s<>@]+@example\.com>$/);
  const parts = [...raw.matchAll(/^Content-Type: (multipart\/alternative|text\/\w+)/gm)].map(([, type]) => type);
  assert.deepEqual(parts, ['multipart/alternative', 'text/plain', 'text/html']);
  assert.ok(Math.abs(Date.parse(header.date) - Date.now()) < 120_000, header.date);
  assert.ok(raw.split('\n').every((line) => line.length <= 999), 'no line is too long for SMTP');

  const mail = await simpleParser(raw);
  assert.deepEqual(mail.to.value.map(({ address }) => address), [to]);
  assert.deepEqual(mail.from.value, [{ address: 'shop@example.com', name: 'Demo Shop' }]);
  assert.equal(mail.replyTo.value.length, 1);
  assert.doesNotMatch(mail.subject, /[0-9a-f]{32}|�/);
  const plain = wordsOf(mail.text);
  const [most, least] = [true, false].map((labels) => wordsOf(textOf(mail.html, { labels })));
  const only = (one, other) => one.filter((word) => !other.includes(word) && !word.startsWith('mailto:'));
  assert.deepEqual({ text: only(plain, most), html: only(least, plain) }, { text: [], html: [] }, mail.subject);
  assert.doesNotMatch(mail.html, /<img|<script|@import|url\(/);
  for (const [, link] of mail.html.matchAll(/href="(http[^"]*)"/g)) {
    assert.ok(link.startsWith('http://127.0.0.1:'), `${link} is ours`);
  }
  return mail;
}

test('mailparser reads every mail: whole headers, the same words twice', async () => {
  for (const [to, count] of Object.entries(await live(t))) {
    for (const { raw } of await t.mailsBecome(to, count, { within: 20_000 })) await examine(raw, to);
  }
  const confirmation = (await t.mails('ana@example.com')).find(({ subject }) => /active/.test(subject));
  assert.match(confirmation.subject, /^Your Café Ünder plan is active \(SP-/);
  const [answer] = await t.mails('sam@example.com');
  assert.match(answer.raw, /^Auto-Submitted: auto-replied\r?$/m);
});

test('exim takes them, and puts each into the mailbox as it was', { skip: absent }, async () => {
  const exim = await Exim.start(t);
  const shop = await SubPay.start({ settings: { ...settings, SubPayMailServer: `smtp://127.0.0.1:${exim.port}` } });
  const expected = await live(shop);
  const count = Object.values(expected).reduce((a, b) => a + b);
  const mails = await shop.until(() => exim.mails().length >= count && exim.mails(),
    { within: 20_000, what: `${count} mails in the mailbox` });
  assert.equal(mails.length, count);
  const ids = new Set();
  for (const { raw, recipients } of mails) {
    assert.equal(recipients.length, 1);
    const mail = await examine(raw, recipients[0]);
    ids.add(mail.messageId);
    expected[recipients[0]] -= 1;
  }
  assert.equal(ids.size, count, 'each fact once');
  assert.deepEqual(Object.values(expected).filter((left) => left !== 0), []);
});

const BREAKS = ['\r\n', '\n', '\r', '%0d%0a', '\u2028', '\u0085', '\v'];

test('no name and no address adds a header or a recipient', { skip: absent }, async () => {
  const exim = await Exim.start(t);
  const shop = await SubPay.start({ settings: { ...settings, SubPayMailServer: `smtp://127.0.0.1:${exim.port}` } });
  const names = [...BREAKS.map((end) => `Ana${end}Bcc: evil@example.org`), 'Ana, evil@example.org', '<evil@example.org>',
    'Ana" <evil@example.org>, "', '=?UTF-8?Q?a=0D=0ABcc:_evil=40example.org?='];
  const addresses = [...BREAKS.map((end) => `ana@example.com${end}Bcc: evil@example.org`), 'ana@example.com,evil@example.org',
    'ana@example.com;evil@example.org', '<evil@example.org>', 'ana@example.com <evil@example.org>', '"a@example.com,"@example.org',
    'ana@example.com> RCPT TO:<evil@example.org', 'ana@example.com evil@example.org', 'a(evil@example.org)@example.com'];

  const honest = [];
  for (const [i, name] of names.entries()) {
    const email = `honest${i}@example.com`;
    const reply = await shop.browser().post('/checkout', { form: { product: 'annual', email, name } });
    if (reply.status !== 303) continue; // refused
    honest.push(email);
    await shop.pay(reply.location, { card: '4242424242424242', email, name });
  }
  const took = [];
  for (const email of addresses) {
    for (const [where, form] of [['/checkout', { product: 'annual' }], ['/find', {}], ['/password', { send: 1 }],
      ['/support', { message: 'Bcc: evil@example.org' }]]) {
      const { status } = await shop.browser().post(where, { form: { ...form, email } });
      if (status < 400) took.push(`${where} ${JSON.stringify(email)}`);
      const json = await shop.browser().post(where, { json: { ...form, send: '1', email } });
      if (json.status < 400) took.push(`${where} ${JSON.stringify(email)} as JSON`);
    }
  }
  assert.deepEqual(took, [], 'no form takes such an address');

  const last = 'last@example.com';
  await shop.buy('annual', last);
  honest.push(last);
  const mails = await shop.until(() => {
    const all = exim.mails();
    return honest.every((one) => all.some(({ recipients }) => recipients[0] === one)) && all;
  }, { within: 20_000, what: `${honest.length} mails in the mailbox` });
  for (const { raw, recipients } of mails) {
    assert.equal(recipients.length, 1);
    assert.ok(honest.includes(recipients[0]), recipients[0]);
    await examine(raw, recipients[0]);
  }
});

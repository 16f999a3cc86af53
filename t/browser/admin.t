#!/usr/bin/env -S node --test-reporter=tap
// The support area: a newcomer solves a case by keyboard and in few clicks; every page
// is readable, at both widths, light and dark.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');
const { RealBrowser } = require('../lib/browser.js');

const t = SubPay.use({ settings: { SubPayReconcileInterval: '1h', SubPayRateLimit: 'checkout 0' } });
const browser = new RealBrowser();
const person = (options) => browser.customer({ httpCredentials: { username: t.admin[0], password: t.admin[1] }, ...options });

/* Paid, and nobody has told us. */
async function lost(email) {
  await t.sandbox.webhooks('off');
  const bought = await t.buy('annual', email, { follow: false });
  await t.sandbox.webhooks('on');
  return bought;
}

/* What the worker looks for at its start, events, orders, objects in turn, would heal the
 * cases before a person sees them. */
test('the shop has looked round once', async () => {
  await t.until(() => t.value("select exists (select from runs where kind = 'objects' and ok)"), { within: 30_000 });
});

for (const script of [true, false]) {
  test(`"I was charged and have no account": at most 3 clicks and 20 seconds, mail included${script ? '' : ', without JavaScript'}`, async () => {
    const email = `newcomer${script}@example.com`;
    const bought = await lost(email);
    const { page } = await person({ script });
    await page.goto(t.url + '/admin/');
    const began = Date.now();
    let clicks = 0;
    const click = (name) => { clicks++; return page.getByRole('button', { name }).click(); };
    await page.getByRole('textbox', { name: /Find a customer/ }).fill(email);
    await click('Find');
    await click(/Recover/);
    await page.getByRole('status').getByText('access is open').waitFor();
    await t.mailsBecome(email, 1, { within: 15_000 });
    assert.ok(clicks <= 3, `${clicks} clicks`);
    assert.ok(Date.now() - began < 20_000, `${Date.now() - began} ms`);
    assert.equal(await t.order(bought.reference).state, 'completed');
  });
}

test('the same by keyboard alone', async () => {
  const bought = await lost('keys@example.com');
  const { page } = await person();
  await page.goto(t.url + '/admin/');
  for (let n = 0; n < 30 && !await page.evaluate(() => document.activeElement.id === 'q'); n++) await page.keyboard.press('Tab');
  await page.keyboard.type('keys@example.com');
  await page.keyboard.press('Enter');
  await page.waitForURL(/search/);
  for (let n = 0; n < 30 && !await page.evaluate(() => /Recover/.test(document.activeElement.textContent) && document.activeElement.localName === 'button'); n++) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await page.waitForURL(/done=recovered/);
  assert.equal(await t.order(bought.reference).state, 'completed');
});

test('it heals while the page is open: the press does nothing twice, and says that access is open', async () => {
  const bought = await lost('healed@example.com');
  const { page } = await person();
  await page.goto(t.url + '/admin/search?q=healed@example.com');
  t.allowLog('SP0701');
  process.kill(await t.httpd.workerPid(), 'SIGKILL'); // the next one begins with healing
  await t.order(bought.reference).becomes('completed', { within: 15_000 });
  await page.getByRole('button', { name: /Recover/ }).click();
  await page.getByRole('status').getByText('Access is open already').waitFor();
  assert.equal(await t.value("select count(*)::int from audit where action = 'support.recover' and order_id = (select id from orders where reference = $1)", [bought.reference]), 0);
});

test('axe finds nothing, and nothing scrolls sideways', { timeout: 300_000 }, async () => {
  const paid = await t.buy('annual', 'axe@example.com');
  await t.order(paid.reference).becomes('completed');
  const open = await t.buy('annual', 'open@example.com', { pay: false });
  await t.sql(`insert into subpay.tickets (kind, subject, email, order_id, due_at)
    values ('customer', 'Where is it?', 'axe@example.com', (select id from subpay.orders where reference = $1), now())`, [paid.reference]);
  await t.sql(`insert into subpay.ticket_messages (ticket_id, direction, author, body)
    select id, 'in', 'customer', E'Hello,\n\nno access.' from subpay.tickets where email = 'axe@example.com'`);
  const ticket = await t.value("select reference from subpay.tickets where email = 'axe@example.com'");
  const asked = await t.buy('annual', 'bank@example.com');
  await t.order(asked.reference).becomes('completed');
  await t.sandbox.control('POST', 'disputes', { reason: 'fraudulent',
    payment_intent: await t.value('select payment_id from subpay.orders where reference = $1', [asked.reference]) });
  await t.until(async () => (await t.value('select count(*)::int from subpay.disputes')) === 1, { within: 20_000 });
  const found = [];
  for (const [width, scheme] of [[1280, 'light'], [390, 'dark']]) {
    const somebody = await person({ width, scheme });
    for (const where of ['/', `/orders/${asked.reference}`, `/orders/${asked.reference}/evidence`, `/orders/${asked.reference}/accept`, '/search?q=axe@example.com', '/search?q=nobody@example.com', `/orders/${paid.reference}`,
      `/orders/${open.reference}`, ...['recover', 'resend', 'email', 'refund', 'extend', 'grant', 'note', 'assign', 'close']
        .map((action) => `/orders/${paid.reference}/${action}`), `/tickets/${ticket}`, '/alerts', '/pictures', '/duty', `/write?r=${paid.reference}`, '/runs', '/ledger', '/playbook']) {
      await somebody.page.goto(t.url + '/admin' + where);
      for (const line of await somebody.axe()) found.push(`${where} ${width} ${scheme}: ${line}`);
      if (await somebody.page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)) found.push(`${where} ${width}: scrolls sideways`);
    }
    assert.deepEqual(somebody.complaints, [], 'the console is silent');
  }
  assert.deepEqual(found, []);
});

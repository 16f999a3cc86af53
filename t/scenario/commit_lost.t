#!/usr/bin/env -S node --test-reporter=tap
// The database has committed, and the connection dies before its answer: what happened
// is asked for, never assumed.
'use strict';
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const os = require('node:os');
const { SubPay, test, assert } = require('../lib/subpay.js');

/*
 * A PostgreSQL socket in front of the real one. lose(word, times): when a statement of
 * that name is run, its answer is swallowed and the connection cut.
 */
async function wire(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'subpay-wire-'));
  fs.chmodSync(folder, 0o755);
  const file = path.join(folder, `.s.PGSQL.${t.postgres.port}`);
  const open = new Set();
  let losing = null;
  const server = net.createServer((client) => {
    const real = net.connect(path.join(t.postgres.socket, `.s.PGSQL.${t.postgres.port}`));
    let cut = false;
    open.add(client);
    client.on('data', (part) => {
      /* Bind names the prepared statement: zero, name, zero. */
      if (losing && losing.times > 0 && part[0] === 0x42 && part.includes(`\0${losing.word}\0`)) {
        losing.times--;
        cut = true;
      }
      real.write(part);
    });
    real.on('data', (part) => {
      if (cut) client.destroy();
      else client.write(part);
    });
    for (const [one, other] of [[client, real], [real, client]]) {
      one.on('close', () => { other.destroy(); open.delete(client); });
      one.on('error', () => {});
    }
  });
  await new Promise((resolve) => server.listen(file, resolve));
  fs.chmodSync(file, 0o777);
  return {
    folder,
    lose(word, times = 1) {
      losing = { word, times };
      return () => losing.times;
    },
    close() {
      server.close();
      open.forEach((client) => client.destroy());
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function shop(context) {
  const t = await SubPay.start({ start: false });
  const between = await wire(t);
  context.after(async () => {
    await t.stop();
    between.close();
  });
  t.httpd.extra += `\nDBDParams "host=${between.folder} port=${t.postgres.port} dbname=${t.database} user=subpay_web connect_timeout=2"\n`;
  t.httpd.configure();
  await t.httpd.start();
  t.allowLog('SP05', /AH006\d\d|AH02655/);
  return { t, between };
}

test('the intent: one order, one payment page, and the customer sees nothing of it', async (context) => {
  const { t, between } = await shop(context);
  await t.get('/');
  const left = between.lose('order_place');
  const bought = await t.buy('annual', 'ana@example.com');
  assert.equal(left(), 0, 'the answer was lost');
  assert.equal(await t.value('select count(*)::int from subpay.orders'), 1);
  assert.equal((await t.stripe.checkout.sessions.list()).data.length, 1);
  await t.order(bought.reference).becomes('completed');
});

test('the completion, by the return page', async (context) => {
  const { t, between } = await shop(context);
  await t.sandbox.webhooks('off');
  const bought = await t.buy('annual', 'bea@example.com', { pay: false });
  /* Nor does the worker hear of the payment before the page does. */
  await t.sandbox.fault(['events', 'charges', 'payment_intents', 'checkout/sessions'].map((list) =>
    ({ on: `GET /v1/${list}`, do: 'status', status: 500, times: 'always' })));
  t.allowLog('SP0401', 'SP0712');
  await t.sql("update subpay.orders set next_ask_at = now() + interval '1 h'");
  const { return_url: wayBack } = await t.pay(bought.session_url, { card: '4242424242424242' });
  const left = between.lose('settle');
  const page = await bought.browser.get(wayBack);
  assert.equal(left(), 0, 'the answer was lost');
  assert.match(page.text, /<title>Paid/);
  await once(t, bought);
});

test('the completion, by the webhook: it comes again, or is asked for', async (context) => {
  const { t, between } = await shop(context);
  const bought = await t.buy('annual', 'cleo@example.com', { pay: false });
  const left = between.lose('settle_many'); // webhooks of one moment share a commit
  await t.pay(bought.session_url, { card: '4242424242424242' });
  await t.until(() => left() === 0, { what: 'the answer to be lost' });
  await once(t, bought);
});

async function once(t, { reference, email }) {
  await t.order(reference).becomes('completed');
  await t.mailsBecome(email);
  assert.equal((await t.order(reference).subscriptions).length, 1);
  assert.equal(await t.value("select count(*)::int from subpay.audit where action = 'order.completed'"), 1);
  assert.equal((await t.mails(email)).length, 1);
}

#!/usr/bin/env -S node --test-reporter=tap
// A mail server that takes minutes over every word: mails wait, access does not.
'use strict';
const net = require('node:net');
const { SubPay, test, assert } = require('../lib/subpay.js');
const invariants = require('../lib/invariants.js');

/* Begins a greeting and never ends it. */
function tarpit() {
  const held = new Set();
  const server = net.createServer((socket) => {
    held.add(socket);
    const timer = setInterval(() => socket.write('220-patience\r\n'), 1000);
    socket.on('error', () => {});
    socket.on('close', () => { clearInterval(timer); held.delete(socket); });
  });
  return {
    server, held,
    listen: () => new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(server.address().port)); }),
    close() { server.close(); for (const socket of held) socket.destroy(); },
  };
}

test('reconciliation goes on, and the mails leave once somebody takes them', { timeout: 240_000 }, async (context) => {
  const pit = tarpit();
  const port = await pit.listen();
  context.after(() => pit.close());
  const t = await SubPay.start({ settings: { SubPayReconcileInterval: '2s', SubPayMailServer: `smtp://127.0.0.1:${port}` } });
  context.after(() => t.stop());
  t.allowLog('SP0352', 'SP0701', 'SP0704');
  await t.sandbox.webhooks('off');

  /* Five mails that will not leave... */
  for (let n = 0; n < 5; n++) await t.buy('annual', `waits${n}@example.com`);
  await t.until(() => pit.held.size > 0, { within: 10_000, what: 'the worker to be in it' });
  /* ...and one who paid, was never seen again, and has no webhook. */
  const bought = await t.buy('annual', 'ana@example.com', { follow: false });
  const begun = Date.now();
  await t.order(bought.reference).becomes('completed', { within: 90_000 });
  console.log(`# access after ${Date.now() - begun} ms`);

  /* The mail server is replaced. */
  const other = await t.node({ settings: { SubPayReconcileInterval: '2s' } });
  await other.start();
  await t.httpd.stop();
  const { left } = await invariants.quiet(t, { within: 90_000, hurry: true });
  assert.deepEqual([...left, ...await invariants.violations(t)], []);
  assert.ok((await t.mails()).length >= 6);
});

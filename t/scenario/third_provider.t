#!/usr/bin/env -S node --test-reporter=tap
// A provider that comes as a module of its own sells like ours, without a change to us.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const { SubPay, test, assert, place, proc } = require('../lib/subpay.js');

const SECRET = 'third-canary';
let t;

function build(to) {
  const flags = (...args) => execFileSync(args[0], args.slice(1), { encoding: 'utf8' }).trim().split(/\s+/);
  return proc.run('gcc', [
    ...flags('apxs', '-q', 'CFLAGS'), ...flags('apr-1-config', '--cppflags', '--includes'),
    `-I${flags('apxs', '-q', 'INCLUDEDIR')}`, `-I${path.join(place.PROJECT, 'src')}`,
    '-std=gnu11', '-Wall', '-Wextra', '-Werror', '-fPIC', '-shared', '-o', to,
    path.join(place.PROJECT, 't/module/mod_subpay_third.c'),
  ]);
}

test('it builds from provider.h alone, and loads', async () => {
  t = await SubPay.start({ start: false, settings: { SubPayReconcileInterval: '1s' } });
  const module = path.join(t.folder, 'mod_subpay_third.so');
  const built = await build(module);
  assert.equal(built.status, 0, built.stderr);
  const keys = path.join(t.folder, 'httpd', 'keys');
  for (const name of ['third', 'third-webhook']) {
    fs.writeFileSync(path.join(keys, name), `${SECRET}\n`, { mode: 0o600 });
  }
  t.httpd.extra += `
LoadModule subpay_third_module "${module}"
SubPayProvider third
SubPayProviderKey third "file:${keys}/third"
SubPayWebhookSecret third "file:${keys}/third-webhook"
`;
  t.httpd.configure();
  await t.httpd.start();
  assert.match((await t.get('/')).text, /You enter your card at Third Pay/);
});

test('bought, told by webhook, granted', async () => {
  const browser = t.browser();
  const form_key = '3b241101-e2bb-4255-8caf-4136c566a962';
  const send = () => browser.post('/checkout', { form: { product: 'annual', email: 'ana@example.com', form_key } });
  const checkout = await send();
  assert.match(checkout.location, /^https:\/\/third\.example\//);
  assert.equal((await send()).location, checkout.location, 'the same form, the same page');
  const [order] = await t.sql('select * from orders');
  assert.equal(order.provider, 'third');

  const tell = (secret) => t.post('/webhook/third', {
    headers: { 'Third-Secret': secret },
    body: `order=${order.id}&minor=24900&currency=USD&event=e1`,
  });
  t.expectLog('SP0203');
  assert.equal((await tell('wrong')).status, 400);
  assert.equal((await tell(SECRET)).status, 200);
  assert.equal((await tell(SECRET)).status, 200);
  await t.order(order.reference).becomes('completed');
  assert.equal((await t.mailsBecome('ana@example.com')).length, 1);
});

test('it lists nothing, and the worker lives with that', async () => {
  for (const kind of ['events', 'objects']) {
    await t.until(() => t.value('select 1 from runs where kind = $1 and ok', [kind]), { what: `a good run of ${kind}`, within: 15_000 });
  }
  assert.equal(await t.value('select count(*) from runs where not ok'), '0');
});

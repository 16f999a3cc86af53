#!/usr/bin/env -S node --test-reporter=tap
// The disk under the database is full: nobody is charged for an order that could not be
// written, the return page is true, and all heals once there is room again.
//
// A filesystem of its own, small, in memory: as root, where mounts are allowed.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const { SubPay, test, assert, proc, place } = require('../lib/subpay.js');
const invariants = require('../lib/invariants.js');

const SIZE = '160m';

/* Why it cannot be had here, or false. */
function noMounts() {
  if (!place.ROOT) return 'only root mounts a filesystem';
  const folder = fs.mkdtempSync('/tmp/subpay-mount-');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return false;
  } catch {
    return 'mounts are not allowed here';
  } finally {
    fs.rmdirSync(folder);
  }
}

const skip = noMounts();

/* A shop whose cluster lives on the small disk. */
async function shop(context) {
  let disk;
  const t = await SubPay.start({
    cluster: 'own',
    settings: { SubPayReconcileInterval: '1s', SubPayRateLimit: 'checkout 0 webhook 0' },
    before(shop) {
      disk = path.join(shop.folder, 'postgres');
      fs.mkdirSync(disk, { mode: 0o755 });
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=755`, 'tmpfs', disk]);
    },
  });
  context.after(async () => {
    execFileSync('umount', ['-l', disk]);
    await t.stop();
  });
  t.allowLog('SP0', /AH006\d\d|AH02655/);
  return { t, disk };
}

/* Another user of the disk takes all there is, down to the last page. */
async function fill(t, disk) {
  const file = path.join(disk, 'rubbish');
  const to = fs.openSync(file, 'w');
  const chunk = Buffer.alloc(1 << 16);
  try {
    for (;;) fs.writeSync(to, chunk);
  } catch (error) {
    assert.equal(error.code, 'ENOSPC');
  } finally {
    fs.closeSync(to);
  }
  /* Pages that are there already have room for some rows: other tables' rows fill them. */
  await t.until(async () => {
    try {
      await t.sql("insert into rubbish select repeat('x', 1000) from generate_series(1, 2000)");
      return false;
    } catch (error) {
      return /No space left|recovery|terminat|ECONN|starting up|ENOENT|closed/.test(`${error.code} ${error.message}`);
    }
  }, { within: 60_000, what: 'the disk to be full' });
  return () => fs.rmSync(file);
}

test('full: refused before anything could be charged, and healed afterwards', { skip, timeout: 240_000 }, async (context) => {
  const { t, disk } = await shop(context);
  await t.sql('create unlogged table rubbish (text text)');
  const before = await t.buy('annual', 'before@example.com', { pay: false });
  const empty = await fill(t, disk);

  /* What still fits is sold; what does not fit is refused, and not charged. */
  let refused = null;
  const sold = [];
  for (let n = 0; n < 400 && !refused; n++) {
    const reply = await t.browser().post('/checkout', { form: { product: 'annual', email: `full${n}@example.com`, name: 'x'.repeat(200) } });
    if (reply.status === 303) sold.push(reply.location);
    else refused = { status: reply.status, text: reply.text, email: `full${n}@example.com` };
  }
  assert.ok(refused, 'the database took everything');
  assert.equal(refused.status, 503);
  assert.match(refused.text, /You have not been charged/);
  const pages = (await t.stripe.checkout.sessions.list({ limit: 100 })).data.filter((one) => one.customer_email === refused.email);
  assert.equal(pages.length, 0, 'no payment page was opened for it');

  /* Somebody pays all the same, on a page that was opened before. */
  const paid = await t.pay(before.session_url, { card: '4242424242424242' });
  const page = await before.browser.get(paid.return_url);
  assert.equal(page.status, 200);
  assert.ok(page.text.includes(before.reference), 'the page names the reference');
  assert.doesNotMatch(page.text, /not been charged|failed|error/i);
  const state = await t.order(before.reference).state.catch(() => 'unknown');
  if (state !== 'completed') {
    assert.match(page.text, /do not pay again/i);
    await t.until(() => /POST \/webhook\S* HTTP\S*" 503/.test(t.httpd.access()), { what: 'a webhook to be answered 503' });
  }
  console.log(`# ${sold.length} were sold on what room was left; the one that was paid is ${state}`);

  empty();
  await t.postgres.start(); /* where the log did not fit either, it has ended */
  await proc.until(() => t.sql('drop table if exists rubbish').then(() => true, () => false), { within: 30_000, what: 'the database to write again' });
  await t.order(before.reference).becomes('completed', { within: 30_000 });
  const more = await t.buy('annual', 'after@example.com');
  await t.order(more.reference).becomes('completed', { within: 10_000 });
  const { left } = await invariants.quiet(t, { within: 60_000, hurry: true });
  assert.deepEqual([...left, ...await invariants.violations(t, { twice: 1 })], []);
});

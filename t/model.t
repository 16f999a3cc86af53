#!/usr/bin/env -S node --test-reporter=tap
// In every order of steps: money ends in access, a refund or before a person; nothing
// happens twice. spin visits each state of t/model/*.pml.
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const nodeTest = require('node:test');
const assert = require('node:assert/strict');
const { run } = require('./lib/process.js');

const MODELS = path.join(__dirname, 'model');
const FUNCTIONS = path.join(__dirname, '../sql/functions');
const there = (process.env.PATH ?? '').split(':').some((folder) => fs.existsSync(path.join(folder, 'spin')));
const skip = there ? false : 'spin is not installed: t/stack/install';

/* -> {errors, states, said} */
async function verify(defines, model = 'order.pml') {
  const MODEL = path.join(MODELS, model);
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'subpay-model-'));
  try {
    const steps = [['spin', [...defines, '-a', MODEL]],
      ['gcc', ['-O2', '-w', '-DSAFETY', '-DNOCLAIM', '-o', 'pan', 'pan.c']]];
    for (const [file, list] of steps) {
      const done = await run(file, list, { cwd });
      assert.equal(done.status, 0, `${file}: ${done.stdout}${done.stderr}`);
    }
    const { stdout } = await run('./pan', ['-m100000'], { cwd });
    const errors = Number(/errors: (\d+)/.exec(stdout)?.[1] ?? NaN);
    const story = errors ? (await run('spin', [...defines, '-k', `${model}.trail`, '-t', '-p', '-g', MODEL], { cwd })).stdout : '';
    return { errors, states: Number(/(\d+) states, stored/.exec(stdout)?.[1]), said: stdout + story };
  } finally {
    fs.rmSync(cwd, { recursive: true, force: true });
  }
}

const GOOD = {
  'all roads': [],
  'the order\'s row is lost once': ['-DLOSS'],
  'the amount is another': ['-DMISMATCH'],
  'of the three layers, events alone': ['-DEVENTS'],
  'our open orders alone': ['-DORDERS'],
  'the provider\'s objects alone, and the row lost': ['-DOBJECTS', '-DLOSS'],
};

for (const [what, defines] of Object.entries(GOOD)) {
  nodeTest.test(what, { skip, timeout: 300_000 }, async () => {
    const { errors, states, said } = await verify(['-DLOOKS=1', ...defines]);
    console.log(`# ${states} states`);
    assert.ok(states > 10_000, 'it has visited what there is');
    assert.equal(errors, 0, said);
  });
}

nodeTest.test('refunds: each decision once, never more than came, books that agree', { skip, timeout: 300_000 }, async () => {
  const { errors, states, said } = await verify([], 'refund.pml');
  console.log(`# ${states} states`);
  assert.ok(states > 10_000, 'it has visited what there is');
  assert.equal(errors, 0, said);
});

nodeTest.test('the checker can see: who forgets that keys are forgotten refunds twice', { skip, timeout: 300_000 }, async () => {
  const { errors, said } = await verify(['-DFORGETFUL'], 'refund.pml');
  assert.equal(errors, 1);
  assert.match(said, /assertion violated.*made/);
});

/* What the models are about, and what need not be in them. */
const DOORS = /^(settle|settle_(apply|many|refuse)|payment_(settle|store|again)|order_(adopt|complete|note|refund|review|place|cancel)|checkout_store|refund_(settle|allowed)|dispute_settle|desk_refund|outbox_(claim|sent|retry|bury)|orders_due)$/;
const INSIDE = ['settle_apply', 'settle_many']; /* of the one door */

nodeTest.test('each transition names a function that exists, and no door is missing', () => {
  const named = new Set();
  for (const file of fs.readdirSync(MODELS).filter((name) => name.endsWith('.pml'))) {
    const text = fs.readFileSync(path.join(MODELS, file), 'utf8');
    for (const [, name] of text.matchAll(/subpay\.(\w+)/g)) named.add(name);
    for (const [, name] of text.matchAll(/\/\*[^*]*\b(payment_again|order_refund|orders_due)\b[^*]*\*\//g)) named.add(name);
  }
  const there = new Set(fs.readdirSync(FUNCTIONS).map((file) => path.basename(file, '.sql')));
  assert.deepEqual([...named].filter((name) => !there.has(name)), [], 'named in a model, and not in sql/functions');
  assert.deepEqual([...there].filter((name) => DOORS.test(name) && !INSIDE.includes(name) && !named.has(name)), [], 'in no model');
});

nodeTest.test('the checker can see: a lost row and no road but our open orders', { skip, timeout: 300_000 }, async () => {
  const { errors, said } = await verify(['-DLOOKS=1', '-DORDERS', '-DLOSS']);
  assert.equal(errors, 1);
  assert.match(said, /assertion violated/);
});

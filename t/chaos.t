#!/usr/bin/env -S node --test-reporter=tap
// Half a minute of customers and troubles on two nodes: nothing lost, nothing twice.
'use strict';
const { test, assert } = require('./lib/subpay.js');
const { run } = require('./chaos/chaos.js');

const SECONDS = Number(process.env.SUBPAY_CHAOS_SECONDS || 30);
const SEED = Number(process.env.SUBPAY_CHAOS_SEED || 20);

test(`seed ${SEED}, ${SECONDS} s`, { timeout: (SECONDS + 150) * 1000 }, async () => {
  const history = [];
  const { violations, took, summary } = await run({
    seed: SEED, seconds: SECONDS, say: (line) => history.push(line),
  });
  console.log(`# quiet after ${took} ms; ${JSON.stringify(summary)}`);
  if (violations.length > 0) history.forEach((line) => console.log(`# ${line}`));
  assert.deepEqual(violations, []);
});

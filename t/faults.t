#!/usr/bin/env -S node --test-reporter=tap
// A process dies between two network calls: access, once, and no second mail.
'use strict';
const { test, assert } = require('./lib/subpay.js');
const { flows, killAll } = require('./faults/kills.js');

/* All of them: make faults. */
const STEP = Number(process.env.SUBPAY_KILL_STEP || 5);

for (const name of Object.keys(flows)) {
  test(`${name}: killed at each ${STEP}th call`, { timeout: 240_000 }, async () => {
    const { kills, points, red } = await killAll(name, { step: STEP });
    console.log(`# ${kills} kills, ${JSON.stringify(points)}`);
    assert.deepEqual(red, []);
    assert.ok(kills > 0, 'somebody died');
  });
}

#!/usr/bin/env -S node --test-reporter=tap
/*
 * sandbox.t - the sandbox keeps its promises, so that tests may rely on it.
 *
 * The parts are modules; node takes a file that ends in .t only as CommonJS.
 */

'use strict';
require('./lib/tap.js'); /* so that prove can read a failure */

for (const part of ['api', 'schema', 'webhooks', 'faults', 'controls', 'mail']) {
  import(`./sandbox/test/${part}.mjs`);
}

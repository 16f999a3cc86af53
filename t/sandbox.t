#!/usr/bin/env -S node --test-reporter=tap
/*
 * sandbox.t - the sandbox keeps its promises, so that tests may rely on it.
 *
 * The parts are modules; node takes a file that ends in .t only as CommonJS.
 */

'use strict';

for (const part of ['api', 'schema', 'webhooks', 'faults', 'controls', 'mail']) {
  import(`./sandbox/test/${part}.mjs`);
}

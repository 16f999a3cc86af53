#!/usr/bin/env -S node --test-reporter=tap
// Every directive stands in the README as its row says, and in no other way.
'use strict';
const { test, assert } = require('./lib/tap.js');
const { marked, readme } = require('./directives');

test('the README has the table that t/directives --write makes', () => {
  assert.equal(readme(), marked());
});

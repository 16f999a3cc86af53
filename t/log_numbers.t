#!/usr/bin/env -S node --test-reporter=tap
// Each number that the module can log is explained, and explained once.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { test, assert } = require('./lib/tap.js');

const PROJECT = path.resolve(__dirname, '..');
const sources = fs.readdirSync(path.join(PROJECT, 'src'), { recursive: true })
  .filter((name) => /\.[ch]$/.test(name)).map((name) => path.join('src', name));
const logged = new Set();
for (const name of ['mod_subpay.c', ...sources]) {
  const text = fs.readFileSync(path.join(PROJECT, name), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  for (const [, number] of text.matchAll(/"SP(\d{4}): /g)) logged.add(number);
  // sp_log(log, SP_LOG_WARN, 407, ...), or one number of two: unsent ? 405 : 401
  for (const [call] of text.matchAll(/sp_log\([^;"]*"/g)) {
    for (const [, number] of call.matchAll(/\b(1?\d{3})\b/g)) logged.add(number.padStart(4, '0'));
  }
}
const explained = [...fs.readFileSync(path.join(PROJECT, 'conf/log-numbers.md'), 'utf8')
  .matchAll(/^\| SP(\d{4}) /gm)].map(([, number]) => number);

test('each number is explained in conf/log-numbers.md', () => {
  assert.deepEqual([...logged].filter((number) => !explained.includes(number)).sort(), []);
});

test('no number is explained twice, or never logged', () => {
  assert.deepEqual(explained.filter((number, i) => explained.indexOf(number) !== i), []);
  assert.deepEqual(explained.filter((number) => !logged.has(number)), []);
});

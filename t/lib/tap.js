/*
 * tap.js - node:test and node:assert, speaking a TAP that prove understands.
 *
 * Node explains a failure in a YAML block, and prove's YAML reader gives up the
 * whole file at the first one with several lines. So blocks become comments;
 * those of tests that passed say nothing and are dropped. What failed, and why, goes to
 * stderr as well: prove shows no comments unless it is asked to, and a test that fails
 * on one machine in ten cannot be run again there.
 */
'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');

if (!process.stdout.isTTY) {
  const write = process.stdout.write.bind(process.stdout);
  let rest = '';
  let inside = false;
  let failed = false;

  const file = require('node:path').basename(process.argv[1] ?? '');
  const tell = (line) => process.stderr.write(`# ${file}: ${line}\n`);
  const translate = (line) => {
    if (/^\s*(not )?ok \d/.test(line)) failed = /^\s*not/.test(line);
    if (failed && (inside ? /[^-.\s]/ : /^\s*not/).test(line)) tell(line);
    if (/^\s+---$/.test(line)) inside = true;
    if (!inside) return `${line}\n`;
    if (/^\s+\.\.\.$/.test(line)) inside = false;
    return failed && /[^-.\s]/.test(line) ? `# ${line}\n` : '';
  };
  process.stdout.write = (chunk, encoding, done) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    return write(lines.map(translate).join(''), typeof encoding === 'function' ? encoding : done);
  };
  process.on('exit', () => rest && write(rest));
}

module.exports = { test, assert };

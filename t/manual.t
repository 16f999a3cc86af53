#!/usr/bin/env -S node --test-reporter=tap
// The manual page and the tab completion know what subpayctl can do, all of it.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { test, assert } = require('./lib/tap.js');
const place = require('./lib/place.js');

const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0', LC_ALL: 'C.UTF-8', MANWIDTH: '80' };
const run = (...command) => {
  const done = spawnSync(command[0], command.slice(1), { encoding: 'utf8', env });
  assert.equal(done.error, undefined, command[0]);
  return done;
};
const page = path.join(place.PROJECT, 'doc/subpayctl.8');
const completion = path.join(place.PROJECT, 'doc/subpayctl.bash');

/* {commands: [[name, argument]], options: [[name, value]]}, sorted */
function help() {
  const [, commands, options] = /commands:\n([^]*?)\n\noptions:\n([^]*?)\n\n/
    .exec(run(path.join(place.BUILD, 'subpayctl'), '--help').stdout);
  return {
    commands: commands.split('\n').map((line) => /^ {2}(\S+(?: \S+)*) +(?:<(.*?)>)? {2,}\S/.exec(line).slice(1)
      .map((word) => word?.trim() ?? '')).sort(),
    options: options.split('\n').map((line) => /^ {2}--(\S+) +([A-Z]+)? {2,}\S/.exec(line).slice(1)
      .map((word) => word ?? '')).sort(),
  };
}

function manual() {
  const items = (pattern) => [...fs.readFileSync(page, 'utf8').matchAll(pattern)]
    .map(([, name, argument = '']) => [name, argument.replaceAll('"', '')]).sort();
  return {
    commands: items(/^\.It Cm ([a-z ]+?)(?: Ar (.*))?$/gm),
    options: items(/^\.It Fl -([a-z]+)(?: Ar (.*))?$/gm),
  };
}

/* What Tab offers behind these words; the last one is what has been typed of the next. */
function complete(...words) {
  const script = `set -u; source "$1"; COMP_WORDS=("\${@:2}"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    COMPREPLY=(); _subpayctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const done = run('bash', '-c', script, 'bash', completion, path.join(place.BUILD, 'subpayctl'), ...words);
  assert.equal(done.stderr, '');
  return done.stdout.split('\n').filter(Boolean).sort();
}

test('every command and option of --help is in the manual, with its argument, and no other', () => {
  assert.ok(help().commands.length > 10);
  assert.deepEqual(manual(), help());
});

test('man and groff find nothing to complain of', () => {
  const done = run('man', '--warnings', '-l', page);
  assert.equal(done.stderr, '');
  assert.equal(done.status, 0);
  assert.match(done.stdout, /webhook create/);
});

test('Tab knows commands, the second word of one, options, files, and when to be silent', () => {
  const { commands, options } = help();
  assert.deepEqual(complete(''), [...new Set(commands.map(([name]) => name.split(' ')[0]))].sort());
  assert.deepEqual(complete('re'), commands.map(([name]) => name).filter((name) => name.startsWith('re')).sort());
  assert.deepEqual(complete('webhook', ''), ['create']);
  assert.deepEqual(complete('--json', 'webhook', 'c'), ['create']);
  assert.deepEqual(complete('--'), options.map(([name]) => `--${name}`).sort());
  assert.deepEqual(complete('doctor', '--j'), ['--json']);
  assert.deepEqual(complete('--config', `${place.PROJECT}/conf/subpay.c`), [`${place.PROJECT}/conf/subpay.conf`]);
  assert.deepEqual(complete('--amount', ''), []);
  assert.deepEqual(complete('--amount', '5.00', 'ref'), ['refund']);
  assert.deepEqual(complete('lookup', ''), []);
});

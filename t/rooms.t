#!/usr/bin/env -S node --test-reporter=tap
// The rooms keep their order, and the check that says so can see a breach.
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test, assert } = require('./lib/tap.js');
const { spawnSync } = require('node:child_process');

function check(...args) {
  const done = spawnSync(path.join(__dirname, 'rooms'), args, { encoding: 'utf8' });
  assert.equal(done.stderr, '');
  return { status: done.status, lines: done.stdout.split('\n').filter(Boolean) };
}

/* A house of these files, and what the check says about it. */
function house(files) {
  const top = fs.mkdtempSync(path.join(os.tmpdir(), 'subpay-rooms-'));
  try {
    for (const [name, text] of Object.entries({ 'mod_subpay.c': '', ...files })) {
      fs.mkdirSync(path.join(top, path.dirname(name)), { recursive: true });
      fs.writeFileSync(path.join(top, name), text);
    }
    return check(top);
  } finally {
    fs.rmSync(top, { recursive: true });
  }
}

test('our own house is in order', () => {
  assert.deepEqual(check(), { status: 0, lines: [] });
});

for (const [what, files, where] of [
  ['an include that points upwards',
    { 'src/model/a.c': '\n#include "db/b.h"\n', 'src/db/b.h': '' }, /^src\/model\/a\.c:2: model may not look into db/],
  ['a room that looks sideways',
    { 'src/mail/a.c': '#include "db/b.h"\n', 'src/db/b.h': '' }, /^src\/mail\/a\.c:1: mail may not look into db/],
  ['an httpd header below',
    { 'src/domain/a.c': '#include <http_log.h>\n' }, /^src\/domain\/a\.c:1: http_log\.h is httpd's/],
  ["the httpd side of cfg",
    { 'src/db/a.c': '#include "cfg/httpd_x.h"\n', 'src/cfg/httpd_x.h': '' }, /^src\/db\/a\.c:1: cfg\/httpd_x\.h is the httpd side/],
  ['settings in the nouns',
    { 'src/model/a.h': '#include "cfg/settings.h"\n', 'src/cfg/settings.h': '' }, /^src\/model\/a\.h:1: model may not look into cfg/],
  ['a circle',
    { 'src/util/a.h': '#include "util/b.h"\n', 'src/util/b.h': '#include "util/a.h"\n' }, /includes go in a circle/],
]) {
  test(`it sees ${what}`, () => {
    const { status, lines } = house(files);
    assert.equal(status, 1);
    assert.equal(lines.length, 1);
    assert.match(lines[0], where);
  });
}

test('it lets pass what is right', () => {
  assert.deepEqual(house({
    'src/handle/a.c': '#include "httpd.h"\n#include "domain/b.h"\n#include "cfg/httpd_x.h"\n',
    'src/domain/b.h': '#include "cfg/settings.h"\n#include "db/c.h"\n',
    'src/cfg/settings.h': '#include "model/d.h"\n#include <apr_pools.h>\n',
    'src/cfg/httpd_x.h': '#include "http_config.h"\n',
    'src/db/c.h': '#include "model/d.h"\n',
    'src/model/d.h': '',
  }), { status: 0, lines: [] });
});

/*
 * site.js - the files that one shop needs beside its configuration: keys,
 * passwords, the page that is sold. Made once, kept for the next start.
 */
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const place = require('./place.js');

const random = (bytes) => crypto.randomBytes(bytes).toString('hex');

const fileOf = (state) => path.join(state, 'keys', 'all.json');

/* The keys and passwords that prepare() made. */
function read(state) {
  return JSON.parse(fs.readFileSync(fileOf(state), 'utf8'));
}

function secrets(state) {
  const file = fileOf(state);
  if (fs.existsSync(file)) return read(state);
  const made = {
    stripe: `sk_test_${random(16)}`,
    webhook: `whsec_${random(16)}`,
    admin: random(8),
    api: random(8),
  };
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  fs.writeFileSync(`${file}.new`, JSON.stringify(made), { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
  return made;
}

/* A plain hash does here: the password is random, and bcrypt would slow each API call. */
function htpasswd(file, users, password) {
  const hash = crypto.createHash('sha1').update(password).digest('base64');
  fs.writeFileSync(file, users.map((user) => `${user}:{SHA}${hash}\n`).join(''), { mode: 0o640 });
  if (place.ROOT) fs.chownSync(file, 0, place.HTTPD_USER().gid);
}

const MEMBERS = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Members</title>
<h1>For subscribers</h1>
<p>This page is behind <code>Require subpay-plan annual</code>.</p>
</html>
`;

function prepare(state) {
  fs.mkdirSync(path.join(state, 'site', 'members'), { recursive: true, mode: 0o755 });
  const keys = secrets(state);
  for (const name of ['stripe', 'webhook']) {
    fs.writeFileSync(path.join(state, 'keys', name), `${keys[name]}\n`, { mode: 0o600 });
  }
  htpasswd(path.join(state, 'admin.htpasswd'), ['support', 'sam'], keys.admin);
  htpasswd(path.join(state, 'api.htpasswd'), ['app'], keys.api);
  fs.writeFileSync(path.join(state, 'site', 'members', 'index.html'), MEMBERS);
  return keys;
}

module.exports = { prepare, read };

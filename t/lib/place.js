/*
 * place.js - where things are, and who may reach them.
 *
 * As root, httpd's children run as www-data and PostgreSQL as postgres. They
 * cannot pass a folder like /root, so what they need is kept where they can.
 */
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const PROJECT = path.resolve(__dirname, '../..');
const BUILD = process.env.SUBPAY_BUILD || path.join(PROJECT, 'build/gcc');
const SANITIZE = /sanitize/.test(path.basename(BUILD));
/* Pools and libpq keep memory until the end on purpose. */
if (SANITIZE) process.env.ASAN_OPTIONS ??= 'detect_leaks=0';
const ROOT = process.getuid() === 0;

function user(name) {
  const line = fs.readFileSync('/etc/passwd', 'utf8').split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  if (!line) throw new Error(`no such user: ${name}`);
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

/* Whom PostgreSQL runs as: it refuses root. Undefined: whoever we are. */
const POSTGRES_USER = () => (ROOT ? user('postgres') : undefined);
const HTTPD_USER = () => (ROOT ? user('www-data') : undefined);

/* May everybody pass every folder on the way? */
function reachable(folder) {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    if (fs.existsSync(at) && !(fs.statSync(at).mode & 0o001)) return false;
    if (at === path.dirname(at)) return true;
  }
}

const hash = (text) => crypto.createHash('sha256').update(text).digest('hex').slice(0, 8);

/* sql/ and htdocs/ where httpd's children can read them: SubPayShare. */
function share(state) {
  if (!ROOT || reachable(PROJECT)) return PROJECT;
  const copy = path.join(state, 'share');
  fs.mkdirSync(copy, { recursive: true, mode: 0o755 });
  for (const part of ['sql', 'htdocs']) {
    const from = path.join(PROJECT, part);
    if (fs.existsSync(from)) fs.cpSync(from, path.join(copy, part), { recursive: true });
  }
  return copy;
}

/* A socket's path must fit into 107 bytes; ours ends in /.s.PGSQL.<port>. */
function socketFolder(state) {
  const inside = path.join(state, 'sock');
  return inside.length < 85 ? inside : `/tmp/subpay-${hash(inside)}`;
}

module.exports = {
  PROJECT, BUILD, SANITIZE, ROOT, POSTGRES_USER, HTTPD_USER,
  reachable, hash, share, socketFolder, user,
};

#!/usr/bin/env -S node --test-reporter=tap
// The Debian package holds all that is needed, installs, works, and leaves nothing behind.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { SubPay, test, assert, proc, place } = require('./lib/subpay.js');

const t = SubPay.use({ start: false });
const LONG = { timeout: 900_000 };
let deb;

/*
 * Run a script as root of a machine like this one, whose changes go nowhere: an overlay
 * over our own root, in a mount namespace, in which no service may start. Afterwards the
 * lines behind "left:" name what of ours the overlay holds.
 */
const SCRATCH = `
set -eu
top=$(mktemp -d); trap 'umount -l "$top"; rmdir "$top"' EXIT
mount -t tmpfs tmpfs "$top"; mkdir "$top"/upper "$top"/work "$top"/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$top/upper,workdir=$top/work" "$top/root"
mount --rbind /dev "$top/root/dev"; mount -t proc proc "$top/root/proc"; mount -t tmpfs tmpfs "$top/root/run"
mkdir "$top/root/run/lock"
printf '#!/bin/sh\\nexit 101\\n' >"$top/root/usr/sbin/policy-rc.d"; chmod 755 "$top/root/usr/sbin/policy-rc.d"
chroot "$top/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \\
    http_proxy="\${http_proxy-}" https_proxy="\${https_proxy-}" DEB="$1" bash -exc "$2" 2>&1 || { echo "status: $?"; exit 1; }
(cd "$top/upper" && find . -iname '*subpay*' ! -type c | sed 's/^/left: /')
`;
const asRoot = place.ROOT ? [] : ['sudo', '-n'];
const inScratch = (script) => {
  const [program, ...args] = [...asRoot, 'unshare', '--mount', '--propagation', 'private',
    'bash', '-c', SCRATCH, 'scratch', deb, script];
  return proc.run(program, args);
};

test('make deb builds it, and lintian finds no error', LONG, async () => {
  const done = await proc.run('make', ['-s', '-C', place.PROJECT, 'deb'], { env: { ...process.env, MAKEFLAGS: '' } });
  assert.equal(done.status, 0, `${done.stdout}${done.stderr}`);
  const folder = path.join(place.PROJECT, 'build/deb');
  deb = path.join(folder, fs.readdirSync(folder).find((name) => /^libapache2-mod-subpay_.*\.deb$/.test(name)));
  const { stdout } = await proc.must('dpkg-deb', ['--fsys-tarfile', deb]).then(() => proc.run('dpkg-deb', ['-c', deb]));
  for (const name of ['usr/lib/apache2/modules/mod_subpay.so', 'usr/bin/subpayctl', 'etc/apache2/mods-available/subpay.load',
    'etc/apache2/mods-available/subpay.conf', 'usr/share/subpay/htdocs/templates/de/pages/return.mustache',
    'usr/share/subpay/sql/schema/0001_words.sql', 'usr/share/man/man8/subpayctl.8.gz', 'usr/lib/subpay/backup',
    'usr/share/bash-completion/completions/subpayctl', 'lib/systemd/system/subpay-backup.timer', 'etc/default/subpay-backup']) {
    assert.ok(stdout.includes(` ./${name}\n`), name);
  }
  const lint = await proc.run('lintian', ['--allow-root', '--fail-on', 'error,warning', deb]);
  assert.equal(lint.status, 0, lint.stdout);
});

test('installed it is enabled and sells nothing; removed httpd still starts; purged nothing is left', LONG, async () => {
  const done = await inScratch(`
    apt-get -qq -o Acquire::Languages=none update >/dev/null
    apt-get -qqy --no-install-recommends -o APT::Sandbox::User=root install apache2 "$DEB" >/dev/null
    a2query -m subpay; a2query -m dbd; apache2ctl configtest
    apache2ctl -M | grep -w subpay_module
    subpayctl --help | grep -w 'webhook create'
    man -w subpayctl | sed 's/^/page: /'
    bash -c '. /usr/share/bash-completion/completions/subpayctl; complete -p subpayctl'
    systemd-analyze verify subpay-backup.service subpay-backup.timer
    if systemctl is-enabled subpay-backup.timer; then exit 1; fi
    dpkg --verify libapache2-mod-subpay
    echo '# mine' >>/etc/apache2/mods-available/subpay.conf
    dpkg -i --force-confold "$DEB" >/dev/null
    tail -n 1 /etc/apache2/mods-available/subpay.conf | sed 's/^/kept: /'
    dpkg -r libapache2-mod-subpay >/dev/null
    [ ! -e /etc/apache2/mods-enabled/subpay.load ]; apache2ctl configtest
    [ -e /etc/apache2/mods-available/subpay.conf ] && echo 'settings survive a removal'
    apt-get -qqy purge libapache2-mod-subpay >/dev/null
    if dpkg-query -W libapache2-mod-subpay; then exit 1; fi
    # what apt, dpkg and man remember for themselves
    rm -rf /var/log/apt /var/log/dpkg.log /var/cache/man`);
  assert.equal(done.status, 0, `${done.stdout}${done.stderr}`);
  assert.match(done.stdout, /subpay \(enabled by/);
  assert.match(done.stdout, /^kept: # mine$/m);
  assert.match(done.stdout, /^settings survive a removal$/m);
  assert.match(done.stdout, /^page: .*subpayctl\.8/m);
  assert.deepEqual(done.stdout.split('\n').filter((line) => line.startsWith('left: ')), []);
});

test('the backup is one that can be restored; old ones go, and only when a new one is there', LONG, async () => {
  const folder = path.join(t.folder, 'dumps');
  fs.mkdirSync(folder);
  const backup = (database) => proc.run(path.join(place.PROJECT, 'debian/subpay-backup'), [],
    { env: { ...process.env, DATABASE: database, KEEP_DAYS: '14', FOLDER: folder } });
  const old = path.join(folder, 'subpay-2020-01-01T000000Z.dump');
  fs.writeFileSync(old, 'old');
  fs.utimesSync(old, 1, 1);
  const lost = await backup('host=127.0.0.1 port=1 dbname=none connect_timeout=1');
  assert.notEqual(lost.status, 0);
  assert.deepEqual(fs.readdirSync(folder), [path.basename(old)], 'no half a dump, and the old one is still there');

  await t.sql("insert into settings (mode, site) values ('test', 'https://restored.example.com') on conflict do nothing");
  const conninfo = t.postgres.conninfo(t.database);
  const done = await backup(conninfo);
  assert.equal(done.status, 0, done.stderr);
  const [dump, ...more] = fs.readdirSync(folder);
  assert.deepEqual(more, [], 'the old one is gone');
  assert.equal(fs.statSync(path.join(folder, dump)).mode & 0o777, 0o600);

  const name = `${t.database}_r`;
  await t.postgres.createDatabase(name);
  try {
    const restored = await proc.run('pg_restore', ['--dbname', t.postgres.conninfo(name), path.join(folder, dump)]);
    assert.equal(restored.status, 0, restored.stderr);
    const [{ n }] = await t.postgres.query(name, 'select count(*)::int as n from subpay.schema_migrations');
    assert.equal(n, await t.value('select count(*)::int from schema_migrations'));
    const migrated = await proc.run(path.join(place.BUILD, 'subpayctl'),
      ['--json', '--database', t.postgres.conninfo(name), '--share', place.PROJECT, 'migrate']);
    assert.deepEqual(JSON.parse(migrated.stdout), { applied: [], functions: false });
  } finally {
    await t.postgres.query('postgres', `drop database if exists ${name} with (force)`);
  }
});

#!/usr/bin/env -S node --test-reporter=tap
// make install puts everything where Debian's a2enmod and subpayctl look for it.
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test, assert } = require('./lib/tap.js');
const proc = require('./lib/process.js');
const place = require('./lib/place.js');
const { environment } = require('./lib/httpd.js');

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'subpay-install-'));
process.on('exit', () => fs.rmSync(root, { recursive: true, force: true }));
const PREFIX = 'usr/local'; /* make's default: another one would build all anew */
const installed = (name) => path.join(root, name);
const text = (name) => fs.readFileSync(installed(name), 'utf8');

/* The variant under test, not whatever make would build without being told. */
const variant = [`CC=${path.basename(place.BUILD).split('-')[0]}`, ...(place.SANITIZE ? ['SANITIZE=1'] : [])];
const install = () => proc.must('make',
  ['-s', '-C', place.PROJECT, 'install', ...variant, `DESTDIR=${root}`]);

/* What `apache2 -t` says to the shipped files, with `edit` applied to subpay.conf. */
async function configtest(edit) {
  const conf = installed('test.conf');
  fs.writeFileSync(installed('subpay.conf'), edit(text('etc/apache2/mods-available/subpay.conf')));
  const modules = '/usr/lib/apache2/modules';
  fs.writeFileSync(conf, [
    'Define APACHE_LOG_DIR .',
    `ServerRoot ${root}`, 'ServerName localhost', 'Listen 127.0.0.1:1', 'PidFile pid', 'ErrorLog log',
    ...['mpm_event', 'authn_core', 'authn_file', 'authz_core', 'authz_host', 'authz_user', 'auth_basic', 'dbd']
      .map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`),
    text('etc/apache2/mods-available/subpay.load').replaceAll('/usr/lib', `${root}/usr/lib`),
    'Include subpay.conf', ''].join('\n'));
  return proc.run('/usr/sbin/apache2', ['-d', root, '-f', conf, '-t'], { env: environment(root) });
}

test('everything has its place below DESTDIR', async () => {
  await install();
  for (const name of ['usr/lib/apache2/modules/mod_subpay.so', `${PREFIX}/bin/subpayctl`,
    'etc/apache2/mods-available/subpay.load', 'etc/apache2/mods-available/subpay.conf',
    `${PREFIX}/share/man/man8/subpayctl.8`,
    `${PREFIX}/share/bash-completion/completions/subpayctl`, `${PREFIX}/share/subpay/sql/bootstrap.sql`, `${PREFIX}/share/subpay/htdocs/templates`]) {
    assert.ok(fs.existsSync(installed(name)), name);
  }
});

test('to build it needs what the README and the package say, and nothing that only tests use', async () => {
  const plan = await proc.must('make', ['-n', '-B', '-C', place.PROJECT, ...variant]);
  assert.match(plan, /mod_subpay\.so/);
  assert.doesNotMatch(plan, /cmocka|t\/unit/);
  const project = (name) => fs.readFileSync(path.join(place.PROJECT, name), 'utf8');
  const [, apt] = /apt install ((?:.*\\\n)*.*)/.exec(project('README.md'));
  const [, needs] = /^Build-Depends: ((?:.*\n )*.*)/m.exec(project('debian/control'));
  for (const name of needs.split(/,\s*/).filter((it) => !it.startsWith('debhelper'))) {
    assert.ok(apt.split(/[\s\\]+/).includes(name), name);
  }
});

test('the files name nothing of the machine that built them', () => {
  assert.ok(!text('etc/apache2/mods-available/subpay.load').includes(place.PROJECT));
  assert.ok(!text('etc/apache2/mods-available/subpay.conf').includes(place.PROJECT));
});

test('a second install keeps a subpay.conf that somebody has edited', async () => {
  const file = installed('etc/apache2/mods-available/subpay.conf');
  const shipped = fs.readFileSync(file);
  fs.appendFileSync(file, '# mine\n');
  await install();
  assert.ok(text('etc/apache2/mods-available/subpay.conf').endsWith('# mine\n'));
  fs.writeFileSync(file, shipped);
});

test('as shipped it loads and does nothing', async () => {
  const done = await configtest((conf) => conf);
  assert.equal(done.status, 0, done.stderr);
});

test('with every line switched on and the secrets there, it is a valid configuration', async () => {
  const keys = installed('keys');
  fs.mkdirSync(keys, { mode: 0o700 });
  const secrets = { 'stripe-key': 'sk_live_0123456789abcdef01234567', 'stripe-webhook': 'whsec_0123456789abcdef01234567',
    'mail-login': 'shop:secret', 'notify-secret': `whsec_${Buffer.alloc(32).toString('base64')}` };
  for (const [name, value] of Object.entries(secrets)) {
    fs.writeFileSync(path.join(keys, name), `${value}\n`, { mode: 0o600 });
  }
  const done = await configtest((conf) => conf
    .replace(/^#(?=[A-Z<]|    [A-Z])/gm, '') /* sentences have one blank after the # */
    .replaceAll('/etc/apache2/subpay', keys)
    /* below DESTDIR, so not where the module looks by itself */
    .concat(`SubPayShare ${installed(`${PREFIX}/share/subpay`)}\n`));
  assert.equal(done.status, 0, done.stderr);
});

test('the default place of sql and htdocs is the one that install uses', async () => {
  const tool = fs.readFileSync(installed(`${PREFIX}/bin/subpayctl`));
  assert.ok(tool.includes(`/${PREFIX}/share/subpay`));
});

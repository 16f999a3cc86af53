/*
 * stack.js - the development stack: PostgreSQL, sandbox and httpd below run/.
 *
 * Nothing is remembered about processes: each part is recognised by its own
 * folder or arguments, so `up` after any kind of crash finds out what still
 * runs and starts the rest.
 */
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const proc = require('../lib/process.js');
const place = require('../lib/place.js');
const site = require('../lib/site.js');
const { Cluster, migrate } = require('../lib/postgres.js');
const { Httpd } = require('../lib/httpd.js');
const { Sandbox } = require('../lib/sandbox.js');

const DATABASE = 'subpay';

class Stack {
  constructor({ run = 'run', port } = {}) {
    this.run = path.resolve(place.PROJECT, run);
    this.file = path.join(this.run, 'stack.json');
    this.port = Number(port ?? this.lastPort() ?? 8080);
    this.state = this.stateFolder();
    this.httpdFolder = path.join(this.state, 'httpd');
  }

  /* Where the last `up` put this stack, for calls that do not say it. */
  lastPort() {
    const file = path.join(this.run, 'port');
    return fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : undefined;
  }

  /*
   * Normally run/ itself. As root below a private folder, neither postgres nor
   * www-data could get there: then a folder in /var/tmp, linked as run/state.
   */
  stateFolder() {
    if (!place.ROOT || place.reachable(this.run)) return this.run;
    return `/var/tmp/subpay-${place.hash(this.run)}`;
  }

  makeFolders() {
    fs.mkdirSync(this.run, { recursive: true, mode: 0o755 });
    fs.mkdirSync(this.state, { recursive: true, mode: 0o755 });
    if (fs.lstatSync(this.state).uid !== process.getuid()) {
      throw new Error(`${this.state} belongs to somebody else`);
    }
    const link = path.join(this.run, 'state');
    if (this.state !== this.run && !fs.existsSync(link)) fs.symlinkSync(this.state, link);
    fs.mkdirSync(this.httpdFolder, { recursive: true, mode: 0o755 });
    fs.writeFileSync(path.join(this.run, 'port'), String(this.port));
  }

  parts() {
    const keys = this.keys;
    this.cluster = new Cluster({ folder: path.join(this.state, 'postgres'), port: this.port + 3 });
    this.sandbox = new Sandbox({
      folder: this.state,
      state: path.join(this.state, 'sandbox'),
      port: this.port + 1,
      smtpPort: this.port + 2,
      key: keys?.stripe,
      webhookSecret: keys?.webhook,
      webhookUrl: `http://127.0.0.1:${this.port}/webhook/stripe`,
    });
    this.httpd = new Httpd({
      state: this.httpdFolder,
      port: this.port,
      defines: {
        SUBPAY_MODULE: path.join(place.BUILD, 'mod_subpay.so'),
        SUBPAY_SHARE: place.share(this.state),
        SUBPAY_STRIPE: this.sandbox.url,
        SUBPAY_SMTP: this.port + 2,
        SUBPAY_PG: `host=${this.cluster.socket} port=${this.port + 3} dbname=${DATABASE}`,
      },
    });
  }

  /* Start what is not running; return what had to be started. */
  async up() {
    if (this.port !== (this.lastPort() ?? this.port)) {
      await new Stack({ run: this.run }).down(); /* it moves to other ports */
    }
    this.makeFolders();
    this.keys = site.prepare(this.httpdFolder);
    this.parts();
    const started = [];
    const [postgres, sandbox] = await Promise.all([this.startDatabase(), this.sandbox.start()]);
    if (postgres) started.push('PostgreSQL');
    if (sandbox) started.push('sandbox');
    if (!this.httpd.parent) {
      this.httpd.configure();
      await this.httpd.start();
      started.push('httpd');
    }
    await this.httpd.waitReady();
    await proc.until(() => this.httpd.workerPid(), { what: 'the worker' });
    this.describe();
    return started;
  }

  async startDatabase() {
    const started = await this.cluster.start();
    await this.cluster.createDatabase(DATABASE);
    await this.migrate();
    return started;
  }

  /*
   * A migration changes nothing when all is there, but asking takes time that
   * httpd would be missed for: sql/ as it was at the last one is left alone.
   */
  async migrate() {
    const sql = path.join(place.PROJECT, 'sql');
    const now = proc.fingerprint([sql, path.join(place.BUILD, 'subpayctl')]);
    const last = path.join(this.state, 'migrated');
    if (fs.existsSync(last) && fs.readFileSync(last, 'utf8') === now) return;
    await migrate(this.cluster, DATABASE, place.BUILD);
    fs.writeFileSync(last, now);
  }

  describe() {
    const base = this.httpd.url;
    const known = {
      base_url: base,
      admin_url: `${base}/admin`,
      admin_user: 'support',
      admin_password: this.keys.admin,
      webhook_url: `${base}/webhook/stripe`,
      webhook_secret: this.keys.webhook,
      api_url: `${base}/api`,
      api_user: 'app',
      api_password: this.keys.api,
      metrics_url: `${base}/subpay-status/metrics`,
      health_url: `${base}/subpay-status/health`,
      stripe_url: this.sandbox.url,
      stripe_key: this.keys.stripe,
      mail_url: `${this.sandbox.url}/sandbox/mail`,
      gated_url: `${base}/members/`,
      login_url: `${base}/login`,
      database: `host=127.0.0.1 port=${this.cluster.port} dbname=${DATABASE} ` +
        `user=postgres password=${this.cluster.password}`,
      httpd_pid: this.httpd.parent,
      worker_pid: this.httpd.workerPid(),
      postgres_pid: this.cluster.pid,
      sandbox_pid: this.sandbox.pid,
      error_log: this.httpd.errorLog,
    };
    fs.writeFileSync(`${this.file}.new`, `${JSON.stringify(known, null, 2)}\n`, { mode: 0o600 });
    fs.renameSync(`${this.file}.new`, this.file);
    const tool = path.join(this.run, 'subpayctl');
    fs.writeFileSync(tool, `#!/bin/sh
# subpayctl, set up for this stack; with full rights, so that it can also migrate.
exec '${place.BUILD}/subpayctl' --config '${this.httpd.conf}' \\
    --database '${this.cluster.conninfo(DATABASE)}' "$@"
`, { mode: 0o755 });
    return known;
  }

  /* End what runs. All of it is recognised as ours before it gets a signal. */
  async down() {
    if (!fs.existsSync(this.state)) return;
    try {
      this.keys = site.read(this.httpdFolder);
    } catch {
      return; /* never came up */
    }
    this.parts();
    await this.httpd.stop();
    await Promise.all([this.sandbox.stop(), this.cluster.stop()]);
    fs.rmSync(this.file, { force: true });
  }

  async forget() {
    await this.down();
    this.cluster?.forget();
    if (this.state !== this.run) fs.rmSync(this.state, { recursive: true, force: true });
    fs.rmSync(this.run, { recursive: true, force: true });
  }
}

/* --name value, and --flag, as one object. */
function options(list) {
  const found = {};
  for (let i = 0; i < list.length; i++) {
    const name = list[i].replace(/^--/, '');
    found[name] = list[i + 1] === undefined || list[i + 1].startsWith('--') ? true : list[++i];
  }
  return found;
}

/* Run a command of the stack; an error is a sentence, not a stack trace. */
function main(command) {
  command(options(process.argv.slice(2))).catch((error) => {
    console.error(`stack: ${error.message}`);
    process.exit(1);
  });
}

module.exports = { Stack, main };

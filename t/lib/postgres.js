/*
 * postgres.js - a private PostgreSQL cluster in a folder of its own.
 *
 * Local users are recognised by the system (peer), so no password stands in a
 * configuration file; TCP on 127.0.0.1 asks for the one in the `password` file.
 */
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { Client } = require('pg');
const proc = require('./process.js');
const place = require('./place.js');

const ROLES = ['subpay_web', 'subpay_worker'];

function binary(name) {
  const base = '/usr/lib/postgresql';
  const versions = fs.readdirSync(base)
    .filter((v) => fs.existsSync(path.join(base, v, 'bin/initdb')))
    .sort((a, b) => a - b);
  if (versions.length === 0) throw new Error('no PostgreSQL server below /usr/lib/postgresql');
  return path.join(base, versions.at(-1), 'bin', name);
}

class Cluster {
  /*
   * folder  everything of the cluster: data/, log, password
   * port    on 127.0.0.1, and part of the socket's name
   * durable false for tests: they survive dead processes, not a dead machine
   * more    lines for its configuration
   */
  constructor({ folder, port, durable = true, more = [] }) {
    this.folder = folder;
    this.port = port;
    this.durable = durable;
    this.more = more;
    this.data = path.join(folder, 'data');
    this.log = path.join(folder, 'log');
    this.socket = place.socketFolder(folder);
    this.owner = place.POSTGRES_USER() ?? {};
  }

  get password() {
    return fs.readFileSync(path.join(this.folder, 'password'), 'utf8').trim();
  }

  /* A libpq connection string over the socket, where the system says who we are. */
  conninfo(database = 'subpay', user = 'postgres') {
    return `host=${this.socket} port=${this.port} dbname=${database} user=${user}`;
  }

  async connect(database = 'subpay', user = 'postgres') {
    const client = new Client({ host: this.socket, port: this.port, database, user });
    client.on('error', () => {}); /* a test may take the server away */
    await client.connect();
    return client;
  }

  async query(database, text, params) {
    const client = await this.connect(database);
    try {
      return (await client.query(text, params)).rows;
    } finally {
      await client.end();
    }
  }

  /* Our postmaster's pid, or 0. Line 1 of its pid file is the pid. */
  get pid() {
    return Number(this.pidFile()[0] ?? 0);
  }

  pidFile() {
    try {
      const lines = fs.readFileSync(path.join(this.data, 'postmaster.pid'), 'utf8').split('\n');
      return this.isOurs(Number(lines[0])) ? lines : [];
    } catch {
      return [];
    }
  }

  isOurs(pid) {
    return Boolean(proc.look(pid)) && proc.args(pid).includes(this.data);
  }

  async init() {
    if (fs.existsSync(path.join(this.data, 'PG_VERSION'))) return;
    fs.mkdirSync(this.folder, { recursive: true, mode: 0o755 });
    fs.rmSync(this.data, { recursive: true, force: true }); /* a first try was cut short */
    const fresh = `${this.data}.new`;
    fs.rmSync(fresh, { recursive: true, force: true });
    fs.mkdirSync(fresh, { mode: 0o700 });
    fs.writeFileSync(path.join(this.folder, 'password'),
      `${crypto.randomBytes(16).toString('hex')}\n`, { mode: 0o600 });
    fs.writeFileSync(`${fresh}.password`, this.password, { mode: 0o600 });
    if (place.ROOT) {
      fs.chownSync(fresh, this.owner.uid, this.owner.gid);
      fs.chownSync(`${fresh}.password`, this.owner.uid, this.owner.gid);
    }
    await proc.must(binary('initdb'), ['-D', fresh, '-U', 'postgres', '-E', 'UTF8',
      '--locale=C.UTF-8', '--auth-local=peer', '--auth-host=scram-sha-256',
      `--pwfile=${fresh}.password`, '--no-sync', '--no-instructions'],
    { cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' }, ...this.owner });
    fs.rmSync(`${fresh}.password`);
    fs.renameSync(fresh, this.data);
  }

  configure() {
    const me = require('node:os').userInfo().username;
    const people = [...new Set([me, ...(place.ROOT ? ['postgres', 'www-data'] : [])])];
    const may = (who) => (who === 'www-data' ? ROLES : ['postgres', ...ROLES]);
    this.write('pg_ident.conf', people
      .flatMap((who) => may(who).map((role) => `stack ${who} ${role}\n`)).join(''));
    this.write('pg_hba.conf',
      'local all,replication all peer map=stack\nhost all all 127.0.0.1/32 scram-sha-256\n');
    this.write('subpay.conf', [
      "listen_addresses = '127.0.0.1'",
      `port = ${this.port}`,
      `unix_socket_directories = '${this.socket}'`,
      'max_connections = 200',
      `fsync = ${this.durable ? 'on' : 'off'}`,
      'synchronous_commit = on',
      `full_page_writes = ${this.durable ? 'on' : 'off'}`,
      "log_line_prefix = '%m [%p] %u@%d '",
      ...this.more,
      '',
    ].join('\n'));
    const main = path.join(this.data, 'postgresql.conf');
    if (!fs.readFileSync(main, 'utf8').includes("include 'subpay.conf'")) {
      fs.appendFileSync(main, "include 'subpay.conf'\n");
    }
  }

  write(name, text) {
    const file = path.join(this.data, name);
    fs.writeFileSync(file, text, { mode: 0o600 });
    if (place.ROOT) fs.chownSync(file, this.owner.uid, this.owner.gid);
  }

  /*
   * A postmaster that was killed leaves its backends for a moment, and they
   * keep the shared memory that a new one must not find in use. Their working
   * directory is the data folder.
   */
  orphans() {
    return proc.find((args) => /^postgres[: ]/.test(args[0] ?? '')).filter(({ pid }) => {
      try {
        return fs.readlinkSync(`/proc/${pid}/cwd`) === fs.realpathSync(this.data);
      } catch {
        return false;
      }
    });
  }

  /* Lock files name a pid; a zombie's, or a number used again, would stop the start. */
  unlock() {
    fs.rmSync(path.join(this.data, 'postmaster.pid'), { force: true });
    fs.rmSync(path.join(this.socket, `.s.PGSQL.${this.port}.lock`), { force: true });
    fs.rmSync(path.join(this.socket, `.s.PGSQL.${this.port}`), { force: true });
  }

  /* Start it unless it runs. Returns true if it had to be started. */
  async start() {
    if (this.pid) {
      await this.ready();
      return false;
    }
    await this.init();
    this.configure();
    for (const { pid } of this.orphans()) proc.signal(pid, 'SIGKILL');
    await proc.until(() => this.orphans().length === 0, { what: 'old backends to end' });
    this.unlock();
    fs.mkdirSync(this.socket, { recursive: true, mode: 0o755 });
    if (place.ROOT) fs.chownSync(this.socket, this.owner.uid, this.owner.gid);

    const log = fs.openSync(this.log, 'a', 0o600);
    const child = spawn(binary('postgres'), ['-D', this.data], {
      cwd: '/', detached: true, stdio: ['ignore', log, log], ...this.owner,
      env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    });
    child.unref();
    fs.closeSync(log);
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    await this.ready(child.pid);
    return true;
  }

  /* The eighth line of the pid file says "ready" once it takes connections. */
  async ready(pid) {
    await proc.until(() => {
      if (pid && !proc.look(pid)) throw new Error(`PostgreSQL did not start:\n${this.tail()}`);
      return this.pidFile()[7]?.trim() === 'ready';
    }, { within: 60_000, what: 'PostgreSQL' });
  }

  tail() {
    return fs.readFileSync(this.log, 'utf8').split('\n').slice(-15).join('\n');
  }

  /* mode: fast (SIGINT), immediate (SIGQUIT) or smart (SIGTERM), as pg_ctl has them. */
  async stop(mode = 'fast') {
    const first = { fast: 'SIGINT', immediate: 'SIGQUIT', smart: 'SIGTERM' }[mode];
    await proc.end(proc.mark(this.pid || -1), { first, patience: 30_000 });
    await proc.until(() => this.orphans().length === 0, { what: 'backends to end' });
  }

  async kill9() {
    proc.signal(this.pid, 'SIGKILL');
    await proc.until(() => !this.pid, { what: 'the postmaster to be gone' });
  }

  /* The postmaster and all its processes. */
  processes() {
    return [this.pid, ...this.orphans().map(({ pid }) => pid)].filter(Boolean);
  }

  /* As when the machine's power goes: nobody can say goodbye. */
  async powerOff() {
    for (const pid of this.processes()) proc.signal(pid, 'SIGKILL');
    await proc.until(() => this.processes().length === 0, { what: 'the server to be gone' });
  }

  /*
   * Another server that follows this one, in a folder and on a port of its own.
   * synchronous: this one answers a commit only when the other one has it too
   */
  async standby({ folder, port, synchronous = true }) {
    const other = new Cluster({ folder, port, durable: this.durable, more: this.more });
    fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
    fs.copyFileSync(path.join(this.folder, 'password'), path.join(folder, 'password'));
    fs.mkdirSync(other.data, { mode: 0o700 });
    if (place.ROOT) fs.chownSync(other.data, this.owner.uid, this.owner.gid);
    await proc.must(binary('pg_basebackup'), ['-D', other.data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync',
      '-d', `${this.conninfo('postgres')} application_name=standby`],
    { cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' }, ...this.owner });
    await other.start();
    if (synchronous) await this.follow('standby');
    return other;
  }

  /* Commits wait for whoever has this name; nobody, where it is ''. */
  async follow(name) {
    await this.query('postgres', `alter system set synchronous_standby_names = '${name}'`);
    await this.query('postgres', 'select pg_reload_conf()');
    if (!name) return;
    await proc.until(async () => (await this.query('postgres',
      "select 1 from pg_stat_replication where sync_state in ('sync', 'quorum')")).length > 0,
    { what: 'the standby to follow' });
  }

  /* The standby becomes a server of its own; who followed it before does not wait for one. */
  async promote() {
    await this.query('postgres', 'select pg_promote()');
    await this.follow('');
  }

  /* Cut every connection to a database but our own. */
  terminateBackends(database) {
    return this.query(database, `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`);
  }

  /* The stack's roles exist once the migrations have run; here they may log in. */
  async allowLogin(database) {
    await this.query(database, ROLES.map((role) => `do $$ begin
        if exists (select from pg_roles where rolname = '${role}' and not rolcanlogin) then
          alter role ${role} login;
        end if; end $$;`).join('\n'));
  }

  async createDatabase(name, template = 'template0') {
    const found = await this.query('postgres',
      'select 1 from pg_database where datname = $1', [name]);
    if (found.length > 0) return false;
    await this.query('postgres', `create database ${name} template ${template}`);
    await this.query('postgres', `alter database ${name} set search_path = subpay, public`);
    return true;
  }

  forget() {
    fs.rmSync(this.folder, { recursive: true, force: true });
    fs.rmSync(this.socket, { recursive: true, force: true });
  }
}

/* Bring a database to what sql/ says, with the subpayctl of this build. */
async function migrate(cluster, database, build) {
  await proc.must(path.join(build, 'subpayctl'),
    ['--database', cluster.conninfo(database), 'migrate'],
    { env: { ...process.env, SUBPAY_SHARE: place.PROJECT } });
  await cluster.allowLogin(database);
}

module.exports = { Cluster, migrate };

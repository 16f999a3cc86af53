/*
 * httpd.js - one private httpd: its configuration, its processes, its log.
 *
 * All processes of an instance carry the path of its configuration file among
 * their arguments, children that outlived their parent included. That is how
 * they are found, without any record.
 */
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const proc = require('./process.js');
const place = require('./place.js');

const APACHE = '/usr/sbin/apache2';
const PRODUCTS = `Include "${place.PROJECT}/conf/products.conf"`;

/* The sanitizer's library must come first in a process that was built without it. Its
 * allocator shall not ask for the time with its lock held: a libfaketime beside it, asked
 * for the first time, allocates. */
function environment(state) {
  const env = { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', TZ: 'UTC' };
  if (!place.SANITIZE) return env;
  const library = (name) => execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
  return {
    ...env,
    LD_PRELOAD: `${library('libasan.so')} ${library('libubsan.so')}`,
    ASAN_OPTIONS: `detect_leaks=0:allocator_release_to_os_interval_ms=-1:log_path=${state}/sanitizer`,
    UBSAN_OPTIONS: `print_stacktrace=1:log_path=${state}/sanitizer`,
  };
}

function read(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
}

class Httpd {
  /*
   * state     folder of this instance: httpd.conf, httpd.pid, logs, keys/, site/
   * defines   variables of conf/httpd.conf
   * extra     configuration text that follows it: products, at least
   * env       more of the environment that it is started in
   * project   whose conf/httpd.conf it is: ours, or that of another version
   */
  constructor({ state, port, defines = {}, extra = PRODUCTS, project = place.PROJECT, env = {} }) {
    this.state = state;
    this.env = env;
    this.under = []; /* what runs it, with its arguments: a debugger of memory, say */
    this.project = project;
    this.port = port;
    this.conf = path.join(state, 'httpd.conf');
    this.errorLog = path.join(state, 'error.log');
    this.defines = { SUBPAY_STATE: state, SUBPAY_PORT: port, ...defines };
    this.extra = extra;
    this.url = `http://127.0.0.1:${port}`;
  }

  /* The text of a configuration: ours, or with something else at its end. */
  text(extra = this.extra) {
    const flags = place.ROOT ? { SUBPAY_ROOT: '', ...this.defines } : this.defines;
    return [
      ...Object.entries(flags).map(([name, value]) =>
        (value === '' ? `Define ${name}` : `Define ${name} "${value}"`)),
      `Include "${this.project}/conf/httpd.conf"`,
      extra, '',
    ].join('\n');
  }

  configure() {
    fs.mkdirSync(path.join(this.state, 'site'), { recursive: true, mode: 0o755 });
    fs.writeFileSync(this.conf, this.text());
    if (place.SANITIZE) fs.chmodSync(this.state, 0o777); /* children write reports there */
  }

  /* Would this configuration do? -> {status, stdout, stderr} */
  async configtest(text = this.extra) {
    const file = path.join(this.state, 'configtest.conf');
    fs.writeFileSync(file, this.text(text));
    return proc.run(APACHE, ['-d', this.state, '-f', file, '-t'], { env: environment(this.state) });
  }

  /* All processes of this instance, as {pid, name, parent}. */
  processes() {
    return proc.find((args) => args.includes(this.conf)
      && (args[0]?.endsWith('apache2') || (this.under.length > 0 && args.includes(APACHE))));
  }

  get parent() {
    const all = this.processes();
    const ids = new Set(all.map(({ pid }) => pid));
    const top = all.filter(({ parent, name }) => !ids.has(parent) && name !== 'subpay-worker');
    return top.find(({ pid }) => pid === this.recorded())?.pid ?? 0;
  }

  recorded() {
    try {
      return Number(fs.readFileSync(path.join(this.state, 'httpd.pid'), 'utf8'));
    } catch {
      return 0;
    }
  }

  pids() {
    return this.processes().map(({ pid }) => pid);
  }

  children() {
    const parent = this.parent;
    return this.processes()
      .filter((p) => p.parent === parent && p.name !== 'subpay-worker').map(({ pid }) => pid);
  }

  /* Worker processes; one, if all is well. */
  workers() {
    return this.processes().filter(({ name }) => name === 'subpay-worker').map(({ pid }) => pid);
  }

  workerPid() {
    const parent = this.parent;
    return this.processes()
      .find((p) => p.name === 'subpay-worker' && p.parent === parent)?.pid ?? 0;
  }

  /*
   * Start it unless it runs. What a killed parent left behind holds the port
   * and would answer with the old process's memory: it goes first.
   * Returns true if it had to be started.
   */
  async start({ wait = true, patience = 15_000 } = {}) {
    if (this.parent) return false;
    await this.clear();
    const [program, ...words] = [...this.under, APACHE];
    const done = await proc.run(program, [...words, '-d', this.state, '-f', this.conf, '-k', 'start'],
      { env: { ...environment(this.state), ...this.env }, cwd: '/' });
    if (done.status !== 0) {
      throw new Error(`httpd does not start:\n${done.stdout}${done.stderr}${this.tail()}`);
    }
    await proc.until(() => {
      if (this.parent) return true;
      if (this.processes().length === 0) throw new Error(`httpd ended at start:\n${this.tail()}`);
      return false;
    }, { within: patience, what: 'httpd to write its pid' });
    if (wait) await this.waitReady({ within: patience });
    return true;
  }

  async clear() {
    for (const pid of this.pids()) proc.signal(pid, 'SIGKILL');
    await proc.until(() => this.pids().length === 0, { what: 'old httpd processes to end' });
    fs.rmSync(path.join(this.state, 'httpd.pid'), { force: true });
  }

  async answers(where = '/subpay-status/health') {
    try {
      const reply = await fetch(this.url + where, { redirect: 'manual', headers: { Connection: 'close' } });
      await reply.arrayBuffer();
      return reply.status;
    } catch {
      return 0;
    }
  }

  async waitReady({ within = 15_000 } = {}) {
    await proc.until(() => this.answers(), { within, what: `httpd on ${this.url}` });
  }

  async stop() {
    const parent = this.parent;
    if (parent) await proc.end(proc.mark(parent), { patience: 8000 });
    await proc.until(() => this.pids().length === 0, { within: 3000, late: 1 }).catch(() => {});
    await this.clear();
  }

  /* As when the machine's power goes: every process, at once. */
  async kill9() {
    const parent = this.parent;
    if (parent) proc.signal(parent, 'SIGKILL'); /* first, or it starts children anew */
    await this.clear();
  }

  async restart(name = 'SIGHUP') {
    const parent = this.parent;
    const before = this.pids().filter((pid) => pid !== parent);
    proc.signal(parent, name);
    await proc.until(() => {
      if (!this.parent) throw new Error(`httpd ended at ${name}:\n${this.tail()}`);
      const now = this.children();
      return now.length > 0 && !now.some((pid) => before.includes(pid));
    }, { what: `httpd to restart after ${name}`, within: 15_000 });
    await this.waitReady();
  }

  graceful() {
    return this.restart('SIGUSR1');
  }

  /* The error log. */
  log() {
    return read(this.errorLog);
  }

  access() {
    return read(path.join(this.state, 'access.log'));
  }

  tail() {
    return this.log().split('\n').slice(-15).join('\n');
  }

  /* What the sanitizers found, or ''. */
  findings() {
    return fs.readdirSync(this.state).filter((name) => name.startsWith('sanitizer.'))
      .map((name) => fs.readFileSync(path.join(this.state, name), 'utf8')).join('\n');
  }
}

module.exports = { Httpd, PRODUCTS, environment };

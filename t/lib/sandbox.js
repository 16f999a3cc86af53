/*
 * sandbox.js - the provider's stand-in (t/sandbox/) as a process, and its controls.
 */
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { spawn } = require('node:child_process');
const proc = require('./process.js');
const place = require('./place.js');

const MAIN = path.join(place.PROJECT, 't/sandbox/main.mjs');

class Sandbox {
  /*
   * folder: for its log; key, webhookSecret, webhookUrl: what it is told to use;
   * state: a folder that outlives it, for what the provider would remember
   */
  constructor({ folder, port, smtpPort, key, webhookSecret, webhookUrl, state }) {
    this.port = port;
    this.smtpPort = smtpPort;
    this.url = `http://127.0.0.1:${port}`;
    this.folder = folder;
    this.log = path.join(folder, 'sandbox.log');
    this.args = [MAIN, '--port', port, '--smtp-port', smtpPort, '--key', key,
      '--webhook-secret', webhookSecret, '--webhook-url', webhookUrl,
      ...(state ? ['--state', state] : [])].map(String);
  }

  get pid() {
    return proc.find((args) => this.args.every((arg, i) => args[i + 1] === arg))[0]?.pid ?? 0;
  }

  /* Start it unless it runs. Returns true if it had to be started. */
  async start() {
    if (this.pid) return false;
    const log = fs.openSync(this.log, 'w', 0o600);
    const child = spawn(process.execPath, this.args,
      /* named after its folder, so that whoever cleans up there finds it */
      { argv0: path.join(this.folder, 'sandbox'), detached: true, stdio: ['ignore', log, log], cwd: '/' });
    child.unref();
    fs.closeSync(log);
    await proc.until(() => {
      if (!proc.look(child.pid)) throw new Error(`the sandbox did not start:\n${this.text()}`);
      return /^\{.*\}$/m.test(this.text());  /* one line of JSON once it listens */
    }, { what: 'the sandbox' });
    return true;
  }

  text() {
    return fs.readFileSync(this.log, 'utf8');
  }

  async stop() {
    await proc.end(proc.mark(this.pid || -1), { patience: 2000 });
  }

  async kill9() {
    const { pid } = this;
    if (pid) proc.signal(pid, 'SIGKILL');
    await proc.until(() => !this.pid);
  }

  /* One call to a control: parsed JSON, or an error that shows the answer. */
  async control(method, where, body) {
    const reply = await fetch(`${this.url}/sandbox/${where}`, {
      method,
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`sandbox: ${method} ${where}: ${reply.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  fault(fault) { return this.control('POST', 'faults', fault); }
  clearFaults() { return this.control('DELETE', 'faults'); }
  webhooks(deliver) { return this.control('POST', 'webhooks', { deliver }); }
  mail() { return this.control('GET', 'mail'); }
  clearMail() { return this.control('DELETE', 'mail'); }
  clock(advance_s) { return this.control('POST', 'clock', { advance_s }); }
  requests() { return this.control('GET', 'requests'); }
  clearRequests() { return this.control('DELETE', 'requests'); }
  payments(wanted) { return this.control('POST', 'payments', wanted); }
  disputes(wanted) { return this.control('POST', 'disputes', wanted); }
  events(wanted) { return this.control('POST', 'events', wanted); }
}

module.exports = { Sandbox };

#!/usr/bin/env node
/*
 * keeper.js - one PostgreSQL cluster for all tests that run, and their undertaker.
 *
 * The first test starts the keeper, each test holds a connection to it. A
 * database is a copy of a migrated template and takes some 50 ms. When a
 * connection ends, however that came about, the keeper ends the processes that
 * the test left and drops its database; when the last one has gone it ends the
 * cluster, removes its folder, and exits. So nothing stays behind, whether
 * prove is interrupted or a test killed.
 *
 * The socket speaks lines of JSON: {"hello": 1} is answered {}, {"database":
 * "<build folder>"} is answered {"name", "socket", "port"}; {"folder": "..."} is
 * not answered: every process with something below it among its arguments ends
 * with the test, and so does the folder; {"over": 1} says that no more tests
 * will follow.
 */
'use strict';
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { spawn } = require('node:child_process');
const proc = require('./process.js');
const place = require('./place.js');
const { Cluster, migrate } = require('./postgres.js');

const FOLDER = path.join(os.tmpdir(),
  `subpay-test-${process.getuid()}-${place.hash(place.PROJECT)}`);
const SOCKET = path.join(FOLDER, 'keeper.sock');
/* Beside it: who removes the folder must still hold the lock. */
const LOCK = path.join(proc.CLAIMS, `${path.basename(FOLDER)}.lock`);
const IDLE_MS = 3000; /* longer than the pause between two tests under prove */

class Keeper {
  constructor() {
    this.clients = new Set();
    this.templates = new Map();
    this.count = 0;
  }

  async start() {
    await endAll(FOLDER); /* of a keeper that was killed */
    remove(FOLDER);
    fs.mkdirSync(FOLDER, { mode: 0o755 });
    const [port] = await proc.freePorts(1);
    this.cluster = new Cluster({ folder: path.join(FOLDER, 'postgres'), port, durable: false });
    this.running = this.cluster.start();
    this.running.catch(() => {}); /* told to each test that asks for a database */
    this.server = net.createServer((socket) => this.serve(socket)).listen(SOCKET);
    this.idle();
  }

  idle() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.clients.size === 0 && this.end(),
      this.over ? 0 : IDLE_MS);
  }

  serve(socket) {
    const client = { socket, folders: [], databases: [] };
    this.clients.add(client);
    socket.on('error', () => {});
    socket.on('close', () => this.bury(client));
    readline.createInterface({ input: socket }).on('line', (line) => {
      const ask = JSON.parse(line);
      if (ask.over) this.over = true;
      if (ask.hello) socket.write('{}\n');
      if (ask.folder) client.folders.push(ask.folder);
      if (ask.database) {
        this.database(client, ask.database).then(
          (answer) => socket.write(`${JSON.stringify(answer)}\n`),
          (error) => socket.write(`${JSON.stringify({ error: error.message })}\n`));
      }
    });
  }

  async database(client, build) {
    await this.running;
    const name = `test_${++this.count}`;
    client.databases.push(name);
    await this.cluster.createDatabase(name, await this.template(build));
    return { name, socket: this.cluster.socket, port: this.cluster.port };
  }

  /* The migrated template for sql/ as it is now; made once, by whoever comes first. */
  template(build) {
    const print = proc.fingerprint([path.join(place.PROJECT, 'sql'), path.join(build, 'subpayctl')]);
    const name = `template_${print}`;
    if (!this.templates.has(name)) {
      const made = this.migrate(name, build).then(() => name);
      made.catch(() => this.templates.delete(name));
      this.templates.set(name, made);
    }
    return this.templates.get(name);
  }

  async migrate(name, build) {
    await this.cluster.createDatabase(name);
    await migrate(this.cluster, name, build);
  }

  async bury(client) {
    await Promise.all(client.folders.map((folder) => endAll(folder)));
    client.folders.forEach(remove);
    for (const name of client.databases) {
      await this.cluster.query('postgres', `drop database if exists ${name} with (force)`)
        .catch(() => {});
    }
    this.clients.delete(client);
    this.idle();
  }

  async end() {
    this.server.close(); /* who comes now starts the next keeper */
    await this.running.catch(() => {});
    await this.cluster.stop('immediate');
    proc.releasePorts([this.cluster.port]);
    proc.sweepPorts();
    this.cluster.forget();
    remove(FOLDER);
    process.exit(0);
  }
}

/* Dying processes may still write into it: hence the retries. */
function remove(folder) {
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
}

/* End every process that has something below this folder among its arguments. */
async function endAll(folder) {
  const ours = () => proc.find((args) => args.some((arg) => arg.startsWith(`${folder}/`)))
    .filter(({ pid }) => pid !== process.pid && pid !== process.ppid);
  for (let left = ours(); left.length > 0; left = ours()) {
    left.forEach(({ pid }) => proc.signal(pid, 'SIGKILL'));
    await new Promise((resume) => setTimeout(resume, 5));
  }
}

/* A test's side: connect, starting the keeper if there is none. */
async function connect() {
  let socket = null;
  let begun = 0;
  await proc.until(async () => {
    socket = await tryConnect();
    if (!socket && Date.now() - begun > 500) {
      begun = Date.now();
      launch();
    }
    return socket;
  }, { within: 30_000, what: 'the keeper of the test cluster' });

  const waiting = [];
  readline.createInterface({ input: socket })
    .on('line', (line) => waiting.shift()(JSON.parse(line)));
  const say = (ask) => socket.write(`${JSON.stringify(ask)}\n`);
  const ask = async (question) => { /* an open question keeps our process alive */
    socket.ref();
    const answer = await new Promise((resolve) => {
      waiting.push(resolve);
      say(question);
    });
    socket.unref();
    if (answer.error) throw new Error(answer.error);
    return answer;
  };
  socket.unref();
  return {
    folder: FOLDER,
    mine: (folder) => say({ folder }),
    async database() {
      const answer = await ask({ database: place.BUILD });
      const cluster = new Cluster({ folder: path.join(FOLDER, 'postgres'), port: answer.port });
      return { cluster, name: answer.name };
    },
    close: () => socket.end(),
  };
}

/* A socket that has answered once, so that its keeper is not about to end; or null. */
function tryConnect() {
  return new Promise((resolve) => {
    const socket = net.connect(SOCKET, () => socket.write('{"hello":1}\n'));
    const refused = () => resolve(null);
    socket.once('error', refused).once('close', refused);
    socket.once('data', () => resolve(socket));
  });
}

/*
 * Of several that are started at once, flock lets one through. It holds the
 * lock itself (-o): what the keeper starts must not inherit it.
 */
function launch() {
  fs.mkdirSync(proc.CLAIMS, { recursive: true, mode: 0o700 });
  const log = fs.openSync(`${LOCK}.log`, 'a', 0o600);
  spawn('flock', ['-n', '-o', LOCK, process.execPath, __filename],
    { detached: true, stdio: ['ignore', log, log] }).unref();
  fs.closeSync(log);
}

/* After a run of tests: wait until the keeper, if there is one, has ended. */
async function over() {
  const socket = await tryConnect();
  if (!socket) return;
  socket.end('{"over":1}\n');
  await proc.until(() => !fs.existsSync(FOLDER), { within: 60_000, what: 'the keeper to end' });
}

if (require.main === module && process.argv[2] === '--over') {
  over();
} else if (require.main === module) {
  process.on('SIGINT', () => {}); /* Ctrl-C is for the tests; we follow them */
  new Keeper().start().catch((error) => {
    console.error(error);
    process.exit(1);
  });
}

module.exports = { connect };

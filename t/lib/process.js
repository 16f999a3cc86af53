/*
 * process.js - start, recognise and end processes; find free ports; wait.
 *
 * Everything here goes by process id and start time, so that an id that was
 * used again is never taken for ours. A zombie counts as gone: inside a
 * container nobody may reap a daemon's parent.
 */
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { execFile } = require('node:child_process');

/* What /proc knows about a process, or null if it is gone. */
function look(pid) {
  let stat;
  try {
    stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  const close = stat.lastIndexOf(')');
  const rest = stat.slice(close + 2).split(' ');
  if (rest[0] === 'Z' || rest[0] === 'X') return null;
  return {
    pid: Number(pid),
    name: stat.slice(stat.indexOf('(') + 1, close),
    parent: Number(rest[1]),
    started: rest[19],
  };
}

/* Pid and start time in one word, for a record in a file. */
function mark(pid) {
  const seen = look(pid);
  return seen ? `${pid}:${seen.started}` : null;
}

function alive(marked) {
  if (!marked) return false;
  const [pid, started] = String(marked).split(':');
  return look(pid)?.started === started;
}

const pidOf = (marked) => Number(String(marked).split(':')[0]);

function args(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

/* Processes whose arguments satisfy the test, as {pid, name, parent, started}. */
function find(test) {
  return fs.readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && test(args(name)))
    .map(look)
    .filter(Boolean);
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if (error.code === 'ESRCH') return false;
    throw error;
  }
}

/*
 * Wait until ask() gives something true, and return it. Looks every 5 ms at
 * first, then less often: a wait ends soon after its condition, and a long one
 * does not load the machine.
 *
 * The limit is what a quiet machine needs. It ends a wait that would not end, and is no
 * measurement: where others use the machine as well, a wait may take LATE times as long,
 * and says so. What promises seconds to somebody measures them.
 */
const LATE = Number(process.env.LATE ?? 4);

async function until(ask, { within = 10_000, what = 'the condition', every = 5, late = LATE } = {}) {
  const begun = Date.now();
  for (let pause = every; ; pause = Math.min(pause * 1.3, 50)) {
    const answer = await ask();
    const waited = Date.now() - begun;
    if (answer) {
      if (waited > within + 1000) console.log(`# late: ${waited} of ${within} ms for ${what}`);
      return answer;
    }
    if (waited > within * late) throw new Error(`waited ${waited} ms in vain for ${what}`);
    await new Promise((resume) => setTimeout(resume, pause));
  }
}

/* End a process: politely, then not. Returns when it is gone. */
async function end(marked, { first = 'SIGTERM', patience = 5000 } = {}) {
  if (!alive(marked)) return;
  const pid = pidOf(marked);
  signal(pid, first);
  try {
    await until(() => !alive(marked), { within: patience, late: 1 });
  } catch {
    signal(pid, 'SIGKILL');
    await until(() => !alive(marked), { what: `process ${pid} to end` });
  }
}

/* Run a program to its end. Never throws for its exit status. */
function run(file, list, options = {}) {
  return new Promise((resolve) => {
    const child = execFile(file, list, { maxBuffer: 64 << 20, ...options },
      (error, stdout, stderr) => {
        const told = typeof error?.code === 'number';
        resolve({
          status: told ? error.code : error ? 127 : 0,
          stdout,
          stderr: told || !error ? stderr : `${stderr}${error.signal ?? error}`,
        });
      });
    child.stdin?.end(options.input);
  });
}

/* The same, for steps that must succeed. */
async function must(file, list, options) {
  const done = await run(file, list, options);
  if (done.status !== 0) {
    throw new Error(`${path.basename(file)} ${list.join(' ')}\n` +
      `ended with ${done.status}\n${done.stdout}${done.stderr}`);
  }
  return done.stdout;
}

/*
 * Free loopback ports. Ports below the ephemeral range, so that no client
 * connection of a neighbour sits on one between the choice and its use, and
 * claimed by a folder each, so that tests running side by side never choose
 * the same.
 */
const CLAIMS = path.join(require('node:os').tmpdir(), `subpay-tests.${process.getuid()}`);

function claim(port) {
  const file = path.join(CLAIMS, String(port));
  try {
    fs.writeFileSync(file, mark(process.pid), { flag: 'wx' });
    return true;
  } catch {
    let holder;
    try {
      holder = fs.readFileSync(file, 'utf8');
    } catch {
      return false;
    }
    if (holder === '' || alive(holder)) return false;
    fs.rmSync(file, { force: true }); /* its test is gone: next time it is free */
    return false;
  }
}

function listens(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(true));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)));
  });
}

async function freePorts(count) {
  fs.mkdirSync(CLAIMS, { recursive: true, mode: 0o700 });
  const found = [];
  while (found.length < count) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (claim(port) && !(await listens(port))) found.push(port);
  }
  return found;
}

function releasePorts(ports) {
  for (const port of ports) fs.rmSync(path.join(CLAIMS, String(port)), { force: true });
}

/* Forget the claims of tests that are gone. */
function sweepPorts() {
  for (const name of fs.readdirSync(CLAIMS).filter((one) => /^\d+$/.test(one))) {
    const file = path.join(CLAIMS, name);
    if (!alive(fs.readFileSync(file, 'utf8'))) fs.rmSync(file, { force: true });
  }
}

/* One word that changes when a file below these paths does. */
function fingerprint(paths) {
  const hash = crypto.createHash('sha256');
  const add = (file) => {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat?.isDirectory()) {
      for (const name of fs.readdirSync(file).sort()) add(path.join(file, name));
    } else if (stat) {
      hash.update(`${file} ${stat.size} ${stat.mtimeMs}\n`);
    }
  };
  paths.forEach(add);
  return hash.digest('hex').slice(0, 16);
}

module.exports = {
  fingerprint, look, mark, alive, pidOf, args, find, signal, LATE, until, end, run, must,
  CLAIMS, freePorts, releasePorts, sweepPorts, listens,
};

/*
 * redis.js - a redis of its own on a loopback port, remembering nothing.
 */
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { SubPay, proc } = require('./subpay.js');

const PROGRAM = '/usr/bin/redis-server';

class Redis {
  constructor(folder, port) {
    this.folder = folder;
    this.port = port;
  }

  /* In the folder of a shop, so that it ends with it even where the test is killed. */
  static async start(shop) {
    const folder = fs.mkdtempSync(path.join(shop.folder, 'redis-'));
    const redis = new Redis(folder, (await proc.freePorts(1))[0]);
    await redis.start();
    SubPay.endWithFile(redis);
    return redis;
  }

  async start() {
    this.child = spawn(PROGRAM, ['--port', this.port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no',
      '--dir', this.folder, '--logfile', path.join(this.folder, 'log')].map(String), { stdio: 'ignore', cwd: '/' });
    await proc.until(() => proc.listens(this.port), { what: 'redis to listen' });
  }

  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await proc.until(() => this.child.exitCode !== null || this.child.signalCode !== null);
    proc.releasePorts([this.port]);
  }
}

module.exports = { Redis };

/*
 * exim.js - Debian's own mail server on a loopback port, with a configuration,
 * a spool and a mailbox of its own. Whoever a mail is for, it goes there.
 */
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { SubPay, place, proc } = require('./subpay.js');

const PROGRAM = '/usr/sbin/exim4';

/* Why it cannot be had here, or false. */
const absent = fs.existsSync(PROGRAM) ? false
  : 'no exim4: t/stack/install leaves the mail server that this machine has chosen';

/* As root, exim gives that up for the user that its package makes. */
function owner() {
  if (place.ROOT) return { name: 'Debian-exim', ...place.user('Debian-exim') };
  return { name: String(process.getuid()), uid: process.getuid(), gid: process.getgid() };
}

const configuration = (folder, port, { name, gid }) => `
spool_directory = ${folder}/spool
log_file_path = ${folder}/%s.log
pid_file_path = ${folder}/pid
primary_hostname = mta.example.com
exim_user = ${name}
exim_group = ${gid}
deliver_drop_privilege
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
tls_advertise_hosts =
host_lookup =
rfc1413_query_timeout = 0s
message_logs = false
keep_environment =
acl_smtp_rcpt = anybody
begin acl
anybody:
  accept
begin routers
everybody:
  driver = accept
  transport = mailbox
begin transports
mailbox:
  driver = appendfile
  file = ${folder}/mailbox
  user = ${name}
  group = ${gid}
  envelope_to_add
  return_path_add
`;

class Exim {
  constructor(folder, port) {
    this.folder = folder;
    this.port = port;
  }

  /* In the folder of a shop, so that it ends with it even where the test is killed. */
  static async start(shop) {
    const folder = fs.mkdtempSync(path.join(shop.folder, 'exim-'));
    const [port] = await proc.freePorts(1);
    const exim = new Exim(folder, port);
    const user = owner();
    const conf = path.join(folder, 'exim.conf');
    fs.writeFileSync(conf, configuration(folder, port, user), { mode: 0o644 });
    fs.mkdirSync(path.join(folder, 'spool'));
    for (const one of [folder, path.join(folder, 'spool')]) fs.chownSync(one, user.uid, user.gid);
    exim.child = spawn(PROGRAM, ['-C', conf, '-bdf'], { stdio: 'ignore', cwd: '/' });
    SubPay.endWithFile(exim);
    await proc.until(() => proc.listens(port), { what: 'exim to listen' });
    return exim;
  }

  /* The mailbox: [{recipients, raw}], oldest first. */
  mails() {
    const file = path.join(this.folder, 'mailbox');
    if (!fs.existsSync(file)) return [];
    return fs.readFileSync(file, 'utf8').split(/^From .*\n/m).slice(1).map((raw) => ({
      recipients: [...raw.split('\n\n')[0].matchAll(/^Envelope-to: (.*)$/gm)].map(([, to]) => to),
      raw,
    }));
  }

  async stop() {
    this.child.kill();
    await proc.until(() => this.child.exitCode !== null || this.child.signalCode !== null);
    proc.releasePorts([this.port]);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

module.exports = { Exim, absent };

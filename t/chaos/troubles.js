/*
 * troubles.js - what breaks, and how it is mended again.
 *
 * Everything comes from outside: signals, the sandbox's controls, the database server.
 * Two troubles of one thing (a node, the database) never overlap: who kills a starting
 * server tests the harness.
 */
'use strict';
const { proc } = require('../lib/subpay.js');

const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));
const among = (roll, list) => list[Math.floor(roll() * list.length)];

/* One thing that can be broken, by one trouble at a time. */
class Thing {
  constructor() { this.busy = false; }

  async alone(work) {
    if (this.busy) return 'skipped: busy';
    this.busy = true;
    try {
      return await work();
    } finally {
      this.busy = false;
    }
  }
}

/* Faults at the provider for so many calls. */
const atProvider = (fault) => async (chaos, roll) => {
  const on = among(roll, ['* /v1/*', 'POST /v1/checkout/sessions', 'GET /v1/*']);
  const times = 1 + Math.floor(roll() * 6);
  await chaos.t.sandbox.fault({ on, times, ...fault(roll) });
  return `${times} times ${on}`;
};

/* Faults at the mail server. Whether a mail was taken is unknown after some: it may
 * come twice. */
const atMail = (on, fault, twice = 0) => async (chaos, roll) => {
  const times = 1 + Math.floor(roll() * 8);
  chaos.twice += twice * times;
  await chaos.t.sandbox.fault({ on, times, ...fault(roll) });
  return `${times} times`;
};

const webhooks = (settings, after) => (chaos, roll) => chaos.webhooks.alone(async () => {
  await chaos.t.sandbox.control('POST', 'webhooks', settings);
  const ms = 1000 + roll() * 6000;
  await chaos.pause(ms);
  await chaos.t.sandbox.control('POST', 'webhooks', after);
  return `${Math.round(ms)} ms`;
});

const atNode = (work) => (chaos, roll) => {
  const node = among(roll, chaos.nodes);
  return node.thing.alone(() => work(chaos, node.httpd, roll)).then((said) => `node ${node.number} ${said ?? ''}`);
};

/* A killed worker may have had a mail in hand that the server has taken. */
const killed = (chaos, pids) => {
  chaos.twice += 1;
  pids.filter(Boolean).forEach((pid) => proc.signal(pid, 'SIGKILL'));
};

const atDatabase = (work) => (chaos, roll) => chaos.database.alone(async () => {
  chaos.twice += chaos.nodes.length; /* what was sent may not have been written down */
  await work(chaos.t);
  const ms = roll() * 3000;
  await chaos.pause(ms);
  await chaos.t.postgres.start();
  return `${Math.round(ms)} ms`;
});

const troubles = {
  killChild: atNode(async (chaos, httpd, roll) => {
    proc.signal(among(roll, httpd.children()) ?? -1, 'SIGKILL');
  }),
  killWorker: atNode(async (chaos, httpd) => killed(chaos, httpd.workers())),
  killParent: atNode(async (chaos, httpd, roll) => {
    chaos.twice += 1;
    proc.signal(httpd.parent, 'SIGKILL');
    await chaos.pause(roll() * 2000);
    await httpd.start();
  }),
  killNode: atNode(async (chaos, httpd, roll) => {
    chaos.twice += 1;
    await httpd.kill9();
    await chaos.pause(roll() * 3000);
    await httpd.start();
  }),
  pauseWorker: atNode(async (chaos, httpd, roll) => {
    const pid = httpd.workerPid();
    if (!pid) return 'no worker';
    chaos.twice += 1;
    proc.signal(pid, 'SIGSTOP');
    await chaos.pause(1000 + roll() * 9000);
    if (httpd.workers().includes(pid)) proc.signal(pid, 'SIGCONT');
    return `pid ${pid}`;
  }),
  graceful: atNode(async (chaos, httpd) => {
    chaos.twice += 1;
    await httpd.graceful();
  }),

  killPostgres: atDatabase((t) => t.postgres.kill9()),
  stopPostgres: atDatabase((t) => t.postgres.stop('immediate')),
  cutConnections: (chaos) => chaos.database.alone(async () => {
    chaos.twice += chaos.nodes.length;
    await chaos.t.postgres.terminateBackends(chaos.t.database);
    return '';
  }),

  webhooksOff: webhooks({ deliver: 'off' }, { deliver: 'on' }),
  webhooksHeld: webhooks({ deliver: 'hold' }, { deliver: 'release' }),
  webhooksMany: webhooks({ duplicate: 3, shuffle: true, reverse: true },
    { duplicate: 1, shuffle: false, reverse: false }),
  webhookLost: async (chaos, roll) => {
    const times = 1 + Math.floor(roll() * 4);
    await chaos.t.sandbox.fault({ on: 'WEBHOOK *', do: among(roll, ['reset', 'drop_reply', 'truncate', 'delay']), ms: 2000, times });
    return `${times} times`;
  },

  mailRefused: atMail('SMTP CONNECT', () => ({ do: 'reset' })),
  mailPutOff: atMail('SMTP RCPT *', () => ({ do: 'status', status: 451 })),
  mailDropped: atMail('SMTP DATA', () => ({ do: 'drop_reply' }), 1),
  mailSlow: atMail('SMTP DATA', (roll) => ({ do: 'delay', ms: 500 + roll() * 1500 })),

  replyLost: atProvider(() => ({ do: 'drop_reply' })),
  providerBroken: atProvider(() => ({ do: 'status', status: 500 })),
  providerBusy: atProvider(() => ({ do: 'status', status: 429, headers: { 'Retry-After': '1' } })),
  providerCuts: atProvider(() => ({ do: 'truncate' })),
  providerSlow: atProvider((roll) => ({ do: 'delay', ms: 500 + roll() * 4000 })),
};

/* Everything works again. */
async function mendAll(chaos) {
  await chaos.t.postgres.start();
  await chaos.t.sandbox.clearFaults();
  await chaos.t.sandbox.control('POST', 'webhooks', { deliver: 'release', duplicate: 1, shuffle: false, reverse: false });
  for (const { httpd } of chaos.nodes) {
    await httpd.start();
    httpd.workers().forEach((pid) => proc.signal(pid, 'SIGCONT'));
  }
}

module.exports = { troubles, mendAll, Thing, pause };

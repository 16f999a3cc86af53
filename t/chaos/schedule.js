/*
 * schedule.js - who buys when, and what breaks when: all of it follows from the seed.
 */
'use strict';

/* mulberry32: small, and the same everywhere. -> a function that gives 0 <= x < 1 */
function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/* What customers do, and how often of a hundred. */
const CUSTOMERS = {
  buys: 22,          /* pays, and comes back */
  vanishes: 14,      /* pays, and is never seen again */
  reloads: 10,       /* looks at the return page five times at once */
  doubleClicks: 8,   /* sends the form twice, and the card twice */
  comesLate: 7,      /* pays, and comes back seconds later */
  declined: 6,       /* the bank says no, and that is that */
  triesAgain: 6,     /* the bank says no, then another card */
  approves: 6,       /* 3-D Secure */
  abandons: 3,       /* leaves at the bank's own page */
  waits: 5,          /* a delayed method that succeeds */
  waitsInVain: 3,    /* a delayed method that fails */
  wavers: 4,         /* presses "back", then pays all the same */
  sendsAgain: 3,     /* pays, goes back, and sends the same form once more */
  buysTwice: 2,      /* two forms, both paid */
  asks: 1,           /* pays, does not come back, and asks at /find */
};

/* What breaks, and how often of a hundred. */
const TROUBLES = {
  killChild: 10,
  killWorker: 10,
  killParent: 4,
  killNode: 5,
  pauseWorker: 4,    /* stopped, and seconds later continued: a zombie */
  graceful: 3,
  killPostgres: 3,
  stopPostgres: 3,
  cutConnections: 7,
  webhooksOff: 8,
  webhooksHeld: 6,
  webhooksMany: 6,   /* each comes several times, in any order */
  webhookLost: 5,
  mailRefused: 4,    /* no connection */
  mailPutOff: 4,     /* 451 */
  mailDropped: 3,    /* the server dies after DATA */
  mailSlow: 2,
  replyLost: 4,      /* provider: acts, and does not answer */
  providerBroken: 3, /* 500 */
  providerBusy: 2,   /* 429 */
  providerCuts: 2,   /* half an answer */
  providerSlow: 2,
};

function pick(roll, weights) {
  const total = Object.values(weights).reduce((a, b) => a + b, 0);
  let left = roll() * total;
  for (const [name, weight] of Object.entries(weights)) {
    left -= weight;
    if (left < 0) return name;
  }
  return Object.keys(weights)[0];
}

/* -> [{at (ms), customer or trouble, roll}], in order of time; roll: its own dice */
function schedule(seed, seconds, { customers = 2, troubles = 0.5 } = {}) {
  const roll = dice(seed);
  const list = [];
  const add = (kind, weights, rate) => {
    for (let at = 0; ;) {
      at += -Math.log(1 - roll()) / rate * 1000; /* as independent people come */
      if (at > seconds * 1000) return;
      list.push({ at: Math.round(at), [kind]: pick(roll, weights), roll: dice(roll() * 2 ** 32) });
    }
  };
  add('customer', CUSTOMERS, customers);
  add('trouble', TROUBLES, troubles);
  return list.sort((a, b) => a.at - b.at);
}

module.exports = { schedule, dice, CUSTOMERS, TROUBLES };

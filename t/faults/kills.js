/*
 * kills.js - the process dies before its N-th call to the network, for N = 1, 2, 3...
 *
 * strace attaches to a running httpd child or worker and kills it at the entry of the
 * N-th such call (it counts each kind of call in each thread), until the whole action
 * ends undisturbed. So every gap between two calls is visited: what the database, the
 * provider, the mail server and the customer know of each other differs only there.
 *
 * After each kill the shop gets five healthy seconds, in which the customer does what
 * the flow says and nobody else anything, and the invariants are checked.
 */
'use strict';
const { spawn } = require('node:child_process');
const { SubPay, proc } = require('../lib/subpay.js');
const invariants = require('../lib/invariants.js');

const CALLS = ['connect', 'sendto', 'recvfrom', 'read', 'writev'];
const HEALTHY = 5000;
const MOST = 600; /* calls that no action needs: the loop would not end */
const CARD = '4242424242424242';

/* One child, so that it is clear which one the request meets. */
const ONE_CHILD = 'StartServers 1\nServerLimit 1\nMaxRequestWorkers 64\nMaxSpareThreads 64\n';

/* Kill pid at its n-th such call. -> {dead(), detach()} once strace is in place */
async function lieInWait(pid, call, n) {
  const trace = spawn('strace', ['-f', '-o', '/dev/null', '-p', pid, '-e', `trace=${call}`,
    '-e', `inject=${call}:signal=KILL:when=${n}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  const begun = proc.mark(pid);
  let said = '';
  trace.stderr.on('data', (part) => { said += part; });
  const over = new Promise((resolve) => { trace.on('close', resolve); });
  await proc.until(() => {
    if (/attached/.test(said)) return true; /* it may have killed already, and gone */
    if (trace.exitCode !== null) throw new Error(`strace does not attach: ${said}`);
    return false;
  }, { what: 'strace to attach' });
  return {
    dead: () => !proc.alive(begun),
    async detach() { /* strace may wait for ever for threads of a dead process */
      trace.kill('SIGINT');
      const timer = setTimeout(() => trace.kill('SIGKILL'), 300);
      await over;
      clearTimeout(timer);
    },
  };
}

const wait = (t, watch, done, within) => proc.until(async () => watch.dead()
  || done().catch(() => false), { within, every: 10 }).catch(() => {});

const completed = (t, reference) => async () => (await t.order(reference).state) === 'completed';

/* Somebody who has bought, has access and the mail that says so. */
async function customer(t, email) {
  const bought = await t.buy('annual', email);
  await t.order(bought.reference).becomes('completed');
  await t.mailsBecome(email);
  return bought;
}

/* What support sees before it presses: the form, with what is hidden in it. */
async function deskForm(t, reference, action, more) {
  const where = `/admin/orders/${reference}/${action}`;
  const { text } = await t.get(where, { auth: t.admin });
  const hidden = [...text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
  return { where, form: { ...Object.fromEntries(hidden.map(([, name, value]) => [name, value])), reason: 'a test', ...more } };
}

const press = (t, { where, form }) => t.post(where, { auth: t.admin, form }).catch(() => null);

const nothingToSend = async (t, reference) => !await t.value(`select true from subpay.outbox m
  join subpay.orders o on o.id = m.order_id where o.reference = $1 and m.state in ('pending', 'sending') limit 1`, [reference]);

/*
 * target: which process dies; prepare: up to the action; action: what it may die in;
 * heal: what the customer does afterwards; check: once all is quiet, what must hold of
 * this one alone. settings: of this flow's shop.
 */
const flows = {
  checkout: {
    target: 'child',
    async prepare(t, n) {
      const browser = t.browser();
      const plans = await browser.get('/');
      const form_key = /name="form_key" value="([^"]+)"/.exec(plans.text)[1];
      return { browser, form: { product: 'annual', email: `kill${n}@example.com`, form_key } };
    },
    async action(t, c) {
      c.first = await c.browser.post('/checkout', { form: c.form }).catch(() => null);
    },
    async heal(t, c) { /* a blank page: the form is sent again */
      const again = c.first?.status === 303 ? c.first
        : await proc.until(async () => {
          const reply = await c.browser.post('/checkout', { form: c.form }).catch(() => null);
          return reply?.status === 303 && reply;
        }, { within: HEALTHY, every: 50, what: 'the form to be taken' });
      const { return_url } = await t.pay(again.location, { card: CARD });
      await c.browser.get(return_url);
      const { data } = await t.stripe.checkout.sessions.list({ limit: 100 });
      const same = data.filter((one) => one.customer_email === c.form.email);
      return same.length === 1 ? [] : [`${c.form.email}: ${same.length} payment pages`];
    },
  },

  return: {
    target: 'child',
    settings: { SubPayReconcileInterval: '1s' },
    async prepare(t, n) {
      await t.sandbox.webhooks('off');
      return t.buy('annual', `kill${n}@example.com`, { follow: false });
    },
    async action(t, c) {
      await c.browser.get(c.return_url).catch(() => null);
    },
    async heal() { return []; }, /* never seen again */
  },

  webhook: {
    target: 'child',
    async prepare(t, n) {
      await t.sandbox.control('POST', 'webhooks',
        { deliver: 'hold', parallel: 1, retry_s: [0.3, 0.5, 1], redirect_wait_ms: 0 });
      return t.buy('annual', `kill${n}@example.com`, { follow: false });
    },
    async action(t, c, watch) {
      await t.sandbox.webhooks('release');
      await wait(t, watch, async () => !Object.keys((await t.sandbox.control('GET', 'webhooks')).deliveries)
        .some((state) => state === 'due' || state === 'held' || state === 'retrying'), 3000);
    },
    async heal() { return []; },
  },

  reconcile: {
    target: 'worker',
    settings: { SubPayReconcileInterval: '1s' },
    async prepare(t, n) {
      await t.sandbox.webhooks('off');
      return t.buy('annual', `kill${n}@example.com`, { pay: false });
    },
    async action(t, c, watch) {
      await t.pay(c.session_url, { card: CARD });
      await wait(t, watch, completed(t, c.reference), 8000);
    },
    async heal() { return []; },
  },

  mail: {
    target: 'worker',
    settings: { SubPayReconcileInterval: '1h' },
    async prepare(t, n) {
      await t.sandbox.webhooks('off');
      return t.buy('annual', `kill${n}@example.com`, { follow: false });
    },
    async action(t, c, watch) {
      await c.browser.get(c.return_url);
      await wait(t, watch, async () => (await t.value(`select m.state from subpay.outbox m join subpay.orders o
        on o.id = m.order_id where o.reference = $1`, [c.reference])) === 'sent', 4000);
    },
    async heal() { return []; },
  },

  refund: {
    target: 'worker',
    settings: { SubPayReconcileInterval: '1h', SubPayRateLimit: 'checkout 0' },
    async prepare(t, n) {
      const bought = await customer(t, `kill${n}@example.com`);
      return { ...bought, press: await deskForm(t, bought.reference, 'refund') };
    },
    async action(t, c, watch) {
      await press(t, c.press);
      await wait(t, watch, async () => (await t.order(c.reference).state) === 'refunded' && nothingToSend(t, c.reference), 4000);
    },
    async heal() { return []; },
    async check(t, c) {
      const { data } = await t.stripe.refunds.list({ limit: 100 });
      const { state, payment_id } = await t.order(c.reference).row;
      const ours = data.filter(({ payment_intent }) => payment_intent === payment_id);
      const made = await t.value(`select count(*)::int from subpay.refunds r join subpay.payments p using (provider, payment_id)
        join subpay.orders o on o.id = p.order_id where o.reference = $1`, [c.reference]);
      return [
        ...(state === 'refunded' ? [] : [`${c.reference} is ${state}`]),
        ...(made === 1 ? [] : [`${c.reference}: ${made} refunds are written`]),
        ...(ours.length === 1 ? [] : [`${c.reference}: ${ours.length} refunds were made`]),
      ];
    },
  },

  support: {
    target: 'child',
    settings: { SubPayReconcileInterval: '1h', SubPayRateLimit: 'checkout 0' },
    async prepare(t, n) {
      const bought = await customer(t, `kill${n}@example.com`);
      return { ...bought, press: await deskForm(t, bought.reference, 'extend', { days: '7' }) };
    },
    async action(t, c) {
      c.first = await press(t, c.press);
    },
    async heal(t, c) { /* a blank page: the form is sent again, as it stands */
      if (c.first?.status === 303) return [];
      await proc.until(async () => (await press(t, c.press))?.status === 303, { within: HEALTHY, every: 50, what: 'the form to be taken' });
      return [];
    },
    async check(t, c) {
      const [row] = await t.sql(`select o.bonus_days, (select count(*)::int from subpay.audit a
        where a.order_id = o.id and a.action = 'support.extend') as audit from subpay.orders o where o.reference = $1`, [c.reference]);
      return row.bonus_days === 7 && row.audit === 1 ? [] : [`${c.reference}: ${row.bonus_days} days, ${row.audit} rows in the audit`];
    },
  },
};

const targetOf = (t, flow) => proc.until(
  () => (flow.target === 'worker' ? t.httpd.workerPid() : t.httpd.children()[0]),
  { what: `a ${flow.target}` });

/* httpd lets a worker that dies ten times a minute wait: that is not what we look at. */
async function rested(t, flow, kills) {
  if (flow.target === 'worker' && kills % 7 === 6) await t.httpd.kill9();
  await t.httpd.start();
}

/* One kill. -> {killed, violations} */
async function one(t, flow, { call, n, count, kills }) {
  await rested(t, flow, kills);
  const c = await flow.prepare(t, count);
  const watch = await lieInWait(await targetOf(t, flow), call, n);
  await flow.action(t, c, watch);
  const killed = watch.dead();
  await watch.detach();
  const begun = Date.now();
  const healed = await flow.heal(t, c).catch((error) => [error.message]);
  /* A machine with other work may have needed the five seconds to take the form. */
  const within = Math.max(HEALTHY - (Date.now() - begun), 1000);
  const { left } = await invariants.quiet(t, { within });
  left.push(...await flow.check?.(t, c) ?? []);
  const twice = flow.target === 'worker' ? kills + 1 + Math.ceil(kills / 6) : 0;
  return { killed, violations: [...healed, ...left, ...await invariants.violations(t, { twice })] };
}

/*
 * All kills of one flow at one kind of call, each step-th of them. A worker also calls
 * when it idles, so that it takes four in a row to say that the action ends undisturbed.
 */
async function killAt(t, name, call, { step, say, result }) {
  const flow = flows[name];
  const enough = flow.target === 'worker' ? 4 : 1;
  for (let n = 1, undisturbed = 0; undisturbed < enough && n < MOST; n += step) {
    const count = ++result.actions;
    const { killed, violations } = await one(t, flow, { call, n, count, kills: result.kills });
    undisturbed = killed ? 0 : undisturbed + 1;
    result.kills += killed;
    say(`${name}, ${call} ${n}: ${killed ? 'killed' : 'undisturbed'}${violations.length ? `, RED: ${violations.join('; ')}` : ''}`);
    result.red.push(...violations.map((what) => `${name}, ${call} ${n}: ${what}`));
    result.points[call] = Math.max(result.points[call] ?? 0, killed ? n : 0);
  }
}

/*
 * All kills of one flow.
 * -> {actions, kills, points: {call: the last N that killed}, red: ['where: what']}
 */
async function killAll(name, { step = 1, calls = CALLS, say = () => {} } = {}) {
  const { settings = {} } = flows[name];
  const t = await SubPay.start({ settings, httpd: ONE_CHILD });
  t.allowLog(/./);
  const result = { actions: 0, kills: 0, points: {}, red: [] };
  try {
    for (const call of calls) await killAt(t, name, call, { step, say, result });
  } finally {
    await t.stop();
  }
  return result;
}

module.exports = { flows, killAll };

/*
 * chaos.js - one run: two nodes, one database, customers and troubles from a seed.
 */
'use strict';
const { SubPay, proc } = require('../lib/subpay.js');
const invariants = require('../lib/invariants.js');
const { schedule } = require('./schedule.js');
const { balance } = require('./balancer.js');
const { visit } = require('./customers.js');
const { troubles, mendAll, Thing, pause } = require('./troubles.js');

/* An interval as in a shop that wants to be quick: a seed has a minute, not a day. */
const SETTINGS = { SubPayReconcileInterval: '2s', SubPayProviderTimeout: '3s' };

class Chaos {
  constructor({ seed, seconds, say = () => {}, rates }) {
    Object.assign(this, { seed, seconds, say, rates });
    this.pages = [];
    this.wrong = [];
    this.visits = [];
    this.counts = {};
    this.twice = 0; /* mails that may have come again: one for each fault that allows it */
    this.webhooks = new Thing();
    this.database = new Thing();
    this.over = new AbortController();
  }

  async open() {
    const [port] = await proc.freePorts(1);
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    const settings = { ...SETTINGS, SubPayBaseURL: this.url };
    this.t = await SubPay.start({ cluster: 'own', settings });
    const second = await this.t.node({ settings });
    await second.start();
    this.nodes = [this.t.httpd, second].map((httpd, n) => ({ httpd, number: n + 1, thing: new Thing() }));
    this.balancer = await balance(this.nodes.map(({ httpd }) => httpd.port), port);
    await this.t.sandbox.control('POST', 'webhooks', {
      url: `${this.url}/webhook/stripe`, secret: this.t.keys.webhook, retry_s: [0.5, 1, 2, 4], redirect_wait_ms: 20,
    });
    this.t.allowLog(/./); /* judged by the invariants */
  }

  /* A payment page as the provider knows it; our own question may meet a fault too. */
  async session(url) {
    const id = /cs_\w+/.exec(url)[0];
    /* Stripe's client waits for ever for the rest of a reply that was cut off. */
    const ask = () => Promise.race([this.t.stripe.checkout.sessions.retrieve(id), pause(5000)]);
    return proc.until(() => ask().catch(() => null),
      { every: 50, within: 30_000, what: `session ${id}` });
  }

  /* A pause that ends with the run. */
  async pause(ms) {
    const end = Date.now() + ms;
    while (Date.now() < end && !this.over.signal.aborted) await pause(Math.min(100, end - Date.now()));
  }

  line(what) {
    this.say(`${((Date.now() - this.begun) / 1000).toFixed(2).padStart(7)}  ${what}`);
  }

  async customer(number, { customer, roll }) {
    try {
      const done = await visit(this, number, customer, roll);
      this.visits.push(done);
      this.line(`customer ${number} ${customer}: ${done.opened ? '' : 'no payment page, '}${done.paid ? 'paid' : 'not paid'}, ${done.took} ms`);
    } catch (error) {
      this.wrong.push(`customer ${number} (${customer}): ${error.message}`);
      this.line(`customer ${number} ${customer}: ${error.stack}`);
    }
  }

  async trouble({ trouble, roll }) {
    this.counts[trouble] = (this.counts[trouble] ?? 0) + 1;
    this.line(`trouble ${trouble} begins`);
    try {
      this.line(`trouble ${trouble} is over: ${await troubles[trouble](this, roll)}`);
    } catch (error) {
      this.line(`trouble ${trouble}: ${error.message}`);
    }
  }

  async play() {
    this.begun = Date.now();
    const customers = [];
    const broken = [];
    for (const step of schedule(this.seed, this.seconds, this.rates)) {
      await pause(Math.max(0, this.begun + step.at - Date.now()));
      if (step.customer) customers.push(this.customer(customers.length + 1, step));
      else broken.push(this.trouble(step));
    }
    await pause(Math.max(0, this.begun + this.seconds * 1000 - Date.now()));
    this.over.abort();
    this.line('no more troubles');
    await Promise.all(broken);
    await mendAll(this);
    await Promise.all(customers);
  }

  /* -> {violations, took (ms until quiet), left} */
  async judge() {
    const { took, left } = await invariants.quiet(this.t, {
      within: 60_000, hurry: true, say: (left) => this.line(`left: ${left || 'nothing'}`),
    });
    this.line(`quiet after ${took} ms`);
    const found = await invariants.violations(this.t, { pages: this.pages, twice: this.twice });
    return { took, violations: [...new Set([...left, ...this.wrong, ...found])] };
  }

  async summary() {
    const rows = (text) => this.t.sql(text);
    return {
      customers: this.visits.length,
      paid: this.visits.filter(({ paid }) => paid).length,
      noPage: this.visits.filter(({ opened }) => !opened).length,
      pages: this.pages.length,
      orders: Object.fromEntries((await rows('select state, count(*)::int from subpay.orders group by 1 order by 1')).map((r) => [r.state, r.count])),
      via: Object.fromEntries((await rows('select completed_via, count(*)::int from subpay.orders where completed_via is not null group by 1 order by 1')).map((r) => [r.completed_via, r.count])),
      tickets: Object.fromEntries((await rows('select kind, count(*)::int from subpay.tickets group by 1 order by 1')).map((r) => [r.kind, r.count])),
      slowest: Number(await this.t.value("select max(extract(epoch from access_delay))::float from subpay.orders where completed_at is not null")),
      mails: (await this.t.sandbox.mail()).length,
      troubles: this.counts,
    };
  }

  async close() {
    this.balancer?.close();
    proc.releasePorts([this.port]);
    await this.t?.stop();
  }
}

/* -> {violations, took, summary} */
async function run(options) {
  const chaos = new Chaos(options);
  try {
    await chaos.open();
    await chaos.play();
    const judged = await chaos.judge();
    return { ...judged, summary: await chaos.summary() };
  } finally {
    await chaos.close();
  }
}

module.exports = { run };

/*
 * subpay.js - the harness of the scenario tests. t/README.md shows how to use it.
 *
 * A shop is a database, a sandbox and an httpd of its own, on free ports, in a
 * folder that goes away with it. All tests of a run share one PostgreSQL
 * cluster (keeper.js), unless a test wants to hurt it.
 */
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { test: nodeTest, assert } = require('./tap.js');
const proc = require('./process.js');
const place = require('./place.js');
const site = require('./site.js');
const keeper = require('./keeper.js');
const { Browser } = require('./client.js');
const { Cluster, migrate } = require('./postgres.js');
const { Httpd, PRODUCTS } = require('./httpd.js');
const { Sandbox } = require('./sandbox.js');

const TEST_TIMEOUT = 60_000 * 3; /* as late as until() may be */
const REFERENCE = path.resolve(place.PROJECT, process.env.REFERENCE || '../shared/reference');

let office = null; /* the one connection of this process to the keeper */
let shops = 0;
const toEnd = [];  /* shops that this file has started */
const awaited = []; /* shops of SubPay.use(), before any test may run */

class Shop {
  constructor(options) {
    this.options = { settings: {}, cluster: 'shared', worker: true, start: true, ...options };
    this.expected = [];
    this.allowed = [];
    this.nodes = [];
  }

  async open() {
    office ??= keeper.connect();
    const desk = await office;
    this.folder = path.join(desk.folder, `${process.pid}-${++shops}`);
    desk.mine(this.folder);
    toEnd.push(this);
    fs.mkdirSync(this.folder, { recursive: true, mode: 0o755 });
    this.ports = await proc.freePorts(4);
    const [port, sandboxPort, smtpPort] = this.ports;
    const state = path.join(this.folder, 'httpd');
    this.keys = site.prepare(state);

    this.sandbox = new Sandbox({
      folder: this.folder,
      port: sandboxPort,
      smtpPort,
      key: this.keys.stripe,
      webhookSecret: this.keys.webhook,
      webhookUrl: `http://127.0.0.1:${port}/webhook/stripe`,
    });
    await Promise.all([this.openDatabase(desk), this.sandbox.start()]);

    this.httpd = this.makeHttpd(state, port, this.options);
    this.url = this.httpd.url;
    this.browserOfAll = this.browser();
    if (this.options.start) await this.httpd.start();
    return this;
  }

  async openDatabase(desk) {
    if (this.options.cluster === 'shared') {
      const given = await desk.database();
      this.postgres = given.cluster;
      this.database = given.name;
      return;
    }
    this.options.before?.(this);
    this.postgres = new Cluster({
      folder: path.join(this.folder, 'postgres'),
      port: this.ports[3],
      durable: this.options.durable ?? false,
    });
    this.database = 'subpay';
    this.ownCluster = true;
    await this.postgres.start();
    await this.postgres.createDatabase(this.database);
    if (this.options.migrate ?? true) await migrate(this.postgres, this.database, place.BUILD);
    await this.options.prepared?.(this);
  }

  makeHttpd(state, port, { settings, products, httpd = '', worker, project, env, build = place.BUILD }) {
    const node = new Httpd({
      state,
      port,
      project,
      env,
      defines: {
        SUBPAY_MODULE: path.join(build, 'mod_subpay.so'),
        SUBPAY_SHARE: place.share(path.dirname(state)),
        SUBPAY_STRIPE: this.sandbox.url,
        SUBPAY_SMTP: this.sandbox.smtpPort,
        SUBPAY_PG: this.options.pg?.(this) ?? pgOf([this.postgres], this.database),
      },
      extra: [
        products ? sections(products) : PRODUCTS,
        lines({ SubPayWorker: worker ? 'on' : 'off', ...settings }),
        httpd,
      ].join('\n'),
    });
    node.configure();
    this.nodes.push(node);
    return node;
  }

  /* Another httpd on the same database and provider; not started yet. */
  async node(options = {}) {
    const [port] = await proc.freePorts(1);
    this.ports.push(port);
    const state = path.join(this.folder, `httpd-${this.nodes.length + 1}`);
    fs.cpSync(path.join(this.folder, 'httpd'), state, {
      recursive: true,
      filter: (from) => !/\.(log|pid|conf)$/.test(from),
    });
    site.prepare(state);
    return this.makeHttpd(state, port, { worker: true, settings: {}, ...options });
  }

  /* A customer's browser of its own: no cookie of the others. */
  browser() {
    return new Browser(this.url);
  }

  get(where, options) { return this.browserOfAll.get(where, options); }
  post(where, options) { return this.browserOfAll.post(where, options); }

  get admin() { return ['support', this.keys.admin]; }
  /* The other of the two people. */
  get second() { return ['sam', this.keys.admin]; }
  get api() { return ['app', this.keys.api]; }

  /* Stripe's own client, talking to the sandbox. */
  get stripe() {
    const Stripe = require('stripe');
    this.stripeClient ??= new Stripe(this.keys.stripe, {
      host: '127.0.0.1', port: this.sandbox.port, protocol: 'http', maxNetworkRetries: 0,
      telemetry: false,
    });
    return this.stripeClient;
  }

  /* Rows of a query, with full rights. */
  async sql(text, params) {
    if (!this.client || this.client.broken) {
      const client = await this.postgres.connect(this.database);
      client.on('end', () => { client.broken = true; });
      client.on('error', () => { client.broken = true; });
      this.client = client;
    }
    return (await this.client.query(text, params)).rows;
  }

  /* The first column of the first row. */
  async value(text, params) {
    const [row] = await this.sql(text, params);
    return row && Object.values(row)[0];
  }

  /*
   * Buy as a customer does: form, payment page, way back.
   *
   * pay: false stops at the payment page; follow: false does not come back.
   * A step that had no answer leaves its error there instead of a reply.
   * -> {reference, browser, checkout, session_url, paid, return_url, page}
   */
  async buy(product, email, { pay = true, follow = true, card = '4242424242424242', name = 'Ana Example',
    browser = this.browser(), payer = {} } = {}) {
    const bought = { email, browser };
    bought.checkout = await browser.post('/checkout', { form: { product, email, name } });
    assert.equal(bought.checkout.status, 303, `checkout: ${bought.checkout.text}`);
    bought.session_url = bought.checkout.location;
    bought.reference = await this.referenceOf(bought.session_url);
    if (!pay) return bought;
    Object.assign(bought, await this.pay(bought.session_url, { card, email, name, ...payer }));
    if (follow && bought.return_url) bought.page = await browser.get(bought.return_url).catch((error) => error);
    return bought;
  }

  /* Pay on the hosted page. -> {paid, return_url}; no return_url where it was declined. */
  async pay(session_url, form) {
    const paid = await this.browser().post(session_url, { form });
    return { paid, return_url: paid.status === 303 ? paid.location : undefined };
  }

  /* Which order a payment page belongs to, as the provider knows it. */
  async referenceOf(session_url) {
    const { data } = await this.stripe.checkout.sessions.list({ limit: 100 });
    const session = data.find(({ url, id }) => url === session_url || session_url.includes(id));
    assert.ok(session, `no session has the address ${session_url}`);
    return session.metadata.subpay_reference;
  }

  order(reference) {
    return new Order(this, reference);
  }

  /* Mails to this address, oldest first. */
  async mails(to) {
    return (await this.sandbox.mail()).filter((mail) => !to || recipients(mail).includes(to));
  }

  /* Wait for that many mails to this address. */
  async mailsBecome(to, count = 1, { within = 5000 } = {}) {
    return this.until(async () => {
      const mails = await this.mails(to);
      return mails.length >= count && mails;
    }, { within, what: `${count} mail(s) to ${to}` });
  }

  until(ask, options) {
    return proc.until(ask, { within: 5000, every: 20, ...options });
  }

  /* Run subpayctl for this shop. -> {status, stdout, stderr, json} */
  async subpayctl(...args) {
    const done = await proc.run(path.join(place.BUILD, 'subpayctl'),
      ['--config', this.httpd.conf, ...args.map(String)]);
    return { ...done, get json() { return JSON.parse(done.stdout); } };
  }

  /* A line with this must be in the error log at the end. */
  expectLog(...patterns) { this.expected.push(...patterns); }

  /* A line with this may be there. */
  allowLog(...patterns) { this.allowed.push(...patterns); }

  log() {
    return this.nodes.map((node) => node.log()).join('');
  }

  /* Lines of the error log that nobody announced, and announced ones that are missing. */
  surprises() {
    const has = (line, pattern) =>
      (pattern instanceof RegExp ? pattern.test(line) : line.includes(pattern));
    const loud = this.log().split('\n').filter((line) => /\[[\w:]*:?(warn|error|crit|alert|emerg)\]/.test(line));
    const known = [...this.expected, ...this.allowed];
    return [
      ...loud.filter((line) => !known.some((pattern) => has(line, pattern))),
      ...this.expected.filter((pattern) => !this.log().split('\n').some((line) => has(line, pattern)))
        .map((pattern) => `expected in the log, but missing: ${pattern}`),
      ...this.nodes.map((node) => node.findings()).filter(Boolean),
    ];
  }

  /* End everything. Throws if the log holds surprises. */
  async stop() {
    if (this.stopped) return;
    this.stopped = true;
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.client?.end().catch(() => {});
    await this.sandbox?.stop();
    if (this.ownCluster) await this.postgres.stop('immediate');
    const surprises = this.surprises();
    if (this.ports) proc.releasePorts(this.ports);
    if (!process.env.SUBPAY_KEEP) fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    assert.deepEqual(surprises, [], 'the error log holds what no test announced');
  }
}

class Order {
  constructor(shop, reference) {
    this.shop = shop;
    this.reference = reference;
  }

  /* Its row, or undefined. */
  get row() {
    return this.shop.sql('select * from subpay.orders where reference = $1', [this.reference])
      .then(([row]) => row);
  }

  get state() {
    return this.row.then((row) => row?.state);
  }

  async becomes(state, { within = 5000 } = {}) {
    let seen;
    await this.shop.until(async () => {
      seen = await this.state;
      return seen === state;
    }, { within, what: `order ${this.reference} to become ${state}` })
      .catch((error) => { throw new Error(`${error.message}; it is ${seen}`); });
    return this.row;
  }

  get subscriptions() {
    return this.shop.sql(`select s.* from subpay.subscriptions s
      join subpay.orders o on o.id = s.order_id where o.reference = $1`, [this.reference]);
  }
}

/* The addresses that a parsed message goes to, whatever the parser's shape. */
function recipients(mail) {
  return JSON.stringify([mail.to, mail.envelope?.to ?? mail.rcpt_to ?? []])
    .match(/[^\s"<>,;:]+@[^\s"<>,;:]+/g) ?? [];
}

/* A conninfo for one of these servers, whichever takes writes. */
function pgOf(servers, database) {
  const all = (name) => servers.map((one) => one[name]).join(',');
  return `host=${all('socket')} port=${all('port')} dbname=${database}${
    servers.length > 1 ? ' target_session_attrs=read-write' : ''}`;
}

/* {SubPayGoodwill: 0, SubPayAlertTo: ['a@b.c']} as lines of httpd.conf */
function lines(settings) {
  return Object.entries(settings).flatMap(([name, value]) => [value].flat()
    .map((one) => `${name} ${/^[\w.:/@-]+$/.test(one) || String(one).includes('"') ? one : `"${one}"`}`))
    .join('\n');
}

/* {annual: {Title: 'Annual plan', Price: '249.00 USD', Period: '1y'}} as sections */
function sections(products) {
  return Object.entries(products).map(([name, rows]) =>
    `<SubPayProduct ${name}>\n${Object.entries(rows)
      .map(([key, value]) => `  SubPay${key} "${value}"`).join('\n')}\n</SubPayProduct>`).join('\n');
}

const SubPay = {
  /* A shop, ready for customers. Ended by its stop(), at the latest with the file. */
  start(options = {}) {
    return new Shop(options).open();
  },

  /* Its stop() is called after the last test, with those of the shops. */
  endWithFile(thing) {
    toEnd.push(thing);
  },

  /*
   * The same for a whole file: may be called at its top, and each test waits
   * for it. After the last test it is stopped, and the log looked at.
   */
  use(options = {}) {
    const shop = new Shop(options);
    const ready = shop.open();
    ready.catch(() => {}); /* told by each test */
    awaited.push(ready);
    return shop;
  },
};

/* node:test's, with a limit of time, and after the shops of use() are there. */
function test(name, options, body = options) {
  planEnding();
  const more = typeof options === 'object' ? options : {};
  return nodeTest.test(name, { timeout: TEST_TIMEOUT, ...more }, async (context) => {
    await Promise.all(awaited);
    await body(context);
  });
}

/*
 * The last test of a file: everything ends, and the logs were silent. Planned
 * at the first test(), for after all of them are there: from inside of a test
 * it would become a part of that one.
 */
let endingIsPlanned = false;
function planEnding() {
  if (endingIsPlanned) return;
  endingIsPlanned = true;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(name, () => process.exit(130));
  setImmediate(() => nodeTest.test('nothing unexpected in the logs', { timeout: TEST_TIMEOUT }, async () => {
    const ends = await Promise.allSettled(toEnd.map((shop) => shop.stop()));
    (await office)?.close();
    for (const { reason } of ends) if (reason) throw reason;
  }));
}

/* A file of the reference data, or a reason to skip: {skip} for a test's options. */
function reference(name) {
  const file = path.join(REFERENCE, name);
  return fs.existsSync(file) ? { file, skip: false } : { file, skip: `no ${name} in REFERENCE` };
}

module.exports = {
  SubPay, test, assert, reference, proc, place, pgOf, Browser, Cluster, Httpd, Sandbox,
};

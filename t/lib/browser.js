/*
 * browser.js - a real browser: Chromium, driven by playwright-core.
 *
 * One Chromium for a whole file; each customer is a context of its own, with
 * cookies, cache and service worker apart. What a page complains about in the
 * console (a breach of the Content-Security-Policy is such a complaint) and
 * whom it asks is kept, to be looked at by the test.
 */
'use strict';
const fs = require('node:fs');
const { SubPay, proc } = require('./subpay.js');
const { chromium } = require('playwright-core');

/* Nothing here may talk to anybody but the shop. */
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--font-render-hinting=none'];
const EXECUTABLE = '/usr/bin/chromium';
/* The rules of WCAG 2.2 AA, and axe's own good practice. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

class RealBrowser {
  constructor() {
    this.ready = chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
    this.ready.catch(() => {}); /* told by the first customer */
    SubPay.endWithFile(this);
  }

  async stop() {
    await (await this.ready).close();
  }

  /*
   * Somebody with this browser, and one page.
   *
   * options  of playwright's newContext, and width, scheme ('light', 'dark'),
   *          script: false for somebody without JavaScript
   */
  async customer({ width = 1280, scheme = 'light', script = true, ...options } = {}) {
    const context = await (await this.ready).newContext({
      viewport: { width, height: 900 },
      colorScheme: scheme,
      javaScriptEnabled: script,
      locale: 'en-GB',
      ...options,
    });
    return new Customer(context, await context.newPage());
  }
}

class Customer {
  constructor(context, page) {
    this.context = context;
    this.page = page;
    this.complaints = [];
    this.asked = new Set(); /* origins of all requests */
    context.on('request', (request) => this.asked.add(new URL(request.url()).origin));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) {
        this.complaints.push(`${message.text()} (${message.location().url})`);
      }
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
  }

  async close() {
    await this.context.close();
  }

  /* The cookies of a client of t/lib/client.js, and no others. */
  async takeCookies(client) {
    await this.context.clearCookies();
    const cookies = [...(client?.cookies.values() ?? [])]
      .map(({ host, path, name, value }) => ({ domain: host, path, name, value }));
    if (cookies.length > 0) await this.context.addCookies(cookies);
  }

  heading() {
    return this.page.locator('h1').first().innerText();
  }

  /* Wait until the heading says so; gives the milliseconds that it took. */
  async headingBecomes(text, { within = 5000, since = Date.now() } = {}) {
    const timeout = within * proc.LATE - (Date.now() - since);
    await this.page.locator('h1', { hasText: text }).waitFor({ timeout });
    const waited = Date.now() - since;
    if (waited > within) console.log(`# late: ${waited} of ${within} ms for "${text}"`);
    return waited;
  }

  /* Its service worker has what it needs for the day when no server answers. */
  async workerReady() {
    await this.page.evaluate(() => navigator.serviceWorker.ready.then(({ active }) =>
      active.state === 'activated' || new Promise((done) => { active.onstatechange = done; })));
  }

  /* From the plans to the payment page. */
  async order(base, { email, name }) {
    await this.page.goto(`${base}/`);
    await this.page.fill('#email', email);
    if (name) await this.page.fill('#name', name);
    await this.page.click('text=Continue to payment');
    await this.page.waitForURL(/\/pay\//);
  }

  /* On the payment page. Does not wait for where it leads. */
  async pay(card = '4242424242424242') {
    await this.page.fill('#card', card);
    await this.page.click('button', { noWaitAfter: true });
  }

  /* What axe finds, one line each. */
  async axe(options = {}) {
    const { page } = this;
    if (!await page.evaluate('"axe" in window')) {
      this.axeSource ??= fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
      await page.evaluate(this.axeSource);
    }
    return page.evaluate(async (how) => {
      const { violations } = await window.axe.run(how);
      return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) =>
        `${id}: ${help}: ${html.slice(0, 150)}`));
    }, { runOnly: RULES, preload: false, resultTypes: ['violations'], ...options });
  }
}

module.exports = { RealBrowser };

#!/usr/bin/env -S node --test-reporter=tap
// Whatever dies between the card and the way back, nobody meets a blank page.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { SubPay, test, assert, place, proc } = require('../lib/subpay.js');
const { RealBrowser } = require('../lib/browser.js');

const t = SubPay.use();
const browser = new RealBrowser();

test('httpd dies on the payment page: recovery at once, success by itself, and the way in', async () => {
  const ana = await browser.customer();
  const { page } = ana;
  await page.goto(`${t.url}/`);
  await ana.workerReady();
  await ana.order(t.url, { email: 'ana@example.com', name: 'Ana Example' });
  const reference = await t.referenceOf(page.url());

  await t.httpd.kill9();
  const paid = Date.now();
  await ana.pay();
  const shown = await ana.headingBecomes('We cannot reach our server from here.', { within: 2000, since: paid });
  assert.equal(await page.locator('.reference:visible').first().innerText(), reference);
  const text = await page.innerText('main');
  assert.match(text, /the payment is not lost/);
  assert.match(text, /Please do not pay again/);
  assert.match(text, /help@example\.com/);
  assert.equal(new URL(page.url()).pathname, '/return', 'the address is still the one to come back to');

  await t.httpd.start();
  const back = Date.now();
  const healed = await ana.headingBecomes('You have access.', { within: 10_000, since: back });
  assert.match(await page.title(), /^Paid: /);
  assert.match(await page.innerText('main'), /We received your payment of 249\.00 USD/);
  console.log(`# recovery page after ${shown} ms; success ${healed} ms after httpd was back`);

  await page.click('text=Set your password');
  await page.fill('#password', 'correct horse battery');
  await page.click('text=Save password');
  await ana.headingBecomes('Your password is saved.');
  await page.goto(`${t.url}/members/`);
  await ana.headingBecomes('For subscribers');

  await page.goto(`${t.url}/account`);
  await page.click('text=Log out');
  await page.waitForURL('**/logout');
  await page.goto(`${t.url}/members/`);
  await ana.headingBecomes('Log in');
  await page.fill('#email', 'ana@example.com');
  await page.fill('#password', 'correct horse battery');
  await page.click('button:text("Log in")');
  await ana.headingBecomes('For subscribers');
  await ana.close();
});

test('the database dies on the payment page: "checking", and success by itself', async () => {
  const shop = await SubPay.start({ cluster: 'own' });
  shop.allowLog('SP0', /AH006\d\d|AH02655/); /* mod_dbd's own words for a database that is away */
  const dan = await browser.customer();
  await dan.order(shop.url, { email: 'dan@example.com' });
  const reference = await shop.referenceOf(dan.page.url());
  await shop.postgres.kill9();
  await dan.pay();
  await dan.headingBecomes('Confirming your payment.', { within: 10_000 });
  const text = await dan.page.innerText('main');
  assert.match(text, /Please do not pay again/);
  assert.ok(text.includes(reference));
  await shop.postgres.start();
  await dan.headingBecomes('You have access.', { within: 15_000 });
  await dan.close();
});

/*
 * What stands in front of httpd at many shops: it passes requests on, and
 * answers by itself where httpd does not, or where `broken` is set to a status.
 */
async function makeProxy(shop) {
  const [port] = await proc.freePorts(1);
  const proxy = { url: `http://127.0.0.1:${port}`, broken: 0, page: '' };
  const refuse = (reply, status) => {
    reply.writeHead(status, { 'Content-Type': 'text/html' });
    reply.end(proxy.page);
  };
  const server = http.createServer((request, reply) => {
    if (proxy.broken) {
      refuse(reply, proxy.broken);
      return;
    }
    const { method, url, headers } = request;
    const onward = http.request(shop().url + url, { method, headers, agent: false }, (answer) => {
      reply.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(reply);
    });
    onward.on('error', () => refuse(reply, 502));
    request.pipe(onward);
  });
  await new Promise((listening) => { server.listen(port, '127.0.0.1', listening); });
  proxy.stop = () => {
    server.close();
    server.closeAllConnections();
    proc.releasePorts([port]);
  };
  SubPay.endWithFile(proxy);
  return proxy;
}

async function shopBehindProxy() {
  let shop;
  const proxy = await makeProxy(() => shop);
  shop = await SubPay.start({ settings: { SubPayBaseURL: proxy.url } });
  shop.allowLog('SP0355'); // webhooks do not come through the proxy here
  return { shop, proxy };
}

test('a bare 502, 503 or 504 of a proxy counts as no answer', async () => {
  const { shop, proxy } = await shopBehindProxy();
  const bo = await browser.customer();
  await bo.page.goto(`${proxy.url}/`);
  await bo.workerReady();
  await bo.order(proxy.url, { email: 'bo@example.com' });
  const reference = await shop.referenceOf(bo.page.url());

  await shop.httpd.kill9();
  await bo.pay();
  await bo.headingBecomes('We cannot reach our server from here.', { within: 2000 });
  const wayBack = bo.page.url();
  assert.equal(new URL(wayBack).searchParams.get('r'), reference);
  for (proxy.broken of [502, 503, 504]) {
    await bo.page.goto('about:blank');
    await bo.page.goto(wayBack);
    assert.equal(await bo.heading(), 'We cannot reach our server from here.', String(proxy.broken));
  }

  await shop.httpd.start();
  proxy.broken = 0;
  await bo.headingBecomes('You have access.', { within: 10_000 });

  proxy.broken = 404;
  proxy.page = '<h1>What the proxy says</h1>';
  await bo.page.goto(wayBack);
  assert.equal(await bo.heading(), 'What the proxy says', 'an answer is an answer');
  proxy.broken = 502;
  await bo.page.goto(`${proxy.url}/members/`);
  assert.equal(await bo.heading(), 'What the proxy says', 'the application is none of our business');
  await bo.close();
});

test('no service worker, no script: the static page behind the proxy', async () => {
  const { shop, proxy } = await shopBehindProxy();
  proxy.page = fs.readFileSync(path.join(place.PROJECT, 'htdocs/problem.html'));
  const cy = await browser.customer({ script: false });
  await cy.order(proxy.url, { email: 'cy@example.com' });
  await shop.httpd.kill9();
  const payment = new URL(cy.page.url()).origin;
  cy.asked.clear();
  cy.complaints.length = 0;
  await cy.pay();
  await cy.headingBecomes('Something broke on our side. Sorry.', { within: 2000 });
  assert.match(await cy.page.innerText('main'), /Please do not pay again/);
  assert.deepEqual([...cy.asked].sort(), [payment, proxy.url].sort(), 'and it needs nobody else');
  assert.deepEqual(cy.complaints.filter((text) => text.includes(proxy.url) && !/502/.test(text)), [],
    'nothing that its own policy forbids');

  await shop.httpd.start();
  await cy.page.reload();
  await cy.headingBecomes('You have access.');
  await cy.close();
});

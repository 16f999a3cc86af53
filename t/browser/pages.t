#!/usr/bin/env -S node --test-reporter=tap
// Every page, in every state: readable, reachable by keyboard, small, and quiet.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { SubPay, test, assert, place } = require('../lib/subpay.js');
const { RealBrowser } = require('../lib/browser.js');
const { shop, prepare, states, reach } = require('./states.js');

const WIDTHS = [1280, 768, 320];
const LIMIT = 60 * 1024;

const t = SubPay.use(shop);
const browser = new RealBrowser();
let world;
t.allowLog('SP0401', 'SP0402'); // the provider does not answer about one order, and refuses another

test('orders of every kind', { timeout: 180_000 }, async () => {
  world = await prepare(t);
});

const scrollsSideways = () => document.documentElement.scrollWidth > window.innerWidth;

/* What axe finds at all widths, light and dark. Only the colours differ in the dark. */
async function look(customer) {
  const found = new Set();
  for (const width of WIDTHS) {
    await customer.page.setViewportSize({ width, height: 900 });
    if (await customer.page.evaluate(scrollsSideways)) found.add(`scrolls sideways at ${width}`);
    await customer.page.emulateMedia({ colorScheme: 'light' });
    for (const line of await customer.axe()) found.add(`${width} light ${line}`);
    await customer.page.emulateMedia({ colorScheme: 'dark' });
    for (const line of await customer.axe({ runOnly: { type: 'rule', values: ['color-contrast'] } })) {
      found.add(`${width} dark ${line}`);
    }
  }
  return [...found];
}

/* Everything that any page may load beside itself. */
const assets = fs.readdirSync(path.join(place.PROJECT, 'htdocs/assets'))
  .reduce((sum, name) => sum + fs.statSync(path.join(place.PROJECT, 'htdocs/assets', name)).size, 0);

/* Tab from the top until the focus leaves the page. */
async function tabThrough({ page }) {
  return page.evaluate(() => {
    window.seen = [];
    window.scrollTo(0, 0);
    document.activeElement?.blur();
    const show = (one) => `${one.localName}#${one.id || one.textContent.trim().slice(0, 30)}`;
    const wanted = [...document.querySelectorAll('a[href], button, input, textarea, select, summary')]
      .filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true })
        && !(one.type === 'radio' && one !== document.querySelector(`[name="${one.name}"]`)));
    document.addEventListener('focusin', ({ target }) => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(target);
      const visible = outlineStyle === 'auto' || (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2)
        || boxShadow !== 'none';
      window.seen.push(show(target) + (visible ? '' : ' without a visible focus'));
    });
    return wanted.map(show);
  });
}

async function keyboard(customer) {
  const { page } = customer;
  const wanted = await tabThrough(customer);
  for (let i = 0; i <= wanted.length + 3; i += 1) await page.keyboard.press('Tab');
  const seen = await page.evaluate('window.seen');
  return [...wanted.filter((one) => !seen.includes(one)).map((one) => `Tab does not reach ${one}`),
    ...seen.filter((one) => one.endsWith('without a visible focus'))];
}

/* The page itself may be a 404; anything else that a page asks for must be there. */
const unexpected = (customer, own) => customer.complaints
  .filter((text) => !(text.startsWith('Failed to load resource') && text.includes(own)));

async function seesState(customer, name) {
  const { page } = customer;
  const { heading, title, money, bare } = states[name];
  customer.complaints.length = 0;
  await reach(customer, world, name);
  assert.equal(await customer.heading(), heading);
  if (title) assert.ok((await page.title()).startsWith(title), await page.title());
  if (money) assert.equal(await page.locator('.money').first().innerText(), money);
  assert.equal(await page.locator('h1').count(), 1);
  if (!bare) assert.match(await page.innerText('main'), /help@example\.com/, 'a way to a person');
}

const customers = {};
const somebody = async (name, options) => (customers[name] ??= await browser.customer(options));

for (const [name, { focus }] of Object.entries(states)) {
  test(`${name}: for eyes, ears and keyboard`, async () => {
    const customer = await somebody('script');
    const { page } = customer;
    await page.setViewportSize({ width: 1280, height: 900 });
    await seesState(customer, name);
    if (focus) assert.equal(await page.evaluate('document.activeElement.id'), focus);
    const bytes = Buffer.byteLength(await page.content()) + assets;
    assert.ok(bytes <= LIMIT, `${bytes} bytes`);
    assert.deepEqual([...await look(customer), ...await keyboard(customer)], []);
    assert.deepEqual(unexpected(customer, page.url()), []);
  });
}

for (const name of Object.keys(states)) {
  test(`${name}: without script, 320 px wide`, async () => {
    const customer = await somebody('no script', { script: false, width: 320 });
    await seesState(customer, name);
    assert.equal(await customer.page.evaluate(scrollsSideways), false);
    assert.deepEqual(unexpected(customer, customer.page.url()), []);
  });
}

for (const [name, { heading }] of Object.entries(states).filter(([, { bare }]) => !bare)) {
  test(`${name}: in German, 320 px wide`, async () => {
    const customer = await somebody('German', { locale: 'de-DE', width: 320 });
    await reach(customer, world, name);
    assert.equal(await customer.page.getAttribute('html', 'lang'), 'de');
    assert.notEqual(await customer.heading(), heading);
    assert.equal(await customer.page.evaluate(scrollsSideways), false);
  });
}

test('nobody but the shop was asked for anything', () => {
  for (const { asked } of Object.values(customers)) assert.deepEqual([...asked], [t.url]);
});

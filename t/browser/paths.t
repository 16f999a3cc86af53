#!/usr/bin/env -S node --test-reporter=tap
// The ways people take: typing, mistyping, waiting, without script, by keyboard alone.
'use strict';
const { SubPay, test, assert } = require('../lib/subpay.js');
const { RealBrowser } = require('../lib/browser.js');

const PASSWORD = 'correct horse battery';
const t = SubPay.use({ settings: { SubPayRateLimit: 'checkout 0' } });
const browser = new RealBrowser();
t.allowLog('SP0401'); // the provider does not answer for a while

/* Back from the payment page while the provider does not answer. */
async function unclear(customer, email) {
  await customer.order(t.url, { email });
  await t.sandbox.webhooks('off');
  await t.sandbox.fault({ on: 'GET /v1/checkout/sessions/*', do: 'status', status: 500, times: 'always' });
  await customer.pay();
  await customer.headingBecomes('Confirming your payment.', { within: 10_000 });
}

async function clear() {
  await t.sandbox.clearFaults();
  await t.sandbox.webhooks('on');
}

test('the waiting page hears the answer by itself', async () => {
  const ana = await browser.customer();
  const { page } = ana;
  await unclear(ana, 'waits@example.com');
  assert.equal(await page.getAttribute('#status', 'role'), 'status');
  await page.focus('text=Write to us');
  await clear();
  await ana.headingBecomes('You have access.', { within: 15_000 });
  assert.match(await page.title(), /^Paid: /);
  assert.equal(await page.locator('#status .money').innerText(), 'We received your payment of 249.00 USD.');
  assert.equal(await page.evaluate('document.activeElement.textContent'), 'Write to us', 'the focus has not moved');
  await page.reload();
  await ana.headingBecomes('You have access.');
  assert.equal(await page.locator('text=Set your password').count(), 1);
  await ana.close();
});

test('after 30 s it says so, once; and a reload says the same', async () => {
  const bo = await browser.customer();
  const { page } = bo;
  await page.clock.install();
  await unclear(bo, 'long@example.com');
  await page.clock.fastForward(20_000);
  assert.equal(await bo.heading(), 'Confirming your payment.');
  for (let i = 0; i < 3; i += 1) await page.clock.fastForward(6000);
  await bo.headingBecomes('This is taking longer than it should.', { within: 10_000 });
  const words = await page.innerText('#status');
  assert.match(words, /By \d\d:\d\d.* you have an e-mail from us/);
  assert.match(words, /Please do not pay again/);
  await page.reload();
  assert.match(await page.innerText('#status'), /Please do not pay again/);
  await clear();
  await bo.close();
});

test('without script: "Check now", and the whole way to the gated page', async () => {
  const cy = await browser.customer({ script: false, width: 320 });
  const { page } = cy;
  await unclear(cy, 'plain@example.com');
  await page.click('text=Check now');
  await cy.headingBecomes('Confirming your payment.', { within: 10_000 });
  await clear();
  await page.click('text=Check now');
  await cy.headingBecomes('You have access.', { within: 10_000 });
  await page.click('text=Set your password');
  await page.fill('#password', PASSWORD);
  await page.click('text=Save password');
  await cy.headingBecomes('Your password is saved.');
  await page.goto(`${t.url}/members/`);
  await cy.headingBecomes('For subscribers');
  await cy.close();
});

test('what was typed stays, what is wrong is said beside it, and then it works', async () => {
  const di = await browser.customer();
  const { page } = di;
  await page.goto(t.url);
  await page.fill('#email', 'di@nodot');
  await page.fill('#name', 'Dí "D" <b>');
  await page.click('text=Continue to payment');
  await page.waitForSelector('#problems');
  assert.equal(await page.evaluate('document.activeElement.id'), 'problems');
  assert.equal(await page.inputValue('#name'), 'Dí "D" <b>');
  await page.click('#problems a');
  assert.equal(await page.evaluate('document.activeElement.id'), 'email', 'the summary leads to the field');
  assert.equal(await page.getAttribute('#email', 'aria-invalid'), 'true');

  await page.fill('#email', 'di@gmial.com');
  await page.click('text=Continue to payment');
  await page.waitForSelector('#email-question');
  assert.equal(await page.inputValue('#email'), 'di@gmial.com', 'questioned, not changed');
  await page.click('text=Continue to payment');
  await page.waitForURL(/\/pay\//);
  await page.goBack();
  assert.equal(await page.inputValue('#email'), 'di@gmial.com', '"Back" shows the form, not an error of the browser');
  await page.goto(t.url);
  assert.match(await page.innerText('main'), /You started paying for this plan/);
  await page.click('text=See that payment');
  await di.headingBecomes('You left before paying.');
  await page.click('text=Continue to payment');
  await page.waitForURL(/\/pay\//);
  await di.pay('4000000000000002');
  await page.waitForSelector('[role=alert]');
  await page.click('text=Back to the shop without paying');
  await di.headingBecomes('Your bank did not approve the card.');
  await page.click('text=Try again or use another card');
  await page.waitForURL(/\/pay\//);
  await di.pay();
  await di.headingBecomes('You have access.');
  await di.close();
});

test('by keyboard alone', async () => {
  const ed = await browser.customer();
  const { page } = ed;
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  const focused = () => page.evaluate('document.activeElement.id || document.activeElement.textContent.trim()');
  const tabTo = async (name) => {
    for (let i = 0; i < 30 && await focused() !== name; i += 1) await press('Tab');
    assert.equal(await focused(), name);
  };
  await page.goto(t.url);
  await press('Tab');
  assert.equal(await focused(), 'Skip to content');
  await press('Enter', 'Tab');
  assert.equal(await focused(), 'email', 'the skip link skips');
  await page.keyboard.type('keys@example.com');
  await press('Enter');
  await page.waitForURL(/\/pay\//);
  await tabTo('card');
  await page.keyboard.type('4242424242424242');
  await press('Enter');
  await ed.headingBecomes('You have access.');
  await tabTo('Set your password');
  await press('Enter');
  await ed.headingBecomes('Choose a password');
  await tabTo('password');
  await page.keyboard.type(PASSWORD);
  await press('Tab', 'Space');
  assert.equal(await page.getAttribute('#password', 'type'), 'text');
  assert.equal(await page.getAttribute('[data-show]', 'aria-pressed'), 'true');
  assert.equal(await page.innerText('#password-shown'), 'Password is shown');
  await press('Tab', 'Enter');
  await ed.headingBecomes('Your password is saved.');
  await ed.close();
});

test('a policy that holds: nothing inline runs, nobody else is asked', async () => {
  const flo = await browser.customer();
  const { page } = flo;
  await page.goto(t.url);
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.body.append(script);
    const picture = document.createElement('img');
    picture.src = 'http://127.0.0.2/picture.png';
    document.body.append(picture);
  });
  await t.until(() => flo.complaints.length >= 2);
  assert.equal(await page.evaluate('"ran" in window'), false);
  assert.match(flo.complaints.join(), /script-src.*img-src/s);
  await flo.close();
});

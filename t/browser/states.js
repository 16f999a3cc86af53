/*
 * states.js - every page that a customer can meet, in every state it has.
 *
 * Each is reached as people reach it: with orders that really stand so, at a
 * shop with a provider. pages.t looks at all of them, t/screenshots draws them.
 */
'use strict';
const past = require('../lib/past.js');

const PASSWORD = 'correct horse battery';

/* What the shop needs beyond conf/httpd.conf. */
const shop = {
  settings: { SubPayRateLimit: ['checkout 0', 'find 0', 'support 0'], SubPayLoginTries: 0, SubPayReconcileInterval: '1s' },
  httpd: `
  Alias /gold "\${SUBPAY_STATE}/site/members"
  <Location /gold>
    SetHandler none
    AuthType SubPay
    AuthName x
    Require subpay-plan gold
  </Location>
  Alias /behind.html "\${SUBPAY_SHARE}/htdocs/problem.html"
  <Location /behind.html>
    SetHandler none
  </Location>`,
};

class World {
  constructor(t) {
    this.t = t;
    this.people = 0;
  }

  address(name) {
    this.people += 1;
    return `${name}${this.people}@example.com`;
  }

  /* Somebody who has started or done something. -> what t.buy() gives */
  async buyer(name, options) {
    return this.t.buy('annual', this.address(name), { name: 'Ana Example', ...options });
  }

  async paid(name) {
    const bought = await this.buyer(name);
    await this.t.order(bought.reference).becomes('completed');
    return bought;
  }

  async makeMember(name) {
    const bought = await this.paid(name);
    const form = { t: new URL(bought.return_url).searchParams.get('t'), password: PASSWORD };
    await bought.browser.post('/password', { form });
    return bought;
  }

  /* The link that this address is mailed. */
  async link({ email }) {
    const before = (await this.t.mails(email)).length;
    await this.t.browser().post('/password', { form: { send: 1, email } });
    const mails = await this.t.mailsBecome(email, before + 1);
    return /http\S+\/password\?t=[0-9a-f]+/.exec(mails.at(-1).text)[0];
  }

  /* An order that was paid without us, and became `state` when we heard of it. */
  async heardLate(name, state, payment) {
    const { t } = this;
    const order = await past.order(t, this.address(name), { age_s: payment.age_s });
    await past.payment(t, order, { suffix: order.reference.replaceAll('-', ''), ...payment });
    await t.order(order.reference).becomes(state, { within: 10_000 });
    const browser = t.browser();
    browser.keepCookies(new URL(t.url), [`subpay_order=${order.token}; Path=/`]);
    return { ...order, browser, return_url: `${t.url}/return?t=${order.token}&r=${order.reference}` };
  }

  /* An order whose money the bank only holds; nothing takes it. */
  async held(name, state, amount = 24900) {
    const { t } = this;
    const order = await past.order(t, this.address(name));
    const intent = await t.stripe.paymentIntents.create({ amount, currency: 'usd', confirm: true,
      capture_method: 'manual', payment_method: 'pm_card_visa', metadata: order.metadata });
    await t.order(order.reference).becomes(state, { within: 10_000 });
    const browser = t.browser();
    browser.keepCookies(new URL(t.url), [`subpay_order=${order.token}; Path=/`]);
    return { ...order, intent, browser, return_url: `${t.url}/return?t=${order.token}&r=${order.reference}` };
  }

  /* Back from paying, without an answer of the provider about this order for good. */
  async unanswered(name) {
    const bought = await this.buyer(name, { pay: false });
    const session = await this.session(bought);
    await this.t.sandbox.fault({ on: `GET /v1/checkout/sessions/${session.id}`, do: 'status', status: 500, times: 'always' });
    return { ...bought, return_url: session.success_url.replace('{CHECKOUT_SESSION_ID}', session.id) };
  }

  pause(on) {
    return this.t.sql("select subpay.checkout_pause($1, 'ana', 'to show it')", [on]);
  }

  async session({ reference }) {
    const { data } = await this.t.stripe.checkout.sessions.list({ limit: 100 });
    return data.find(({ metadata }) => metadata.subpay_reference === reference);
  }

  async intent({ reference }) {
    const { data } = await this.t.stripe.paymentIntents.list({ limit: 100 });
    return data.find(({ metadata }) => metadata.subpay_reference === reference);
  }
}

/* The ways back of orders that stand so, made once. */
async function prepare(t) {
  const world = new World(t);
  const { sandbox } = t;
  world.started = await world.buyer('started', { pay: false });
  world.cancelUrl = (await world.session(world.started)).cancel_url;

  world.silent = await world.unanswered('silent');
  world.handed = await world.unanswered('handed'); /* ten minutes later a person has it */
  await world.handed.browser.get(world.handed.return_url);
  await t.sql('update subpay.checkings set next_at = now()');
  await t.until(() => t.value("select 1 from subpay.tickets where kind = 'checking'"), { within: 20_000 });

  world.fresh = await world.paid('fresh');
  world.late = await world.heardLate('late', 'completed', { age_s: 28 * 60 });
  world.review = await world.heardLate('review', 'review', { amount: 24899 });
  world.bank = await world.buyer('bank', { card: 'delayed' });

  await sandbox.fault({ on: 'POST /v1/payment_intents/*/capture', do: 'status', status: 503, times: 'always' });
  t.allowLog('SP0352');
  world.reserved = await world.held('reserved', 'completed');
  world.weighed = await world.held('weighed', 'review', 24901);
  world.released = await world.held('released', 'completed');
  await t.stripe.paymentIntents.cancel(world.released.intent.id);
  await t.order(world.released.reference).becomes('refunded', { within: 10_000 });

  world.declined = await world.buyer('declined', { card: '4000000000000002' });
  world.bounced = await world.buyer('bounced', { card: 'delayed' });
  const { id } = await world.intent(world.bounced);
  await sandbox.control('POST', `payments/${id}/settle`, { outcome: 'failed' });
  await t.order(world.bounced.reference).becomes('failed');

  world.expired = await world.buyer('expired', { pay: false });
  await t.stripe.checkout.sessions.expire((await world.session(world.expired)).id);
  await t.order(world.expired.reference).becomes('expired');
  world.refunded = await world.paid('refunded');
  const { payment_id } = await t.order(world.refunded.reference).row;
  await t.stripe.refunds.create({ payment_intent: payment_id });
  await t.order(world.refunded.reference).becomes('refunded');

  world.member = await world.makeMember('member');
  world.lapsed = await world.makeMember('lapsed');
  await t.sql(`update subscriptions set starts_at = now() - interval '2 y', expires_at = now() - interval '1 d'
    where order_id = (select id from orders where reference = $1)`, [world.lapsed.reference]);
  return world;
}

/* Fill in the form that goes to this address, also with what the browser would refuse. */
async function send(page, fields, action) {
  await page.evaluate(() => document.querySelectorAll('form').forEach((form) => { form.noValidate = true; }));
  await page.evaluate(() => document.querySelectorAll('details').forEach((one) => { one.open = true; }));
  for (const [id, text] of Object.entries(fields)) await page.fill(`#${id}`, text);
  await page.click(`form[action$="/${action}"] button:not([type=button])`);
  await page.waitForLoadState();
}

const at = (path) => ({ page }, { t }) => page.goto(t.url + path);
const back = (whose, more = '') => ({ page }, world) => page.goto(world[whose].return_url + more);
const typed = (path, fields, action) => async ({ page }, { t }) => {
  await page.goto(t.url + path);
  await send(page, fields, action);
};

/* While support has paused checkout; it goes on as soon as the page is there. */
function pausedAt(customer, world) { return pausedWith(customer, world); }
pausedAt.with = (email) => (customer, world) => pausedWith(customer, world, email);

async function pausedWith(customer, world, email) {
  const { page } = customer;
  await world.pause(true);
  try {
    await page.goto(world.t.url);
    if (!email) return;
    customer.complaints.length = 0; /* the page before was a 503, as it should be */
    await send(page, { email }, 'notify');
  } finally {
    await world.pause(false);
  }
}

/* Somebody new each time, for what can be done only once. */
const anew = (make, go) => async (customer, world) => {
  const made = await make(world);
  await customer.takeCookies(made.browser);
  await go(customer, world, made);
};

/*
 * name: {heading, title, as, go, money, focus}
 * as     whose cookies; nobody's when absent
 * money  the money line, where the page speaks of money
 * focus  what has the focus when the page is there
 */
const states = {
  plans: { heading: 'Get Demo Shop', title: 'Plans', go: at('/') },
  'plans-started': {
    as: 'started', heading: 'Get Demo Shop', title: 'You already started', go: at('/'),
    money: 'No payment has reached us so far.',
  },
  'plans-again': { as: 'expired', heading: 'Get Demo Shop', go: at('/'), money: 'You have not been charged.' },
  'checkout-problem': {
    heading: 'Checkout', title: 'Error: ', focus: 'problems',
    go: typed('/', { email: 'ana@', name: 'Zoé <b>' }, 'checkout'),
  },
  'checkout-slip': { heading: 'Checkout', go: typed('/', { email: 'ana@gmial.com' }, 'checkout') },
  paused: {
    heading: 'We have paused new payments for now.', title: 'Paused', money: 'You have not been charged.',
    async go(customer, world) {
      await world.t.sandbox.fault({ on: 'POST /v1/checkout/sessions', do: 'status', status: 401 });
      await typed('/', { email: 'paused@example.com' }, 'checkout')(customer, world);
    },
  },
  'paused-form': {
    heading: 'We have paused new payments for now.', title: 'Paused', money: 'You have not been charged.', go: pausedAt,
  },
  'paused-problem': {
    heading: 'We have paused new payments for now.', title: 'Error: Paused', money: 'You have not been charged.',
    focus: 'problems', go: pausedAt.with('ana@'),
  },
  'paused-saved': {
    heading: 'We have paused new payments for now.', title: 'Paused', money: 'You have not been charged.',
    go: pausedAt.with('waits@example.com'),
  },
  confirming: {
    as: 'silent', heading: 'Confirming your payment.', title: 'Checking: ', go: back('silent'),
    money: 'We are checking with Stripe whether your payment went through. Please do not pay again.',
  },
  late: {
    as: 'silent', heading: 'This is taking longer than it should.', title: 'Still checking: ',
    money: 'We are checking with Stripe whether your payment went through. Please do not pay again.',
    go: (customer, world) => back('silent', `&w=${Math.floor(Date.now() / 1000) - 45}`)(customer, world),
  },
  'late-handed-over': {
    as: 'handed', heading: 'This is taking longer than it should.', title: 'Still checking: ',
    money: 'We are checking with Stripe whether your payment went through. Please do not pay again.',
    go: (customer, world) => back('handed', `&w=${Math.floor(Date.now() / 1000) - 700}`)(customer, world),
  },
  processing: {
    as: 'bank', heading: 'Your bank is sending the payment.', title: 'On its way: ', go: back('bank'),
    money: 'We are checking with Stripe whether your payment went through. Please do not pay again.',
  },
  success: {
    as: 'fresh', heading: 'You have access.', title: 'Paid: ', go: back('fresh'),
    money: 'We received your payment of 249.00 USD.',
  },
  reserved: {
    as: 'reserved', heading: 'You have access.', title: 'Access open: ', go: back('reserved'),
    money: 'Your bank has reserved 249.00 USD for us. It is taken only once you have access.',
  },
  'review-reserved': {
    as: 'weighed', heading: 'A person looks at one detail.', title: 'Being looked at: ', go: back('weighed'),
    money: 'Your bank has reserved 249.01 USD for us. It is taken only once you have access.',
  },
  released: {
    as: 'released', heading: 'Nothing was charged.', title: 'Not charged: ', go: back('released'),
    money: 'You have not been charged. Your bank may show 249.00 USD as pending. '
      + 'That is a reservation; it goes away by itself, usually within days.',
  },
  'success-late': {
    as: 'late', heading: 'You have access.', title: 'Paid: ', go: back('late'),
    money: 'We received your payment of 249.00 USD.',
  },
  'success-elsewhere': {
    heading: 'You have access.', title: 'Paid: ', go: back('fresh'),
    money: 'We received your payment of 249.00 USD.',
  },
  'success-password': { /* comes back to a receipt */
    as: 'member', heading: 'You have access.', title: 'Paid: ', go: back('member'),
    money: 'We received your payment of 249.00 USD.',
  },
  'success-address-problem': {
    as: 'fresh', heading: 'You have access.', title: 'Error: ', focus: 'problems',
    money: 'We received your payment of 249.00 USD.',
    async go({ page }, world) {
      await page.goto(world.fresh.return_url);
      await send(page, { email: 'ana@' }, 'email');
    },
  },
  review: {
    as: 'review', heading: 'Your payment is here; a person looks at one detail.', title: 'Paid, being looked at',
    money: 'We received your payment of 248.99 USD.', go: back('review'),
  },
  declined: {
    as: 'bounced', heading: 'Your bank did not approve the card.', title: 'Not charged', go: back('bounced'),
    money: 'You have not been charged. Your bank may show 249.00 USD as pending. '
      + 'That is a reservation; it goes away by itself, usually within days.',
  },
  cancelled: {
    as: 'started', heading: 'You left before paying.', title: 'Not paid', money: 'No payment has reached us so far.',
    go: ({ page }, world) => page.goto(world.cancelUrl),
  },
  expired: {
    as: 'expired', heading: 'This payment page has expired.', title: 'Not charged', money: 'You have not been charged.',
    go: async ({ page }, world) => page.goto((await world.session(world.expired)).cancel_url),
  },
  refunded: {
    as: 'refunded', heading: 'Your money is on its way back.', title: 'Sent back', go: back('refunded'),
    money: 'We have sent 249.00 USD back to your card. Banks usually show it in 5 to 10 working days.',
  },
  problem: {
    heading: 'Something broke on our side. Sorry.', title: 'Something broke',
    go: ({ page }, world) => page.goto(`${world.t.url}/problem?r=${world.fresh.reference}`),
  },
  'problem-behind': {
    heading: 'Something broke on our side. Sorry.', title: 'Something broke', go: at('/behind.html'), bare: true,
  },
  offline: { heading: 'We cannot reach our server from here.', title: 'Not reachable', go: at('/offline') },
  'not-found': { heading: 'There is no page at this address.', title: 'Not found', go: at('/nowhere') },
  'wrong-way': { heading: 'This address only takes a form', go: at('/checkout') },
  find: { heading: 'Charged, but no access?', go: at('/find') },
  'find-problem': {
    heading: 'Charged, but no access?', title: 'Error: ', focus: 'problems',
    go: typed('/find', { reference: 'SP-1', last4: '12' }, 'find'),
  },
  'find-sent': {
    heading: 'Thank you.', title: 'Looking',
    go: typed('/find', { email: 'nobody@example.com' }, 'find'),
  },
  'find-found': {
    heading: 'Found it.', title: 'Found', money: 'We received your payment of 249.00 USD.',
    go: anew((world) => world.paid('found'), async ({ page }, { t }, { email }) => {
      await page.goto(`${t.url}/find`);
      await send(page, { email }, 'find');
    }),
  },
  support: { heading: 'Write to Ana and Sam', go: at('/support') },
  'support-known': {
    as: 'started', heading: 'Write to Ana and Sam',
    money: 'We are checking with Stripe whether your payment went through. Please do not pay again.',
    go: ({ page }, world) => page.goto(`${world.t.url}/support?r=${world.started.reference}`),
  },
  'support-paid': {
    as: 'fresh', heading: 'Write to Ana and Sam', money: 'We received your payment of 249.00 USD.', go: at('/support'),
  },
  'support-problem': {
    heading: 'Write to Ana and Sam', title: 'Error: ', focus: 'problems',
    go: typed('/support', { email: 'ana@', message: 'I paid and see nothing.' }, 'support'),
  },
  'support-sent': {
    heading: 'Ana and Sam have your message.', title: 'Sent',
    go: typed('/support', { email: 'writes@example.com', message: 'I paid and see nothing.' }, 'support'),
  },
  'support-fixed': {
    heading: 'Found it.', title: 'Found', money: 'We received your payment of 249.00 USD.',
    go: anew((world) => world.paid('fixed'), async ({ page }, { t }, { email }) => {
      await page.goto(`${t.url}/support`);
      await send(page, { email, message: 'I paid and see nothing.' }, 'support');
    }),
  },
  'password-choose': {
    heading: 'Choose a password', title: 'Choose a password',
    go: anew((world) => world.paid('link'), async ({ page }, world, made) => page.goto(await world.link(made))),
  },
  'password-problem': {
    heading: 'Choose a password', title: 'Error: ', focus: 'problems',
    go: anew((world) => world.paid('weak'), async ({ page }, { t }, { return_url }) => {
      await page.goto(`${t.url}/password?t=${new URL(return_url).searchParams.get('t')}`);
      await send(page, { password: 'password' }, 'password');
    }),
  },
  'password-done': {
    heading: 'Your password is saved.', title: 'Done',
    go: anew((world) => world.paid('done'), async ({ page }, { t }, { return_url }) => {
      await page.goto(`${t.url}/password?t=${new URL(return_url).searchParams.get('t')}`);
      await send(page, { password: PASSWORD }, 'password');
    }),
  },
  'password-expired': {
    heading: 'This link has expired.', title: 'Expired', go: at(`/password?t=${'0'.repeat(32)}`),
  },
  'password-ask': { heading: 'Set or change your password', go: at('/password') },
  'password-ask-problem': {
    heading: 'Set or change your password', title: 'Error: ', focus: 'problems',
    go: typed('/password', { email: 'ana@' }, 'password'),
  },
  'password-sent': {
    heading: 'Look in your e-mail.', title: 'Sent',
    go: typed('/password', { email: 'nobody@example.com' }, 'password'),
  },
  login: { heading: 'Log in', title: 'Log in', go: at('/members/') },
  'login-problem': {
    heading: 'Log in', title: 'Error: ', focus: 'problems',
    go: typed('/login', { email: 'nobody@example.com', password: 'wrong horse' }, 'login'),
  },
  'logged-out': {
    heading: 'Log in', title: 'Logged out',
    go: anew((world) => world.makeMember('out'), async ({ page }, { t }) => {
      await page.goto(`${t.url}/account`);
      await send(page, {}, 'logout');
    }),
  },
  account: { as: 'member', heading: 'Your account', title: 'Active: ', go: at('/account') },
  'account-lapsed': { as: 'lapsed', heading: 'Your account', title: 'Your account', go: at('/account') },
  lapsed: { as: 'lapsed', heading: 'Your plan has ended.', title: 'Ended', go: at('/members/') },
  'lapsed-never': { as: 'member', heading: 'This page belongs to a plan you do not have.', title: 'No plan', go: at('/gold/') },
};

/* Bring a customer to a state: its cookies, its way. */
async function reach(customer, world, name) {
  const { as, go } = states[name];
  await customer.takeCookies(as && world[as].browser);
  await go(customer, world);
}

module.exports = { shop, prepare, states, reach };

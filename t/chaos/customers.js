/*
 * customers.js - what people do between the plans page and their access.
 *
 * They are patient and stubborn: whoever meets an error page, or none at all, tries
 * again, as people do. What they were shown is kept for the invariants.
 */
'use strict';
const { Browser } = require('../lib/subpay.js');

const CARD = '4242424242424242';
const DECLINED = '4000000000000002';
const CHALLENGED = '4000002760003184';
const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

class Customer {
  constructor(chaos, number, roll) {
    this.chaos = chaos;
    this.roll = roll;
    this.email = `c${number}@example.com`;
    this.form = { product: 'annual', email: this.email, name: 'Chaos', form_key: uuid(roll) };
    this.browser = new Browser(chaos.url);
    this.paid = 0; /* when the money had certainly moved, ms */
  }

  /* What a page said, and when: judged at the end. */
  note(url, asked, reply) {
    this.chaos.pages.push({
      url, asked, answered: Date.now(), text: reply.text, paid: this.paid, customer: this.email,
    });
  }

  async look(url) {
    const asked = Date.now();
    const paid = this.paid;
    try {
      const reply = await this.browser.get(url, { timeout: 15_000 });
      if (reply.status === 200) {
        this.chaos.pages.push({ url, asked, answered: Date.now(), text: reply.text, paid, customer: this.email });
      }
      return reply;
    } catch {
      return null;
    }
  }

  /* Until the page knows something, or patience ends. */
  async comeBack(url = this.return_url, times = 5) {
    for (let n = 0; n < times; n++) {
      const reply = await this.look(url);
      if (reply && /<title>(Paid|On its way|Not charged)/.test(reply.text)) return reply;
      await pause(300 + this.roll() * 700);
    }
    return null;
  }

  /* The form, sent again as long as the answer is no payment page. */
  async checkout(form = this.form, times = 12) {
    for (let n = 0; n < times; n++) {
      const reply = await this.browser.post('/checkout', { form, timeout: 15_000 }).catch(() => null);
      if (reply?.status === 303) return reply.location;
      await pause(300 + this.roll() * 900);
    }
    return null;
  }

  /* -> where the payment page leads; null where it stays */
  async card(session_url, card = CARD) {
    const reply = await new Browser(session_url).post(session_url,
      { form: { card, email: this.email, name: 'Chaos' } });
    if (reply.status !== 303) return null;
    return new URL(reply.location, session_url).href;
  }

  async pay(session_url, card = CARD) {
    const url = await this.card(session_url, card);
    if (!url) return null;
    this.paid ||= Date.now();
    this.return_url = url;
    return url;
  }

  async open() {
    this.session_url = await this.checkout();
    return Boolean(this.session_url?.includes('/pay/'));
  }
}

/* A uuid of version 4 that follows from the dice. */
function uuid(roll) {
  const hex = Array.from({ length: 32 }, () => Math.floor(roll() * 16).toString(16));
  hex[12] = '4';
  hex[16] = '8';
  return hex.join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const behaviours = {
  async buys(c) {
    if (await c.pay(c.session_url)) await c.comeBack();
  },

  async vanishes(c) {
    await c.pay(c.session_url);
  },

  async reloads(c) {
    if (!await c.pay(c.session_url)) return;
    await Promise.all(Array.from({ length: 5 }, () => c.look(c.return_url)));
    await c.comeBack();
  },

  async doubleClicks(c) {
    const again = c.checkout();
    const [url] = await Promise.all([c.pay(c.session_url), c.card(c.session_url), again]);
    if (url ?? c.return_url) await c.comeBack(url ?? c.return_url);
  },

  async comesLate(c) {
    if (!await c.pay(c.session_url)) return;
    await pause(2000 + c.roll() * 5000);
    await c.comeBack();
  },

  async declined(c) {
    await c.card(c.session_url, DECLINED);
  },

  async triesAgain(c) {
    await c.card(c.session_url, DECLINED);
    if (await c.pay(c.session_url)) await c.comeBack();
  },

  async approves(c) {
    const bank = await c.card(c.session_url, CHALLENGED);
    await pause(c.roll() * 3000);
    const reply = await new Browser(bank).post(bank, { form: { outcome: 'approve' } });
    if (reply.status !== 303) return;
    c.paid = Date.now();
    c.return_url = reply.location;
    await c.comeBack();
  },

  async abandons(c) {
    await c.card(c.session_url, CHALLENGED);
  },

  async waits(c) {
    await delayed(c, 'succeeded');
  },

  async waitsInVain(c) {
    await delayed(c, 'failed');
  },

  async wavers(c) {
    const session = await c.chaos.session(c.session_url);
    await c.look(session.cancel_url);
    await pause(c.roll() * 1500);
    if (await c.pay(c.session_url)) await c.comeBack();
  },

  async sendsAgain(c) {
    if (!await c.pay(c.session_url)) return;
    const asked = Date.now();
    const reply = await c.browser.post('/checkout', { form: c.form, timeout: 15_000 }).catch(() => null);
    if (reply && reply.status !== 303) c.note(c.return_url, asked, reply);
    await c.comeBack();
  },

  async buysTwice(c) {
    const other = await c.checkout({ ...c.form, form_key: uuid(c.roll) });
    await c.pay(c.session_url);
    if (other?.includes('/pay/')) await c.card(other);
    if (c.return_url) await c.comeBack();
  },

  async asks(c) {
    if (!await c.pay(c.session_url)) return;
    await pause(c.roll() * 2000);
    await c.browser.post('/find', { form: { email: c.email }, timeout: 15_000 }).catch(() => null);
  },
};

/* A bank debit: accepted now, and decided some seconds later. */
async function delayed(c, outcome) {
  const url = await c.card(c.session_url, 'delayed');
  if (!url) return;
  await c.look(url);
  await pause(500 + c.roll() * 4000);
  const { payment_intent } = await c.chaos.session(c.session_url);
  await c.chaos.t.sandbox.control('POST', `payments/${payment_intent}/settle`, { outcome });
  if (outcome === 'succeeded') c.paid = Date.now();
  await c.comeBack(url);
}

/* -> what became of it, for the history */
async function visit(chaos, number, kind, roll) {
  const c = new Customer(chaos, number, roll);
  const begun = Date.now();
  if (kind === 'doubleClicks') {
    const [first, second] = await Promise.all([c.checkout(), c.checkout()]);
    c.session_url = first ?? second;
    if (first && second && first !== second && /\/pay\//.test(first) && /\/pay\//.test(second)) {
      chaos.wrong.push(`I9 ${c.email}: one form sent twice opened two payment pages`);
    }
  }
  if (c.session_url?.includes('/pay/') || await c.open()) {
    await behaviours[kind](c);
  }
  return { number, kind, opened: Boolean(c.session_url), paid: Boolean(c.paid), took: Date.now() - begun };
}

module.exports = { visit, behaviours };

/*
 * creem.js - a stand-in for Creem: one class, one server. README.md says how to use it.
 */
'use strict';
const crypto = require('node:crypto');
const http = require('node:http');

const MONTHS = { 'every-month': 1, 'every-three-months': 3, 'every-six-months': 6, 'every-year': 12 };
const id = (prefix) => `${prefix}_${crypto.randomBytes(9).toString('hex')}`;
const json = (status, body) => ({ status, type: 'application/json', body: JSON.stringify(body) });
const problem = (status, error) =>
  json(status, { trace_id: crypto.randomUUID(), status, error, message: [error], timestamp: Date.now() });
const page = (status, title) =>
  ({ status, type: 'text/html', body: `<!doctype html><title>${title}</title><h1>${title}</h1>` });

async function read(request) {
  let text = '';
  for await (const part of request) text += part;
  return text;
}

class Creem {
  constructor({ key, secret, webhook, tax = 0 }) {
    Object.assign(this, { key, secret, webhook, tax });
    this.products = new Map();
    this.checkouts = new Map();
    this.transactions = [];
    this.subscriptions = new Map();
    this.first = ['checkout.completed', 'subscription.active', 'subscription.paid'];
    this.customers = new Map();
    this.refunds = [];
    this.requests = []; /* "POST /v1/checkouts" */
    this.deliver = true;
    this.held = [];
    this.lose = 0;
    this.drop = 0;
  }

  async start() {
    this.server = http.createServer((request, response) => {
      this.answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
    });
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    this.server.unref();
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  product({ id: product, price, currency, billing_period = 'once' }) {
    this.products.set(product, { id: product, object: 'product', mode: 'test', name: product, price, currency,
      billing_type: billing_period === 'once' ? 'onetime' : 'recurring', billing_period, status: 'active' });
  }

  async answer(request, response) {
    const url = new URL(request.url, this.url);
    const body = await read(request);
    const reply = url.pathname.startsWith('/pay/')
      ? await this.hosted(request.method, url.pathname.slice(5), new URLSearchParams(body))
      : this.api(request, url, body);
    if (!reply) {
      request.socket.destroy();
      return;
    }
    response.writeHead(reply.status, { 'Content-Type': reply.type ?? 'text/plain', ...reply.headers });
    response.end(reply.body ?? '');
  }

  /* ---- the API ---------------------------------------------------------------------- */

  api(request, url, body) {
    const what = `${request.method} ${url.pathname}`;
    this.requests.push(what);
    if (request.headers['x-api-key'] !== this.key) return problem(403, 'Forbidden');
    const query = Object.fromEntries(url.searchParams);
    const input = body ? JSON.parse(body) : {};
    const calls = {
      'GET /v1/products': () => this.found(this.products.get(query.product_id)),
      'GET /v1/checkouts': () => this.found(this.checkoutOf(query.checkout_id)),
      'POST /v1/checkouts': () => this.open(input),
      'GET /v1/transactions': () => this.found(this.transactions.find((one) => one.id === query.transaction_id)),
      'GET /v1/transactions/search': () => this.search(query),
      'GET /v1/customers': () => this.found(this.customers.get(query.email)),
      'POST /v1/refunds': () => this.refund(input),
      'GET /v1/subscriptions': () => this.found(this.subscriptions.get(query.subscription_id)),
    };
    const [, asked, change] = url.pathname.match(/^\/v1\/subscriptions\/(\w+)\/(cancel|resume)$/) ?? [];
    if (asked && request.method === 'POST') return this.changed(this.subscriptions.get(asked), change, input);
    return calls[what] ? calls[what]() : problem(404, 'Not Found');
  }

  found(thing) {
    return thing ? json(200, thing) : problem(404, 'Not Found');
  }

  checkoutOf(checkout) {
    const { paid_url, ...shown } = this.checkouts.get(checkout) ?? {};
    return shown.id && shown;
  }

  open({ product_id, request_id, customer, success_url, metadata }) {
    if (!this.products.has(product_id)) return problem(404, 'Not Found');
    const checkout = { id: id('ch'), object: 'checkout', mode: 'test', status: 'pending', product: product_id,
      request_id, metadata, customer: null, paid_url: success_url, email: customer?.email };
    checkout.checkout_url = `${this.url}/pay/${checkout.id}`;
    this.checkouts.set(checkout.id, checkout);
    if (this.lose > 0) {
      this.lose--;
      return null;
    }
    return json(200, this.checkoutOf(checkout.id));
  }

  search({ order_id, customer_id, page_number = 1, page_size = 10 }) {
    const all = this.transactions.filter((one) =>
      (!order_id || one.order === order_id) && (!customer_id || one.customer === customer_id));
    const from = (page_number - 1) * page_size;
    const items = all.slice(from, from + Number(page_size));
    const more = from + items.length < all.length;
    return json(200, { items, pagination: { total_records: all.length, current_page: Number(page_number),
      next_page: more ? Number(page_number) + 1 : null } });
  }

  /* All that remains, as the newer documents say. */
  refund({ transaction_id }) {
    const transaction = this.transactions.find((one) => one.id === transaction_id);
    if (!transaction) return problem(404, 'Not Found');
    const left = transaction.amount_paid - transaction.refunded_amount;
    if (left <= 0) return problem(400, 'Bad Request');
    return json(200, this.giveBack(transaction, left));
  }

  /* As from the dashboard, where a part is possible too. */
  giveBack(transaction, amount) {
    transaction.refunded_amount += amount;
    transaction.status = transaction.refunded_amount < transaction.amount_paid ? 'partialRefund' : 'refunded';
    const refund = { id: id('ref'), object: 'refund', mode: 'test', status: 'succeeded', refund_amount: amount,
      refund_currency: transaction.currency, reason: 'requested_by_customer' };
    this.refunds.push(refund);
    const checkout = [...this.checkouts.values()].find((one) => one.order?.id === transaction.order) ?? {};
    this.event('refund.created', { ...refund, transaction: { ...transaction }, order: checkout.order,
      checkout: checkout.id && { id: checkout.id, mode: 'test', request_id: checkout.request_id, metadata: checkout.metadata } });
    return refund;
  }

  dispute(transaction) {
    transaction.status = 'chargedBack';
    this.event('dispute.created', { id: id('disp'), object: 'dispute', mode: 'test',
      amount: transaction.amount_paid, currency: transaction.currency, transaction: { ...transaction } });
  }

  /* ---- the hosted page ---------------------------------------------------------------- */

  async hosted(method, name, form) {
    const checkout = this.checkouts.get(name);
    if (!checkout) return page(404, 'No such page');
    if (method !== 'POST') return page(200, 'Pay');
    if (checkout.status !== 'pending') return page(409, 'This page is closed');
    if (form.get('card') === '4000000000000002') return page(402, 'Your card was declined');
    await this.pay(checkout, form.get('email') ?? checkout.email);
    const back = new URL(checkout.paid_url);
    back.searchParams.set('checkout_id', checkout.id);
    back.searchParams.set('order_id', checkout.order.id);
    back.searchParams.set('request_id', checkout.request_id);
    return { status: 303, headers: { Location: String(back) } };
  }

  customerOf(email) {
    if (!this.customers.has(email)) {
      this.customers.set(email, { id: id('cust'), object: 'customer', mode: 'test', email, name: 'Ana Example' });
    }
    return this.customers.get(email);
  }

  /* With exclusive tax the customer pays more than the product's price. */
  async pay(checkout, email) {
    const product = this.products.get(checkout.product);
    const customer = this.customerOf(email);
    const { price, currency } = product;
    const sums = { amount: price, sub_total: price, tax_amount: this.tax, discount_amount: 0, amount_due: 0,
      amount_paid: price + this.tax, currency };
    const now = new Date().toISOString();
    const order = { id: id('ord'), object: 'order', mode: 'test', status: 'paid', type: 'onetime', ...sums,
      product: product.id, customer: customer.id, created_at: now, updated_at: now };
    const transaction = { id: id('tran'), object: 'transaction', mode: 'test', status: 'paid', ...sums,
      refunded_amount: 0, order: order.id, customer: customer.id, created_at: Date.now() };
    this.transactions.push(transaction);
    Object.assign(checkout, { status: 'completed', customer, product, order: { ...order, transaction: transaction.id } });
    if (product.billing_type === 'recurring') {
      order.type = 'recurring';
      await this.subscribe(checkout, transaction);
    } else {
      await this.event('checkout.completed', this.checkoutOf(checkout.id));
    }
    return transaction;
  }

  /* ---- subscriptions ------------------------------------------------------------------- */

  /* The checkout names its subscription only; the events come as this.first says. */
  async subscribe(checkout, transaction) {
    const now = new Date();
    const subscription = { id: id('sub'), object: 'subscription', mode: 'test', status: 'active',
      product: checkout.product, customer: checkout.customer, collection_method: 'charge_automatically',
      metadata: checkout.metadata, canceled_at: null, created_at: now.toISOString() };
    this.subscriptions.set(subscription.id, subscription);
    checkout.subscription = subscription.id;
    this.period(subscription, transaction, now);
    for (const type of this.first) {
      await this.event(type, type === 'checkout.completed' ? this.checkoutOf(checkout.id) : subscription);
    }
  }

  /* The transaction pays for the period that begins then. */
  period(subscription, transaction, start) {
    const end = this.advance(subscription, start);
    Object.assign(transaction, { type: 'invoice', subscription: subscription.id,
      period_start: start.getTime(), period_end: end.getTime() });
    Object.assign(subscription, { status: 'active', last_transaction_id: transaction.id,
      last_transaction_date: new Date().toISOString() });
  }

  advance(subscription, start) {
    const end = new Date(start);
    end.setUTCMonth(end.getUTCMonth() + MONTHS[subscription.product.billing_period]);
    Object.assign(subscription, { next_transaction_date: end.toISOString(),
      current_period_start_date: start.toISOString(), current_period_end_date: end.toISOString() });
    return end;
  }

  /* The present period is over: the next one is paid, or the card is declined. */
  async renew(subscription, outcome = 'paid') {
    const { product, customer } = subscription;
    const sums = { amount: product.price, sub_total: product.price, tax_amount: this.tax, discount_amount: 0,
      amount_paid: outcome === 'paid' ? product.price + this.tax : 0, currency: product.currency };
    const transaction = { id: id('tran'), object: 'transaction', mode: 'test', ...sums, refunded_amount: 0,
      status: outcome === 'paid' ? 'paid' : 'declined', order: id('ord'), customer: customer.id,
      subscription: subscription.id, created_at: Date.now() };
    this.transactions.push(transaction);
    const { current_period_start_date, current_period_end_date } = subscription;
    const start = new Date(subscription.status === 'past_due' ? current_period_start_date : current_period_end_date);
    if (outcome === 'paid') {
      this.period(subscription, transaction, start);
      await this.event('subscription.paid', subscription);
    } else {
      this.advance(subscription, start);
      subscription.status = 'past_due';
      await this.event('subscription.past_due', subscription);
    }
    return transaction;
  }

  /* As over the API, so at Creem's own portal. */
  change(subscription, what, input = {}) {
    if (!subscription) return problem(404, 'Not Found');
    const before = subscription.status;
    if (before === 'canceled' || (before === 'scheduled_cancel') === (what === 'cancel')) return problem(400, 'Bad Request');
    const at_once = what === 'cancel' && input.mode !== 'scheduled';
    subscription.status = what === 'resume' ? 'active' : at_once ? 'canceled' : 'scheduled_cancel';
    if (at_once) subscription.canceled_at = new Date().toISOString();
    this.event(what === 'resume' ? 'subscription.update' : `subscription.${subscription.status}`, subscription);
    return json(200, subscription);
  }

  /* Over the API; its answer may get lost. */
  changed(subscription, what, input) {
    const reply = this.change(subscription, what, input);
    if (this.drop === 0) return reply;
    this.drop--;
    return null;
  }

  /* ---- webhooks ------------------------------------------------------------------------- */

  sign(body) {
    return crypto.createHmac('sha256', this.secret).update(body).digest('hex');
  }

  async event(eventType, object) {
    const body = JSON.stringify({ id: id('evt'), eventType, created_at: Date.now(), object });
    if (!this.deliver) {
      this.held.push(body);
      return undefined;
    }
    return this.send(body);
  }

  /* The status of what it answers; 0 for none. */
  async send(body, signature = this.sign(body)) {
    this.last = body;
    const headers = { 'Content-Type': 'application/json', 'creem-signature': signature };
    try {
      const reply = await fetch(this.webhook, { method: 'POST', headers, body });
      await reply.arrayBuffer();
      return reply.status;
    } catch {
      return 0;
    }
  }

  async release() {
    this.deliver = true;
    for (const body of this.held.splice(0)) await this.send(body);
  }
}

module.exports = { Creem };

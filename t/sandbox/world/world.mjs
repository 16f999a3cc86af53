/*
 * world.mjs - the one account that the sandbox plays: its tables, clock and deliveries.
 */

import { webhookEndpoint } from '../objects/account.mjs';
import { Faults } from '../http/faults.mjs';
import { Clock } from './clock.mjs';
import { Delivery } from './delivery.mjs';
import { Journal } from './journal.mjs';
import { Store } from './store.mjs';
import { addBatch } from './batch.mjs';
import { expire } from './checkout.mjs';
import { closeDispute } from './disputes.mjs';
import { newId, randomText } from './ids.mjs';
import { chargeSettled, holdEnds } from './payments.mjs';
import { refundLater } from './refunds.mjs';
import { endSubscription } from './subscriptions.mjs';

export class World {
  batches = [];
  request = null; /* the API request being served: its events name it */

  /** @param options  see sandbox.mjs */
  constructor(options) {
    this.options = options;
    this.livemode = /^(sk|rk)_live_/.test(options.key);
    this.store = new Store(options.state ? new Journal(options.state) : null);
    this.#makeTables();
    this.faults = new Faults();
    this.clock = new Clock(this.store);
    this.delivery = new Delivery(this);
    this.#makeJobs();
  }

  #makeTables() {
    const { store } = this;
    const by = (...names) => Object.fromEntries(names.map((name) => [name, (o) => o[name]]));
    this.sessions = store.table('session', { ...by('payment_intent', 'customer', 'subscription'),
      email: (o) => o.customer_details?.email });
    this.intents = store.table('intent', by('customer'));
    this.charges = store.table('charge', by('payment_intent', 'customer'));
    this.methods = store.table('method', by('customer'));
    this.customers = store.table('customer', by('email'));
    this.refunds = store.table('refund', by('charge', 'payment_intent'));
    this.disputes = store.table('dispute', by('charge', 'payment_intent'));
    this.warnings = store.table('warning', by('charge', 'payment_intent'));
    this.transactions = store.table('transaction', by('source'));
    this.subscriptions = store.table('subscription', by('customer'));
    this.invoices = store.table('invoice', { ...by('customer'),
      subscription: (o) => o.parent?.subscription_details?.subscription });
    this.invoicePayments = store.table('invoice_payment', { ...by('invoice'),
      intent: (o) => o.payment.payment_intent });
    this.prices = store.table('price', by('product'));
    this.products = store.table('product');
    this.clocks = store.table('clock');
    this.events = store.table('event');
    this.deliveries = store.table('delivery', by('event'));
    this.endpoints = store.table('endpoint');
    this.keys = store.table('key');
    this.mail = store.table('mail');
    this.settings = store.table('setting');
  }

  #makeJobs() {
    this.clock.on('charge_settled', (job) => chargeSettled(this, job));
    this.clock.on('hold_ends', (job) => holdEnds(this, job));
    this.clock.on('refund_later', (job) => refundLater(this, job));
    this.clock.on('session_expires', ({ id }) => {
      const entry = this.sessions.entry(id);
      if (entry.object.status === 'open') {
        expire(this, entry);
      }
    });
    this.clock.on('dispute_decided', ({ id, status }) => (
      closeDispute(this, this.disputes.entry(id), status)));
    this.clock.on('subscription_ends', ({ id }) => {
      const entry = this.subscriptions.entry(id);
      if (entry.object.cancel_at_period_end && entry.object.status !== 'canceled') {
        endSubscription(this, entry);
      }
    });
  }

  /** Read what an earlier run left, then begin. */
  start() {
    this.store.load((batch) => addBatch(this, batch));
    this.store.compact(this.batches);
    const { webhookUrl, webhookSecret, webhookEvents } = this.options;
    if (webhookUrl) {
      this.#configureEndpoint(webhookUrl, webhookSecret, webhookEvents);
    }
    this.clock.resume();
    this.delivery.resume();
  }

  /** The endpoint of the command line: one, whatever it was called last time. */
  #configureEndpoint(url, secret, events) {
    const old = this.endpoints.all().find(({ hidden }) => hidden.configured);
    if (old) {
      Object.assign(old.object, { url, enabled_events: events });
      old.hidden.secrets = [secret];
      this.endpoints.changed(old);
      return;
    }
    this.addEndpoint({ url, enabled_events: events }, { secrets: [secret], configured: true });
  }

  /** The object of this id, whatever it is, to look at; undefined if there is none. */
  find(id) {
    return this.tableOf(id)?.peek(id);
  }

  /** Which table an id belongs to, by how it begins. */
  tableOf(id) {
    const prefix = /^[a-z]+_/.exec(id)?.[0];
    return { cs_: this.sessions, pi_: this.intents, ch_: this.charges, py_: this.charges,
      pm_: this.methods, cus_: this.customers, re_: this.refunds, pyr_: this.refunds,
      du_: this.disputes, dp_: this.disputes, issfr_: this.warnings, txn_: this.transactions,
      sub_: this.subscriptions, in_: this.invoices, inpay_: this.invoicePayments,
      price_: this.prices, prod_: this.products, clock_: this.clocks, evt_: this.events,
      we_: this.endpoints }[prefix];
  }

  addEndpoint(fields, hidden = {}) {
    return this.endpoints.insert(
      webhookEndpoint({ id: newId('we_'), created: this.clock.now(), livemode: this.livemode,
        ...fields }),
      { secrets: [`whsec_${randomText(32)}`], ...hidden });
  }

  stop() {
    this.clock.stop();
    this.delivery.stop();
    this.store.flush();
  }
}

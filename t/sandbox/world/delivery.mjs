/*
 * delivery.mjs - signed webhooks: sent in parallel, tried again, held or lost on demand.
 */

import { killAll, pause } from '../http/faults.mjs';
import { wants } from './events.mjs';
import { post } from './post.mjs';
import { sign } from './signature.mjs';

const GIVE_UP_S = 3 * 86400; /* as the provider does in live mode */

const USUAL = {
  deliver: 'on',
  parallel: 8,
  redirect_wait_ms: 10_000, /* how long the hosted page waits for our answer */
  timeout_ms: 20_000,
  retry_s: [0.5, 1, 2, 4, 8, 15, 30, 60],
  shuffle: false,
  reverse: false,
  duplicate: 1,
};

export class Delivery {
  #world;
  #queue = []; /* ids of deliveries that are due now */
  #running = 0;
  #pumping = false;
  #waiting = new Map(); /* id -> what to call after the first answer */
  #stopped = false;

  constructor(world) {
    this.#world = world;
    world.clock.on('deliver', ({ id }) => this.#due(id));
  }

  get settings() {
    return { ...USUAL, ...this.#world.settings.get('webhooks') };
  }

  change(ask) {
    const mode = ask.deliver === 'release' ? 'on' : ask.deliver;
    const settings = { ...this.settings, ...ask, deliver: mode ?? this.settings.deliver };
    this.#world.settings.put({ ...settings, id: 'webhooks' });
    if (mode === 'on') {
      this.#release();
    }
  }

  /** A new event: one delivery for each endpoint that wants it. */
  announce(entry) {
    for (const { object: endpoint } of this.#world.endpoints.all()) {
      const wanted = endpoint.status === 'enabled'
        && wants(endpoint.enabled_events, entry.object.type);
      if (wanted) {
        this.#add(entry, endpoint.id);
      }
    }
  }

  /** Send an event once more to every endpoint that it has been meant for. */
  resend(entry) {
    for (const record of this.#world.deliveries.where('event', entry.id)) {
      this.#due(record.id);
    }
  }

  #add(entry, endpoint) {
    const { deliveries, clock } = this.#world;
    entry.object.pending_webhooks += 1;
    this.#world.events.changed(entry);
    const id = deliveries.nextId('dlv_');
    deliveries.insert({ id, created: clock.now(), event: entry.id, endpoint, state: 'due',
      attempts: [] });
    this.#due(id);
  }

  #due(id) {
    this.#queue.push(id);
    this.#pump();
  }

  /** Deliveries start after the effect that caused them is complete. */
  #pump() {
    if (this.#pumping || this.#stopped) {
      return;
    }
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      while (this.#queue.length > 0 && this.#running < this.settings.parallel) {
        this.#start(this.#pick());
      }
    });
  }

  #pick() {
    const { shuffle, reverse } = this.settings;
    if (shuffle) {
      return this.#queue.splice(Math.floor(Math.random() * this.#queue.length), 1)[0];
    }
    return reverse ? this.#queue.pop() : this.#queue.shift();
  }

  #start(id) {
    const entry = this.#world.deliveries.entry(id);
    const { deliver } = this.settings;
    if (deliver !== 'on') {
      this.#mark(entry, deliver === 'hold' ? 'held' : 'lost');
      this.#answered(id);
      return;
    }
    this.#running++;
    this.#attempt(entry).finally(() => {
      this.#running--;
      this.#answered(id);
      this.#pump();
    });
  }

  #release() {
    for (const entry of this.#world.deliveries.all()) {
      if (this.#world.deliveries.read(entry).state === 'held') {
        this.#mark(entry, 'due');
        this.#due(entry.id);
      }
    }
  }

  #mark(entry, state) {
    entry.object.state = state;
    this.#world.deliveries.changed(entry);
  }

  async #attempt(entry) {
    const { endpoints, events, faults } = this.#world;
    const endpoint = endpoints.entry(entry.object.endpoint);
    const event = events.entry(entry.object.event);
    if (!endpoint || endpoint.object.status !== 'enabled') {
      this.#mark(entry, 'lost');
      return;
    }
    const rule = faults.take(`WEBHOOK ${event.object.type}`);
    const answer = await this.#send(endpoint, event, rule);
    entry.object.attempts.push({ at: this.#world.clock.now(), ...answer });
    if (answer.ok) {
      this.#delivered(entry, event);
    } else {
      this.#later(entry);
    }
  }

  async #send(endpoint, event, rule) {
    const payload = JSON.stringify({ ...event.object, api_version: endpoint.object.api_version,
      pending_webhooks: Math.max(1, event.object.pending_webhooks) }, null, 2);
    if (rule?.when === 'before' && rule.do === 'kill') {
      killAll(rule);
    }
    if (rule?.do === 'delay') {
      await pause(rule.ms);
    }
    if (rule && ['reset', 'drop_reply', 'status'].includes(rule.do)) {
      return { ok: false, error: `fault: ${rule.do}` };
    }
    const { duplicate, timeout_ms: timeoutMs } = this.settings;
    const once = () => post(endpoint.object.url, payload, {
      timeoutMs,
      signature: sign(payload, endpoint.hidden.secrets),
      cut: rule?.do === 'truncate',
    });
    const answers = await Promise.all(Array.from({ length: duplicate }, once));
    if (rule?.when === 'after' && rule.do === 'kill') {
      killAll(rule);
    }
    return answers[0];
  }

  #delivered(entry, event) {
    const first = entry.object.state !== 'delivered';
    this.#mark(entry, 'delivered');
    if (first) {
      event.object.pending_webhooks -= 1;
      this.#world.events.changed(event);
    }
  }

  #later(entry) {
    const { clock } = this.#world;
    if (entry.object.state === 'delivered') {
      return; /* a failed repeat of what had arrived already */
    }
    if (clock.now() - entry.object.created > GIVE_UP_S) {
      this.#mark(entry, 'given_up');
      return;
    }
    const { retry_s: pauses } = this.settings;
    const wait = pauses[Math.min(entry.object.attempts.length, pauses.length) - 1];
    this.#mark(entry, 'retrying');
    clock.at(clock.nowMs() + wait * 1000, 'deliver', { id: entry.id });
  }

  #answered(id) {
    this.#waiting.get(id)?.forEach((call) => call());
    this.#waiting.delete(id);
  }

  /** Resolves when each endpoint has answered, or failed, once; or at the time limit. */
  async firstAnswer(eventId) {
    const open = this.#world.deliveries.where('event', eventId)
      .filter((entry) => entry.object.state === 'due');
    const answers = open.map(({ id }) => new Promise((done) => {
      this.#waiting.set(id, [...(this.#waiting.get(id) ?? []), done]);
    }));
    let timer;
    const limit = new Promise((done) => {
      timer = setTimeout(done, this.settings.redirect_wait_ms);
    });
    await Promise.race([Promise.all(answers), limit]);
    clearTimeout(timer);
  }

  /** Take up what an earlier run had begun. */
  resume() {
    for (const entry of this.#world.deliveries.all()) {
      if (this.#world.deliveries.read(entry).state === 'due') {
        this.#due(entry.id);
      }
    }
  }

  stop() {
    this.#stopped = true;
  }
}

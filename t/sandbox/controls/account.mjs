/*
 * controls/account.mjs - events of any kind, objects of any content, the state as a whole.
 */

import { record } from '../world/events.mjs';
import { newId } from '../world/ids.mjs';
import { post } from '../world/post.mjs';
import { sign } from '../world/signature.mjs';

export const routes = [
  { method: 'GET', path: '/sandbox/events', run: listEvents },
  { method: 'POST', path: '/sandbox/events', run: emitEvent },
  { method: 'POST', path: '/sandbox/events/:id/resend', run: resend },
  { method: 'GET', path: '/sandbox/deliveries', run: listDeliveries },
  { method: 'POST', path: '/sandbox/objects/:id', run: patch },
  { method: 'DELETE', path: '/sandbox/objects/:id', run: removeObject },
  { method: 'GET', path: '/sandbox/state', run: state },
];

function listEvents(world, { query }) {
  const limit = Number(query.get('limit') ?? 1000);
  return world.events.page({ limit }).data.reverse();
}

/**
 * An event made by hand.
 *
 * {type, object | id of an object, ...} is recorded and delivered as usual;
 * {raw, url?, secret?, signature_age_s?, signature?} is only sent: bytes of any
 * kind, signed well unless told otherwise.
 */
function emitEvent(world, { ask }) {
  if (ask.raw !== undefined) {
    return sendRaw(world, ask);
  }
  const object = typeof ask.object === 'string' ? world.find(ask.object) : ask.object;
  if (typeof ask.type !== 'string' || !object) {
    throw new Error('needs "type" and "object" (an object, or the id of one), or "raw"');
  }
  const { type, previous_attributes: previous, object: given, ...fields } = ask;
  return record(world, { id: newId('evt_'), created: world.clock.now(), livemode: world.livemode,
    data: { object: structuredClone(object), ...(previous ? { previous_attributes: previous } : {}) },
    ...fields, type }).object;
}

/** Sent in the background; what came of it is seen in /sandbox/deliveries under "raw". */
function sendRaw(world, { raw, base64 = false, url, secret, signature, signature_age_s: age = 0 }) {
  const first = world.endpoints.all()[0];
  const target = url ?? first?.object.url;
  const payload = base64 ? Buffer.from(raw, 'base64') : String(raw);
  const secrets = secret ? [secret] : first?.hidden.secrets ?? [];
  const note = { at: world.clock.now(), url: target, status: null, error: null };
  world.rawAnswers.push(note);
  post(target, payload, {
    timeoutMs: world.delivery.settings.timeout_ms,
    signature: signature ?? sign(payload, secrets, age),
  }).then((answer) => Object.assign(note, answer));
  return note;
}

function resend(world, { id }) {
  const entry = world.events.entry(id);
  if (!entry) {
    throw new Error(`there is no event ${id}`);
  }
  world.delivery.resend(entry);
}

function listDeliveries(world) {
  return {
    events: world.deliveries.all().map((entry) => world.deliveries.read(entry)),
    raw: world.rawAnswers,
  };
}

/** Change an object behind everybody's back: no event tells of it. */
function patch(world, { id, ask }) {
  const entry = entryOf(world, id);
  merge(entry.object, ask.patch ?? ask);
  world.tableOf(id).changed(entry);
  return entry.object;
}

/** null inside a list or as a value is a value; only objects are merged. */
function merge(target, source) {
  for (const [name, value] of Object.entries(source)) {
    const nested = value && typeof value === 'object' && !Array.isArray(value)
      && target[name] && typeof target[name] === 'object';
    if (nested) {
      merge(target[name], value);
    } else {
      target[name] = value;
    }
  }
}

/** As if it had never been. */
function removeObject(world, { id }) {
  entryOf(world, id);
  world.tableOf(id).remove(id);
}

function entryOf(world, id) {
  const entry = world.tableOf(id)?.entry(id);
  if (!entry) {
    throw Object.assign(new Error(`there is no object ${id}`), { status: 404 });
  }
  return entry;
}

function state(world) {
  return {
    now: world.clock.now(),
    livemode: world.livemode,
    counts: Object.fromEntries(world.store.tables().map((table) => [table.kind, table.size])),
    webhooks: world.delivery.settings,
    faults: world.faults.list(),
    settings: world.settings.get('sandbox') ?? {},
    endpoints: world.endpoints.all().map(({ object }) => (
      { id: object.id, url: object.url, status: object.status })),
  };
}

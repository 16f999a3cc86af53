/*
 * controls/trouble.mjs - faults, webhooks on and off, the clock, and what was asked of us.
 */

export const routes = [
  { method: 'GET', path: '/sandbox/faults', run: (world) => world.faults.list() },
  { method: 'POST', path: '/sandbox/faults', run: addFaults },
  { method: 'DELETE', path: '/sandbox/faults', run: (world) => world.faults.clear() },
  { method: 'GET', path: '/sandbox/webhooks', run: showWebhooks },
  { method: 'POST', path: '/sandbox/webhooks', run: changeWebhooks },
  { method: 'GET', path: '/sandbox/requests', run: (world) => world.requests },
  { method: 'DELETE', path: '/sandbox/requests', run: (world) => { world.requests.length = 0; } },
  { method: 'GET', path: '/sandbox/clock', run: clock },
  { method: 'POST', path: '/sandbox/clock', run: advance },
  { method: 'POST', path: '/sandbox/settings', run: changeSettings },
  { method: 'DELETE', path: '/sandbox/idempotency', run: (world) => world.api.keys.forget() },
];

/** One rule, or a list of them. */
function addFaults(world, { ask }) {
  const rules = [ask].flat().map((one) => {
    const { pattern, left, ...rule } = world.faults.add(one);
    return rule;
  });
  return Array.isArray(ask) ? rules : rules[0];
}

const DELIVER = ['on', 'off', 'hold', 'release'];

const TYPES = { deliver: 'string', parallel: 'number', redirect_wait_ms: 'number',
  timeout_ms: 'number', duplicate: 'number', shuffle: 'boolean', reverse: 'boolean',
  retry_s: 'object' };

function changeWebhooks(world, { ask }) {
  const { url, secret, secrets = secret ? [secret] : undefined, events, ...settings } = ask;
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value !== TYPES[name]) {
      throw new Error(`"${name}" must be a ${TYPES[name] ?? 'known setting'}`);
    }
  }
  if (settings.deliver && !DELIVER.includes(settings.deliver)) {
    throw new Error(`"deliver" must be one of ${DELIVER.join(', ')}`);
  }
  if (url) {
    setEndpoint(world, { url, secrets, events });
  }
  world.delivery.change(settings);
  return showWebhooks(world);
}

/** An endpoint is known by its URL: new ones are added, known ones get the secrets. */
function setEndpoint(world, { url, secrets, events }) {
  const known = world.endpoints.all().find(({ object }) => object.url === url);
  if (!known) {
    world.addEndpoint({ url, ...(events ? { enabled_events: events } : {}) },
      secrets ? { secrets } : {});
    return;
  }
  known.hidden.secrets = secrets ?? known.hidden.secrets;
  known.object.enabled_events = events ?? known.object.enabled_events;
  world.endpoints.changed(known);
}

function showWebhooks(world) {
  const counts = {};
  for (const entry of world.deliveries.all()) {
    const { state } = world.deliveries.read(entry);
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return {
    ...world.delivery.settings,
    deliveries: counts,
    endpoints: world.endpoints.all().map(({ object, hidden }) => (
      { ...object, secrets: hidden.secrets })),
  };
}

function clock(world) {
  return { now: world.clock.now(), real: Math.floor(Date.now() / 1000) };
}

function advance(world, { ask }) {
  if (!(ask.advance_s >= 0)) {
    throw new Error('"advance_s" must be a number of seconds, 0 or more');
  }
  world.clock.advance(ask.advance_s);
  return clock(world);
}

function changeSettings(world, { ask }) {
  const settings = { ...world.settings.get('sandbox'), ...ask, id: 'sandbox' };
  world.settings.put(settings);
  return settings;
}

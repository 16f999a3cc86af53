/*
 * events.mjs - something happened: write it down, tell the endpoints.
 */

import { event } from '../objects/account.mjs';
import { newId } from './ids.mjs';

export const KEPT_S = 30 * 86400; /* the provider lists events for 30 days */

/**
 * @param object    the thing as it is now; a copy is kept
 * @param previous  for *.updated: the values that changed, as they were
 * @return the event's entry
 */
export function emit(world, type, object, previous) {
  return record(world, {
    id: newId('evt_'),
    type,
    created: world.clock.now(),
    livemode: world.livemode,
    request: world.request ?? { id: null, idempotency_key: null },
    data: {
      object: structuredClone(object),
      ...(previous ? { previous_attributes: structuredClone(previous) } : {}),
    },
  });
}

/** An event whose every field is given. */
export function record(world, fields) {
  const entry = world.events.insert(event(fields), { type: fields.type });
  world.delivery.announce(entry);
  return entry;
}

/** Does an endpoint that listens to `names` want this type? */
export function wants(names, type) {
  return names.some((name) => name === '*' || name === type
    || (name.endsWith('.*') && type.startsWith(name.slice(0, -1))));
}

/*
 * keys.mjs - idempotency keys: the first answer is the answer.
 */

import { createHash } from 'node:crypto';
import { badParam, keyInUse, keyMisused } from '../http/errors.mjs';

const KEPT_S = 86400; /* after a day a key counts as new */

export class Keys {
  #world;
  #open = new Map(); /* key -> fingerprint of the request in progress */

  constructor(world) {
    this.#world = world;
  }

  /** The stored reply for this key, or null: then the key is now in progress. */
  begin(key, request) {
    if (key.length > 255) {
      throw badParam('Idempotency keys can be at most 255 characters.', 'idempotency_key_invalid');
    }
    const mark = fingerprint(request);
    const stored = this.#world.keys.get(key);
    const known = stored && this.#world.clock.now() - stored.created < KEPT_S ? stored : null;
    if (mark !== (known?.mark ?? this.#open.get(key) ?? mark)) {
      throw keyMisused();
    }
    if (this.#open.has(key)) {
      throw keyInUse(key);
    }
    if (known) {
      return known.reply;
    }
    this.#open.set(key, mark);
    return null;
  }

  keep(key, reply) {
    this.#world.keys.put({ id: key, created: this.#world.clock.now(), reply,
      mark: this.#open.get(key) });
  }

  /** Execution is over, remembered or not. */
  end(key) {
    this.#open.delete(key);
  }

  forget() {
    for (const { id } of this.#world.keys.all()) {
      this.#world.keys.remove(id);
    }
  }
}

function fingerprint({ method, path, params }) {
  return createHash('sha256').update(`${method} ${path} ${canonical(params)}`).digest('hex');
}

/** The order of parameters does not matter. */
function canonical(value) {
  if (typeof value !== 'object' || value === null) {
    return JSON.stringify(value);
  }
  const parts = Object.keys(value).sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${parts.join()}}`;
}

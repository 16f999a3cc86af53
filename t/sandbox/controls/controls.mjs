/*
 * controls.mjs - everything below /sandbox/: what a test may ask of the sandbox itself.
 */

import { Router } from '../http/router.mjs';
import { routes as account } from './account.mjs';
import { routes as mail } from './mail.mjs';
import { routes as money } from './money.mjs';
import { routes as trouble } from './trouble.mjs';

/** A request that a control cannot do; the message says why. */
export class ControlError extends Error {
  constructor(message, status = 400) {
    super(message);
    this.status = status;
  }
}

export class Controls {
  #world;
  #router = new Router().add([trouble, money, account, mail].flat());

  constructor(world) {
    this.#world = world;
  }

  dispatch(request) {
    const hit = this.#router.find(request.method, request.path);
    if (!hit) {
      return json(404, { error: { message: `no control ${request.method} ${request.path}` } });
    }
    try {
      const answer = hit.row.run(this.#world, { ask: readAsk(request), ...hit.names,
        query: new URLSearchParams(request.query) });
      this.#world.store.flush();
      return answer?.text ? plain(answer.text) : json(200, answer ?? { ok: true });
    } catch (error) {
      return json(error.status ?? 400, { error: { message: error.message } });
    }
  }
}

function readAsk({ body }) {
  if (body.length === 0) {
    return {};
  }
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new ControlError('the body must be JSON');
  }
}

const json = (status, value) => ({ status, headers: { 'Content-Type': 'application/json' },
  body: `${JSON.stringify(value, null, 1)}\n` });

const plain = (body) => ({ status: 200, headers: { 'Content-Type': 'text/plain' }, body });

/*
 * api.mjs - everything below /v1/: who asks, with which key and parameters, once or again.
 */

import { API_VERSION } from '../objects/account.mjs';
import { ApiError, badParam, Gone, trouble, unauthorized, unknownUrl } from '../http/errors.mjs';
import { readForm } from '../http/form.mjs';
import { Router } from '../http/router.mjs';
import { newId } from '../world/ids.mjs';
import { check, listOf, text } from './params.mjs';
import { expand } from './expand.mjs';
import { Keys } from './keys.mjs';
import { routes as account } from './account.mjs';
import { routes as billing } from './billing.mjs';
import { routes as checkout } from './checkout.mjs';
import { routes as customers } from './customers.mjs';
import { routes as disputes } from './disputes.mjs';
import { routes as payments } from './payments.mjs';
import { routes as refunds } from './refunds.mjs';

const ROUTES = [checkout, payments, customers, refunds, disputes, billing, account].flat();

export class Api {
  #world;
  #router = new Router().add(ROUTES);

  constructor(world) {
    this.#world = world;
    this.keys = new Keys(world);
  }

  async dispatch(request, beforeActing) {
    const requestId = newId('req_');
    const key = request.method === 'POST' ? request.headers['idempotency-key'] : undefined;
    const headers = {
      'Content-Type': 'application/json',
      'Request-Id': requestId,
      'Stripe-Version': request.headers['stripe-version'] ?? API_VERSION,
      ...(key ? { 'Idempotency-Key': key, 'Original-Request': requestId } : {}),
    };
    const reply = await this.#answer(request, { requestId, key }, beforeActing);
    this.#world.store.flush();
    return { ...reply, headers: { ...headers, ...reply.headers } };
  }

  async #answer(request, call, beforeActing) {
    try {
      const { row, names } = this.#admit(request);
      request.params = readParams(request);
      const stored = call.key && this.keys.begin(call.key, request);
      if (stored) {
        return replay(stored);
      }
      return await this.#execute({ request, call, row, names }, beforeActing);
    } catch (error) {
      return errorReply(error);
    }
  }

  #admit(request) {
    checkKey(request.headers.authorization,
      [this.#world.options.key, this.#world.settings.get('sandbox')?.new_key]);
    checkVersion(request.headers['stripe-version']);
    const hit = this.#router.find(request.method, request.path);
    if (!hit) {
      throw unknownUrl(request.method, request.path);
    }
    return hit;
  }

  /** Run an operation whose key, if any, is in progress now. */
  async #execute({ request, call, row, names }, beforeActing) {
    const { key } = call;
    try {
      const params = check(request.params, { ...row.accepts, expand: listOf(text()) });
      const instead = await beforeActing();
      const reply = instead || this.#run({ row, names, params, call });
      if (key && reply.kept !== false) {
        this.keys.keep(key, { status: reply.status, body: reply.body, requestId: call.requestId });
      }
      return reply;
    } finally {
      this.keys.end(key);
    }
  }

  #run({ row, names, params, call }) {
    const world = this.#world;
    world.request = row.method === 'GET' ? null
      : { id: call.requestId, idempotency_key: call.key ?? null };
    try {
      const { expand: paths, ...rest } = params;
      const object = row.run(world, { params: rest, ...names });
      return { status: 200, body: JSON.stringify(expand(world, object, paths), null, 2) };
    } catch (error) {
      return errorReply(error);
    } finally {
      world.request = null;
    }
  }
}

function replay({ status, body, requestId }) {
  return { status, body,
    headers: { 'Idempotent-Replayed': 'true', 'Original-Request': requestId } };
}

function errorReply(error) {
  if (error instanceof Gone) {
    throw error;
  }
  if (error instanceof ApiError) {
    return { status: error.status, kept: error.kept, headers: error.headers,
      body: JSON.stringify({ error: error.error }, null, 2) };
  }
  process.stderr.write(`sandbox: ${error.stack}\n`);
  return { status: 500, body: JSON.stringify(trouble(500), null, 2) };
}

function readParams({ method, query, body, headers }) {
  if (method === 'GET' || body.length === 0) {
    return readForm(query);
  }
  const type = headers['content-type'] ?? '';
  if (!type.startsWith('application/x-www-form-urlencoded')) {
    throw badParam('Invalid request (check that your POST content type is '
      + 'application/x-www-form-urlencoded).');
  }
  return { ...readForm(query), ...readForm(body.toString('utf8')) };
}

function checkKey(header = '', keys) {
  const [scheme, value = ''] = header.split(' ');
  const given = scheme.toLowerCase() === 'basic'
    ? Buffer.from(value, 'base64').toString('utf8').split(':')[0] : value;
  if (given === '') {
    throw unauthorized('You did not provide an API key. You need to provide your API key in the '
      + 'Authorization header, using Bearer auth (e.g. \'Authorization: Bearer YOUR_SECRET_KEY\').');
  }
  if (!keys.includes(given)) {
    throw unauthorized(`Invalid API Key provided: ${given.slice(0, 8)}****${given.slice(-4)}`);
  }
}

function checkVersion(version) {
  if (version !== undefined && !/^\d{4}-\d\d-\d\d(\.[a-z]+)?$/.test(version)) {
    throw badParam(`Invalid Stripe API version: ${version}`);
  }
}

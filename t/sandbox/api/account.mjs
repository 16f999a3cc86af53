/*
 * api/account.mjs - /v1/events, /v1/webhook_endpoints, /v1/test_helpers/test_clocks
 */

import { testClock } from '../objects/account.mjs';
import { badParam, missing } from '../http/errors.mjs';
import { emit, KEPT_S, wants } from '../world/events.mjs';
import { newId } from '../world/ids.mjs';
import { find, listPage } from './lists.mjs';
import { clearable, created, flag, integer, listOf, mergeMetadata, metadata, need, paging, text,
  url } from './params.mjs';

const TYPES_AT_MOST = 20;

const ENDPOINT = {
  description: clearable(text()),
  enabled_events: listOf(text()),
  metadata: clearable(metadata),
  url,
};

export const routes = [
  { method: 'GET', path: '/v1/events', run: listEvents,
    accepts: { ...paging, ...created, type: text(), types: listOf(text()), delivery_success: flag } },
  { method: 'GET', path: '/v1/events/:id', run: getEvent },
  { method: 'GET', path: '/v1/webhook_endpoints', accepts: paging,
    run: (world, { params }) => listPage(world.endpoints, params, { url: '/v1/webhook_endpoints' }) },
  { method: 'POST', path: '/v1/webhook_endpoints', run: createEndpoint,
    accepts: { ...ENDPOINT, enabled_events: need(ENDPOINT.enabled_events), url: need(url),
      api_version: text(), connect: flag } },
  { method: 'GET', path: '/v1/webhook_endpoints/:id', run: (world, { id }) => endpointOf(world, id).object },
  { method: 'POST', path: '/v1/webhook_endpoints/:id', run: updateEndpoint,
    accepts: { ...ENDPOINT, disabled: flag } },
  { method: 'DELETE', path: '/v1/webhook_endpoints/:id', run: removeEndpoint },
  { method: 'GET', path: '/v1/test_helpers/test_clocks', accepts: paging,
    run: (world, { params }) => listPage(world.clocks, params, { url: '/v1/test_helpers/test_clocks' }) },
  { method: 'POST', path: '/v1/test_helpers/test_clocks', run: createClock,
    accepts: { frozen_time: need(integer()), name: text(300), customer: text() } },
  { method: 'GET', path: '/v1/test_helpers/test_clocks/:id', run: (world, { id }) => clockOf(world, id).object },
  { method: 'POST', path: '/v1/test_helpers/test_clocks/:id/advance', run: advanceClock,
    accepts: { frozen_time: need(integer()) } },
  { method: 'DELETE', path: '/v1/test_helpers/test_clocks/:id', run: removeClock },
];

/** Events of the last 30 days; delivery_success=false are those some endpoint has not taken. */
function listEvents(world, { params }) {
  const { type, types = type ? [type] : null, delivery_success: success } = params;
  if (types?.length > TYPES_AT_MOST || (type && params.types)) {
    throw badParam(`You may pass \`type\`, or up to ${TYPES_AT_MOST} \`types\`.`, undefined, 'types');
  }
  const oldest = world.clock.now() - KEPT_S;
  const fitsEntry = ({ hidden, object }) => {
    const pending = object ? object.pending_webhooks : hidden.pending;
    return (!types || wants(types, hidden.type))
      && (success === undefined || (pending === 0) === success);
  };
  return listPage(world.events, params, { url: '/v1/events', fitsEntry,
    created: { ...params.created, gte: Math.max(oldest, params.created?.gte ?? 0) } });
}

function getEvent(world, { id }) {
  const { object } = find(world.events, id, 'event');
  if (object.created < world.clock.now() - KEPT_S) {
    throw missing('event', id);
  }
  return object;
}

const endpointOf = (world, id) => find(world.endpoints, id, 'webhook endpoint', 'webhook_endpoint');

/** The secret is shown once, here. */
function createEndpoint(world, { params }) {
  const { connect, ...fields } = params;
  const entry = world.addEndpoint({ ...fields, description: fields.description ?? null,
    metadata: mergeMetadata({}, params.metadata) });
  return { ...entry.object, secret: entry.hidden.secrets[0] };
}

function updateEndpoint(world, { params, id }) {
  const entry = endpointOf(world, id);
  const { disabled, metadata: given, ...fields } = params;
  Object.assign(entry.object, fields, { metadata: mergeMetadata(entry.object.metadata, given) });
  if (disabled !== undefined) {
    entry.object.status = disabled ? 'disabled' : 'enabled';
  }
  world.endpoints.changed(entry);
  return entry.object;
}

function removeEndpoint(world, { id }) {
  endpointOf(world, id);
  world.endpoints.remove(id);
  return { id, object: 'webhook_endpoint', deleted: true };
}

const clockOf = (world, id) => find(world.clocks, id, 'test clock', 'test_clock');

function createClock(world, { params }) {
  return world.clocks.insert(testClock({ id: newId('clock_'), created: world.clock.now(),
    livemode: world.livemode, frozen_time: params.frozen_time, name: params.name ?? null })).object;
}

function advanceClock(world, { params, id }) {
  const entry = clockOf(world, id);
  if (params.frozen_time <= entry.object.frozen_time) {
    throw badParam('A test clock can only move forward.', undefined, 'frozen_time');
  }
  entry.object.frozen_time = params.frozen_time;
  world.clocks.changed(entry);
  emit(world, 'test_helpers.test_clock.ready', entry.object);
  return entry.object;
}

function removeClock(world, { id }) {
  clockOf(world, id);
  world.clocks.remove(id);
  return { id, object: 'test_helpers.test_clock', deleted: true };
}

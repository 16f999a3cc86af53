/*
 * account.mjs - the shapes of what is not about one payment: events, endpoints, clocks.
 */

export const API_VERSION = '2026-07-29.dahlia';

export function event(fields) {
  return {
    object: 'event',
    api_version: API_VERSION,
    livemode: false,
    pending_webhooks: 0,
    request: { id: null, idempotency_key: null },
    ...fields,
  };
}

export function webhookEndpoint(fields) {
  return {
    object: 'webhook_endpoint',
    api_version: API_VERSION,
    application: null,
    description: null,
    enabled_events: ['*'],
    livemode: false,
    metadata: {},
    status: 'enabled',
    ...fields,
  };
}

export function testClock(fields) {
  return {
    object: 'test_helpers.test_clock',
    deletes_after: fields.created + 30 * 86400,
    livemode: false,
    name: null,
    status: 'ready',
    status_details: {},
    ...fields,
  };
}

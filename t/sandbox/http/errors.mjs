/*
 * errors.mjs - refusals, in the words and with the codes of Stripe.
 */

/** An answer that is not 2xx. `kept` says whether an idempotency key remembers it. */
export class ApiError extends Error {
  constructor(status, error, { kept = true, headers = {} } = {}) {
    super(error.message);
    this.status = status;
    this.error = error;
    this.kept = kept;
    this.headers = headers;
  }
}

/** Thrown where a fault takes the connection away: there is nobody to answer. */
export class Gone extends Error {}

const DOCS = 'https://stripe.com/docs/error-codes/';

function body(type, message, { code, param, ...more } = {}) {
  return {
    ...(code ? { code, doc_url: DOCS + code.replaceAll('_', '-') } : {}),
    message,
    ...(param ? { param } : {}),
    ...more,
    type,
  };
}

/** The parameters are wrong: nothing ran, so no idempotency key keeps it. */
export function badParam(message, code, param) {
  return new ApiError(400, body('invalid_request_error', message, { code, param }),
    { kept: false });
}

/** The operation ran and refused. */
export function refused(message, more = {}) {
  return new ApiError(400, body('invalid_request_error', message, more));
}

export function missing(noun, id, param = 'id') {
  return new ApiError(404, body('invalid_request_error', `No such ${noun}: '${id}'`,
    { code: 'resource_missing', param }));
}

export function declined(message, more) {
  return new ApiError(402, body('card_error', message, { code: 'card_declined', ...more }));
}

export function unauthorized(message) {
  return new ApiError(401, body('invalid_request_error', message),
    { kept: false, headers: { 'WWW-Authenticate': 'Bearer realm="Stripe"' } });
}

export function unknownUrl(method, path) {
  return new ApiError(404, body('invalid_request_error',
    `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs.`),
  { kept: false });
}

export function keyInUse(key) {
  return new ApiError(409, body('invalid_request_error',
    'There is currently another in-progress request using this Idempotent Key '
    + `(that probably means you submitted twice, and the other request is still going through): ${key}.`
    + ' Please try again later.',
    { code: 'idempotency_key_in_use' }), { kept: false });
}

export function keyMisused() {
  return new ApiError(400, body('idempotency_error',
    'Keys for idempotent requests can only be used with the same parameters they were '
    + 'first used with. Try using a key other than the one you sent if you meant to '
    + 'execute a different request.'), { kept: false });
}

/** What a fault of kind "status" says where Stripe itself would be in trouble. */
export function trouble(status) {
  const known = {
    401: ['invalid_request_error', 'Invalid API Key provided.', {}],
    402: ['card_error', 'Your card was declined.', { code: 'card_declined' }],
    403: ['invalid_request_error', 'The provided key does not have the required permissions.', {}],
    404: ['invalid_request_error', 'No such object.', { code: 'resource_missing' }],
    409: ['invalid_request_error', 'The request conflicts with another request.',
      { code: 'idempotency_key_in_use' }],
    429: ['invalid_request_error', 'Request rate limit exceeded.', { code: 'rate_limit' }],
  };
  const [type, message, more] = known[status]
    ?? (status < 500 ? ['invalid_request_error', 'The request was refused.', {}]
      : ['api_error', 'An unknown error occurred. If the problem persists, please contact support.', {}]);
  return { error: body(type, message, more) };
}

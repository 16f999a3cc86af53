/*
 * post.mjs - one POST of a webhook, and how it ended.
 */

import http from 'node:http';
import https from 'node:https';

/**
 * Redirects are not followed, anything but 2xx is a failure.
 *
 * @param cut  send half of the body, then close the connection
 * @return {ok, status} or {ok: false, error}
 */
export function post(url, payload, { signature, timeoutMs, cut = false }) {
  return new Promise((done) => {
    const bytes = Buffer.from(payload);
    let request;
    try {
      request = open(url, bytes.length, signature, timeoutMs);
    } catch (error) {
      done({ ok: false, error: error.code ?? error.message }); /* not a URL */
      return;
    }
    request.on('response', (response) => {
      response.resume();
      response.on('error', () => {});
      const ok = response.statusCode >= 200 && response.statusCode < 300;
      done({ ok, status: response.statusCode });
    });
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.on('error', (error) => done({ ok: false, error: error.code ?? error.message }));
    if (cut) {
      request.write(bytes.subarray(0, Math.floor(bytes.length / 2)),
        () => request.destroy(new Error('cut')));
      return;
    }
    request.end(bytes);
  });
}

function open(url, length, signature, timeoutMs) {
  const module = url.startsWith('https:') ? https : http;
  return module.request(url, {
    method: 'POST',
    agent: false,
    timeout: timeoutMs,
    headers: {
      'Accept': '*/*; q=0.5, application/xml',
      'Cache-Control': 'no-cache',
      'Content-Length': length,
      'Content-Type': 'application/json; charset=utf-8',
      'Stripe-Signature': signature,
      'User-Agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    },
  });
}

/*
 * client.js - a browser as far as a test needs one: cookies, forms, no surprises.
 *
 * Each request has a connection of its own: one that a killed server left half
 * open must not be mistaken for an answer of the next one. No redirect is
 * followed unless asked.
 */
'use strict';
const http = require('node:http');

class Browser {
  constructor(base) {
    this.base = base;
    this.cookies = new Map();
  }

  get(where, options) {
    return this.request('GET', where, options);
  }

  /* form: an object, sent as a form; json: anything, sent as JSON; body: as it is */
  post(where, options) {
    return this.request('POST', where, options);
  }

  /*
   * -> {status, headers, location, text, json, url}; throws where there was no
   * whole answer (code ECONNREFUSED, ECONNRESET, ...).
   */
  async request(method, where, { form, json, body, headers = {}, auth, follow = 0, timeout = 30_000 } = {}) {
    const url = new URL(where, this.base);
    const send = { ...headers };
    let bytes = body;
    if (form) {
      bytes = new URLSearchParams(form).toString();
      send['Content-Type'] ??= 'application/x-www-form-urlencoded';
    } else if (json !== undefined) {
      bytes = JSON.stringify(json);
      send['Content-Type'] ??= 'application/json';
      send.Accept ??= 'application/json';
    }
    if (auth) send.Authorization = `Basic ${Buffer.from(auth.join(':')).toString('base64')}`;
    const cookie = this.cookieFor(url);
    if (cookie) send.Cookie = cookie;
    if (bytes !== undefined) send['Content-Length'] = Buffer.byteLength(bytes);

    const reply = await exchange(url, { method, headers: send, bytes, timeout });
    this.keepCookies(url, reply.headers['set-cookie'] ?? []);
    if (follow > 0 && reply.status >= 300 && reply.status < 400 && reply.location) {
      return this.get(new URL(reply.location, url).href, { auth, follow: follow - 1, timeout });
    }
    return reply;
  }

  cookieFor(url) {
    return [...this.cookies.values()]
      .filter((c) => c.host === url.hostname && url.pathname.startsWith(c.path))
      .map((c) => `${c.name}=${c.value}`).join('; ');
  }

  keepCookies(url, lines) {
    for (const line of lines) {
      const [pair, ...rest] = line.split(';').map((part) => part.trim());
      const [name, ...value] = pair.split('=');
      const said = Object.fromEntries(rest.map((part) => {
        const [key, ...text] = part.split('=');
        return [key.toLowerCase(), text.join('=')];
      }));
      const gone = said['max-age'] === '0' || new Date(said.expires ?? '2999-01-01') < new Date();
      const key = `${url.hostname} ${said.path ?? '/'} ${name}`;
      if (gone) this.cookies.delete(key);
      else this.cookies.set(key, { host: url.hostname, path: said.path ?? '/', name, value: value.join('=') });
    }
  }
}

function exchange(url, { method, headers, bytes, timeout }) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: false, timeout }, (reply) => {
      const parts = [];
      reply.on('data', (part) => parts.push(part));
      reply.on('error', reject);
      reply.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        resolve({
          url: url.href,
          status: reply.statusCode,
          headers: reply.headers,
          location: reply.headers.location,
          text,
          get json() { return JSON.parse(text); },
        });
      });
    });
    request.on('timeout', () => request.destroy(new Error(`no answer from ${url.pathname} within ${timeout} ms`)));
    request.on('error', reject);
    request.end(bytes);
  });
}

module.exports = { Browser };

/*
 * server.mjs - one HTTP request from the first byte to the last, faults included.
 *
 * A route answers {status, headers, body} and may bring `wait`, a function to
 * be awaited between its effect and the answer. Effects happen without pause,
 * so two requests never see half of one another.
 */

import http from 'node:http';
import { killAll, pause } from './faults.mjs';
import { Gone, trouble } from './errors.mjs';

const BODY_LIMIT = 64 * 1024 * 1024; /* bulk controls carry long lists */

/**
 * @param dispatch  async (request, beforeActing) => reply
 * @param faults    the rules
 * @param log       called once for each request with what was asked and answered
 */
export function createServer({ dispatch, faults, log }) {
  const server = http.createServer((req, res) => {
    serve(req, res, { dispatch, faults, log }).catch((error) => {
      if (!(error instanceof Gone)) {
        process.stderr.write(`sandbox: ${error.stack}\n`);
        res.destroy();
      }
    });
  });
  server.keepAliveTimeout = 30_000;
  return server;
}

async function serve(req, res, { dispatch, faults, log }) {
  const request = await readRequest(req);
  /* The controls stay in reach, whatever a pattern like "* *" says. */
  const rule = request.path.startsWith('/sandbox/') ? null
    : faults.take(`${request.method} ${request.path}`);
  const note = log(request, rule);
  const beforeActing = async () => rule?.when === 'before' && before(rule, req, note);

  let reply = await dispatch(request, beforeActing);
  if (rule?.when === 'after') {
    reply = await after(rule, reply, req, note);
  }
  await reply.wait?.();
  note(reply.status);
  send(res, reply);
}

async function readRequest(req) {
  const url = new URL(req.url, 'http://sandbox');
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size > BODY_LIMIT) {
      req.destroy();
      throw new Gone('body too large');
    }
    chunks.push(chunk);
  }
  return {
    method: req.method,
    path: url.pathname,
    query: url.search.slice(1),
    headers: req.headers,
    body: Buffer.concat(chunks),
  };
}

/** A fault that strikes while nothing has happened yet. */
async function before(rule, req, note) {
  switch (rule.do) {
  case 'delay':
    await pause(rule.ms);
    return null;
  case 'kill':
    killAll(rule);
    return null;
  case 'reset':
    note('reset');
    reset(req.socket);
    throw new Gone('reset');
  case 'status':
    return statusReply(rule);
  default:
    note(rule.do);
    req.socket.destroy();
    throw new Gone(rule.do);
  }
}

/** A fault that strikes after the effect: only the answer suffers. */
async function after(rule, reply, req, note) {
  switch (rule.do) {
  case 'kill':
    killAll(rule);
    return reply;
  case 'delay':
    await pause(rule.ms);
    return reply;
  case 'status':
    return { ...statusReply(rule), wait: reply.wait };
  case 'body':
    return { ...reply, body: rule.body ?? '<html>not what you asked for</html>' };
  case 'replace':
    return { ...reply, body: String(reply.body).replaceAll(rule.find, rule.with ?? '') };
  case 'truncate':
    return { ...reply, truncated: true };
  case 'reset':
    note('reset');
    reset(req.socket);
    throw new Gone('reset');
  default:
    note(rule.do);
    req.socket.destroy();
    throw new Gone(rule.do);
  }
}

function reset(socket) {
  if (socket.resetAndDestroy) {
    socket.resetAndDestroy();
  } else {
    socket.destroy();
  }
}

function statusReply(rule) {
  const body = rule.body ?? JSON.stringify(trouble(rule.status));
  return {
    status: rule.status,
    headers: { 'Content-Type': 'application/json',
      ...(rule.store ? { 'Stripe-Should-Retry': 'false' } : {}), ...rule.headers },
    body,
    kept: Boolean(rule.store),
  };
}

function send(res, { status, headers = {}, body = '', truncated }) {
  const bytes = Buffer.from(body);
  res.writeHead(status, { 'Content-Length': bytes.length, ...headers });
  if (truncated) {
    /* The length promises more than comes: the reader must notice. */
    res.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => res.destroy());
    return;
  }
  res.end(bytes);
}

/*
 * sandbox.mjs - puts the pieces together: one account, one web server, one mailbox.
 */

import { Api } from './api/api.mjs';
import { Controls } from './controls/controls.mjs';
import { Router } from './http/router.mjs';
import { createServer } from './http/server.mjs';
import { page } from './pages/html.mjs';
import { routes as hosted } from './pages/hosted.mjs';
import { startMailbox } from './smtp/mailbox.mjs';
import { World } from './world/world.mjs';

const REMEMBERED = 20_000; /* requests */

const USUAL = { port: 0, smtpPort: 0, key: 'sk_test_sandbox', webhookSecret: 'whsec_sandbox',
  webhookUrl: null, webhookEvents: ['*'], state: null, statementPrefix: 'SHOP' };

/**
 * Start a sandbox.
 *
 * @param options  port, smtpPort (0: any), key, webhookUrl, webhookSecret,
 *                 webhookEvents, state (a folder), statementPrefix
 * @return {url, port, smtpPort, world, stop}
 */
export async function startSandbox(options = {}) {
  const world = new World({ ...USUAL, ...options });
  world.requests = [];
  world.rawAnswers = [];
  world.api = new Api(world);
  const server = createServer({ dispatch: dispatcher(world), faults: world.faults,
    log: (request, rule) => remember(world, request, rule) });
  await new Promise((done, failed) => {
    server.on('error', failed);
    server.listen(world.options.port, '127.0.0.1', done);
  });
  const { port } = server.address();
  world.options.baseUrl = `http://127.0.0.1:${port}`;
  const mailbox = await startMailbox(world, world.options.smtpPort);
  world.start();
  return {
    url: world.options.baseUrl,
    port,
    smtpPort: mailbox.port,
    world,
    stop: async () => {
      world.stop();
      server.closeAllConnections();
      await Promise.all([new Promise((done) => server.close(done)), mailbox.stop()]);
    },
  };
}

function dispatcher(world) {
  const controls = new Controls(world);
  const pages = new Router().add(hosted);
  return async (request, beforeActing) => {
    if (request.path.startsWith('/v1/')) {
      return world.api.dispatch(request, beforeActing);
    }
    if (request.path.startsWith('/sandbox/')) {
      return controls.dispatch(request);
    }
    const instead = await beforeActing();
    const hit = pages.find(request.method, request.path);
    if (instead || !hit) {
      return instead || page(404, 'Page not found', '<p>There is nothing here.</p>');
    }
    const reply = hit.row.run(world, { ...hit.names, request });
    world.store.flush();
    return reply;
  };
}

/** Note what is asked; the function returned notes what came of it. */
function remember(world, request, rule) {
  if (request.path.startsWith('/sandbox/')) {
    return () => {};
  }
  const note = {
    method: request.method,
    path: request.path,
    params: {},
    idempotency_key: request.headers['idempotency-key'] ?? null,
    stripe_version: request.headers['stripe-version'] ?? null,
    at: new Date().toISOString(),
    status: null,
    fault: rule?.do ?? null,
  };
  world.requests.push(note);
  if (world.requests.length > REMEMBERED) {
    world.requests.shift();
  }
  return (status) => Object.assign(note, { status, params: request.params ?? {} });
}

/*
 * sw.js - shows the recovery page when the shop's server does not answer.
 *
 * It keeps that page and its style, steps in only when a GET navigation to one
 * of the shop's own pages fails, and stores no other reply. The server withdraws
 * it with `worker` "off" on any page (see htdocs/templates/README.md).
 */
'use strict';

const KEPT = 'subpay-offline-1';
const base = new URL('./', self.location).href;
const page = `${base}offline`;
const files = [page, `${base}assets/subpay.css`, `${base}assets/subpay.js`,
  `${base}assets/icon.svg`];

// The rest of the host belongs to the application.
const ours = /^(|return|cancel|find|support|password|account|login|problem|checkout)$/;

// The return page asks the provider for up to 3 s; beyond this nobody is there.
const PATIENCE_MS = 10000;

self.addEventListener('install', (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(
    files.map((url) => new Request(url, { cache: 'reload' })))));
});

self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith('subpay-') && name !== KEPT) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

// Our own error pages carry a Content-Security-Policy and say more than we can.
function isBare(response) {
  return response.status >= 500 && !response.headers.has('Content-Security-Policy');
}

async function visit(request) {
  const kept = () => caches.match(page, { cacheName: KEPT });
  try {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(request, { signal: patience });
    return (isBare(response) && await kept()) || response;
  } catch {
    return (await kept()) || Response.error();
  }
}

async function useFile(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(request.url, { cacheName: KEPT })) || Response.error();
  }
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || !url.href.startsWith(base)) return;
  const path = url.href.slice(base.length).replace(/[?#].*$/, '');
  if (request.mode === 'navigate' && ours.test(path)) {
    event.respondWith(visit(request));
  } else if (files.includes(url.href) && path !== 'offline') {
    event.respondWith(useFile(request));
  }
});

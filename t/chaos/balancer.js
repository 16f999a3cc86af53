/*
 * balancer.js - one address in front of several httpds, as a load balancer is.
 *
 * Each connection goes to the next node; to another one where nobody listens. What a
 * node that dies leaves half done is not repeated: the browser sees it.
 */
'use strict';
const net = require('node:net');

function join(client, ports) {
  const [port, ...others] = ports;
  const server = net.connect(port, '127.0.0.1');
  let there = false;
  server.on('connect', () => {
    there = true;
    client.pipe(server).pipe(client);
  });
  server.on('error', () => {
    if (there || others.length === 0) client.destroy();
    else join(client, others);
  });
  server.on('close', () => { if (there) client.destroy(); });
  client.on('close', () => server.destroy());
  client.on('error', () => server.destroy());
}

/* -> {url, close} */
async function balance(ports, port) {
  let next = 0;
  const server = net.createServer({ pauseOnConnect: false }, (client) => {
    client.setNoDelay(true);
    next = (next + 1) % ports.length;
    join(client, [...ports.slice(next), ...ports.slice(0, next)]);
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

module.exports = { balance };

/*
 * main.mjs - the sandbox from the command line.
 *
 * node main.mjs --port N --smtp-port M --key sk_test_... --webhook-secret whsec_...
 *               --webhook-url URL [--webhook-events a,b] [--statement-prefix SHOP] [--state DIR]
 *
 * Prints one line of JSON when it listens; ends on SIGTERM and SIGINT.
 */

import { parseArgs } from 'node:util';
import { startSandbox } from './sandbox.mjs';

const text = { type: 'string' };

const { values } = parseArgs({ options: {
  'port': text, 'smtp-port': text, 'key': text, 'webhook-secret': text, 'webhook-url': text,
  'webhook-events': text, 'statement-prefix': text, 'state': text } });

const given = {
  port: values.port && Number(values.port),
  smtpPort: values['smtp-port'] && Number(values['smtp-port']),
  key: values.key,
  webhookSecret: values['webhook-secret'],
  webhookUrl: values['webhook-url'],
  webhookEvents: values['webhook-events']?.split(','),
  statementPrefix: values['statement-prefix'],
  state: values.state,
};

const sandbox = await startSandbox(
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => {
    await sandbox.stop();
    process.exit(0);
  });
}

process.stdout.write(`${JSON.stringify({ port: sandbox.port, smtp_port: sandbox.smtpPort,
  url: sandbox.url, pid: process.pid })}\n`);

/*
 * mailbox.mjs - a mail server that keeps everything, for anybody, and fails on demand.
 */

import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { killAll, pause } from '../http/faults.mjs';
import { makeCertificate } from './certificate.mjs';

/** Starts listening; resolves to {port, stop}. */
export async function startMailbox(world, port) {
  const { key, cert } = makeCertificate();
  world.certificate = cert ?? '';
  const server = new SMTPServer({
    banner: 'sandbox',
    authOptional: true,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 200, /* ms; a sender that idles does not hold up our end */
    ...(cert ? { key, cert } : {}),
    onAuth: ({ username }, session, done) => done(null, { user: username }),
    onConnect: step(world, 'CONNECT', (session, done) => done()),
    onMailFrom: step(world, 'MAIL', (address, session, done) => done()),
    onRcptTo: step(world, 'RCPT', (address, session, done) => done()),
    onData: step(world, 'DATA', receive(world)),
  });
  world.smtp = server;
  await new Promise((done, failed) => {
    server.on('error', failed);
    server.listen(port, '127.0.0.1', done);
  });
  server.on('error', () => {}); /* a client that breaks off is its own business */
  return { port: server.server.address().port, stop: () => new Promise((done) => server.close(done)) };
}

/**
 * One step of the dialogue, with the fault that may be laid at it.
 * The place is "SMTP MAIL", or "SMTP RCPT name@example.com" where there is an address.
 */
function step(world, name, act) {
  return async (...args) => {
    const rule = takeRule(world, name, args);
    if (!rule || await before(world, rule, args)) {
      act(...args.slice(0, -1), rule ? after(world, rule, args) : args.at(-1));
    }
  };
}

/** What the fault does first; true if the step is then taken. */
async function before(world, rule, args) {
  switch (rule.do) {
  case 'delay':
    await pause(rule.ms);
    return true;
  case 'status':
    await readAway(args[0]);
    args.at(-1)(smtpError(rule));
    return false;
  case 'reset':
    hangUp(world, args.at(-2));
    return false;
  default:
    if (rule.when === 'before') {
      killAll(rule);
    }
    return true;
  }
}

/** The answer to the sender, which the fault may swallow. */
function after(world, rule, args) {
  return (error) => {
    if (rule.do === 'kill' && rule.when === 'after') {
      killAll(rule);
    }
    if (rule.do === 'drop_reply') {
      hangUp(world, args.at(-2));
      return;
    }
    args.at(-1)(error);
  };
}

/** A message must be read to its end before it can be refused. */
async function readAway(message) {
  if (typeof message.resume === 'function') {
    message.resume();
    await new Promise((done) => { message.on('end', done); });
  }
}

function takeRule(world, name, args) {
  const address = ['MAIL', 'RCPT'].includes(name) ? args[0].address : '';
  return world.faults.take(`SMTP ${name}`) ?? (address ? world.faults.take(`SMTP ${name} ${address}`) : null);
}

function smtpError({ status, body }) {
  return Object.assign(new Error(body ?? 'the sandbox refuses'), { responseCode: status });
}

function hangUp(world, session) {
  for (const connection of world.smtp.connections) {
    if (connection.session === session) {
      connection._socket.destroy();
    }
  }
}

/** Accept a message: it is in the mailbox before the sender reads 250. */
function receive(world) {
  return async (stream, session, done) => {
    try {
      const chunks = [];
      for await (const chunk of stream) {
        chunks.push(chunk);
      }
      const raw = Buffer.concat(chunks);
      await store(world, raw, session.envelope);
      done();
    } catch (error) {
      done(error);
    }
  };
}

async function store(world, raw, envelope) {
  const parsed = await simpleParser(raw, { skipImageLinks: true });
  world.mail.insert({
    id: world.mail.nextId('mail_'),
    created: Math.floor(Date.now() / 1000),
    receivedAt: new Date().toISOString(),
    from: addresses(parsed.from),
    to: addresses(parsed.to),
    fromText: parsed.from?.text ?? '',
    toText: [parsed.to ?? []].flat().map((one) => one.text).join(', '),
    subject: parsed.subject ?? '',
    text: parsed.text ?? '',
    html: parsed.html || '',
    messageId: parsed.messageId ?? '',
    headers: headersOf(parsed),
    attachments: parsed.attachments.map(({ filename, contentType, size }) => (
      { filename: filename ?? null, contentType, size })),
    envelope: { from: envelope.mailFrom?.address ?? '', to: envelope.rcptTo.map((one) => one.address) },
    raw: raw.toString('utf8'),
  });
  world.store.flush();
}

/** Only the addresses, joined: "ana@example.com". */
const addresses = (field) => [field ?? []].flat()
  .flatMap((one) => one.value.map(({ address }) => address)).join(', ');

/** Lower-case names; a header that comes twice is a list. */
function headersOf({ headerLines }) {
  const headers = {};
  for (const { key, line } of headerLines) {
    const value = line.slice(line.indexOf(':') + 1).replace(/\r?\n\s+/g, ' ').trim();
    headers[key] = key in headers ? [headers[key], value].flat() : value;
  }
  return headers;
}

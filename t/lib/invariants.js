/*
 * invariants.js - what must hold once a shop is quiet, whatever happened to it before.
 *
 * t/invariants.sql says what the database alone can tell. Here the database is compared
 * with the provider's own books (I1, I4, I5), the mailbox (I3, I12), the pages that
 * customers saw (I11), and the error log.
 */
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const place = require('./place.js');
const proc = require('./process.js');

const STATEMENTS = fs.readFileSync(path.join(place.PROJECT, 't/invariants.sql'), 'utf8')
  .replace(/--.*$/gm, '').split(/;\s*$/m).filter((text) => /\bselect\b/.test(text));

/* ---- the database ------------------------------------------------------------------ */

async function inDatabase(t) {
  const found = [];
  for (const text of STATEMENTS) {
    for (const { invariant, detail } of await t.sql(text)) found.push(`${invariant} ${detail}`);
  }
  return found;
}

/* ---- the provider ------------------------------------------------------------------ */

const PAYMENTS = `
  select p.payment_id, p.state as held, p.amount, p.currency, p.amount_refunded, o.id as order_id,
         o.reference, o.state, o.payment_id as completed_by,
         exists (select from subpay.tickets k where k.order_id = o.id and k.state <> 'solved'
                    and k.owner is not null and k.due_at is not null) as ticket
    from subpay.payments p left join subpay.orders o on o.id = p.order_id`;

/* The provider's payments that are ours: each carries our mark. */
async function books(t) {
  const rows = await t.sandbox.control('GET', 'payments');
  return rows.filter(({ metadata }) => metadata?.subpay_order);
}

function home(paid, known) {
  const who = `payment ${paid.payment_intent} of ${paid.metadata.subpay_reference}`;
  if (!known) return `I1 ${who}: the money came, and no row says so`;
  if (known.order_id !== paid.metadata.subpay_order) return `I1 ${who}: in order ${known.order_id}`;
  if (known.held !== 'taken') return `I1 ${who}: the money came, and its row says ${known.held}`;
  const settled = ['completed', 'refunded'].includes(known.state) || (known.state === 'review' && known.ticket);
  if (!settled) return `I1 ${who}: the money came, and its order is ${known.state}`;
  if (Number(known.amount) !== paid.amount_received || known.currency.toLowerCase() !== paid.currency) {
    return `I1 ${who}: ${paid.amount_received} ${paid.currency} came, ${known.amount} ${known.currency} is written`;
  }
  if (Number(known.amount_refunded) !== paid.amount_refunded) {
    return `I5 ${who}: ${paid.amount_refunded} went back, ${known.amount_refunded} is written`;
  }
  return null;
}

/* What we call held is reserved at the provider. */
const reserved = (one, known) => (known?.held === 'held' && one.status !== 'requires_capture'
  ? `I1 payment ${one.payment_intent}: held here, ${one.status} at the provider` : null);

/* Money that came, or is reserved, has its order; and no order was completed without. */
async function atProvider(t) {
  const rows = await t.sql(PAYMENTS);
  const known = new Map(rows.map((row) => [row.payment_id, row]));
  const all = await books(t);
  const paid = all.filter(({ status }) => status === 'succeeded');
  const ids = new Set(all.filter(({ status, payment_intent: id }) => status === 'succeeded'
    || (status === 'requires_capture' && known.get(id)?.held === 'held')
    || (status === 'canceled' && known.get(id)?.held === 'released')).map(({ payment_intent }) => payment_intent));
  const free = await t.sql('select reference, payment_id from subpay.orders where completed_at is not null');
  return [
    ...paid.map((one) => home(one, known.get(one.payment_intent))).filter(Boolean),
    ...all.map((one) => reserved(one, known.get(one.payment_intent))).filter(Boolean),
    ...free.filter(({ payment_id }) => !ids.has(payment_id))
      .map(({ reference }) => `I4 order ${reference}: completed, and the provider knows of no money`),
  ];
}

/* ---- the mailbox ------------------------------------------------------------------- */

const one = (mail, name) => (mail.raw.split(/\r?\n\r?\n/, 1)[0].match(new RegExp(`^${name}:`, 'gmi')) ?? []).length === 1;

function copiesOf(mails) {
  const copies = new Map();
  for (const { messageId } of mails) copies.set(messageId, (copies.get(messageId) ?? 0) + 1);
  return copies;
}

/*
 * Each mail that the database calls sent is there, none that it does not know; one copy
 * of each, or two where a fault may have fallen between the server's 250 and our commit.
 * twice: how many such copies the faults can account for.
 */
async function inMailbox(t, { twice = 0 } = {}) {
  const mails = await t.sandbox.mail();
  const copies = copiesOf(mails);
  const rows = await t.sql(`select id, message_id, state, template, recipient, order_id, last_error
    from subpay.outbox where kind = 'mail'`);
  const known = new Map(rows.map((row) => [`outbox-${row.id}.${row.message_id}`, row]));
  const local = (id) => id.replace(/^<|@.*$/g, '');
  const extra = [...copies.values()].reduce((sum, count) => sum + count - 1, 0);
  /* "It was declined" is withdrawn once it was paid; its row says so. */
  const withdrawn = ({ template, last_error }) => template === 'renewal_declined' && last_error === 'not sent: it was paid';
  const found = [
    ...rows.filter(({ state, id, message_id, ...row }) => state === 'sent' && !withdrawn(row)
        && ![...copies.keys()].some((seen) => local(seen) === `outbox-${id}.${message_id}`))
      .map(({ id, template }) => `I12 mail ${id} (${template}): called sent, and not in the mailbox`),
    ...mails.filter((mail) => !['From', 'To', 'Subject'].every((name) => one(mail, name)))
      .map(({ messageId }) => `I12 mail ${messageId}: not exactly one From, To and Subject`),
    ...mails.filter(({ messageId, to }) => to !== 'alerts@example.com' && !known.has(local(messageId)))
      .map(({ messageId }) => `I3 mail ${messageId}: no row of the outbox says it`),
  ];
  if (extra > twice) {
    const often = [...copies].filter(([, count]) => count > 1).map(([id, count]) => `${id}: ${count}`);
    found.push(`I3 ${extra} mails came again, where faults account for ${twice} at most: ${often.join(', ')}`);
  }
  return found;
}

/* ---- the pages --------------------------------------------------------------------- */

const hash = (token) => crypto.createHash('sha256').update(Buffer.from(token, 'hex')).digest('hex');

/*
 * pages: {url, asked, answered, text, paid}: what a customer was shown, when (ms), and
 * since when their money had certainly moved (paid, ms, if it had).
 */
async function onPages(t, pages = []) {
  const orders = new Map((await t.sql(`select encode(token_hash, 'hex') as token, reference, state,
    extract(epoch from completed_at) * 1000 as completed from subpay.orders`)).map((row) => [row.token, row]));
  const found = [];
  for (const { url, asked, answered, text, paid } of pages) {
    const order = orders.get(hash(new URL(url, t.url).searchParams.get('t') ?? ''));
    const where = `page of ${order?.reference ?? url.replace(/\?.*/, '')}`;
    if (paid && asked > paid && /You have not been charged|Not charged:/.test(text)) {
      found.push(`I11 ${where}: "not charged", ${asked - paid} ms after the money moved`);
    }
    if (paid && asked > paid && /payment (has )?failed/i.test(text)) {
      found.push(`I11 ${where}: "failed", ${asked - paid} ms after the money moved`);
    }
    if (/<title>Paid: /.test(text) && !(Number(order?.completed) <= answered + 1)) {
      found.push(`I11 ${where}: "paid" before it was completed`);
    }
  }
  return found;
}

/* ---- the log ----------------------------------------------------------------------- */

/* A killed child is our doing, one that crashed is not. */
function inLog(t) {
  return t.log().split('\n')
    .filter((line) => /exit signal (?!Killed|Terminated)|stack smashing|double free|corrupted/.test(line))
    .map((line) => `crash ${line}`);
}

/* ---- all of it --------------------------------------------------------------------- */

/* -> the violations, as sentences that begin with the invariant; [] is good */
async function violations(t, { pages, twice } = {}) {
  return [
    ...await inDatabase(t), ...await atProvider(t), ...await inMailbox(t, { twice }),
    ...await onPages(t, pages), ...inLog(t),
  ];
}

/* What is still under way, as sentences; [] when the shop is quiet. */
async function underWay(t) {
  const { deliveries = {} } = await t.sandbox.control('GET', 'webhooks');
  const [counts] = await t.sql(`select
    (select count(*)::int from subpay.outbox where state in ('pending', 'sending')) as "mails to send",
    (select count(*)::int from subpay.provider_events where state = 'failed') as "events to repeat"`);
  return [
    ...Object.entries({ ...counts, 'webhooks due': deliveries.due, 'webhooks to repeat': deliveries.retrying })
      .filter(([, count]) => count > 0).map(([what, count]) => `${count} ${what}`),
    ...await atProvider(t),
  ];
}

/* Mails that a faulty server has put off come later by design; a test need not wait. */
async function hurryMails(t) {
  await t.sql("update subpay.outbox set next_try_at = now() where state = 'pending' and next_try_at > now()");
  await t.sql("select pg_notify('subpay_outbox', '')");
}

/*
 * Wait until nothing is under way.
 * hurry: mails that were put off are due at once
 * say: told what is left, whenever it changes
 * -> how long it took, ms, and what was left
 */
async function quiet(t, { within = 60_000, hurry = false, say = () => {} } = {}) {
  const begun = Date.now();
  let hurried = 0;
  let left = [];
  let said = '';
  await proc.until(async () => {
    left = await underWay(t).catch((error) => [String(error.message)]);
    if (left.length > 0 && hurry && Date.now() - hurried > 2000) {
      hurried = Date.now();
      await hurryMails(t).catch(() => {}); /* the database may still be starting */
    }
    if (left.join('; ') !== said) say(said = left.join('; '));
    return left.length === 0;
  }, { within, every: 50 }).catch(() => {});
  return { took: Date.now() - begun, left };
}

module.exports = { violations, quiet, inDatabase, atProvider, inMailbox, onPages, books };

/*
 * lib.js - what the benchmarks share: rounds in turn, medians, one table.
 *
 * The machine is noisy, so nothing is compared with a number from another day:
 * the sides of a ratio take turns in one run, and medians are quoted.
 */
'use strict';
const fs = require('node:fs');
const { execFile } = require('node:child_process');
const { promisify } = require('node:util');

const run = promisify(execFile);

const sorted = (values) => [...values].sort((a, b) => a - b);

function median(values) {
  const all = sorted(values);
  return (all[Math.floor((all.length - 1) / 2)] + all[Math.ceil((all.length - 1) / 2)]) / 2;
}

const spread = (values) => `${sorted(values)[0].toFixed(2)}..${sorted(values).at(-1).toFixed(2)}`;

/* One line of the table: what was measured, the median, its spread, the goal. */
function line(what, values, { unit = '', goal = '', digits = 2 } = {}) {
  const shown = median(values).toFixed(digits) + unit;
  console.log(`${what.padEnd(58)} ${shown.padStart(12)}  ${spread(values).padEnd(18)} ${goal}`);
}

/* CPU seconds of processes so far, all threads; finer than the ticks of /proc/pid/stat. */
function cpu(pids) {
  return pids.flatMap((pid) => fs.readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`))
    .reduce((sum, task) => sum + Number(fs.readFileSync(`${task}/schedstat`, 'utf8').split(' ')[0]) / 1e9, 0);
}

/* Proportional resident memory in MiB: shared pages count once over all processes. */
function memory(pids) {
  return pids.reduce((sum, pid) => {
    const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return sum + Number(/^Pss:\s+(\d+)/m.exec(text)[1]) / 1024;
  }, 0);
}

/*
 * Orders of long ago, completed, each with all its rows, as if all had gone well.
 * paymentId(n) names the payment of the n-th.
 */
async function completedOrders(t, first, count, paymentId = (n) => `pi_old${n}`) {
  await t.sql('set session_replication_role = replica'); // no triggers: this is history
  for (let at = first; at < first + count; at += 50_000) {
    const numbers = Array.from({ length: Math.min(50_000, first + count - at) }, (_, i) => at + i);
    await t.sql(`with given as (
        select n, ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid as id, payment,
               md5((n / 10)::text)::uuid as account, now() - interval '30 days' as paid
          from unnest($1::bigint[], $2::text[]) g (n, payment)
      ), accounts as (
        insert into subpay.accounts (id, email)
        select distinct on (account) account, 'old' || n || '@example.com' from given on conflict do nothing
      ), payments as (
        insert into subpay.payments (provider, payment_id, order_id, mode, amount, currency, paid_at, created_at)
        select 'stripe', payment, id, 'test', 24900, 'USD', paid, paid from given
      ), subscriptions as (
        insert into subpay.subscriptions (order_id, account_id, product, starts_at, expires_at, created_at)
        select id, account, 'annual', paid, paid + interval '1 year', paid from given
      ), outbox as (
        insert into subpay.outbox (kind, template, dedupe_key, order_id, recipient, state, created_at, next_try_at, sent_at)
        select 'mail', 'confirmation', 'welcome:' || id, id, 'old' || n || '@example.com', 'sent', paid, paid, paid from given
      ), events as (
        insert into subpay.provider_events (provider, event_id, type, kind, received_at, processed_at, state,
            order_id, fact)
        select 'stripe', 'evt_old' || n, 'checkout.session.completed', 'payment.succeeded', paid, paid, 'processed', id,
               '{}' from given
      ), audit as (
        insert into subpay.audit (at, actor, action, order_id) select paid, 'provider', 'order.completed', id from given
      )
      insert into subpay.orders (id, reference, token_hash, provider, mode, email, product, title, amount, currency,
          period, period_text, site, state, checkout_id, payment_id, paid_at, completed_at, completed_via, created_at)
      select id, 'SP-' || lpad((n / 1000)::text, 4, '0') || '-' || lpad((n % 1000)::text, 3, '0')
               || subpay.reference_check(lpad(n::text, 7, '0')),
             sha256(n::text::bytea), 'stripe', 'test', 'old' || n || '@example.com', 'annual', 'Annual plan', 24900,
             'USD', '1 year', '1y', $3, 'completed', 'cs_old' || n, payment, paid, paid, 'webhook', paid
        from given`, [numbers, numbers.map(paymentId), t.url]);
  }
  await t.sql('set session_replication_role = origin');
  await t.sql('vacuum analyze'); // as autovacuum would have by then
}

module.exports = { run, median, line, cpu, memory, completedOrders };

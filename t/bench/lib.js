/*
 * lib.js - what the benchmarks share: shops, load, rounds in turn, medians, one table.
 *
 * The machine is noisy, so nothing is compared with a number from another day: the sides
 * of a ratio take turns in one run, all benchmarks do, and medians are quoted.
 */
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFile } = require('node:child_process');
const { promisify } = require('node:util');
const { SubPay } = require('../lib/subpay.js');
const place = require('../lib/place.js');

const run = promisify(execFile);

const ROUNDS = Number(process.env.ROUNDS || 5);
const SECONDS = Number(process.env.SECONDS || 3); // of each measurement in a round

/* ---- numbers ---------------------------------------------------------------------- */

const sorted = (values) => [...values].sort((a, b) => a - b);

/* The value that this part of all does not exceed. */
const share = (values, part) => sorted(values)[Math.max(0, Math.ceil(values.length * part) - 1)];

function median(values) {
  const all = sorted(values);
  return (all[Math.floor((all.length - 1) / 2)] + all[Math.ceil((all.length - 1) / 2)]) / 2;
}

/* What was measured, by name: seen.add('p50', 1.2); seen.p50 is the list. */
class Seen {
  add(name, value) {
    (this[name] ??= []).push(value);
  }
}

/*
 * One line of the table: what was measured, the median of the rounds, their spread, the
 * goal: {least}, {most} or both.
 */
function line(what, values, { unit = '', digits = 2, least, most } = {}) {
  const at = median(values);
  const [low, high] = [sorted(values)[0], sorted(values).at(-1)].map((value) => value.toFixed(digits));
  const goal = [least !== undefined && `>= ${least}`, most !== undefined && `<= ${most}`].filter(Boolean).join(', ');
  const met = !goal ? '' : at >= (least ?? -Infinity) && at <= (most ?? Infinity) ? 'met' : 'MISSED';
  console.log(`${what.padEnd(56)} ${(at.toFixed(digits) + unit).padStart(11)}  ${`${low}..${high}`.padEnd(17)} ${goal.padEnd(17)} ${met}`.trimEnd());
}

/* ---- what processes use ----------------------------------------------------------- */

/* CPU seconds so far, all threads; finer than the ticks of /proc/pid/stat. */
function cpu(pids) {
  return pids.flatMap((pid) => fs.readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`))
    .reduce((sum, task) => sum + Number(fs.readFileSync(`${task}/schedstat`, 'utf8').split(' ')[0]) / 1e9, 0);
}

/* The same of a whole PostgreSQL cluster, sessions that have ended included: those are in
 * the postmaster's account of its children, in ticks of 10 ms. */
function cpuOfPostgres(t) {
  const { pid } = t.postgres;
  const ended = statOf(pid).children;
  const running = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).reduce((sum, name) => {
    try {
      return Number(name) === pid || statOf(name).parent === pid ? sum + cpu([name]) : sum;
    } catch {
      return sum; // it has just ended
    }
  }, 0);
  return statOf(pid).children === ended ? ended + running : cpuOfPostgres(t); // or it is nowhere
}

/* After the name, which may hold anything: state, parent, ... utime, stime, cutime, cstime. */
function statOf(pid) {
  const rest = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
  return { parent: Number(rest[1]), children: (Number(rest[13]) + Number(rest[14])) / 100 };
}

/* Proportional resident memory in MiB: shared pages count once over all processes. */
function memory(pids) {
  return pids.reduce((sum, pid) => {
    const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return sum + Number(/^Pss:\s+(\d+)/m.exec(text)[1]) / 1024;
  }, 0);
}

/* ---- load ------------------------------------------------------------------------- */

function write(t, name, text) {
  const file = path.join(t.folder, name);
  fs.writeFileSync(file, text);
  return file;
}

let built = null;
function build() {
  const program = path.join(place.BUILD, 'load');
  built ??= run('gcc', ['-O2', '-Wno-deprecated-declarations', '-o', program, path.join(__dirname, 'load.c'), '-lcrypto'])
    .then(() => program);
  return built;
}

/* One run of load.c, its options as {path, 'body-file', ...}; throws when an answer is
 * missing or not as expected, unless they are {loose}. */
async function load(t, options, { loose = false } = {}) {
  const args = Object.entries({ port: t.httpd.port, seconds: SECONDS, ...options })
    .flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { stdout, stderr } = await run(await build(), args).catch((error) => error);
  if (!stdout) throw new Error(`load: ${stderr}`);
  const done = JSON.parse(stdout);
  if (!loose && (done.good !== done.answered || done.lost)) throw new Error(stdout);
  return done;
}

/* Transactions a second of pgbench with this script. */
async function pgbench(t, script, { clients, ...variables }) {
  const { stdout } = await run('pgbench', ['-n', '-M', 'prepared', '-c', clients, '-j', 2, '-T', SECONDS,
    ...Object.entries(variables).flatMap(([name, value]) => ['-D', `${name}=${value}`]), '-f', script,
    '-h', t.postgres.socket, '-p', t.postgres.port, '-U', t.postgres.user ?? 'postgres', t.database].map(String));
  return Number(/tps = ([\d.]+)/.exec(stdout)[1]);
}

/* GETs over kept connections, as fast as they are answered.
 * -> {rate, us}: requests a second, and microseconds of httpd's CPU time for each */
async function gets(t, url, { clients = 8, headers = [] } = {}) {
  const before = cpu(t.httpd.pids());
  const { stdout } = await run('ab', ['-q', '-k', '-t', SECONDS, '-n', 1e7, '-c', clients,
    ...headers.flatMap((one) => ['-H', one]), `${t.url}${url}`].map(String));
  if (/Non-2xx/.test(stdout)) throw new Error(`${url} was refused:\n${stdout}`);
  const rate = Number(/Requests per second:\s+([\d.]+)/.exec(stdout)[1]);
  return { rate, us: (cpu(t.httpd.pids()) - before) / Number(/Complete requests:\s+(\d+)/.exec(stdout)[1]) * 1e6 };
}

/* ---- shops ------------------------------------------------------------------------ */

const MEMBERS = `
  Alias /plain "\${SUBPAY_STATE}/site/members"
  Alias /gated "\${SUBPAY_STATE}/site/members"
  <Location /plain>
    SetHandler none
    Require all granted
  </Location>
  <Location /gated>
    SetHandler none
    AuthType SubPay
    AuthName Members
    Require subpay-active
  </Location>`;

const shops = {};

/* The one that most benchmarks use: every commit reaches the disk, the log is as shipped,
 * no worker, no limit for those who knock without a signature. */
function shop() {
  const open = async () => {
    const t = await SubPay.start({ cluster: 'own', durable: true, worker: false, httpd: MEMBERS,
      settings: { SubPayRateLimit: 'checkout 0 webhook 0 find 10 support 10' } });
    t.allowLog('SP0203'); // those signatures were wrong
    await t.sql('alter system set autovacuum = off'); // or one side of a ratio would pay for it
    await t.sql('select pg_reload_conf()');
    return t;
  };
  shops.shop ??= open();
  return shops.shop;
}

/* One with so many old orders and a worker that looks at the provider each second. */
function shopOfAge(orders, history = {}) {
  const open = async () => {
    const t = await SubPay.start({ cluster: 'own', start: false, settings: { SubPayReconcileInterval: '1s' } });
    await completedOrders(t, 0, orders, history);
    await t.httpd.start();
    return t;
  };
  shops[orders] ??= open();
  return shops[orders];
}

/*
 * Orders of long ago, completed, each with all its rows, as if all had gone well.
 * paymentId(n) names the payment of the n-th; audit: how many rows for each.
 */
async function completedOrders(t, first, count, { paymentId = (n) => `pi_old${n}`, audit = 1 } = {}) {
  await t.sql('set session_replication_role = replica'); // no triggers: this is history
  for (let at = first; at < first + count; at += 50_000) {
    const numbers = Array.from({ length: Math.min(50_000, first + count - at) }, (_, i) => at + i);
    await t.sql(`with given as (
        select n, ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid as id, payment,
               md5((n / 2)::text)::uuid as account,
               date_trunc('minute', now()) - interval '30 days' - n % 300000 * interval '1 min' as paid
          from unnest($1::bigint[], $2::text[]) g (n, payment)
      ), accounts as (
        insert into subpay.accounts (id, email)
        select distinct on (account) account, 'old' || n / 2 || '@example.com' from given on conflict do nothing
      ), payments as (
        insert into subpay.payments (provider, payment_id, order_id, charge_id, customer_id, mode, amount, currency,
            card_brand, card_last4, email, paid_at, created_at)
        select 'stripe', payment, id, 'ch_old' || n, 'cus_old' || n, 'test', 24900, 'USD',
               'visa', lpad((n % 10000)::text, 4, '0'), 'old' || n / 2 || '@example.com', paid, paid from given
      ), subscriptions as (
        insert into subpay.subscriptions (order_id, account_id, product, starts_at, expires_at, created_at)
        select id, account, 'annual', paid, paid + interval '1 year', paid from given
      ), outbox as (
        insert into subpay.outbox (kind, template, dedupe_key, order_id, recipient, state, created_at, next_try_at, sent_at)
        select 'mail', 'confirmation', 'welcome:' || id, id, 'old' || n / 2 || '@example.com', 'sent', paid, paid, paid
          from given
      ), events as (
        insert into subpay.provider_events (provider, event_id, type, kind, received_at, processed_at, state,
            order_id, fact)
        select 'stripe', 'evt_old' || n, 'checkout.session.completed', 'payment.succeeded', paid, paid, 'processed', id,
               '{}' from given
      ), audit as (
        insert into subpay.audit (at, actor, action, order_id)
        select paid + i * interval '1 day', 'provider', case i when 0 then 'order.completed' else 'order.seen' end, id
          from given, generate_series(0, $4::int - 1) i
      )
      insert into subpay.orders (id, reference, token_hash, provider, mode, email, product, title, amount, currency,
          period, period_text, site, state, checkout_id, payment_id, paid_at, completed_at, completed_via, created_at)
      select id, 'SP-' || lpad((n / 1000)::text, 4, '0') || '-' || lpad((n % 1000)::text, 3, '0')
               || subpay.reference_check(lpad(n::text, 7, '0')),
             sha256(n::text::bytea), 'stripe', 'test', 'old' || n / 2 || '@example.com', 'annual', 'Annual plan', 24900,
             'USD', '1 year', '1y', $3, 'completed', 'cs_old' || n, payment, paid, paid, 'webhook', paid
        from given`, [numbers, numbers.map(paymentId), t.url, audit]);
  }
  await t.sql('set session_replication_role = origin');
  await t.sql('vacuum analyze'); // as autovacuum would have by then
}

/* ---- rounds in turn --------------------------------------------------------------- */

/*
 * A benchmark: {open() -> its state, round(state, n), last(state), report(state)}; all but
 * open may be left out, and last is for what is measured once. The file runs alone when
 * it is the program, and in turns with others when it is required.
 */
function bench(module, it) {
  module.exports = it;
  if (require.main === module) main([it]);
}

const average = () => os.loadavg()[0].toFixed(1);

async function turns(benches) {
  const began = Date.now();
  const states = await Promise.all(benches.map((it) => it.open()));
  const loads = [average()];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, it] of benches.entries()) await it.round?.(states[i], round);
    loads.push(average());
  }
  for (const [i, it] of benches.entries()) await it.last?.(states[i]);

  const cores = os.cpus();
  console.log(`${cores.length} cores ${cores[0].model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${ROUNDS} rounds in`
    + ` ${Math.round((Date.now() - began) / 60_000)} min, load average before and after each ${loads.join(' ')}\n`);
  console.log(`${''.padEnd(56)} ${'median'.padStart(11)}  ${'of all rounds'.padEnd(17)} goal`);
  for (const [i, it] of benches.entries()) it.report?.(states[i]);
}

async function main(benches) {
  try {
    await turns(benches);
    for (const t of await Promise.all(Object.values(shops))) await t.stop();
    process.exit(0);
  } catch (error) {
    console.error(error.stack);
    process.exit(1);
  }
}

module.exports = {
  ROUNDS, SECONDS, run, median, share, Seen, line, cpu, cpuOfPostgres, memory, write, load, pgbench, gets, shop, shopOfAge,
  completedOrders, bench, main,
};

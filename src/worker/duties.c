/*
 * duties.c - the bodies of the worker's jobs.
 *
 * Room: worker.
 */
#include "worker/duties.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "db/alert.h"
#include "db/jobs.h"
#include "domain/account.h"
#include "domain/alert_watch.h"
#include "domain/anomaly.h"
#include "domain/digest.h"
#include "domain/dispute.h"
#include "domain/endpoint.h"
#include "domain/find.h"
#include "domain/notify.h"
#include "domain/person.h"
#include "domain/price.h"
#include "domain/refund.h"
#include "domain/renewal.h"
#include "domain/unlisted.h"
#include "util/clock.h"
#include "util/http.h"
#include "util/log.h"
#include "util/tally.h"

#define DAY apr_time_from_sec(86400)
#define RETRIES 20
#define HEARTBEAT_TIME apr_time_from_sec(5)

/* A few questions, each with its own patience. */
#define ASKING_WITHIN apr_time_from_sec(60)

/* The next mail may be due later than this; looking earlier costs little, and our
 * clock may be ahead of the database's. */
#define OUTBOX_AT_LEAST apr_time_from_sec(15)
#define OUTBOX_AT_MOST apr_time_from_msec(50)

static sp_turn_t turn_of(sp_outcome_t out)
{
    return out == SP_DONE ? SP_TURN_GOOD : SP_TURN_BAD;
}

/* Of a duty that takes a few at a time. */
static sp_turn_t turn_of_some(sp_outcome_t out, int more)
{
    return out == SP_DONE && more ? SP_TURN_MORE : turn_of(out);
}

/* For mod_status of this httpd, which asks no database. */
static sp_outcome_t tell_node(sp_ctx_t *ctx)
{
    apr_int64_t age_s, waiting = 0;
    sp_outcome_t out = sp_db_health(ctx, &age_s);

    if (out == SP_DONE) {
        out = sp_db_outbox_depth(ctx, &waiting);
    }
    if (out == SP_DONE) {
        sp_tally_beat(age_s < 0 ? 0 : apr_time_now() - apr_time_from_sec(age_s),
                      waiting);
    }
    return out;
}

/* Its name and state, as the kernel writes them: "4711 (subpay-worker) S ...". */
static int is_worker(apr_pool_t *pool, int pid)
{
    const char *path = apr_psprintf(pool, "/proc/%d/stat", pid);
    char line[256] = "";
    apr_size_t len = sizeof(line) - 1;
    apr_file_t *file;
    const char *name, *state;

    if (apr_file_open(&file, path, APR_READ, 0, pool) != APR_SUCCESS) {
        return 1; /* /proc may be closed to us: then only the signal tells */
    }
    apr_file_read(file, line, &len);
    apr_file_close(file);
    name = strchr(line, '(');
    state = strrchr(line, ')');
    /* Killed, and whoever should have noticed is gone too: Z for as long as it takes. */
    return name && state &&
           strncmp(name + 1, SP_WORKER_NAME, strlen(SP_WORKER_NAME)) == 0 &&
           strchr("ZX", state[1] ? state[2] : 'X') == NULL;
}

/* No such process, or its number now belongs to something else. */
static int is_dead(apr_pool_t *pool, int pid)
{
    return (kill(pid, 0) != 0 && errno == ESRCH) || !is_worker(pool, pid);
}

sp_outcome_t sp_duty_bury_dead(sp_worker_t *worker, sp_ctx_t *ctx)
{
    apr_array_header_t *others;
    const sp_worker_row_t *other;
    apr_int64_t freed = 0;
    sp_outcome_t out = sp_db_workers_at(ctx, worker->host, &others);
    int i;

    worker->others = 0;
    for (i = 0; out == SP_DONE && i < others->nelts; i++) {
        other = &APR_ARRAY_IDX(others, i, sp_worker_row_t);
        if (strcmp(other->id, worker->id) == 0) {
            continue;
        }
        /* Our own number under another id is that of a worker before us. */
        if (other->pid == (int)getpid() || is_dead(ctx->pool, other->pid)) {
            out = sp_db_worker_gone(ctx, other->id, &freed);
        }
        else {
            worker->others++;
        }
    }
    return out;
}

/* One that was still alive when we looked first may have been on its way out, with a
 * mail in hand. */
sp_turn_t sp_duty_beat(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    sp_outcome_t out = sp_db_worker_beat(ctx, worker->id, worker->host,
                                         (int)getpid(), worker->leader);

    (void)duty;
    if (out == SP_DONE && worker->others) {
        out = sp_duty_bury_dead(worker, ctx);
    }
    return turn_of(out == SP_DONE ? tell_node(ctx) : out);
}

sp_turn_t sp_duty_lead(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    int leader = 0;

    (void)duty;
    if (worker->leader) {
        return SP_TURN_GOOD; /* for as long as this connection lives */
    }
    if (sp_db_leader_try(ctx, &leader) != SP_DONE) {
        return SP_TURN_BAD;
    }
    if (leader) {
        worker->leader = 1;
        sp_log(ctx->log, SP_LOG_INFO, 710, "worker %d leads: it reconciles",
               (int)getpid());
        return sp_duty_beat(worker, ctx, duty);
    }
    return SP_TURN_GOOD;
}

/* ---- what leaves ------------------------------------------------------------------ */

sp_turn_t sp_duty_outbox(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    apr_interval_time_t wait;
    apr_time_t at;
    int more;

    if (sp_outbox_drain(ctx, worker->outbox, &more) != SP_DONE) {
        return SP_TURN_BAD;
    }
    if (more) {
        return SP_TURN_MORE;
    }
    if (sp_db_outbox_next(ctx, &at) != SP_DONE) {
        return SP_TURN_BAD;
    }
    wait = at ? at - apr_time_now() : OUTBOX_AT_LEAST;
    wait = wait > OUTBOX_AT_LEAST  ? OUTBOX_AT_LEAST
           : wait < OUTBOX_AT_MOST ? OUTBOX_AT_MOST
                                   : wait;
    duty->next = sp_clock_now() + wait;
    return SP_TURN_GOOD;
}

sp_turn_t sp_duty_heartbeat(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    sp_http_ask_t ask = { .method = "GET",
                          .url = ctx->settings->heartbeat_url,
                          .timeout = HEARTBEAT_TIME };
    sp_http_reply_t reply = { 0 };

    (void)worker;
    duty->begun = 0;
    if (!ask.url ||
        (sp_http_send(ctx->http, ctx->pool, &ask, &reply) == SP_HTTP_ANSWERED &&
         reply.status < 400)) {
        return SP_TURN_GOOD;
    }
    if (duty->failures == 0) {
        sp_log(ctx->log, SP_LOG_WARN, 711,
               "SubPayHeartbeatURL cannot be called: %s %d",
               reply.why ? reply.why : "it answered", reply.status);
    }
    return SP_TURN_BAD;
}

sp_turn_t sp_duty_notify_expired(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    int more = 0;
    sp_outcome_t out;

    (void)worker;
    (void)duty;
    out = sp_notify_expired(ctx, &more);
    return turn_of_some(out, more);
}

sp_turn_t sp_duty_refunds(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    (void)worker;
    (void)duty;
    return turn_of(sp_refunds_decide(ctx));
}

sp_turn_t sp_duty_disputes(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    int more = 0;
    sp_outcome_t out;

    (void)duty;
    sp_pulse_beat(&worker->env->pulse, ASKING_WITHIN);
    out = sp_disputes_look(ctx, &more);
    return turn_of_some(out, more);
}

sp_turn_t sp_duty_unlisted(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    int more = 0;
    sp_outcome_t out;

    (void)duty;
    sp_pulse_beat(&worker->env->pulse, ASKING_WITHIN);
    out = sp_unlisted_look(ctx, &more);
    return turn_of_some(out, more);
}

/* ---- what customers ask for -------------------------------------------------------- */

/* One search a turn: it may take seconds, and mails shall leave meanwhile. */
sp_turn_t sp_duty_searches(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    int more = 0;
    sp_outcome_t out;

    (void)duty;
    out = sp_find_work(ctx, worker->id, &worker->env->pulse, &more);
    return turn_of_some(out, more);
}

sp_turn_t sp_duty_follow_up(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    (void)duty;
    return turn_of(sp_find_follow_up(ctx, &worker->env->pulse));
}

sp_turn_t sp_duty_renewals(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    int more = 0;
    sp_outcome_t out;

    (void)duty;
    out = sp_renewals_work(ctx, worker->id, &worker->env->pulse, &more);
    return turn_of_some(out, more);
}

/* ---- reconciling ------------------------------------------------------------------ */

void sp_duty_drop(sp_duty_t *duty)
{
    if (duty->sweep) {
        sp_reconcile_end(duty->sweep);
        duty->sweep = NULL;
    }
    duty->begun = 0;
}

static void begin_sweep(sp_worker_t *worker, sp_duty_t *duty)
{
    const sp_sweep_ask_t ask = { .kind = duty->name,
                                 .worker = worker->id,
                                 .healing = !duty->once,
                                 .pulse = &worker->env->pulse };

    duty->sweep = sp_reconcile_begin(worker->pool, &ask);
    duty->begun = 1;
}

sp_turn_t sp_duty_sweep(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    const sp_sweep_counts_t *counts;
    sp_step_t step;

    if (!duty->begun) {
        begin_sweep(worker, duty);
    }
    step = sp_reconcile_step(ctx, duty->sweep);
    if (step == SP_STEP_MORE) {
        return SP_TURN_MORE;
    }
    counts = sp_reconcile_counts(duty->sweep);
    if (counts->settled > 0 || step == SP_STEP_BAD) {
        sp_log(ctx->log, step == SP_STEP_BAD ? SP_LOG_WARN : SP_LOG_INFO, 712,
               "%s: %d seen, %d settled, %d completed, %d kept for later%s%s",
               duty->name, counts->seen, counts->settled, counts->completed,
               counts->failed, step == SP_STEP_BAD ? "; cut off: " : "",
               step == SP_STEP_BAD && ctx->code ? ctx->code : "");
    }
    sp_duty_drop(duty);
    return step == SP_STEP_GOOD ? SP_TURN_GOOD : SP_TURN_BAD;
}

/* Whether a day has passed since this ended well, on whatever node; *first when it
 * never has. */
static sp_outcome_t is_day_over(sp_ctx_t *ctx, const sp_duty_t *duty, int *over,
                                int *first)
{
    sp_watermark_t mark;
    sp_outcome_t out = sp_db_watermark_get(
        ctx, apr_pstrcat(ctx->pool, "daily:", duty->name, NULL), &mark);

    *first = !mark.at;
    *over =
        *first || apr_time_now() - mark.at > DAY || mark.at > apr_time_now() + DAY;
    return out;
}

static sp_outcome_t note_day(sp_ctx_t *ctx, const sp_duty_t *duty)
{
    const sp_watermark_t mark = { .at = apr_time_now() };

    return sp_db_watermark_set(
        ctx, apr_pstrcat(ctx->pool, "daily:", duty->name, NULL), &mark);
}

sp_turn_t sp_duty_daily_sweep(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    int over = 0, first = 0;
    sp_turn_t turn;

    if (!duty->begun) {
        if (is_day_over(ctx, duty, &over, &first) != SP_DONE) {
            return SP_TURN_BAD;
        }
        if (first) {
            /* The very first look at the objects has gone back as far already. */
            return turn_of(note_day(ctx, duty));
        }
        if (!over) {
            return SP_TURN_GOOD;
        }
    }
    turn = sp_duty_sweep(worker, ctx, duty);
    return turn == SP_TURN_GOOD ? turn_of(note_day(ctx, duty)) : turn;
}

sp_turn_t sp_duty_endpoint(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    int over = 0, first = 0;

    if (is_day_over(ctx, duty, &over, &first) != SP_DONE) {
        return SP_TURN_BAD;
    }
    if (!over) {
        return SP_TURN_GOOD;
    }
    if (sp_endpoint_look(ctx, worker->id) != SP_DONE) {
        return SP_TURN_BAD;
    }
    return turn_of(note_day(ctx, duty));
}

/* At each start, as the configuration may be new, and daily. */
sp_turn_t sp_duty_prices(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    int over = 0, first = 0;

    if (!sp_prices_named(ctx->settings)) {
        return SP_TURN_GOOD;
    }
    if (duty->once && (is_day_over(ctx, duty, &over, &first) != SP_DONE || !over)) {
        return over ? SP_TURN_BAD : SP_TURN_GOOD;
    }
    if (sp_prices_look(ctx, worker->id) != SP_DONE) {
        if (duty->failures == 0) {
            sp_log(ctx->log, SP_LOG_WARN, 413,
                   "the provider could not be asked what SubPayProviderPrice costs "
                   "there (%s); tried again",
                   ctx->code ? ctx->code : "");
        }
        return SP_TURN_BAD;
    }
    return turn_of(note_day(ctx, duty));
}

sp_turn_t sp_duty_clean(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    int over = 0, first = 0, more = 0;

    (void)worker;
    if (is_day_over(ctx, duty, &over, &first) != SP_DONE) {
        return SP_TURN_BAD;
    }
    if (!over) {
        return SP_TURN_GOOD;
    }
    if (sp_account_clean(ctx) != SP_DONE ||
        sp_retention_clean(ctx, &more) != SP_DONE) {
        return SP_TURN_BAD;
    }
    return more ? SP_TURN_MORE : turn_of(note_day(ctx, duty));
}

sp_turn_t sp_duty_anomalies(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    (void)duty;
    return turn_of(sp_anomaly_look(ctx, worker->id));
}

/* Neither keeps the other from being done. */
sp_turn_t sp_duty_watch(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    sp_outcome_t watched = sp_alert_watch(ctx);
    sp_outcome_t made = sp_digest_make(ctx);
    sp_outcome_t rolled = sp_db_metrics_roll(ctx);

    (void)worker;
    (void)duty;
    return turn_of(watched != SP_DONE ? watched : made != SP_DONE ? made : rolled);
}

sp_turn_t sp_duty_events_again(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty)
{
    apr_array_header_t *keys;
    sp_settled_t settled;
    int i;

    (void)worker;
    (void)duty;
    if (sp_db_events_due(ctx, RETRIES, &keys) != SP_DONE) {
        return SP_TURN_BAD;
    }
    for (i = 0; i < keys->nelts; i++) {
        if (sp_db_event_retry(ctx, &APR_ARRAY_IDX(keys, i, sp_event_key_t),
                              &settled) != SP_DONE) {
            return SP_TURN_BAD;
        }
    }
    return SP_TURN_GOOD;
}

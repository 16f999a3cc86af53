/*
 * jobs.c - what the worker does, and when.
 *
 * Room: worker.
 *
 * One thing at a time, in short turns: a sweep over a hundred thousand payments gives
 * way after each page, so that a mail still leaves within a second. Who leads the
 * fleet holds a lock of this very connection: when that is lost, so is the lead, and
 * what a worker that was paused still wants to write fails with it.
 */
#include "worker/jobs.h"

#include <apr_strings.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/jobs.h"
#include "domain/account.h"
#include "domain/account_board.h"
#include "domain/alert.h"
#include "util/clock.h"
#include "util/crypto.h"
#include "util/http.h"
#include "util/json.h"
#include "util/log.h"
#include "view/templates.h"
#include "worker/duties.h"

#define TICK apr_time_from_msec(500)
#define RETRY apr_time_from_sec(1)
#define SEARCHES "subpay_searches"
#define RUN_NOW "subpay_run" /* somebody in support wants a look at the provider */

/* An idle turn takes half a second. Another one takes as long as the limits below let
 * a connection (for each host of several) and a statement take; a call to a provider
 * or a mail server says so itself. Whoever is later than this hangs. */
#define IDLE_WITHIN apr_time_from_sec(6)
#define TURN_WITHIN apr_time_from_sec(25)

/* A failed look is repeated sooner than at the next interval, ever less often. */
#define LATER(failures) apr_time_from_sec((failures) < 5 ? 2 << (failures) : 60)

typedef apr_interval_time_t (*every_fn)(const sp_settings_t *settings);

static apr_interval_time_t each_second(const sp_settings_t *settings)
{
    (void)settings;
    return apr_time_from_sec(1);
}

static apr_interval_time_t each_five_seconds(const sp_settings_t *settings)
{
    (void)settings;
    return apr_time_from_sec(5);
}

static apr_interval_time_t each_ten_seconds(const sp_settings_t *settings)
{
    (void)settings;
    return apr_time_from_sec(10);
}

static apr_interval_time_t each_interval(const sp_settings_t *settings)
{
    return settings->reconcile_interval;
}

static apr_interval_time_t each_five_minutes(const sp_settings_t *settings)
{
    (void)settings;
    return apr_time_from_sec(300);
}

typedef struct job_t {
    const char *name; /* for a sweep, its kind */
    sp_turn_t (*turn)(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
    every_fn every;
    int leads; /* only the leader of the fleet does it */
    int first; /* goes before the others whenever it is due */
    int looks; /* its failures are told to people, its success to the outside */
    int asked; /* only when another job has begun it */
} job_t;

/* In the order in which they are done after a start. */
static const job_t jobs[] = {
    { "beat", sp_duty_beat, each_five_seconds, 0, 1, 0, 0 },
    { "lead", sp_duty_lead, each_second, 0, 1, 0, 0 },
    { "outbox", sp_duty_outbox, each_ten_seconds, 0, 1, 0, 0 },
    { "searches", sp_duty_searches, each_five_seconds, 0, 0, 0, 0 },
    { "events", sp_duty_sweep, each_interval, 1, 0, 1, 0 },
    { "orders", sp_duty_sweep, each_five_seconds, 1, 0, 1, 0 },
    { "objects", sp_duty_sweep, each_interval, 1, 0, 1, 0 },
    { "renewals", sp_duty_renewals, each_five_seconds, 1, 0, 0, 0 },
    { "follow_up", sp_duty_follow_up, each_five_seconds, 1, 0, 0, 0 },
    { "events_again", sp_duty_events_again, each_ten_seconds, 1, 0, 0, 0 },
    { "notify_expired", sp_duty_notify_expired, each_ten_seconds, 1, 0, 0, 0 },
    { "refunds", sp_duty_refunds, each_ten_seconds, 1, 0, 0, 0 },
    { "disputes", sp_duty_disputes, each_ten_seconds, 1, 0, 0, 0 },
    { "unlisted", sp_duty_unlisted, each_ten_seconds, 1, 0, 0, 0 },
    { "anomalies", sp_duty_anomalies, each_five_minutes, 1, 0, 0, 0 },
    { "watch", sp_duty_watch, each_five_seconds, 1, 0, 0, 0 },
    { "endpoint", sp_duty_endpoint, each_five_minutes, 1, 0, 0, 0 },
    { "prices", sp_duty_prices, each_five_minutes, 1, 0, 0, 0 },
    { "deep", sp_duty_daily_sweep, each_five_minutes, 1, 0, 0, 0 },
    { "clean", sp_duty_clean, each_five_minutes, 1, 0, 0, 0 },
    { "heartbeat", sp_duty_heartbeat, each_second, 1, 0, 0, 1 },
};

#define JOB_COUNT (sizeof(jobs) / sizeof(jobs[0]))

typedef struct loop_t {
    sp_worker_t worker;
    sp_duty_t duties[JOB_COUNT];
    size_t last; /* the job that had the last turn */
    int away;    /* the database could not be reached the last time */
} loop_t;

/* ---- the connection ------------------------------------------------------------- */

/* Limits for everything this process asks of the database, unless the connection
 * string has its own. Keepalives: the server shall notice within a minute that this
 * machine is gone, and let another one lead. */
static void set_limits(void)
{
    setenv("PGCONNECT_TIMEOUT", "5", 0);
    setenv("PGAPPNAME", "subpay-worker", 0);
    setenv("PGOPTIONS",
           "-c statement_timeout=10s -c lock_timeout=2s -c tcp_keepalives_idle=20"
           " -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4",
           0);
}

static const char *settings_json(apr_pool_t *pool, const sp_settings_t *settings)
{
    json_t *json = sp_json_object(pool);

    sp_json_set_text(json, "mode", settings->mode);
    sp_json_set_text(json, "site", settings->base_url);
    sp_json_set_text(json, "duplicate_window",
                     apr_psprintf(pool, "%" APR_TIME_T_FMT " s",
                                  apr_time_sec(settings->duplicate_window)));
    sp_json_set_int(json, "goodwill_days", settings->goodwill_days);
    sp_json_set_text(json, "renewal_grace",
                     apr_psprintf(pool, "%" APR_TIME_T_FMT " s",
                                  apr_time_sec(settings->renewal_grace)));
    sp_json_set_text(json, "support_hours", settings->support_hours);
    sp_json_set_text(json, "duplicates", settings->duplicates);
    sp_json_set_text(json, "refund_ends", settings->refund_ends);
    sp_json_set_text(json, "dispute_access", settings->dispute_access);
    sp_json_set_text(json, "auto_refund", settings->auto_refund.how);
    sp_json_set_text(json, "auto_refund_after",
                     apr_psprintf(pool, "%" APR_TIME_T_FMT " s",
                                  apr_time_sec(settings->auto_refund.after)));
    sp_json_set_int(json, "auto_refund_limit", settings->auto_refund.limit);
    json_object_set_new(json, "refund_confirm",
                        settings->refund_confirm
                            ? json_loads(settings->refund_confirm, 0, NULL)
                            : json_object());
    sp_json_set_bool(json, "notify", settings->notify_url != NULL);
    return sp_json_dump(pool, json);
}

/* A new connection has no lock and listens to nothing; and a mail whose report went
 * down with the old one is in nobody's hands. */
static sp_outcome_t greet(loop_t *loop, sp_ctx_t *ctx, PGconn *pg)
{
    size_t i;

    loop->worker.leader = 0;
    loop->worker.backend = 0;
    for (i = 0; i < JOB_COUNT; i++) {
        if (jobs[i].leads) {
            sp_duty_drop(&loop->duties[i]);
        }
        loop->duties[i].next = 0;
    }
    PQclear(PQexec(pg, "listen subpay_outbox; listen " SEARCHES "; listen " RUN_NOW
                       "; listen " SP_BOARD_CHANNEL));
    if (sp_account_listen(ctx) != SP_DONE ||
        sp_db_settings_store(ctx, settings_json(ctx->pool, ctx->settings)) !=
            SP_DONE ||
        sp_db_worker_release(ctx, loop->worker.id) != SP_DONE ||
        sp_duty_bury_dead(&loop->worker, ctx) != SP_DONE) {
        return SP_FAILED;
    }
    loop->worker.backend = PQbackendPID(pg);
    return SP_DONE;
}

/* Whether there is a connection; asked before each turn, free when there is one. */
static int is_connected(const loop_t *loop)
{
    PGconn *pg = sp_db_own_pg(loop->worker.ctx.db);

    return pg && PQstatus(pg) == CONNECTION_OK && loop->worker.backend &&
           loop->worker.backend == PQbackendPID(pg);
}

static void note_reach(loop_t *loop, int reached)
{
    if (loop->away == !reached) {
        return;
    }
    loop->away = !reached;
    if (loop->away) {
        sp_log(loop->worker.ctx.log, SP_LOG_ERR, 713,
               "the worker cannot reach the database; trying again each second");
    }
    else {
        sp_log(loop->worker.ctx.log, SP_LOG_NOTICE, 714,
               "the worker has reached the database again");
    }
}

/* Without a log: a database that is away is one line, not one each second. */
static int connect_again(loop_t *loop, sp_ctx_t *ctx)
{
    sp_ctx_t quiet = *ctx;
    PGconn *pg;
    int reached;

    quiet.log = NULL;
    loop->worker.leader = 0;
    sp_pulse_beat(&loop->worker.env->pulse, TURN_WITHIN);
    reached = sp_duty_beat(&loop->worker, &quiet, NULL) == SP_TURN_GOOD;
    pg = sp_db_own_pg(ctx->db);
    if (reached && loop->worker.backend != PQbackendPID(pg)) {
        reached = greet(loop, ctx, pg) == SP_DONE;
    }
    note_reach(loop, reached);
    return reached;
}

/* ---- one turn --------------------------------------------------------------------- */

static sp_duty_t *duty_of(loop_t *loop, const char *name)
{
    size_t i;

    for (i = 0; strcmp(jobs[i].name, name) != 0; i++) {
    }
    return &loop->duties[i];
}

static int may_do(const loop_t *loop, size_t i)
{
    return (!jobs[i].leads || loop->worker.leader) &&
           (!jobs[i].asked || loop->duties[i].begun);
}

/* The first of those that go first; of the others who has waited longest. JOB_COUNT
 * when nothing is due. */
static size_t choose(const loop_t *loop, apr_time_t now)
{
    size_t i, best = JOB_COUNT;

    for (i = 0; i < JOB_COUNT; i++) {
        if (!may_do(loop, i) || loop->duties[i].next > now) {
            continue;
        }
        if (jobs[i].first && i != loop->last) {
            return i; /* not twice in a row: a slow mail server is not all there is */
        }
        if (best == JOB_COUNT ||
            loop->duties[i].turned < loop->duties[best].turned) {
            best = i;
        }
    }
    return best;
}

/* A whole round has been good: let the outside know that somebody looks. */
static void tell_outside(loop_t *loop)
{
    size_t i;

    for (i = 0; i < JOB_COUNT; i++) {
        if (jobs[i].looks && (!loop->duties[i].once || loop->duties[i].failures)) {
            return;
        }
    }
    duty_of(loop, "heartbeat")->begun = 1;
}

static void tell_people(sp_ctx_t *ctx, sp_duty_t *duty)
{
    sp_alert_run_t run = { .kind = duty->name,
                           .code = ctx->code ? ctx->code : "unknown",
                           .failures = duty->failures,
                           .since_good = sp_clock_now() - duty->good,
                           .told = duty->told };

    sp_alert_run(ctx, &run);
    duty->told = run.told;
}

static void note_good(loop_t *loop, sp_ctx_t *ctx, const job_t *job, sp_duty_t *duty)
{
    apr_time_t now = sp_clock_now();

    if (duty->next <= now) { /* it has not said itself when to come again */
        duty->next = now + job->every(loop->worker.env->settings);
    }
    duty->once = 1;
    duty->failures = 0;
    duty->good = now;
    if (job->looks) {
        tell_people(ctx, duty);
        if (strcmp(job->name, "objects") == 0) {
            tell_outside(loop);
        }
    }
}

static void note_bad(sp_ctx_t *ctx, const job_t *job, sp_duty_t *duty)
{
    duty->next = sp_clock_now() + LATER(duty->failures);
    duty->failures++;
    if (job->looks) {
        tell_people(ctx, duty);
    }
}

/* From now on this worker reconciles: it begins as one that has just started, and what
 * was not done before is not its failure. */
static void take_lead(loop_t *loop)
{
    size_t i;

    for (i = 0; i < JOB_COUNT; i++) {
        if (jobs[i].leads) {
            loop->duties[i].next = 0;
            loop->duties[i].once = 0;
            loop->duties[i].failures = 0;
            loop->duties[i].good = sp_clock_now();
        }
    }
}

static void take_turn(loop_t *loop, sp_ctx_t *ctx, size_t i)
{
    sp_duty_t *duty = &loop->duties[i];
    int led = loop->worker.leader;

    ctx->code = NULL;
    sp_pulse_beat(&loop->worker.env->pulse, TURN_WITHIN);
    switch (jobs[i].turn(&loop->worker, ctx, duty)) {
    case SP_TURN_MORE:
        duty->next = 0;
        break;
    case SP_TURN_GOOD:
        note_good(loop, ctx, &jobs[i], duty);
        break;
    case SP_TURN_BAD:
        note_bad(ctx, &jobs[i], duty);
        break;
    }
    if (loop->worker.leader && !led) {
        take_lead(loop);
    }
    duty->turned = sp_clock_now();
    loop->last = i;
}

/* ---- the loop ----------------------------------------------------------------------- */

static apr_interval_time_t time_to_next(const loop_t *loop, apr_time_t now)
{
    apr_interval_time_t wait = TICK;
    size_t i;

    for (i = 0; i < JOB_COUNT; i++) {
        if (may_do(loop, i) && loop->duties[i].next - now < wait) {
            wait = loop->duties[i].next - now;
        }
    }
    return wait < 0 ? 0 : wait;
}

/* What looks at the provider is due at once; what is under way goes on. */
static void look_now(loop_t *loop)
{
    size_t i;

    for (i = 0; i < JOB_COUNT; i++) {
        if (jobs[i].looks) {
            loop->duties[i].next = 0;
        }
    }
}

/* Something was put into the outbox, or somebody asks for a payment: whichever worker
 * is quicker takes it. Or access was taken away: every worker tells the gates of its
 * own httpd. */
static void take_notices(loop_t *loop, PGconn *pg)
{
    PGnotify *notice;

    PQconsumeInput(pg);
    while ((notice = PQnotifies(pg)) != NULL) {
        if (strcmp(notice->relname, SP_BOARD_CHANNEL) == 0) {
            sp_board_change(notice->extra, 0);
        }
        else if (strcmp(notice->relname, RUN_NOW) == 0) {
            look_now(loop);
        }
        else {
            duty_of(loop, strcmp(notice->relname, SEARCHES) ? "outbox" : "searches")
                ->next = 0;
        }
        PQfreemem(notice);
    }
    if (PQstatus(pg) == CONNECTION_OK) {
        sp_board_hear();
    }
}

static void wait_for_work(loop_t *loop)
{
    PGconn *pg = sp_db_own_pg(loop->worker.ctx.db);
    struct pollfd fd = { .fd = PQsocket(pg), .events = POLLIN };

    take_notices(loop, pg);
    sp_pulse_beat(&loop->worker.env->pulse, IDLE_WITHIN);
    poll(&fd, 1, (int)apr_time_as_msec(time_to_next(loop, sp_clock_now()) + 999));
    take_notices(loop, pg);
}

static void turn(loop_t *loop)
{
    sp_ctx_t ctx = loop->worker.ctx;
    size_t i;

    if (!is_connected(loop) && !connect_again(loop, &ctx)) {
        sp_pulse_beat(&loop->worker.env->pulse, IDLE_WITHIN);
        apr_sleep(RETRY);
        return;
    }
    take_notices(loop, sp_db_own_pg(ctx.db));
    i = choose(loop, sp_clock_now());
    if (i < JOB_COUNT) {
        take_turn(loop, &ctx, i);
    }
    else {
        wait_for_work(loop);
    }
}

/* ---- getting ready ------------------------------------------------------------------ */

static void load_templates(loop_t *loop)
{
    sp_ctx_t *ctx = &loop->worker.ctx;
    const char *shipped =
        apr_pstrcat(ctx->pool, ctx->settings->share, "/htdocs/templates", NULL);
    const char *const own_first[] = { ctx->settings->templates, shipped, NULL };
    sp_templates_t *set = NULL;
    const char *error = NULL;

    if (sp_templates_load(ctx->pool,
                          ctx->settings->templates ? own_first : own_first + 1, &set,
                          &error) != APR_SUCCESS) {
        sp_log(ctx->log, SP_LOG_ERR, 715, "no mail can be written: %s", error);
    }
    ctx->templates = set;
}

static void open_outbox(loop_t *loop)
{
    sp_worker_t *worker = &loop->worker;
    const char *error;

    worker->outbox =
        sp_outbox_open(&worker->ctx, worker->id, &worker->env->pulse, &error);
    if (error) {
        sp_log(worker->ctx.log, SP_LOG_ERR, 716, "no mail can leave: %s", error);
    }
}

static void prepare(loop_t *loop, apr_pool_t *pool, const sp_jobs_env_t *env)
{
    sp_worker_t *worker = &loop->worker;
    char host[256] = "";
    size_t i;

    set_limits();
    gethostname(host, sizeof(host) - 1);
    worker->env = env;
    worker->pool = pool;
    worker->host = apr_pstrdup(pool, host);
    worker->id = sp_crypto_uuid(pool);
    worker->ctx.pool = pool;
    worker->ctx.settings = env->settings;
    worker->ctx.log = env->log;
    worker->ctx.via = "reconcile";
    worker->ctx.actor = "worker";
    worker->ctx.db = sp_db_own(pool, env->settings->database);
    worker->ctx.http = sp_http_create(pool);
    for (i = 0; i < JOB_COUNT; i++) {
        loop->duties[i].name = jobs[i].name;
        loop->duties[i].good = sp_clock_now();
        loop->duties[i].told = 1; /* maybe by a worker before us */
    }
    load_templates(loop);
    open_outbox(loop);
}

void sp_jobs_run(apr_pool_t *pool, const sp_jobs_env_t *env)
{
    loop_t *loop = apr_pcalloc(pool, sizeof(*loop));
    apr_pool_t *turns;

    prepare(loop, pool, env);
    apr_pool_create(&turns, pool);
    while (!env->orphaned()) {
        loop->worker.ctx.pool = turns;
        turn(loop);
        apr_pool_clear(turns);
    }
}

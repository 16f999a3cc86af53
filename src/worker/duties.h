/*
 * duties.h - the bodies of the worker's jobs.
 *
 * Room: worker.
 */
#ifndef SUBPAY_WORKER_DUTIES_H
#define SUBPAY_WORKER_DUTIES_H

#include "domain/outbox.h"
#include "domain/reconcile.h"
#include "worker/jobs.h"

typedef struct sp_worker_t {
    const sp_jobs_env_t *env;
    apr_pool_t *pool;
    const char *id; /* uuid of this process */
    const char *host;
    sp_ctx_t ctx; /* all but the pool, which each turn of a job brings along */
    sp_outbox_t *outbox;
    int leader;  /* this connection holds the fleet's lock */
    int backend; /* the server process behind the connection; 0: none */
    int others;  /* workers of this host that were alive at the last look */
} sp_worker_t;

/* One job's own state; lives as long as the worker. */
typedef struct sp_duty_t {
    const char *name;
    apr_time_t next;   /* sp_clock_now() when it is due */
    apr_time_t turned; /* when it last had a turn: who waited longest goes first */
    int begun;         /* wanted, or in the middle: the next turn goes on with it */
    int once;          /* it has ended well once since this worker started */
    int failures;      /* in a row */
    apr_time_t good;   /* when it last ended well, at first when it was born */
    int told;          /* an alert may be open */
    sp_sweep_t *sweep; /* of a job that reconciles, while begun */
} sp_duty_t;

/* How a turn ended. */
typedef enum sp_turn_t {
    SP_TURN_MORE, /* there is more to do at once */
    SP_TURN_GOOD,
    SP_TURN_BAD /* ctx->code says why */
} sp_turn_t;

/* Each takes one turn: short, crash-safe, and repeated without harm. */
sp_turn_t sp_duty_beat(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_lead(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_outbox(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_sweep(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_daily_sweep(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_events_again(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_anomalies(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_watch(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_clean(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_endpoint(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_notify_expired(sp_worker_t *worker, sp_ctx_t *ctx,
                                 sp_duty_t *duty);
sp_turn_t sp_duty_refunds(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_disputes(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_unlisted(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_heartbeat(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_searches(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_renewals(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_prices(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);
sp_turn_t sp_duty_follow_up(sp_worker_t *worker, sp_ctx_t *ctx, sp_duty_t *duty);

/** Give back what dead workers of this machine had claimed. */
sp_outcome_t sp_duty_bury_dead(sp_worker_t *worker, sp_ctx_t *ctx);

/** Give up what is in the middle: another may be doing it now. */
void sp_duty_drop(sp_duty_t *duty);

#endif

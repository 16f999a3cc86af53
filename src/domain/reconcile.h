/*
 * reconcile.h - find out what the provider knows and we do not.
 *
 * Room: domain.
 *
 * Three layers, because each has holes that the next one covers:
 *   events   what the provider has announced since the last look, replayed
 *   orders   our own open orders, each asked for
 *   objects  the payments themselves, compared page by page
 *   deep     objects again, over a longer window
 * Each fact is settled in a transaction of its own, so that one that cannot be
 * stops nothing but itself. A sweep is walked in steps of about a page, so that the
 * worker can do something more urgent in between.
 */
#ifndef SUBPAY_DOMAIN_RECONCILE_H
#define SUBPAY_DOMAIN_RECONCILE_H

#include "domain/pulse.h"
#include "model/ctx.h"

typedef struct sp_sweep_t sp_sweep_t;

typedef struct sp_sweep_ask_t {
    const char *kind;   /* events, orders, objects or deep */
    const char *worker; /* its uuid. NULL: just look, as subpayctl does: the book of
                         * runs and the watermarks stay as they are */
    apr_time_t since;   /* how far back; 0: where the last truthful look ended */
    int healing;        /* the first look after a start: what is most likely missing
                         * comes first */
    const sp_pulse_t *pulse;
} sp_sweep_ask_t;

/* What a sweep has seen and done so far. */
typedef struct sp_sweep_counts_t {
    int pages;
    int seen;       /* events, orders or payments */
    int settled;    /* of these let in through the one door */
    int completed;  /* orders that this completed */
    int failed;     /* kept for a retry, or not answered for */
    int unreadable; /* kept as bytes, with a ticket */
    int foreign; /* payments that name no order of ours: for a person to look at */
} sp_sweep_counts_t;

typedef enum sp_step_t {
    SP_STEP_MORE, /* call again */
    SP_STEP_GOOD, /* ended, and all of it was seen */
    SP_STEP_BAD /* ended early: ctx->code says why; the next one goes on from here */
} sp_step_t;

/** Begin; nothing is asked yet. The sweep lives in a pool of its own below pool. */
sp_sweep_t *sp_reconcile_begin(apr_pool_t *pool, const sp_sweep_ask_t *ask);

/** Do a page or a handful of orders. After GOOD or BAD only sp_reconcile_end(). */
sp_step_t sp_reconcile_step(sp_ctx_t *ctx, sp_sweep_t *sweep);

const sp_sweep_counts_t *sp_reconcile_counts(const sp_sweep_t *sweep);

/** The counts as a JSON object, in pool. */
const char *sp_reconcile_counts_json(apr_pool_t *pool, const sp_sweep_t *sweep);

/** Release its memory. */
void sp_reconcile_end(sp_sweep_t *sweep);

#endif

/*
 * tally.h - what has happened so often, counted by all processes of this httpd.
 *
 * Room: util. In memory that the children and the worker share; a restart begins at zero,
 * as counters of monitors may. Without sp_tally_open() (subpayctl, tests) nothing is
 * counted.
 */
#ifndef SUBPAY_UTIL_TALLY_H
#define SUBPAY_UTIL_TALLY_H

#include <apr_pools.h>
#include <apr_time.h>

/* Results of calls to a provider, as sp_outcome_t has them; and the time that webhooks
 * took, in buckets. */
#define SP_TALLY_RESULTS 4
#define SP_TALLY_BUCKETS 11

typedef struct sp_tally_t {
    apr_uint64_t calls[SP_TALLY_RESULTS];
    apr_uint64_t webhooks[SP_TALLY_BUCKETS]; /* each by itself; the last: any time */
    apr_uint64_t webhook_time;               /* microseconds, all together */
    /* What this node's worker has seen last, written by it alone. */
    apr_time_t beat;   /* when; 0: not yet */
    apr_time_t looked; /* when the provider was last looked at with success, or 0 */
    apr_int64_t waiting; /* messages that wait to leave */
} sp_tally_t;

/* Upper ends of all buckets but the last, in microseconds. */
extern const apr_interval_time_t sp_tally_bounds[SP_TALLY_BUCKETS - 1];

/** Get the memory, before anybody is forked. Lives as long as pool. */
apr_status_t sp_tally_open(apr_pool_t *pool);

/** A call to a provider has ended. */
void sp_tally_call(int outcome);

/** A webhook was answered. */
void sp_tally_webhook(apr_interval_time_t took);

/** The worker lives, and has seen this. */
void sp_tally_beat(apr_time_t looked, apr_int64_t waiting);

/** What was counted; NULL when nothing is. */
const sp_tally_t *sp_tally_get(void);

#endif

/*
 * jobs.h - the worker's SQL calls: one short C function for each SQL function.
 *
 * Room: db. As db.h: one statement, one transaction; SP_DONE, or SP_FAILED with code
 * "database", logged. Results live in ctx->pool.
 */
#ifndef SUBPAY_DB_JOBS_H
#define SUBPAY_DB_JOBS_H

#include "db/db.h"

/** Store what settle() must know of the configuration: a JSON object. */
sp_outcome_t sp_db_settings_store(sp_ctx_t *ctx, const char *settings);

/* ---- the fleet -------------------------------------------------------------- */

/** This worker lives. */
sp_outcome_t sp_db_worker_beat(sp_ctx_t *ctx, const char *worker, const char *host,
                               int pid, int leader);

typedef struct sp_worker_row_t {
    const char *id;
    int pid;
} sp_worker_row_t;

/** The workers (sp_worker_row_t) noted for a host. */
sp_outcome_t sp_db_workers_at(sp_ctx_t *ctx, const char *host,
                              apr_array_header_t **workers);

/** That worker's process is dead: what it had claimed is due again; how much. */
sp_outcome_t sp_db_worker_gone(sp_ctx_t *ctx, const char *worker,
                               apr_int64_t *freed);

/** What this worker has claimed and not reported on is due again at once. */
sp_outcome_t sp_db_worker_release(sp_ctx_t *ctx, const char *worker);

/** Take the leader's lock on this very connection: *leader is set when it is ours. */
sp_outcome_t sp_db_leader_try(sp_ctx_t *ctx, int *leader);

/* ---- the outbox ------------------------------------------------------------- */

typedef struct sp_outbox_row_t {
    apr_int64_t id;
    const char *kind;     /* mail, alert, refund, notify, dispute */
    const char *template; /* of a mail */
    const char *order_id;
    apr_int64_t ticket_id;
    const char *recipient;
    const char *payload; /* a JSON object */
    int attempts;        /* this one included */
    const char *message_id;
    const char *lease; /* to be shown when reporting */
} sp_outbox_row_t;

/** Claim due rows (sp_outbox_row_t) for lease_s seconds. */
sp_outcome_t sp_db_outbox_claim(sp_ctx_t *ctx, const char *worker, int limit,
                                int lease_s, apr_array_header_t **rows);

/** Report on a claimed row. Nothing happens when the lease has passed to another. */
sp_outcome_t sp_db_outbox_sent(sp_ctx_t *ctx, const sp_outbox_row_t *row);
sp_outcome_t sp_db_outbox_retry(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                                const char *error);
sp_outcome_t sp_db_outbox_dead(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                               const char *error);

/** When the next row is due; 0 when there is none. */
sp_outcome_t sp_db_outbox_next(sp_ctx_t *ctx, apr_time_t *at);

/** How many messages wait to leave. */
sp_outcome_t sp_db_outbox_depth(sp_ctx_t *ctx, apr_int64_t *depth);

/* ---- what is open ----------------------------------------------------------- */

/** Orders (sp_order_t) to be asked about; starting takes all young ones too. */
sp_outcome_t sp_db_orders_due(sp_ctx_t *ctx, int limit, int starting,
                              apr_array_header_t **orders);

/** This order was asked about just now: the next time comes by its age. */
sp_outcome_t sp_db_order_asked(sp_ctx_t *ctx, const char *order_id,
                               const char *note);

typedef struct sp_event_key_t {
    const char *provider;
    const char *event_id;
} sp_event_key_t;

/** Stored facts (sp_event_key_t) to be tried again. */
sp_outcome_t sp_db_events_due(sp_ctx_t *ctx, int limit, apr_array_header_t **keys);

/** Settle a stored fact again, by replay. */
sp_outcome_t sp_db_event_retry(sp_ctx_t *ctx, const sp_event_key_t *key,
                               sp_settled_t *settled);

/* ---- one page of the provider's list, in one statement ----------------------- */

/** Mark which of these facts (sp_fact_t *) are still to be settled: wanted holds one
 * char for each, 1 for those whose event is not known as processed or ignored. */
sp_outcome_t sp_db_events_known(sp_ctx_t *ctx, const char *provider,
                                const apr_array_header_t *facts, char *wanted);

/** The same for payments: missing here, different here, or not home. */
sp_outcome_t sp_db_payments_unmatched(sp_ctx_t *ctx, const char *provider,
                                      const apr_array_header_t *facts, char *wanted);

/** The same for periods of plans that renew, paid and failed. */
sp_outcome_t sp_db_periods_unmatched(sp_ctx_t *ctx, const char *provider,
                                     const apr_array_header_t *facts, char *wanted);
/** The same for refunds and for disputes of payments that are ours: missing here, or in
 * another state. */
sp_outcome_t sp_db_refunds_unmatched(sp_ctx_t *ctx, const char *provider,
                                     const apr_array_header_t *facts, char *wanted);
sp_outcome_t sp_db_disputes_unmatched(sp_ctx_t *ctx, const char *provider,
                                      const apr_array_header_t *facts, char *wanted);

/* ---- money that goes back ------------------------------------------------------ */

typedef struct sp_dispute_key_t {
    const char *provider;
    const char *dispute_id;
} sp_dispute_key_t;

/** Take open disputes (sp_dispute_key_t) not heard of for an hour, the longest first;
 * due again in a minute, unless sp_db_dispute_asked notes an answer. */
sp_outcome_t sp_db_disputes_due(sp_ctx_t *ctx, int limit,
                                apr_array_header_t **disputes);
sp_outcome_t sp_db_dispute_asked(sp_ctx_t *ctx, const sp_dispute_key_t *key);

/** Take payments (const char *, their ids) to ask a provider about that keeps no list of
 * refunds; due again in a minute, unless sp_db_payment_asked notes an answer. */
sp_outcome_t sp_db_payments_due(sp_ctx_t *ctx, const char *provider, int limit,
                                apr_array_header_t **ids);
sp_outcome_t sp_db_payment_asked(sp_ctx_t *ctx, const char *provider,
                                 const char *payment_id);

/** Decide what goes back by itself; how many payments that were. */
sp_outcome_t sp_db_refunds_decide(sp_ctx_t *ctx, apr_int64_t *decided);

/** May this row of the outbox be made now: ok, disputed or moot (refund_ready.sql). */
sp_outcome_t sp_db_refund_ready(sp_ctx_t *ctx, apr_int64_t id, const char **verdict);

/* ---- the book of runs -------------------------------------------------------- */

sp_outcome_t sp_db_run_begin(sp_ctx_t *ctx, const char *kind, const char *worker,
                             apr_int64_t *run);

/** counts: a JSON object; error: NULL for a good run. */
sp_outcome_t sp_db_run_end(sp_ctx_t *ctx, apr_int64_t run, int ok,
                           const char *counts, const char *error);

typedef struct sp_watermark_t {
    apr_time_t at;      /* everything before it has been seen; 0: never stored */
    const char *cursor; /* of a sweep that was cut off, or NULL */
} sp_watermark_t;

sp_outcome_t sp_db_watermark_get(sp_ctx_t *ctx, const char *name,
                                 sp_watermark_t *mark);
sp_outcome_t sp_db_watermark_set(sp_ctx_t *ctx, const char *name,
                                 const sp_watermark_t *mark);

/* ---- telling people ----------------------------------------------------------- */

/** level: page, today or digest; detail: a JSON object or NULL. One open alert a key. */
sp_outcome_t sp_db_alert_raise(sp_ctx_t *ctx, const char *key, const char *level,
                               const char *text, const char *detail);
sp_outcome_t sp_db_alert_clear(sp_ctx_t *ctx, const char *key);

typedef struct sp_anomaly_t {
    const char *code; /* no_subscription, mail_not_sent, ledger... */
    const char *order_id;
    const char *reference;
    const char *detail;
} sp_anomaly_t;

/** What does not fit together in our own rows (sp_anomaly_t). */
sp_outcome_t sp_db_anomalies(sp_ctx_t *ctx, apr_array_header_t **anomalies);

/** Put one right where that is safe; *mended tells whether it was. */
sp_outcome_t sp_db_anomaly_mend(sp_ctx_t *ctx, const sp_anomaly_t *anomaly,
                                int *mended);

#endif

/*
 * db.h - every SQL call: one short C function for each SQL function, same word.
 *
 * Room: db. Sees model/ and util/. libpq only; where the connection comes from
 * (mod_dbd's pool, the worker's own, subpayctl's) is the caller's sp_db_t.
 *
 * Each call is one statement and one transaction. Results are copied into
 * ctx->pool before the connection goes back. SP_FAILED has code "database" and is
 * logged; a call that is idempotent is repeated once on a fresh connection when
 * the first was found dead (PQstatus), and up to three times after a deadlock, a
 * lock timeout or a serialization failure.
 */
#ifndef SUBPAY_DB_DB_H
#define SUBPAY_DB_DB_H

#include <apr_tables.h>
#include <libpq-fe.h>

#include "model/ctx.h"
#include "model/fact.h"
#include "model/order.h"

/* One connection and what is prepared on it. */
typedef struct sp_conn_t sp_conn_t;

struct sp_settled_t;

/* A source of connections. lend() blocks for its own bounded time and returns NULL
 * when none was to be had; back() returns it, telling whether it is still good. */
typedef struct sp_db_t {
    sp_conn_t *(*lend)(struct sp_db_t *db, sp_ctx_t *ctx);
    void (*back)(struct sp_db_t *db, sp_conn_t *conn);
    void *baton;

    /* How facts go in here: together with those of other threads, say. NULL: alone,
     * by sp_db_settle_alone(). */
    sp_outcome_t (*settle)(sp_ctx_t *ctx, const sp_fact_t *fact,
                           struct sp_settled_t *settled);
} sp_db_t;

/** Wrap a libpq connection; lives (with its list of prepared statements) in pool. */
sp_conn_t *sp_conn_wrap(apr_pool_t *pool, PGconn *pg);

/** Wait for each answer so long at most; 0, as it is at first: without end. One that
 * does not come in time is SP_FAILED, and the next call connects anew. */
void sp_conn_patience(sp_conn_t *conn, apr_interval_time_t patience);

/** The wrapped connection. */
PGconn *sp_conn_pg(sp_conn_t *conn);

/** A source with one connection of its own, opened at the first lend and reopened
 * after a loss; closed with pool. For the worker and subpayctl. */
sp_db_t *sp_db_own(apr_pool_t *pool, const char *conninfo);

/** The connection of sp_db_own(), for LISTEN; NULL while there is none. */
PGconn *sp_db_own_pg(sp_db_t *db);

/* What settle() did. */
typedef struct sp_settled_t {
    const char *
        verdict; /* completed, already, updated, review, closed, ignored, failed, parked */
    const char *reason;
    const char *order_id;
    const char *reference;
    const char *state;
    const char *completed_via;
    const char *mail;
    int delay_s;
} sp_settled_t;

/** Let one fact in: the one door (sql/functions/settle.sql), the way that ctx->db
 * says. Idempotent. */
sp_outcome_t sp_db_settle(sp_ctx_t *ctx, const sp_fact_t *fact,
                          sp_settled_t *settled);

/** The same in a transaction of its own. */
sp_outcome_t sp_db_settle_alone(sp_ctx_t *ctx, const sp_fact_t *fact,
                                sp_settled_t *settled);

/* One of several facts that go in together. */
typedef struct sp_settling_t {
    sp_ctx_t *ctx; /* of the road it came by; its pool gets the answer */
    const sp_fact_t *fact;
    sp_settled_t *settled;
    sp_outcome_t out; /* SP_DONE: committed, *settled is set. SP_REFUSED: nothing was
                       * done, it must go alone. SP_FAILED: no connection, logged */
} sp_settling_t;

/**
 * Let several facts in with one commit (sql/functions/settle_many.sql), one try.
 *
 * One that fails is kept for a retry as by sp_db_settle(); one whose order is locked
 * elsewhere, and all of them when the transaction could not be ended, must go alone.
 * Their threads must be waiting: their pools are used.
 */
void sp_db_settle_many(sp_ctx_t *ctx, sp_settling_t *const *all, int count);

/** Keep the bytes of a signed body that could not be read. Idempotent. */
sp_outcome_t sp_db_event_keep(sp_ctx_t *ctx, const char *provider,
                              const char *event_id, const char *raw, apr_size_t len,
                              const char *error);

/**
 * Write down the intent to sell, before the provider is called.
 *
 * order comes in with id, token, provider, mode and the product's snapshot, and
 * leaves as the database has it: under an earlier id when the same form was sent
 * twice (form_key), its token not set then.
 *
 * @return SP_REFUSED with code paused when checkout is paused
 */
sp_outcome_t sp_db_order_place(sp_ctx_t *ctx, const char *form_key,
                               const unsigned char token_hash[32], sp_order_t *order,
                               int *again);

/** Store the provider's ids of an order's payment page. Idempotent. */
sp_outcome_t sp_db_checkout_store(sp_ctx_t *ctx, const char *order_id,
                                  const char *checkout_id, const char *url,
                                  apr_time_t expires);

/** One order; *order is NULL when there is none. */
sp_outcome_t sp_db_order_get(sp_ctx_t *ctx, const unsigned char token_hash[32],
                             sp_order_t **order);
sp_outcome_t sp_db_order_by_reference(sp_ctx_t *ctx, const char *reference,
                                      sp_order_t **order);
sp_outcome_t sp_db_order_by_id(sp_ctx_t *ctx, const char *order_id,
                               sp_order_t **order);

/* What moved; minor is 0 where nothing did. */
typedef struct sp_moved_t {
    sp_money_t paid, returned;
    const char *receipt_url;
    apr_time_t review_by;
} sp_moved_t;

/** Which money has moved for an order, by when a person looks at it, and its receipt. */
sp_outcome_t sp_db_order_money(sp_ctx_t *ctx, const char *order_id,
                               sp_moved_t *moved);

/* The worker's and the command line's calls are in db/jobs.h and db/desk.h. */

#endif

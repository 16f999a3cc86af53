/*
 * call.h - how this room talks to PostgreSQL; for its own files only.
 *
 * Room: db.
 * Source: libpq, "Command Execution Functions"; PostgreSQL "Error Codes".
 */
#ifndef SUBPAY_DB_CALL_H
#define SUBPAY_DB_CALL_H

#include <jansson.h>

#include "db/db.h"

#define SP_ARGS_MAX 20

/* The caller has another way: one try, and no line in the log. */
#define SP_TRY_ONCE 2

/* One SQL function. name is also that of the prepared statement and of the C
 * function, so that one grep tells the story. */
typedef struct sp_stmt_t {
    const char *name;
    const char *sql;
    int idempotent; /* may be sent again when nobody knows whether it was done; or
                     * SP_TRY_ONCE */
} sp_stmt_t;

typedef struct sp_args_t {
    int count;
    const char *values[SP_ARGS_MAX];
    int lengths[SP_ARGS_MAX];
    int formats[SP_ARGS_MAX];
} sp_args_t;

/* Add the next argument; NULL is SQL's null. Strings are not copied. */
void sp_args_text(sp_args_t *args, const char *value);
void sp_args_bytes(sp_args_t *args, const void *value, apr_size_t len);
void sp_args_int(sp_args_t *args, apr_pool_t *pool, apr_int64_t value);
void sp_args_bool(sp_args_t *args, int value);
/* As timestamptz; 0 is null. */
void sp_args_time(sp_args_t *args, apr_pool_t *pool, apr_time_t value);
/* As interval. */
void sp_args_interval(sp_args_t *args, apr_pool_t *pool, apr_interval_time_t value);

/**
 * Run one statement in a transaction of its own.
 *
 * @param result  rows in text format, cleared with ctx->pool; no connection is held
 * @return SP_DONE, or SP_FAILED with code "database" (logged); SP_REFUSED, not logged,
 *         when an SP_TRY_ONCE statement was sent and failed
 */
sp_outcome_t sp_db_call(sp_ctx_t *ctx, const sp_stmt_t *stmt, const sp_args_t *args,
                        PGresult **result);

/** A call whose result is one yes or no; no when it did not end well. */
sp_outcome_t sp_db_ask_bool(sp_ctx_t *ctx, const sp_stmt_t *stmt,
                            const sp_args_t *args, int *answer);

/** A call whose result is one JSON value, in ctx->pool; NULL for SQL's null, and when it
 * did not end well. */
sp_outcome_t sp_db_ask_json(sp_ctx_t *ctx, const sp_stmt_t *stmt,
                            const sp_args_t *args, json_t **answer);

/* One field of a row: NULL, 0 or 0 for SQL's null. Strings live with the result. */
const char *sp_row_text(const PGresult *result, int row, int column);
apr_int64_t sp_row_int(const PGresult *result, int row, int column);
int sp_row_bool(const PGresult *result, int row, int column);

/* The columns of an order row, in the order that sp_row_order() expects; %s-free so
 * that statements can be put together at compile time. */
#define SP_ORDER_COLUMNS                                                         \
    "id, reference, provider, mode, email, name, product, title, amount, "       \
    "currency, "                                                                 \
    "period_text, credits, renews, state, checkout_id, checkout_url, "           \
    "checkout_expires_at, payment_id, statement, review_reason, completed_via, " \
    "processing, failure, created_at, paid_at, completed_at, starts_at, "        \
    "expires_at, bonus_days, access"

/* The columns of an answer of settle(), in the order that sp_row_settled() expects. */
#define SP_SETTLED_COLUMNS \
    "verdict, reason, order_id, reference, state, completed_via, mail, delay_s"

void sp_row_settled(const PGresult *result, int row, int column,
                    sp_settled_t *settled);

/** The order in one row, its first column being the given one. */
void sp_row_order(const PGresult *result, int row, int column, sp_order_t *order);

#endif

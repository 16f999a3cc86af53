/*
 * search.h - the SQL calls around looking for a payment.
 *
 * Room: db. As db.h: one statement, one transaction; SP_DONE, or SP_FAILED with code
 * "database", logged. Results live in ctx->pool.
 */
#ifndef SUBPAY_DB_SEARCH_H
#define SUBPAY_DB_SEARCH_H

#include "db/db.h"

/* What somebody says of a payment; what they left out is NULL or 0. */
typedef struct sp_search_t {
    const char *id;    /* uuid; once it is stored */
    const char *lease; /* once it is taken up */
    const char *form_key;
    const char *email;
    const char *reference;
    sp_money_t amount; /* with day and last4, or none of the three */
    apr_time_t day;    /* its midnight, UTC */
    const char *last4;
    const unsigned char *token_hash; /* of the order this browser made; 32 bytes */
} sp_search_t;

/** Write a search down and wake the workers. The same form twice is one search. */
sp_outcome_t sp_db_search_add(sp_ctx_t *ctx, const sp_search_t *search);

/** Take up the one that is longest due, for lease_s seconds; NULL: none is due. */
sp_outcome_t sp_db_search_claim(sp_ctx_t *ctx, const char *worker, int lease_s,
                                sp_search_t **search);

/** The orders (sp_order_t) that our own rows know to fit. */
sp_outcome_t sp_db_search_orders(sp_ctx_t *ctx, const char *search,
                                 apr_array_header_t **orders);

/**
 * Say what it has come to; mails are queued by it.
 *
 * @param orders   ids (const char *) of all orders that fit
 * @param clear    the provider has answered every question
 * @param verdict  found, none, waiting, unknown or lost
 */
sp_outcome_t sp_db_search_done(sp_ctx_t *ctx, const sp_search_t *search,
                               const apr_array_header_t *orders, int clear,
                               const char **verdict);

/* ---- customers who came back while the provider did not answer ---------------- */

/** Note one: within ten minutes they are told how it stands. *answers_at: a person has
 * it already, and writes by then; 0: not yet. */
sp_outcome_t sp_db_checking_note(sp_ctx_t *ctx, const char *order_id,
                                 apr_time_t *answers_at);

/** Those (sp_order_t) whose ten minutes are over. */
sp_outcome_t sp_db_checkings_due(sp_ctx_t *ctx, int limit,
                                 apr_array_header_t **orders);

/** Tell one, whom the provider was asked about once more; clear: it has answered. */
sp_outcome_t sp_db_checking_done(sp_ctx_t *ctx, const char *order_id, int clear);

#endif

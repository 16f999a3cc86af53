/*
 * credit.h - SQL calls about the ledger of credits and what customers may use.
 *
 * Room: db. As db.h: one statement, one transaction; SP_DONE, or SP_FAILED with code
 * "database", logged. Results live in ctx->pool.
 */
#ifndef SUBPAY_DB_CREDIT_H
#define SUBPAY_DB_CREDIT_H

#include "db/db.h"

/* Credits to be moved, at the application's wish. */
typedef struct sp_credit_ask_t {
    const char *account; /* the customer's e-mail address */
    int64_t amount;      /* more than 0 */
    const char *reason;
    const char *key; /* the application's own name for this request */
} sp_credit_ask_t;

typedef struct sp_credit_t {
    const char
        *verdict; /* booked, again, insufficient, too_much, key_used, no_account */
    int64_t balance; /* as it was after this entry, or is where there is none */
    int64_t entry;   /* of the ledger; 0: nothing was booked */
} sp_credit_t;

/** Take credits, or give them back; ctx->actor is written beside the entry. Idempotent:
 * the key sees to that. */
sp_outcome_t sp_db_credit_deduct(sp_ctx_t *ctx, const sp_credit_ask_t *ask,
                                 sp_credit_t *credit);
sp_outcome_t sp_db_credit_refund(sp_ctx_t *ctx, const sp_credit_ask_t *ask,
                                 sp_credit_t *credit);

typedef struct sp_credit_entry_t {
    int64_t id;
    int64_t amount;
    const char *reason;
    const char *reference; /* of the order it follows from, or NULL */
    int64_t balance;       /* after it */
    apr_time_t at;
} sp_credit_entry_t;

typedef struct sp_credits_t {
    const char *email;
    int64_t balance;
    apr_array_header_t *entries; /* sp_credit_entry_t, the newest first */
} sp_credits_t;

/** A balance and its last entries; *credits NULL: no such account. */
sp_outcome_t sp_db_credits_get(sp_ctx_t *ctx, const char *account, int limit,
                               sp_credits_t **credits);

typedef struct sp_entitlement_t {
    const char *product;
    int active;
    apr_time_t starts_at;
    apr_time_t expires_at; /* 0: no end */
    int renews;
    const char *status; /* active, scheduled, ended, suspended, refunded */
} sp_entitlement_t;

typedef struct sp_entitlements_t {
    const char *email;
    int64_t credits;
    apr_array_header_t *plans; /* sp_entitlement_t, active ones first */
} sp_entitlements_t;

/** What a customer may use; *entitlements NULL: no such account. */
sp_outcome_t sp_db_entitlements_get(sp_ctx_t *ctx, const char *account,
                                    sp_entitlements_t **entitlements);

#endif

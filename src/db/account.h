/*
 * account.h - SQL calls about accounts, passwords and sessions.
 *
 * Room: db. As db.h: one statement, one transaction; SP_DONE, or SP_FAILED with code
 * "database", logged. Results live in ctx->pool. A "hash" is the SHA-256 of a token.
 */
#ifndef SUBPAY_DB_ACCOUNT_H
#define SUBPAY_DB_ACCOUNT_H

#include "db/db.h"
#include "util/crypto.h"

/* What somebody has of one plan, all its orders taken together. */
typedef struct sp_plan_t {
    const char *product;
    const char *title;     /* as last sold */
    const char *reference; /* of the last order */
    int active;            /* it gives access now */
    apr_time_t starts_at;
    apr_time_t expires_at; /* end of all that is paid for; 0: none */
} sp_plan_t;

typedef struct sp_customer_t {
    const char *id; /* uuid */
    const char *email;
    const char *name;
    int64_t credits;
    int has_password;
    apr_array_header_t *plans; /* of sp_plan_t, active ones first */
} sp_customer_t;

/** The account and its plans; *customer NULL when there is none. */
sp_outcome_t sp_db_account_get(sp_ctx_t *ctx, const char *account,
                               sp_customer_t **customer);

/** The same for a session; NULL when it has ended. */
sp_outcome_t sp_db_session_get(sp_ctx_t *ctx, const unsigned char hash[SP_HASH_SIZE],
                               sp_customer_t **customer);

/** Whom an address names, and their bcrypt hash; both NULL when unknown. */
sp_outcome_t sp_db_account_login(sp_ctx_t *ctx, const char *email,
                                 const char **account, const char **password_hash);

/** A customer used today what a gate protects; only the first of a day is written. */
sp_outcome_t sp_db_account_used(sp_ctx_t *ctx, const char *account);

/* Whose access an order pays for. */
typedef struct sp_order_account_t {
    const char *id;
    const char *email;
    int has_password;
    int correctable; /* the address may still be corrected by whoever paid */
} sp_order_account_t;

/** By the token's hash, or where that is NULL by the order's id. *found NULL: no such
 * order, or not completed. */
sp_outcome_t sp_db_account_by_order(sp_ctx_t *ctx, const unsigned char *hash,
                                    const char *order_id,
                                    sp_order_account_t **found);

/** Write a link down; *email says where it may be sent, NULL: no such account. */
sp_outcome_t sp_db_account_link(sp_ctx_t *ctx, const char *account,
                                const unsigned char hash[SP_HASH_SIZE],
                                apr_interval_time_t life, const char **email);

/** Whose link this is while it works, else NULL. Spends nothing. */
sp_outcome_t sp_db_account_link_get(sp_ctx_t *ctx,
                                    const unsigned char hash[SP_HASH_SIZE],
                                    const char **email);

/** Queue a mail with a link, where the address is known. Says nothing. */
sp_outcome_t sp_db_password_ask(sp_ctx_t *ctx, const char *email);

typedef struct sp_password_set_t {
    const unsigned char *link_hash;  /* of a mailed link, or NULL */
    const unsigned char *order_hash; /* of the paying browser's token */
    const char *password_hash;
    const unsigned char *session_hash;
    apr_interval_time_t session_life;
} sp_password_set_t;

/** *verdict: set, expired, has_password or no_order; *account only with "set". */
sp_outcome_t sp_db_password_set(sp_ctx_t *ctx, const sp_password_set_t *ask,
                                const char **verdict, const char **account);

sp_outcome_t sp_db_session_open(sp_ctx_t *ctx, const char *account,
                                const unsigned char hash[SP_HASH_SIZE],
                                apr_interval_time_t life);
sp_outcome_t sp_db_session_close(sp_ctx_t *ctx,
                                 const unsigned char hash[SP_HASH_SIZE]);

/** *verdict: corrected, same, used or no_order. */
sp_outcome_t sp_db_email_correct(sp_ctx_t *ctx,
                                 const unsigned char hash[SP_HASH_SIZE],
                                 const char *email, const char *masked,
                                 const char **verdict);

typedef struct sp_access_change_t {
    const char *account;
    apr_time_t at;
} sp_access_change_t;

/** From whom something was taken away within that time (sp_access_change_t). */
sp_outcome_t sp_db_access_changes_since(sp_ctx_t *ctx, apr_interval_time_t within,
                                        apr_array_header_t **changes);

/** Forget sessions and links that ended a week ago; once a day is enough. */
sp_outcome_t sp_db_access_clean(sp_ctx_t *ctx, int64_t *gone);

#endif

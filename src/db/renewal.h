/*
 * renewal.h - the SQL calls about plans that renew.
 *
 * Room: db. As db.h: one statement, one transaction.
 */
#ifndef SUBPAY_DB_RENEWAL_H
#define SUBPAY_DB_RENEWAL_H

#include "db/db.h"

/* A renewal that something is to be asked or done about at its provider. */
typedef struct sp_renewal_t {
    const char *provider;
    const char *id; /* the provider's own */
    const char *order_id;
    const char *reference;
    const char *wanted; /* stop, resume, or NULL: only ask */
} sp_renewal_t;

/* What an account's page says of one. */
typedef struct sp_renewal_view_t {
    const char *reference; /* of its order */
    const char *state;     /* active, stopping, ended */
    const char *wanted;
    apr_time_t renews_at; /* when the paid time ends */
    apr_time_t
        grace_until; /* until when access goes on without payment; 0: no longer */
    int declined;    /* a period is due, and the bank said no */
    const char *pay_url;
} sp_renewal_view_t;

/** Renewals (sp_renewal_t) to be asked about now. */
sp_outcome_t sp_db_renewals_due(sp_ctx_t *ctx, int limit,
                                apr_array_header_t **renewals);

/** This renewal was asked about just now. */
sp_outcome_t sp_db_renewal_asked(sp_ctx_t *ctx, const sp_renewal_t *renewal);

/** Write down what a customer wants of the renewal of their order, before the provider
 * is asked; *verdict: wanted, already, ended or none (sql/functions/renewal_want.sql). */
sp_outcome_t sp_db_renewal_want(sp_ctx_t *ctx, const char *account,
                                const char *reference, const char *want,
                                const char **verdict, sp_renewal_t *renewal);

/** The renewals (sp_renewal_view_t) of an account's running plans. */
sp_outcome_t sp_db_renewals_of(sp_ctx_t *ctx, const char *account,
                               apr_array_header_t **renewals);

/** Where the latest unpaid period of the order with this token can be paid; *url NULL:
 * nothing is due. */
sp_outcome_t sp_db_renewal_pay_url(sp_ctx_t *ctx, const unsigned char hash[32],
                                   const char **url);

#endif

/*
 * order.h - one intent to buy, and what has become of it.
 *
 * Room: model.
 */
#ifndef SUBPAY_MODEL_ORDER_H
#define SUBPAY_MODEL_ORDER_H

#include <apr_time.h>

#include "model/money.h"

/* What somebody asks for. */
typedef struct sp_order_ask_t {
    const char *email; /* checked by sp_text_email_problem() */
    const char *name;  /* NULL when not given */
    const char *product;
    const char *form_key; /* uuid minted when the form was drawn, or NULL */
} sp_order_ask_t;

/* What the database says. Strings are in the pool of the context that asked. */
typedef struct sp_order_t {
    const char *id;        /* uuid */
    const char *reference; /* SP-XXXX-XXXX */
    const char *token; /* 32 hex digits; only where we just made or were given it */
    const char *provider;
    const char *mode;
    const char *email;
    const char *name;
    const char *product;
    const char *title;
    sp_money_t price;
    const char *period; /* "1y", or NULL for credits only */
    int64_t credits;
    int renews;
    const char *
        state; /* pending, completed, failed, cancelled, expired, review, refunded */
    const char *checkout_id;
    const char *checkout_url;
    apr_time_t checkout_expires;
    const char *payment_id; /* of the payment that completed it */
    const char *statement;
    const char *review_reason;
    const char *completed_via;
    int processing;      /* the provider says: on its way, days away */
    const char *failure; /* the last failed attempt, in the provider's code */
    apr_time_t created_at;
    apr_time_t paid_at;
    apr_time_t completed_at;
    apr_time_t starts_at; /* of its subscription */
    apr_time_t expires_at;
    int bonus_days;
    const char *access; /* of its subscription: open, suspended, ended; NULL: none */
} sp_order_t;

/* What money has moved for one order. */
typedef struct sp_order_money_t {
    sp_money_t said; /* what the money line names: paid, or sent back; else the
                              * price. 0: nothing that we could name came */
    const char *receipt_url; /* the provider's own receipt, or NULL */
    apr_time_t review_by;    /* a person has looked at it by then; 0: nobody says */
} sp_order_money_t;

/** Whether it was completed and gives access now. */
int sp_order_is_open(const sp_order_t *order);

/** Whether access or a review stands on money that the bank only holds: not taken yet. */
int sp_order_is_reserved(const sp_order_t *order);

/** Whether what was held for it was let go, so that nothing was ever charged. */
int sp_order_is_released(const sp_order_t *order);

/** "1y", "3mo", "30d", "2w" as ISO 8601 ("P1Y", "P3M"...), in pool; NULL for NULL
 * or for what is no period, or longer than a hundred years. */
const char *sp_period_iso(apr_pool_t *pool, const char *period);

/** How many days that is, about; 0 where sp_period_iso() is NULL. */
int sp_period_days(const char *period);

#endif

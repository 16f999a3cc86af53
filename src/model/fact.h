/*
 * fact.h - what a provider says, in words that belong to no provider.
 *
 * Room: model.
 *
 * A provider turns each of its objects and events into one of these; the
 * database takes it through subpay.settle(), and keeps it (never the provider's
 * body) in provider_events. Absent strings are NULL, absent numbers 0.
 */
#ifndef SUBPAY_MODEL_FACT_H
#define SUBPAY_MODEL_FACT_H

#include <apr_time.h>

#include "model/money.h"

typedef enum sp_fact_kind_t {
    SP_FACT_IGNORED,            /* of no interest to us: answered 2xx, not stored */
    SP_FACT_PAYMENT_SUCCEEDED,  /* money moved */
    SP_FACT_PAYMENT_PROCESSING, /* finished by the customer, money days away */
    SP_FACT_PAYMENT_FAILED,     /* one attempt failed; the checkout may go on */
    SP_FACT_PAYMENT_VOID,  /* a delayed payment failed for good, or was cancelled */
    SP_FACT_CHECKOUT_OPEN, /* still open and unpaid */
    SP_FACT_CHECKOUT_EXPIRED, /* closed unpaid */
    SP_FACT_CHECKOUT_NONE,    /* the provider knows of none for this order */
    SP_FACT_REFUND,           /* a refund's present state */
    SP_FACT_DISPUTE,          /* a dispute's present state */
    SP_FACT_PERIOD_PAID,      /* one period of a plan that renews was paid for */
    SP_FACT_PERIOD_FAILED,    /* it was to be paid for, and was not: tried again */
    SP_FACT_RENEWAL, /* whether the provider will charge again: present state */
    SP_FACT_PAYMENT_AUTHORISED, /* the bank holds the money for us; it is not taken */
    SP_FACT_WARNING             /* the card network takes a payment for fraud */
} sp_fact_kind_t;

typedef struct sp_fact_t {
    sp_fact_kind_t kind;
    const char *provider;   /* "stripe" */
    const char *mode;       /* "test" or "live" */
    const char *event_id;   /* the provider's event, NULL when we asked ourselves */
    const char *event_type; /* the provider's word, for people */
    apr_time_t at;          /* when the provider says it happened */
    apr_time_t created;     /* when the provider made this object or event: what its
                             * lists go by; never stored */

    /* Which order: our own id first, then the provider's. */
    const char *order_id; /* uuid from the metadata, checked for its form */
    const char *checkout_id;
    const char *checkout_url; /* only while it can be paid */
    apr_time_t checkout_expires;
    const char *payment_id;
    const char *charge_id;
    const char *customer_id;

    sp_money_t amount; /* payment: what was taken; refund, dispute: its amount */
    int64_t amount_refunded; /* running total on the payment, minor units */
    int disputed;
    apr_time_t paid_at; /* when the money moved */
    apr_time_t
        hold_until;    /* authorised: the bank keeps it until then; 0: not told */
    const char *email; /* as typed at the provider */
    const char *name;
    const char *card_brand;
    const char *card_last4;
    const char *statement; /* as the bank prints it */
    const char *failure;   /* the provider's code for a failed attempt */
    const char *receipt_url;

    /* A refund's or a dispute's own part. */
    const char *refund_id;
    const char *decision;       /* refund of ours: which decision; never stored */
    const char *bank_reference; /* refund: what banks trace it by; NULL: not known */
    const char *dispute_id;     /* or the warning's own id */
    const char *status; /* pending, succeeded, failed, cancelled; disputes: open,
                           * warning, under_review, won, lost, closed; renewals:
                           * active, stopping (runs out), ended; warnings:
                           * actionable, closed */
    const char *reason;
    apr_time_t due_by; /* dispute: evidence deadline, 0 for none */
    int waits;         /* dispute: the bank waits for an answer; never stored */

    /* A plan that renews: the provider's subscription, and one period of it. */
    const char *renewal_id;
    const char *invoice_id; /* of the period: what makes it count once */
    apr_time_t period_start;
    apr_time_t period_end; /* of a renewal: until when the present one runs */
    int is_first;          /* the period that the checkout itself was paid for */
    int64_t tries;         /* period.failed: how often it was tried so far */
    apr_time_t next_try;   /* and when again; 0: not by itself */
    const char *pay_url;   /* where the customer can pay this period by hand */

    /* The order's snapshot as it travelled in the metadata: enough to rebuild
     * an order whose row is gone. */
    int ours; /* the metadata names an order of this very site */
    const char *reference;
    const char *order_email; /* as typed at our checkout */
    const char *product;
    const char *title; /* not from the metadata: as configured now */
    sp_money_t price;
    const char *period; /* "1y", or NULL */
    int64_t credits;
    const char *token_hash; /* hex SHA-256 of the return token */
    const char *site;       /* the SubPayBaseURL it was sold under */
} sp_fact_t;

/** The kind's word in JSON and SQL, such as "payment.succeeded". */
const char *sp_fact_kind_word(sp_fact_kind_t kind);

#endif

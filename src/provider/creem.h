/*
 * creem.h - what the files of the Creem side share; nobody else includes it.
 *
 * Room: provider.
 * Source: Creem API reference, v1.
 *
 * A payment is known by the id of Creem's order ("ord_..."): every object names it,
 * while a finished checkout need not name its transaction.
 */
#ifndef SUBPAY_PROVIDER_CREEM_H
#define SUBPAY_PROVIDER_CREEM_H

#include "provider/provider.h"
#include "provider/snapshot.h"
#include "util/query.h"
#include "util/scan.h"

/* -- creem_http.c: calls --------------------------------------------------- */

/** GET path with query; body on SP_DONE only. */
sp_outcome_t sp_creem_get(sp_ctx_t *ctx, const sp_account_t *account,
                          const char *what, const char *path,
                          const sp_query_t *query, sp_slice_t *body);

/** POST json to path, once: nobody there would know a repeat for one. */
sp_outcome_t sp_creem_post(sp_ctx_t *ctx, const sp_account_t *account,
                           const char *what, const char *path, const char *json,
                           sp_slice_t *body);

/* -- creem_shape.c: objects as structs --------------------------------------- */

/* Sums that are absent. */
#define SP_CREEM_NONE INT64_MIN

/* What an order or a transaction says of its money, in minor units. Which of them
 * holds the tax differs, so none is believed alone: see creem_sum.c. */
typedef struct sp_creem_sums_t {
    int64_t amount;
    int64_t sub_total;
    int64_t tax;
    int64_t discount;
    int64_t paid;
    int64_t refunded;
} sp_creem_sums_t;

typedef struct sp_creem_product_t {
    const char *id;
    const char *currency;
    const char *billing;
    const char *every; /* once, every-month... */
    int64_t price;
} sp_creem_product_t;

typedef struct sp_creem_customer_t {
    const char *id;
    const char *email;
    const char *name;
} sp_creem_customer_t;

typedef struct sp_creem_order_t {
    sp_creem_sums_t sums; /* first: one shape reads them in two objects */
    const char *id;
    const char *status;
    const char *currency;
    const char *transaction;
    sp_slice_t updated;
} sp_creem_order_t;

typedef struct sp_creem_transaction_t {
    sp_creem_sums_t sums;
    const char *id;
    const char *mode;
    const char *status;
    const char *currency;
    const char *order;
    const char *customer;
    const char *subscription;
    sp_slice_t created;
    sp_slice_t starts;
    sp_slice_t ends;
} sp_creem_transaction_t;

/* Members that are an id or the whole object are taken as bytes. */
typedef struct sp_creem_checkout_t {
    sp_snapshot_t metadata;
    const char *id;
    const char *mode;
    const char *status;
    const char *url;
    const char *request;
    sp_slice_t order;
    sp_slice_t product;
    sp_slice_t customer;
    sp_slice_t subscription;
} sp_creem_checkout_t;

typedef struct sp_creem_subscription_t {
    sp_snapshot_t metadata;
    const char *id;
    const char *mode;
    const char *status;
    const char *last; /* its latest transaction */
    sp_slice_t product;
    sp_slice_t customer;
    sp_slice_t starts; /* of the present period */
    sp_slice_t ends;
} sp_creem_subscription_t;

/* A refund or a dispute. */
typedef struct sp_creem_return_t {
    const char *id;
    const char *mode;
    const char *status;
    const char *reason;
    const char *subscription;
    int64_t amount;
    sp_slice_t transaction;
    sp_slice_t order;
    sp_slice_t checkout;
} sp_creem_return_t;

typedef struct sp_creem_event_t {
    const char *id;
    const char *type;
    sp_slice_t created;
    sp_slice_t object;
} sp_creem_event_t;

extern const sp_scan_shape_t sp_creem_product_shape;
extern const sp_scan_shape_t sp_creem_customer_shape;
extern const sp_scan_shape_t sp_creem_order_shape;
extern const sp_scan_shape_t sp_creem_transaction_shape;
extern const sp_scan_shape_t sp_creem_checkout_shape;
extern const sp_scan_shape_t sp_creem_subscription_shape;
extern const sp_scan_shape_t sp_creem_refund_shape;
extern const sp_scan_shape_t sp_creem_dispute_shape;
extern const sp_scan_shape_t sp_creem_event_shape;

/* Zeroed, with every sum absent. */
#define SP_CREEM_NO_SUMS                                                           \
    {                                                                              \
        SP_CREEM_NONE, SP_CREEM_NONE, SP_CREEM_NONE, SP_CREEM_NONE, SP_CREEM_NONE, \
            SP_CREEM_NONE                                                          \
    }

/* -- creem_sum.c: what the goods cost, without the tax ------------------------- */

/**
 * Which part of the money paid for the goods.
 *
 * @param lists  prices that it may have been, the likeliest first; 0 for none
 * @return the list price less the discount where the sums bear it out, else what
 *         Creem calls the amount: then it is for a person to compare
 */
int64_t sp_creem_sum_net(const sp_creem_sums_t *sums, const int64_t lists[2]);

/** The share in net of a sum that includes tax; all of net for all of the money. */
int64_t sp_creem_sum_share(const sp_creem_sums_t *sums, int64_t net, int64_t part);

/* -- creem_read.c: objects into facts ------------------------------------------- */

typedef struct sp_creem_reader_t {
    apr_pool_t *pool;
    const sp_settings_t *settings;
    apr_time_t now; /* the moment the objects were asked for */
} sp_creem_reader_t;

sp_creem_reader_t sp_creem_reader(const sp_ctx_t *ctx);

/** Where an object does not tell its mode, it is of ours: our key or secret fits. */
sp_fact_t *sp_creem_new_fact(const sp_creem_reader_t *reader, const char *mode);

/** Milliseconds, or a text like 2026-08-01T12:00:00.000Z; 0 for anything else. */
apr_time_t sp_creem_time(const sp_slice_t *bytes);

/** A member that is an id, or the whole object. NULL, or what is wrong with it. */
const char *sp_creem_read_linked(const sp_creem_reader_t *reader,
                                 const sp_slice_t *linked,
                                 const sp_scan_shape_t *shape, void *into,
                                 const char **id);

/** Whether it is money that came, for whatever. */
int sp_creem_is_paid(const sp_fact_t *fact);

/* Each reads one object. NULL, or why it makes no fact. */
const char *sp_creem_read_checkout(const sp_creem_reader_t *reader,
                                   const sp_slice_t *bytes, sp_fact_t **fact);
const char *sp_creem_read_refund(const sp_creem_reader_t *reader,
                                 const sp_slice_t *bytes, sp_fact_t **fact);
const char *sp_creem_read_dispute(const sp_creem_reader_t *reader,
                                  const sp_slice_t *bytes, sp_fact_t **fact);
const char *sp_creem_read_event(const sp_creem_reader_t *reader,
                                const sp_slice_t *bytes, sp_fact_t **fact);

/** @param list  the price it should have been; minor 0 where nobody knows */
const char *sp_creem_make_payment(const sp_creem_reader_t *reader,
                                  const sp_creem_transaction_t *transaction,
                                  const sp_money_t *list, sp_fact_t **fact);

/* -- creem_subscription.c: plans that renew ---------------------------------------- */

/** @param type  of the event that holds it; NULL: asked for */
const char *sp_creem_read_subscription(const sp_creem_reader_t *reader,
                                       const char *type, const sp_slice_t *bytes,
                                       sp_fact_t **fact);

/** The money of a checkout that began a subscription is its first period's. */
const char *sp_creem_first_period(const sp_creem_reader_t *reader,
                                  const sp_slice_t *subscription, sp_fact_t *fact);

/** The same for money that was asked for by itself; nothing where nothing renews. */
void sp_creem_make_first(sp_fact_t *fact);

/** "every-month" as "1mo"; NULL for what does not renew, else the word as it is. */
const char *sp_creem_period(const sp_creem_product_t *product);

/** NULL, or that nothing there renews as often. */
const char *sp_creem_period_problem(const sp_product_t *product);

/** Whether two periods are the same: a year is twelve months. */
int sp_creem_same_period(const char *one, const char *other);

/* -- creem_find.c: payments ------------------------------------------------------ */

/** The money of one order; SP_REFUSED with not_found while there is none. */
sp_outcome_t sp_creem_order_payment(sp_ctx_t *ctx, const sp_account_t *account,
                                    const char *order_id, const sp_money_t *list,
                                    sp_fact_t **fact);

/** The money of one transaction, by its id. */
sp_outcome_t sp_creem_transaction(sp_ctx_t *ctx, const sp_account_t *account,
                                  const char *id, const sp_money_t *list,
                                  sp_fact_t **fact);

/** All transactions where name is value: order_id, or customer_id. */
sp_outcome_t sp_creem_transactions(sp_ctx_t *ctx, const sp_account_t *account,
                                   const char *name, const char *value,
                                   const sp_money_t *list,
                                   apr_array_header_t *facts);

/* -- creem.c ---------------------------------------------------------------------- */

/** Whether id is one of Creem's that begins with prefix ("ord_"). */
int sp_creem_is_id(const char *id, const char *prefix);

/* -- the functions of the table ---------------------------------------------------- */

sp_outcome_t sp_creem_price_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                  const char *id, sp_price_t *price);
const char *sp_creem_webhook_sample(apr_pool_t *pool, const char *secret,
                                    const char *mode, apr_time_t at,
                                    apr_array_header_t *headers);
sp_outcome_t sp_creem_checkout_create(sp_ctx_t *ctx, const sp_account_t *account,
                                      const sp_order_t *order,
                                      const char *success_url,
                                      const char *cancel_url,
                                      sp_checkout_t *checkout);
sp_outcome_t sp_creem_checkout_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                     const char *checkout_id, sp_fact_t **fact);
sp_outcome_t sp_creem_payment_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                    const char *payment_id, sp_fact_t **fact);
sp_outcome_t sp_creem_payments_find(sp_ctx_t *ctx, const sp_account_t *account,
                                    const sp_find_t *find,
                                    apr_array_header_t **facts);
sp_outcome_t sp_creem_refund(sp_ctx_t *ctx, const sp_account_t *account,
                             const sp_refund_ask_t *ask, sp_fact_t **fact);
sp_outcome_t sp_creem_period_complete(sp_ctx_t *ctx, const sp_account_t *account,
                                      sp_fact_t *fact);
sp_outcome_t sp_creem_renewal_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                    const char *renewal_id,
                                    apr_array_header_t **facts);
sp_outcome_t sp_creem_renewal_stop(sp_ctx_t *ctx, const sp_account_t *account,
                                   const char *renewal_id, int stop,
                                   sp_fact_t **fact);
sp_outcome_t sp_creem_webhook_read(sp_ctx_t *ctx, const sp_account_t *account,
                                   sp_header_fn header, void *baton,
                                   const char *body, apr_size_t len,
                                   sp_fact_t **fact, sp_unreadable_t **unreadable);

#endif

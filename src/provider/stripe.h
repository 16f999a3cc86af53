/*
 * stripe.h - what the files of the Stripe side share; nobody else includes it.
 *
 * Room: provider.
 * Source: Stripe API reference, version 2026-07-29.dahlia.
 */
#ifndef SUBPAY_PROVIDER_STRIPE_H
#define SUBPAY_PROVIDER_STRIPE_H

#include "provider/provider.h"
#include "util/query.h"
#include "util/scan.h"

/* On every request: without it the account's own default shapes the answers. */
#define SP_STRIPE_VERSION "2026-07-29.dahlia"

/* Pages of one list in one call: 3,000 objects. */
#define SP_STRIPE_PAGES 30

/* -- stripe_http.c: calls ------------------------------------------------- */

/* What goes to call.h in Stripe's way. */
typedef struct sp_stripe_call_t {
    const char *what;   /* for the log: "create checkout" */
    const char *method; /* GET or POST */
    const char *path;   /* "/v1/refunds" */
    const char *key;    /* POST: the idempotency key */
    apr_time_t *clock;  /* where the answer's Date goes, or NULL */
    sp_query_t params;
} sp_stripe_call_t;

/** Begin a call without parameters. */
void sp_stripe_call_start(sp_stripe_call_t *call, apr_pool_t *pool, const char *what,
                          const char *method, const char *path);

/** Send it; see sp_call_send(). */
sp_outcome_t sp_stripe_send(sp_ctx_t *ctx, const sp_account_t *account,
                            const sp_stripe_call_t *call, sp_slice_t *body);

/* -- stripe_read.c: objects into facts ------------------------------------ */

/* What a reader needs to know. */
typedef struct sp_stripe_reader_t {
    apr_pool_t *pool;
    const sp_settings_t *settings;
    apr_time_t now; /* the moment the objects were asked for */
} sp_stripe_reader_t;

/** A reader for what ctx asks now. */
sp_stripe_reader_t sp_stripe_reader(const sp_ctx_t *ctx);

/**
 * Read the object that comes next as a fact.
 *
 * @return NULL, or why it makes none; scan->error is set where it is not even
 *         the JSON it should be
 */
typedef const char *(*sp_stripe_take_fn)(const sp_stripe_reader_t *reader,
                                         sp_scan_t *scan, sp_fact_t **fact);

const char *sp_stripe_take_session(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                   sp_fact_t **fact);
const char *sp_stripe_take_intent(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                  sp_fact_t **fact);
const char *sp_stripe_take_charge(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                  sp_fact_t **fact);
const char *sp_stripe_take_refund(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                  sp_fact_t **fact);
const char *sp_stripe_take_dispute(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                   sp_fact_t **fact);
const char *sp_stripe_take_warning(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                   sp_fact_t **fact);

const char *sp_stripe_take_invoice(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                   sp_fact_t **fact);
const char *sp_stripe_take_subscription(const sp_stripe_reader_t *reader,
                                        sp_scan_t *scan, sp_fact_t **fact);

/** A fact of this provider, nothing in it yet. */
sp_fact_t *sp_stripe_new_fact(const sp_stripe_reader_t *reader, int livemode);

/** An amount as Stripe writes it; NULL, or what is wrong with it. */
const char *sp_stripe_money(sp_money_t *money, int64_t minor, const char *currency);

/** Read bytes that hold one object and nothing else; NULL, or what is wrong. */
const char *sp_stripe_read(const sp_stripe_reader_t *reader, const sp_slice_t *body,
                           sp_stripe_take_fn take, sp_fact_t **fact);

/** The id in an object that is not readable otherwise, or NULL. */
const char *sp_stripe_find_id(apr_pool_t *pool, const sp_slice_t *bytes);

/* -- stripe_event.c: events into facts --------------------------------------- */

const char *sp_stripe_take_event(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                 sp_fact_t **fact);

/** The i-th event type that becomes a fact, or NULL. */
const char *sp_stripe_event_type(apr_size_t i);

/** The list of events narrows down to so many types, no more. */
#define SP_STRIPE_TYPES_ASKED 20

/** Whether the list of events must be asked for it: not for one whose news comes with
 * another type, or with the order's own questions. */
int sp_stripe_event_asked(const char *type);

/* -- stripe_list.c: pages -------------------------------------------------- */

/* A list, and what is wanted of it. */
typedef struct sp_stripe_list_t {
    const char *what; /* for the log */
    const char *path;
    sp_stripe_take_fn take;
    sp_list_ask_t ask;
    const char *params[5]; /* name, value, name, value, NULL: what narrows it */
} sp_stripe_list_t;

/** Refunds: of all payments, or of one. */
sp_stripe_list_t sp_stripe_refunds(const sp_list_ask_t *ask);

/** One page: at most 100 objects, each through take. */
sp_outcome_t sp_stripe_page(sp_ctx_t *ctx, const sp_account_t *account,
                            const sp_stripe_list_t *list, sp_page_t *page);

/**
 * Page after page, until the end, or as long as visit() says to go on.
 *
 * All pages share the patience of one call. SP_UNKNOWN when that, or
 * SP_STRIPE_PAGES, was not enough: nothing may be concluded from what was not seen.
 */
sp_outcome_t sp_stripe_walk(sp_ctx_t *ctx, const sp_account_t *account,
                            sp_stripe_list_t *list,
                            int (*visit)(void *baton, const sp_page_t *page),
                            void *baton);

/* -- stripe_find.c: one object ---------------------------------------------- */

/** One PaymentIntent, with its latest charge. */
sp_outcome_t sp_stripe_intent_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                    const char *id, sp_fact_t **fact);

/** A payment without our mark may be a renewal's: then *payment becomes its period. */
sp_outcome_t sp_stripe_period_of(sp_ctx_t *ctx, const sp_account_t *account,
                                 sp_fact_t **payment);

/** GET one object, expanded, and read it with take. */
sp_outcome_t sp_stripe_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                             const char *what, const char *path, const char *expand,
                             sp_stripe_take_fn take, sp_fact_t **fact);

/* -- stripe_checkout.c ----------------------------------------------------- */

/** The order's snapshot, below place: "metadata". See README.md. */
void sp_stripe_add_metadata(sp_query_t *params, const sp_ctx_t *ctx,
                            const sp_order_t *order, const char *place);

/* -- stripe.c -------------------------------------------------------------- */

/** Whether id may stand in a path, and begins with prefix ("pi_"). */
int sp_stripe_is_id(const char *id, const char *prefix);

/* -- the functions of the table ------------------------------------------- */

sp_outcome_t sp_stripe_checkout_create(sp_ctx_t *ctx, const sp_account_t *account,
                                       const sp_order_t *order,
                                       const char *success_url,
                                       const char *cancel_url,
                                       sp_checkout_t *checkout);
sp_outcome_t sp_stripe_checkout_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                      const char *checkout_id, sp_fact_t **fact);
sp_outcome_t sp_stripe_checkout_find(sp_ctx_t *ctx, const sp_account_t *account,
                                     const sp_order_t *order, sp_fact_t **fact);
sp_outcome_t sp_stripe_checkout_expire(sp_ctx_t *ctx, const sp_account_t *account,
                                       const char *checkout_id);
sp_outcome_t sp_stripe_payment_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                     const char *payment_id, sp_fact_t **fact);
sp_outcome_t sp_stripe_payments_list(sp_ctx_t *ctx, const sp_account_t *account,
                                     const sp_list_ask_t *ask, sp_page_t *page);
sp_outcome_t sp_stripe_events_list(sp_ctx_t *ctx, const sp_account_t *account,
                                   const sp_list_ask_t *ask, sp_page_t *page);
sp_outcome_t sp_stripe_payments_find(sp_ctx_t *ctx, const sp_account_t *account,
                                     const sp_find_t *find,
                                     apr_array_header_t **facts);
sp_outcome_t sp_stripe_periods_list(sp_ctx_t *ctx, const sp_account_t *account,
                                    const sp_list_ask_t *ask, sp_page_t *page);
sp_outcome_t sp_stripe_period_complete(sp_ctx_t *ctx, const sp_account_t *account,
                                       sp_fact_t *fact);
sp_outcome_t sp_stripe_renewal_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                     const char *renewal_id,
                                     apr_array_header_t **facts);
sp_outcome_t sp_stripe_renewal_stop(sp_ctx_t *ctx, const sp_account_t *account,
                                    const char *renewal_id, int stop,
                                    sp_fact_t **fact);
sp_outcome_t sp_stripe_price_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                   const char *provider_price, sp_price_t *price);
const char *sp_stripe_product_problem(apr_pool_t *pool, const sp_product_t *product);

/** Stripe's words for "3mo": month and 3. NULL where it knows none. */
const char *sp_stripe_interval(apr_pool_t *pool, const char *period,
                               const char **count);
sp_outcome_t sp_stripe_refund(sp_ctx_t *ctx, const sp_account_t *account,
                              const sp_refund_ask_t *ask, sp_fact_t **fact);
sp_outcome_t sp_stripe_refund_find(sp_ctx_t *ctx, const sp_account_t *account,
                                   const sp_refund_ask_t *ask, sp_fact_t **fact);
sp_outcome_t sp_stripe_account_check(sp_ctx_t *ctx, const sp_account_t *account,
                                     apr_time_t *clock);
sp_outcome_t sp_stripe_endpoint_create(sp_ctx_t *ctx, const sp_account_t *account,
                                       const char *url, const char *key,
                                       sp_endpoint_made_t *made);
const char *sp_stripe_webhook_sample(apr_pool_t *pool, const char *secret,
                                     const char *mode, apr_time_t at,
                                     apr_array_header_t *headers);
sp_outcome_t sp_stripe_payment_rehearse(sp_ctx_t *ctx, const sp_account_t *account,
                                        const sp_order_t *order, sp_fact_t **fact);
sp_outcome_t sp_stripe_payment_begin(sp_ctx_t *ctx, const sp_account_t *account,
                                     const sp_order_t *order,
                                     const char **payment_id);
sp_outcome_t sp_stripe_payment_confirm(sp_ctx_t *ctx, const sp_account_t *account,
                                       const sp_confirm_ask_t *ask,
                                       sp_direct_t *direct);
sp_outcome_t sp_stripe_payment_capture(sp_ctx_t *ctx, const sp_account_t *account,
                                       const sp_hold_ask_t *ask, sp_fact_t **fact);
sp_outcome_t sp_stripe_payment_release(sp_ctx_t *ctx, const sp_account_t *account,
                                       const sp_hold_ask_t *ask, sp_fact_t **fact);
sp_outcome_t sp_stripe_refunds_list(sp_ctx_t *ctx, const sp_account_t *account,
                                    const sp_list_ask_t *ask, sp_page_t *page);
sp_outcome_t sp_stripe_disputes_list(sp_ctx_t *ctx, const sp_account_t *account,
                                     const sp_list_ask_t *ask, sp_page_t *page);
sp_outcome_t sp_stripe_dispute_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                     const char *dispute_id, sp_fact_t **fact);
sp_outcome_t sp_stripe_dispute_answer(sp_ctx_t *ctx, const sp_account_t *account,
                                      const sp_evidence_t *evidence,
                                      sp_fact_t **fact);
sp_outcome_t sp_stripe_dispute_accept(sp_ctx_t *ctx, const sp_account_t *account,
                                      const char *key, const char *dispute_id,
                                      sp_fact_t **fact);
sp_outcome_t sp_stripe_endpoint_check(sp_ctx_t *ctx, const sp_account_t *account,
                                      const char *url, sp_endpoint_t *endpoint);
sp_outcome_t sp_stripe_webhook_read(sp_ctx_t *ctx, const sp_account_t *account,
                                    sp_header_fn header, void *baton,
                                    const char *body, apr_size_t len,
                                    sp_fact_t **fact, sp_unreadable_t **unreadable);

#endif

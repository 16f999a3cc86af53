/*
 * provider.h - what we ask of a payment provider, whoever it is.
 *
 * Room: provider. Sees cfg/settings.h, model/ and util/, never httpd or the database.
 * Source: Stripe API reference, "Idempotent requests", "Checkout Sessions",
 * "PaymentIntents", "Events"; Creem API reference.
 *
 * A module of its own can bring a provider: ap_register_provider(pool,
 * SP_PROVIDER_GROUP, "name", SP_PROVIDER_VERSION, &vtable) in its register_hooks.
 *
 * Every call ends in one of the four outcomes of model/outcome.h. A timeout, a
 * reset, a 5xx and an unreadable reply to a POST are SP_UNKNOWN. Blocks for
 * settings->provider_timeout at most, retries included: hold no transaction and no
 * database connection meanwhile. Results are allocated from ctx->pool and filled on
 * SP_DONE only. ctx->code on failure: provider_timeout, provider_unreachable,
 * provider_error, provider_unreadable, provider_key, provider_limit,
 * provider_refused, declined (by the customer's bank), not_found.
 */
#ifndef SUBPAY_PROVIDER_PROVIDER_H
#define SUBPAY_PROVIDER_PROVIDER_H

#include <apr_tables.h>

#include "cfg/settings.h"
#include "model/ctx.h"
#include "model/fact.h"
#include "model/order.h"

#define SP_PROVIDER_GROUP "subpay-provider"
#define SP_PROVIDER_VERSION "0"

/* For so long a repeat under the same idempotency key surely finds the first call. Stripe
 * may forget a key after 24 hours; from then on a repeat could have its effect twice, so
 * we look first. */
#define SP_PROVIDER_KEY_LIFE apr_time_from_sec(20 * 3600)

/* A payment page that was opened. */
typedef struct sp_checkout_t {
    const char *id;
    const char *url;
    apr_time_t expires;
} sp_checkout_t;

/* Which part of a list is wanted. */
typedef struct sp_list_ask_t {
    apr_time_t since;  /* created at or after; 0 for no limit */
    apr_time_t until;  /* created before; 0 for no limit */
    const char *after; /* continue behind this id (the page's next), NULL at first */
    const char *payment_id; /* refunds, disputes: those of this payment; NULL: all */
    int undelivered;        /* events only: those some endpoint did not take */
    int limit;              /* at most 100 */
} sp_list_ask_t;

/* One page of a list, newest first as providers give them. */
typedef struct sp_page_t {
    apr_array_header_t *facts; /* of sp_fact_t *; SP_FACT_IGNORED ones included */
    apr_array_header_t
        *unreadable;  /* of sp_unreadable_t *: parked, never in the way */
    const char *next; /* ask again with after = next; NULL at the end */
} sp_page_t;

/* One object of a list, or one webhook body, that could not be read. */
typedef struct sp_unreadable_t {
    const char *id; /* where it could still be found out, else NULL */
    const char *raw;
    apr_size_t len;
    const char *why;
} sp_unreadable_t;

/* How a customer describes a payment. Any of the three ways. */
typedef struct sp_find_t {
    const char *email;
    const char *payment_id; /* any id of the provider: payment, charge, checkout */
    sp_money_t amount;      /* with day and last4 */
    apr_time_t day; /* its midnight, UTC; the whole day and one on each side */
    const char *last4;
} sp_find_t;

typedef struct sp_refund_ask_t {
    const char *key;      /* idempotency key: one per decision to refund */
    const char *decision; /* the same for as long as refunds are kept: it goes along
                           * where the provider keeps metadata, see refund_find */
    const char *payment_id;
    sp_money_t amount;
    const char *reason; /* duplicate or requested_by_customer */
    const char *order_id;
    apr_time_t decided_at;
} sp_refund_ask_t;

/* What SubPayProviderPrice names, as the provider has it. */
typedef struct sp_price_t {
    sp_money_t price;
    const char *period; /* "1y" where it renews, or NULL */
    int active;         /* it can be sold */
} sp_price_t;

/* Money that the bank holds for us, and what shall become of it. */
typedef struct sp_hold_ask_t {
    const char *key; /* idempotency key: one per decision */
    const char *payment_id;
    sp_money_t amount; /* all of it */
} sp_hold_ask_t;

/* Pay with a payment method that the owner's own page has asked for. */
typedef struct sp_confirm_ask_t {
    const char *key; /* idempotency key: one per attempt */
    const char *payment_id;
    const char *method; /* its id at the provider; NULL: only see how it stands */
    const char *return_url; /* where the customer's bank sends them back to */
} sp_confirm_ask_t;

/* How such a payment stands. */
typedef struct sp_direct_t {
    sp_fact_t *fact;
    int needs_action; /* the customer's bank wants to see them first */
    const char
        *client_secret;     /* for the provider's script in the browser; then only.
                                * Never stored, never logged */
    const char *action_url; /* the bank's page, for who has no script, or NULL */
} sp_direct_t;
/* What goes to a bank that questions a payment. Text of at most 20,000 characters each;
 * NULL: left out. */
typedef struct sp_evidence_t {
    const char *key; /* idempotency key: one per decision to answer */
    const char *dispute_id;
    const char *customer_email;
    const char *customer_name;
    const char *product;
    const char *service_date;
    const char *log;    /* what happened, when the customer logged in and used it */
    const char *policy; /* how refunds are handled */
    const char *text;   /* somebody's own words */
} sp_evidence_t;

/* What the provider knows of our webhook endpoint. */
typedef struct sp_endpoint_t {
    int found; /* one with our URL exists */
    int enabled;
    const char *id;
    const char
        *missing; /* event types we need and it does not send, comma separated */
    const char *version; /* the API version it sends, or NULL */
    const char *wanted;  /* the one we read, or NULL where there are no versions */
} sp_endpoint_t;

/* A webhook endpoint that was just made. */
typedef struct sp_endpoint_made_t {
    const char *id;
    const char *secret; /* told this once; never printed */
} sp_endpoint_made_t;

/* A header of the webhook request by name, or NULL. */
typedef const char *(*sp_header_fn)(void *baton, const char *name);

typedef struct sp_provider_t {
    const char *name;  /* "stripe", as in the directives and in URLs */
    const char *title; /* "Stripe", as people know it */
    int is_seller;     /* it sells in its own name, so its name is on the bank
                        * statement, and nothing that we could ask for */

    /** NULL when key fits settings' environment, else what is wrong (no secret in it). */
    const char *(*key_problem)(apr_pool_t *pool, const char *key, const char *mode);

    /** NULL when it can sell this product, else the directive that is wrong and what
     * would be right. NULL where everything can be sold. */
    const char *(*product_problem)(apr_pool_t *pool, const sp_product_t *product);

    /**
     * Open a payment page for one order.
     *
     * The idempotency key comes from order->id and every parameter from the order
     * row, so a repeat within 20 hours finds the first page (Stripe may forget
     * a key after 24). Metadata carries the whole snapshot; see README.md.
     * order->token has to be set, on every try alike: its hash travels along.
     * success_url and cancel_url are full addresses; success_url may hold the
     * provider's own placeholder, which the provider adds itself as "&s="; one that
     * sends customers back with the page's id anyway does it as "checkout_id=".
     * A provider that knows no keys for repeats has no checkout_find either; then
     * this is called once for an order, and never after SP_UNKNOWN.
     */
    sp_outcome_t (*checkout_create)(sp_ctx_t *ctx, const sp_account_t *account,
                                    const sp_order_t *order, const char *success_url,
                                    const char *cancel_url, sp_checkout_t *checkout);

    /** What is known of one payment page: paid, processing, open or expired. */
    sp_outcome_t (*checkout_fetch)(sp_ctx_t *ctx, const sp_account_t *account,
                                   const char *checkout_id, sp_fact_t **fact);

    /**
     * The payment page of an order whose commit with the page's id was lost.
     *
     * Looks through the list around order->created_at for our id, because a search
     * index may lag behind. SP_DONE with SP_FACT_CHECKOUT_NONE when there is none.
     * NULL where pages are not listed: see checkout_create.
     */
    sp_outcome_t (*checkout_find)(sp_ctx_t *ctx, const sp_account_t *account,
                                  const sp_order_t *order, sp_fact_t **fact);

    /** Close a payment page that nobody shall pay any more, or what payment_begin began:
     * then checkout_fetch says SP_FACT_CHECKOUT_EXPIRED. SP_REFUSED when it was paid or
     * closed before. NULL where not offered. */
    sp_outcome_t (*checkout_expire)(sp_ctx_t *ctx, const sp_account_t *account,
                                    const char *checkout_id);

    /** One payment by any id the provider gave it. */
    sp_outcome_t (*payment_fetch)(sp_ctx_t *ctx, const sp_account_t *account,
                                  const char *payment_id, sp_fact_t **fact);

    /** Payments that moved money, with their refunds and disputes on them; NULL where
     * they are not listed (then webhooks and our open orders carry). */
    sp_outcome_t (*payments_list)(sp_ctx_t *ctx, const sp_account_t *account,
                                  const sp_list_ask_t *ask, sp_page_t *page);

    /** Paid and failed periods of plans that renew; NULL where they are not listed. */
    sp_outcome_t (*periods_list)(sp_ctx_t *ctx, const sp_account_t *account,
                                 const sp_list_ask_t *ask, sp_page_t *page);

    /**
     * Fill in what a paid period's fact does not tell: its payment, with card and
     * statement text, and which time it paid for. What is there already stays.
     * NULL where facts come complete. Outcomes but SP_DONE leave the fact as it was.
     */
    sp_outcome_t (*period_complete)(sp_ctx_t *ctx, const sp_account_t *account,
                                    sp_fact_t *fact);

    /** All about one renewal: its present state, and its periods, paid and failed, as
     * an array of sp_fact_t *. NULL where plans that renew are not sold. */
    sp_outcome_t (*renewal_fetch)(sp_ctx_t *ctx, const sp_account_t *account,
                                  const char *renewal_id,
                                  apr_array_header_t **facts);

    /**
     * Charge no more after the present period; or, before it has ended, go on after
     * all. Harmless when repeated; the fact is the renewal's state afterwards.
     * NULL where plans that renew are not sold.
     */
    sp_outcome_t (*renewal_stop)(sp_ctx_t *ctx, const sp_account_t *account,
                                 const char *renewal_id, int stop, sp_fact_t **fact);

    /** What the provider takes for a product's provider_price; SP_REFUSED, not_found
     * when it knows none. NULL where it cannot be asked beforehand. */
    sp_outcome_t (*price_fetch)(sp_ctx_t *ctx, const sp_account_t *account,
                                const char *provider_price, sp_price_t *price);

    /** Events; NULL where the provider keeps none (then the other layers carry). */
    sp_outcome_t (*events_list)(sp_ctx_t *ctx, const sp_account_t *account,
                                const sp_list_ask_t *ask, sp_page_t *page);

    /** Payments that fit a description: an array of sp_fact_t *, maybe empty. Where it
     * cannot be looked for by that: SP_UNKNOWN, code provider_cannot. */
    sp_outcome_t (*payments_find)(sp_ctx_t *ctx, const sp_account_t *account,
                                  const sp_find_t *find, apr_array_header_t **facts);

    /** Send money back; the fact is the refund's state. NULL where not offered. */
    sp_outcome_t (*refund)(sp_ctx_t *ctx, const sp_account_t *account,
                           const sp_refund_ask_t *ask, sp_fact_t **fact);

    /** Whether our key is taken, and what time it is there, to a second; *clock is 0
     * where that was not said. NULL where nothing can be asked without an effect. */
    sp_outcome_t (*account_check)(sp_ctx_t *ctx, const sp_account_t *account,
                                  apr_time_t *clock);

    /**
     * Write an order down at the provider that will be paid without a payment page: no
     * money moves, and none can before payment_confirm.
     *
     * Key and parameters come from the order row, as for checkout_create; so a repeat
     * finds the first. The id is known to checkout_fetch and checkout_find as well.
     * NULL where payments are made on the provider's own page alone.
     */
    sp_outcome_t (*payment_begin)(sp_ctx_t *ctx, const sp_account_t *account,
                                  const sp_order_t *order, const char **payment_id);

    /** Try to pay what was begun. SP_REFUSED with code declined is the bank's word;
     * with another code it was paid before, or the method is none: look how it stands.
     * NULL as payment_begin. */
    sp_outcome_t (*payment_confirm)(sp_ctx_t *ctx, const sp_account_t *account,
                                    const sp_confirm_ask_t *ask,
                                    sp_direct_t *direct);

    /** Take the money that is held; the fact is the payment's state. SP_REFUSED also when
     * it was taken or released before: ask payment_fetch which. NULL where money is
     * always taken at once; then SubPayCapture after-access is not offered. */
    sp_outcome_t (*payment_capture)(sp_ctx_t *ctx, const sp_account_t *account,
                                    const sp_hold_ask_t *ask, sp_fact_t **fact);

    /** Let money go that is held. SP_REFUSED when it was taken or released before. NULL
     * as payment_capture. */
    sp_outcome_t (*payment_release)(sp_ctx_t *ctx, const sp_account_t *account,
                                    const sp_hold_ask_t *ask, sp_fact_t **fact);

    /** How our webhook endpoint is known there. NULL where it cannot be asked. */
    sp_outcome_t (*endpoint_check)(sp_ctx_t *ctx, const sp_account_t *account,
                                   const char *url, sp_endpoint_t *endpoint);

    /**
     * Make the webhook endpoint: with our version, for all events that become facts.
     *
     * The same key within 20 hours finds the first one, its secret included; after
     * SP_UNKNOWN repeat with that key. Another key makes another endpoint, so look by
     * endpoint_check() first. NULL where endpoints are made by hand.
     */
    sp_outcome_t (*endpoint_create)(sp_ctx_t *ctx, const sp_account_t *account,
                                    const char *url, const char *key,
                                    sp_endpoint_made_t *made);

    /**
     * A signed message that becomes no fact, to see whether our own webhook takes it.
     *
     * @param headers  of const char *: what goes along with it is added
     * @return its body
     */
    const char *(*webhook_sample)(apr_pool_t *pool, const char *secret,
                                  const char *mode, apr_time_t at,
                                  apr_array_header_t *headers);

    /** Pay an order with a test card, without a page: for drills, in test mode only.
     * Idempotent for order->id, as checkout_create. NULL where not offered. */
    sp_outcome_t (*payment_rehearse)(sp_ctx_t *ctx, const sp_account_t *account,
                                     const sp_order_t *order, sp_fact_t **fact);

    /**
     * Verify a webhook's signature over the raw body, then read it.
     *
     * @param unreadable  set (and *fact NULL) when the signature is right but the
     *                    body is not: keep the bytes, answer 200
     * @return SP_DONE     *fact or *unreadable is set
     *         SP_REFUSED  bad signature (code signature), stale (code stale),
     *                     no secret configured (code closed)
     */
    sp_outcome_t (*webhook_read)(sp_ctx_t *ctx, const sp_account_t *account,
                                 sp_header_fn header, void *baton, const char *body,
                                 apr_size_t len, sp_fact_t **fact,
                                 sp_unreadable_t **unreadable);

    /** Refunds, each by itself: the running total on a payment does not tell which of
     * them failed. NULL where they are not listed. */
    sp_outcome_t (*refunds_list)(sp_ctx_t *ctx, const sp_account_t *account,
                                 const sp_list_ask_t *ask, sp_page_t *page);

    /** Disputes; NULL where they are not listed. */
    sp_outcome_t (*disputes_list)(sp_ctx_t *ctx, const sp_account_t *account,
                                  const sp_list_ask_t *ask, sp_page_t *page);

    /** One dispute, as it stands. NULL where disputes are dealt with elsewhere. */
    sp_outcome_t (*dispute_fetch)(sp_ctx_t *ctx, const sp_account_t *account,
                                  const char *dispute_id, sp_fact_t **fact);

    /** Send evidence to the bank. It goes there once: look with dispute_fetch first,
     * and after any doubt again. The fact is the dispute as it then stands. */
    sp_outcome_t (*dispute_answer)(sp_ctx_t *ctx, const sp_account_t *account,
                                   const sp_evidence_t *evidence, sp_fact_t **fact);

    /** Agree with the bank: the dispute is lost, for good. */
    sp_outcome_t (*dispute_accept)(sp_ctx_t *ctx, const sp_account_t *account,
                                   const char *key, const char *dispute_id,
                                   sp_fact_t **fact);

    /**
     * The refund that refund() was asked for before, and whose answer was lost: by its
     * name, not its sum, because somebody may have sent the same sum back by hand.
     *
     * SP_DONE with *fact NULL when there is none. NULL where refunds carry no name of
     * ours: then only the sum on the payment tells.
     */
    sp_outcome_t (*refund_find)(sp_ctx_t *ctx, const sp_account_t *account,
                                const sp_refund_ask_t *ask, sp_fact_t **fact);
} sp_provider_t;

/** Stripe, https://stripe.com. */
extern const sp_provider_t sp_provider_stripe;

/** Creem, https://www.creem.io. */
extern const sp_provider_t sp_provider_creem;

#endif

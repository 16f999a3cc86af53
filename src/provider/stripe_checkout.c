/*
 * stripe_checkout.c - Checkout Sessions: Stripe's payment pages.
 *
 * Room: provider.
 * Source: Stripe API reference, "Checkout Sessions"; "Statement descriptors".
 */
#include "provider/stripe.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#include "provider/call.h"
#include "provider/snapshot.h"
#include "provider/stripe_shape.h"
#include "util/crypto.h"
#include "util/log.h"
#include "util/reference.h"
#include "util/text.h"

#define HOUR apr_time_from_sec(3600)
#define MINUTE apr_time_from_sec(60)

/* Stripe takes 30 minutes to 24 hours from its own now; ten minutes are for a clock
 * of ours that is wrong, and for a try that comes late. */
#define SHORTEST_LIFE (40 * MINUTE)
#define LONGEST_LIFE (24 * HOUR - 10 * MINUTE)

/* How far behind an order's row its page may have been made: a lost commit is found
 * in the first span; a repeat by hand, or by the next day's worker, in the second. */
#define CLOCK_SLACK (10 * MINUTE)
#define FIRST_SPAN HOUR
#define SECOND_SPAN (48 * HOUR)

/* -- Create ---------------------------------------------------------------------- */

void sp_stripe_add_metadata(sp_query_t *params, const sp_ctx_t *ctx,
                            const sp_order_t *order, const char *place)
{
    sp_snapshot_pair_t pairs[SP_SNAPSHOT_PAIRS];
    int i;

    sp_snapshot_write(ctx, order, pairs);
    for (i = 0; i < SP_SNAPSHOT_PAIRS; i++) {
        sp_query_add(params,
                     apr_pstrcat(ctx->pool, place, "[", pairs[i].key, "]", NULL),
                     pairs[i].value);
    }
}

static void add_interval(sp_query_t *params, const sp_ctx_t *ctx,
                         const sp_order_t *order)
{
    const char *count = NULL;
    const char *interval =
        order->renews ? sp_stripe_interval(ctx->pool, order->period, &count) : NULL;

    if (interval) {
        sp_query_add(params, "line_items[0][price_data][recurring][interval]",
                     interval);
        sp_query_add(params, "line_items[0][price_data][recurring][interval_count]",
                     count);
    }
}

static void add_item(sp_query_t *params, const sp_ctx_t *ctx,
                     const sp_order_t *order)
{
    const sp_product_t *product = sp_settings_product(ctx->settings, order->product);

    sp_query_add(params, "line_items[0][quantity]", "1");
    if (product && product->provider_price) {
        sp_query_add(params, "line_items[0][price]", product->provider_price);
        return;
    }
    sp_query_add(params, "line_items[0][price_data][currency]",
                 sp_text_fold(ctx->pool, order->price.currency));
    sp_query_add_int(params, "line_items[0][price_data][unit_amount]",
                     order->price.minor);
    sp_query_add(params, "line_items[0][price_data][product_data][name]",
                 order->title ? order->title : order->product);
    add_interval(params, ctx, order);
}

/* Counted from the order's birth, so that every try sends the same. A whole day is
 * what Stripe does anyway, and counted from its own clock. */
static void add_expiry(sp_query_t *params, const sp_ctx_t *ctx,
                       const sp_order_t *order)
{
    apr_interval_time_t life = ctx->settings->pending_expiry;

    if (life >= 24 * HOUR || life <= 0) {
        return;
    }
    life = life < SHORTEST_LIFE  ? SHORTEST_LIFE
           : life > LONGEST_LIFE ? LONGEST_LIFE
                                 : life;
    sp_query_add_int(params, "expires_at", apr_time_sec(order->created_at + life));
}

/* Stripe fills in its own id for the placeholder. */
static const char *add_placeholder(apr_pool_t *pool, const char *url)
{
    return apr_pstrcat(pool, url, strchr(url, '?') ? "&" : "?",
                       "s={CHECKOUT_SESSION_ID}", NULL);
}

/* What the customer would be charged is what they have been shown, or nobody is sent
 * there: SubPayProviderPrice may name something else, and SubPayPriceCheck decides only
 * who is woken by that. */
static int costs_the_same(const sp_ctx_t *ctx, const sp_order_t *order,
                          const sp_stripe_session_t *session)
{
    sp_money_t asked = { 0, "" };

    if (!session->currency || session->amount_total < 0 ||
        sp_stripe_money(&asked, session->amount_total, session->currency) ||
        (asked.minor == order->price.minor &&
         strcmp(asked.currency, order->price.currency) == 0)) {
        return 1;
    }
    sp_log(ctx->log, SP_LOG_ERR, 411,
           "SubPayProviderPrice of %s: Stripe would charge %s, and it costs %s here",
           order->product, sp_money_text(ctx->pool, &asked),
           sp_money_text(ctx->pool, &order->price));
    return 0;
}

static sp_outcome_t read_created(sp_ctx_t *ctx, const sp_account_t *account,
                                 const sp_stripe_call_t *call,
                                 const sp_order_t *order, const sp_slice_t *body,
                                 sp_checkout_t *checkout)
{
    sp_stripe_session_t session = { .amount_total = -1 };
    const char *why = sp_scan_whole(ctx->pool, body->data, body->len,
                                    &sp_stripe_session_shape, &session);

    if (!why && !session.url) {
        why = "url is missing";
    }
    if (why) {
        return sp_call_unreadable(ctx, call->what, why);
    }
    checkout->id = session.id;
    checkout->url = session.url;
    checkout->expires = apr_time_from_sec(session.expires_at);
    if (costs_the_same(ctx, order, &session)) {
        return SP_DONE;
    }
    sp_stripe_checkout_expire(ctx, account, session.id); /* nobody shall pay it */
    return sp_end(ctx, SP_FAILED, "provider_price", NULL);
}

static void add_payment(sp_query_t *params, const sp_ctx_t *ctx,
                        const sp_order_t *order)
{
    sp_stripe_add_metadata(params, ctx, order, "payment_intent_data[metadata]");
    if (ctx->settings->capture_after_access) {
        sp_query_add(params, "payment_intent_data[capture_method]", "manual");
    }
    sp_query_add(params, "payment_intent_data[description]", order->reference);
    sp_query_add(params, "payment_intent_data[statement_descriptor_suffix]",
                 sp_reference_statement(ctx->pool, order->reference));
}

/* Its invoices carry a copy of this metadata, its payments do not; and the statement
 * text is the account's own, as each invoice makes a new payment. */
static void add_renewal(sp_query_t *params, const sp_ctx_t *ctx,
                        const sp_order_t *order)
{
    sp_stripe_add_metadata(params, ctx, order, "subscription_data[metadata]");
    sp_query_add(params, "subscription_data[description]", order->reference);
}

sp_outcome_t sp_stripe_checkout_create(sp_ctx_t *ctx, const sp_account_t *account,
                                       const sp_order_t *order,
                                       const char *success_url,
                                       const char *cancel_url,
                                       sp_checkout_t *checkout)
{
    sp_stripe_call_t call;
    sp_query_t *params = &call.params;
    sp_slice_t body;
    sp_outcome_t out;

    sp_stripe_call_start(&call, ctx->pool, "create checkout", "POST",
                         "/v1/checkout/sessions");
    call.key = apr_pstrcat(ctx->pool, "checkout-", order->id, NULL);
    sp_query_add(params, "mode", order->renews ? "subscription" : "payment");
    sp_query_add(params, "client_reference_id", order->id);
    sp_query_add(params, "customer_email", order->email);
    sp_query_add(params, "success_url", add_placeholder(ctx->pool, success_url));
    sp_query_add(params, "cancel_url", cancel_url);
    add_item(params, ctx, order);
    add_expiry(params, ctx, order);
    sp_stripe_add_metadata(params, ctx, order, "metadata");
    if (order->renews) {
        add_renewal(params, ctx, order);
    }
    else {
        add_payment(params, ctx, order);
    }
    out = sp_stripe_send(ctx, account, &call, &body);
    return out == SP_DONE ? read_created(ctx, account, &call, order, &body, checkout)
                          : out;
}

/* -- Fetch and expire -------------------------------------------------------------- */

static sp_outcome_t no_such_page(sp_ctx_t *ctx)
{
    return sp_end(ctx, SP_REFUSED, "not_found",
                  "The payment provider does not know this payment page.");
}

sp_outcome_t sp_stripe_checkout_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                      const char *checkout_id, sp_fact_t **fact)
{
    sp_outcome_t out;

    if (sp_stripe_is_id(checkout_id, "pi_")) {
        /* A payment without a page stands for one. */
        out = sp_stripe_payment_fetch(ctx, account, checkout_id, fact);
        if (out == SP_DONE) {
            (*fact)->checkout_id = (*fact)->payment_id;
        }
        return out;
    }
    if (!sp_stripe_is_id(checkout_id, "cs_")) {
        return no_such_page(ctx);
    }
    return sp_stripe_fetch(
        ctx, account, "fetch checkout",
        apr_pstrcat(ctx->pool, "/v1/checkout/sessions/", checkout_id, NULL),
        "payment_intent.latest_charge", sp_stripe_take_session, fact);
}

sp_outcome_t sp_stripe_checkout_expire(sp_ctx_t *ctx, const sp_account_t *account,
                                       const char *checkout_id)
{
    int direct = sp_stripe_is_id(checkout_id, "pi_");
    sp_stripe_call_t call;
    sp_slice_t body;

    if (!direct && !sp_stripe_is_id(checkout_id, "cs_")) {
        return no_such_page(ctx);
    }
    sp_stripe_call_start(&call, ctx->pool, "expire checkout", "POST",
                         direct ? apr_pstrcat(ctx->pool, "/v1/payment_intents/",
                                              checkout_id, "/cancel", NULL)
                                : apr_pstrcat(ctx->pool, "/v1/checkout/sessions/",
                                              checkout_id, "/expire", NULL));
    if (direct) {
        sp_query_add(&call.params, "cancellation_reason", "abandoned");
    }
    /* A new key each time: the answer "it is not open" must not be replayed. */
    call.key = sp_crypto_uuid(ctx->pool);
    if (!call.key) {
        return sp_end(ctx, SP_FAILED, "provider_error", NULL);
    }
    return sp_stripe_send(ctx, account, &call, &body);
}

/* -- Find ---------------------------------------------------------------------------- */

/* Looking for the pages of one order. */
typedef struct search_t {
    const char *order_id;
    sp_fact_t *best;
    int garbled; /* an unreadable object bears our id */
} search_t;

/* Which of two pages of one order counts: the one with the money. */
static int rank(const sp_fact_t *fact)
{
    switch (fact ? fact->kind : SP_FACT_CHECKOUT_NONE) {
    case SP_FACT_PAYMENT_SUCCEEDED:
    case SP_FACT_PERIOD_PAID:
        return 4;
    case SP_FACT_PAYMENT_AUTHORISED:
    case SP_FACT_PAYMENT_PROCESSING:
        return 3;
    case SP_FACT_CHECKOUT_OPEN:
        return 2;
    case SP_FACT_CHECKOUT_NONE:
        return 0;
    default:
        return 1;
    }
}

static int has_id(const sp_unreadable_t *bad, const char *id)
{
    return memmem(bad->raw, bad->len, id, strlen(id)) != NULL;
}

static int look_for_order(void *baton, const sp_page_t *page)
{
    search_t *search = baton;
    sp_fact_t *fact;
    int i;

    for (i = 0; i < page->facts->nelts; i++) {
        fact = APR_ARRAY_IDX(page->facts, i, sp_fact_t *);
        if (fact->order_id && strcmp(fact->order_id, search->order_id) == 0 &&
            rank(fact) > rank(search->best)) {
            search->best = fact;
        }
    }
    for (i = 0; i < page->unreadable->nelts; i++) {
        search->garbled |= has_id(
            APR_ARRAY_IDX(page->unreadable, i, sp_unreadable_t *), search->order_id);
    }
    return 1;
}

/* A payment without a page, among those that have one. */
static const char *take_direct(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                               sp_fact_t **fact)
{
    const char *why = sp_stripe_take_intent(reader, scan, fact);

    if (!why) {
        (*fact)->checkout_id = (*fact)->payment_id; /* what this list goes by, too */
    }
    return why;
}

/* Pages first: the payment of a page bears the order's mark as well. */
static sp_outcome_t search_span(sp_ctx_t *ctx, const sp_account_t *account,
                                apr_time_t since, apr_time_t until, search_t *search)
{
    sp_stripe_list_t pages = { .what = "find checkout",
                               .path = "/v1/checkout/sessions",
                               .take = sp_stripe_take_session };
    sp_stripe_list_t direct = { .what = "find payment",
                                .path = "/v1/payment_intents",
                                .take = take_direct };
    apr_time_t deadline = sp_call_deadline(ctx);
    sp_outcome_t out;

    pages.ask.since = direct.ask.since = since;
    pages.ask.until = direct.ask.until = until;
    out = sp_stripe_walk(ctx, account, &pages, look_for_order, search);
    if (out == SP_DONE && !search->best) {
        sp_call_share_time(ctx, deadline);
        out = sp_stripe_walk(ctx, account, &direct, look_for_order, search);
    }
    return out;
}

static sp_outcome_t answer_none(sp_ctx_t *ctx, const sp_order_t *order,
                                const search_t *search, sp_fact_t **fact)
{
    if (search->garbled) {
        return sp_end(ctx, SP_UNKNOWN, "provider_unreadable", NULL);
    }
    *fact = apr_pcalloc(ctx->pool, sizeof(**fact));
    (*fact)->kind = SP_FACT_CHECKOUT_NONE;
    (*fact)->provider = "stripe";
    (*fact)->mode = ctx->settings->mode;
    (*fact)->at = apr_time_now();
    (*fact)->order_id = order->id;
    (*fact)->ours = 1;
    return SP_DONE;
}

static sp_outcome_t find_page(sp_ctx_t *ctx, const sp_account_t *account,
                              const sp_order_t *order, search_t *search)
{
    apr_time_t deadline = sp_call_deadline(ctx);
    apr_time_t middle = order->created_at + FIRST_SPAN;
    sp_outcome_t out =
        search_span(ctx, account, order->created_at - CLOCK_SLACK, middle, search);

    if (out == SP_DONE && !search->best && middle < apr_time_now()) {
        sp_call_share_time(ctx, deadline);
        out = search_span(ctx, account, middle, order->created_at + SECOND_SPAN,
                          search);
    }
    sp_call_share_time(ctx, deadline);
    return out;
}

sp_outcome_t sp_stripe_checkout_find(sp_ctx_t *ctx, const sp_account_t *account,
                                     const sp_order_t *order, sp_fact_t **fact)
{
    apr_interval_time_t patience = ctx->patience;
    search_t search = { .order_id = order->id };
    sp_outcome_t out = find_page(ctx, account, order, &search);

    if (out == SP_DONE) {
        /* The list does not tell enough of the payment to settle by it. */
        out = search.best ? sp_stripe_checkout_fetch(ctx, account,
                                                     search.best->checkout_id, fact)
                          : answer_none(ctx, order, &search, fact);
    }
    ctx->patience = patience;
    return out;
}

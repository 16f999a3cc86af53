/*
 * stripe_subscription.c - Stripe's subscriptions: will it charge again, and prices.
 *
 * Room: provider.
 * Source: Stripe API reference, "Subscriptions", "Prices". Since 2025-03-31.basil the
 * present period stands on the subscription's items.
 */
#include "provider/stripe.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "provider/call.h"
#include "provider/snapshot.h"
#include "util/crypto.h"

typedef struct subscription_t {
    sp_snapshot_t metadata; /* first: one shape reads it in every object */
    const char *id;
    const char *status;
    const char *customer;
    int64_t created;
    int64_t cancel_at;
    int64_t period_end;
    int cancel_at_period_end;
    int livemode;
} subscription_t;

#define ROW(type, text, KIND, must, member)                                         \
    {                                                                               \
        text, sizeof(text) - 1, SP_SCAN_##KIND, must, offsetof(type, member), NULL, \
            NULL                                                                    \
    }
#define ALL(rows)                            \
    {                                        \
        rows, sizeof(rows) / sizeof(*(rows)) \
    }

/* -- Subscriptions -------------------------------------------------------------------- */

static const sp_scan_field_t item_rows[] = {
    ROW(subscription_t, "current_period_end", SECONDS, 0, period_end),
};
static const sp_scan_shape_t item_shape = ALL(item_rows);

static const char *take_item(void *into, sp_scan_t *scan)
{
    subscription_t *subscription = into;
    subscription_t item = { .period_end = 0 };

    if (!sp_scan_read(scan, &item_shape, &item)) {
        return scan->error;
    }
    if (item.period_end > subscription->period_end) {
        subscription->period_end = item.period_end;
    }
    return NULL;
}

static void pass_over(void *into, const sp_slice_t *bytes, const char *why)
{
    (void)into;
    (void)bytes;
    (void)why;
}

static const sp_scan_list_t item_list = { take_item, pass_over };

static const sp_scan_field_t items_rows[] = {
    { "data", 4, SP_SCAN_LIST, 0, 0, NULL, &item_list },
};
static const sp_scan_shape_t items_shape = ALL(items_rows);

static const sp_scan_field_t rows[] = {
    ROW(subscription_t, "id", TEXT, 1, id),
    ROW(subscription_t, "cancel_at", SECONDS, 0, cancel_at),
    ROW(subscription_t, "cancel_at_period_end", BOOL, 0, cancel_at_period_end),
    ROW(subscription_t, "created", SECONDS, 1, created),
    ROW(subscription_t, "current_period_end", SECONDS, 0,
        period_end), /* before basil */
    ROW(subscription_t, "customer", ID, 0, customer),
    { "items", 5, SP_SCAN_OBJECT, 0, 0, &items_shape, NULL },
    ROW(subscription_t, "livemode", BOOL, 1, livemode),
    { "metadata", 8, SP_SCAN_OBJECT, 0, 0, &sp_snapshot_shape, NULL },
    ROW(subscription_t, "status", TEXT, 1, status),
};
static const sp_scan_shape_t shape = ALL(rows);

/* Our word for a status; NULL for one that we do not know: then nothing follows. Unpaid
 * or paused is no stop: Stripe may charge again, so a stop that was asked for is still to
 * be made. */
static const char *state_of(const subscription_t *subscription)
{
    static const char *const words[][2] = {
        { "active", "active" },   { "trialing", "active" },
        { "past_due", "active" }, { "incomplete", "active" },
        { "unpaid", "active" },   { "paused", "active" },
        { "canceled", "ended" },  { "incomplete_expired", "ended" },
    };
    size_t i;

    for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strcmp(words[i][0], subscription->status) != 0) {
            continue;
        }
        if (strcmp(words[i][1], "active") == 0 &&
            (subscription->cancel_at_period_end ||
             (subscription->cancel_at &&
              subscription->cancel_at <= subscription->period_end))) {
            return "stopping";
        }
        return words[i][1];
    }
    return NULL;
}

const char *sp_stripe_take_subscription(const sp_stripe_reader_t *reader,
                                        sp_scan_t *scan, sp_fact_t **made)
{
    subscription_t subscription = { .id = NULL };
    sp_fact_t *fact;

    if (!sp_scan_read(scan, &shape, &subscription)) {
        return scan->error;
    }
    fact = sp_stripe_new_fact(reader, subscription.livemode);
    fact->status = state_of(&subscription);
    fact->kind = fact->status ? SP_FACT_RENEWAL : SP_FACT_IGNORED;
    fact->renewal_id = subscription.id;
    fact->customer_id = subscription.customer;
    fact->created = apr_time_from_sec(subscription.created);
    fact->period_end = apr_time_from_sec(subscription.period_end);
    sp_snapshot_read(reader->pool, reader->settings, &subscription.metadata, fact);
    *made = fact;
    return NULL;
}

static const char *path_of(sp_ctx_t *ctx, const char *renewal_id)
{
    return apr_pstrcat(ctx->pool, "/v1/subscriptions/", renewal_id, NULL);
}

static sp_outcome_t no_such_renewal(sp_ctx_t *ctx)
{
    return sp_end(ctx, SP_REFUSED, "not_found",
                  "The payment provider does not know this renewal.");
}

static int keep_all(void *baton, const sp_page_t *page)
{
    apr_array_cat(baton, page->facts);
    return 1;
}

sp_outcome_t sp_stripe_renewal_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                     const char *renewal_id,
                                     apr_array_header_t **facts)
{
    sp_stripe_list_t invoices = { .what = "list invoices of a subscription",
                                  .path = "/v1/invoices",
                                  .take = sp_stripe_take_invoice,
                                  .params = { "subscription", renewal_id, "expand[]",
                                              "data.payments" } };
    sp_fact_t *state;
    sp_outcome_t out;

    if (!sp_stripe_is_id(renewal_id, "sub_")) {
        return no_such_renewal(ctx);
    }
    *facts = apr_array_make(ctx->pool, 8, sizeof(sp_fact_t *));
    out = sp_stripe_walk(ctx, account, &invoices, keep_all, *facts);
    if (out == SP_DONE) {
        out = sp_stripe_fetch(ctx, account, "fetch subscription",
                              path_of(ctx, renewal_id), NULL,
                              sp_stripe_take_subscription, &state);
    }
    if (out == SP_DONE) {
        APR_ARRAY_PUSH(*facts, sp_fact_t *) = state;
    }
    return out;
}

sp_outcome_t sp_stripe_renewal_stop(sp_ctx_t *ctx, const sp_account_t *account,
                                    const char *renewal_id, int stop,
                                    sp_fact_t **fact)
{
    sp_stripe_reader_t reader = sp_stripe_reader(ctx);
    sp_stripe_call_t call;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;

    if (!sp_stripe_is_id(renewal_id, "sub_")) {
        return no_such_renewal(ctx);
    }
    sp_stripe_call_start(&call, ctx->pool, stop ? "stop renewal" : "resume renewal",
                         "POST", path_of(ctx, renewal_id));
    /* A new key each time: stop, resume and stop again are three decisions, and the
     * first answer must not be replayed for the third. Repeating it does no harm. */
    call.key = sp_crypto_uuid(ctx->pool);
    if (!call.key) {
        return sp_end(ctx, SP_FAILED, "provider_error", NULL);
    }
    sp_query_add(&call.params, "cancel_at_period_end", stop ? "true" : "false");
    out = sp_stripe_send(ctx, account, &call, &body);
    if (out != SP_DONE) {
        return out;
    }
    why = sp_stripe_read(&reader, &body, sp_stripe_take_subscription, fact);
    return why ? sp_call_unreadable(ctx, call.what, why) : SP_DONE;
}

/* -- Prices ------------------------------------------------------------------------------ */

static const struct {
    const char *ours, *theirs;
    int most; /* Stripe bills at least every three years */
} units[] = { { "d", "day", 1095 },
              { "w", "week", 156 },
              { "mo", "month", 36 },
              { "y", "year", 3 } };

const char *sp_stripe_interval(apr_pool_t *pool, const char *period,
                               const char **count)
{
    apr_size_t digits = period ? strspn(period, "0123456789") : 0;
    apr_size_t i;

    for (i = 0; digits && i < sizeof(units) / sizeof(*units); i++) {
        if (strcmp(units[i].ours, period + digits) == 0) {
            *count = apr_pstrmemdup(pool, period, digits);
            return atoi(*count) <= units[i].most ? units[i].theirs : NULL;
        }
    }
    return NULL;
}

const char *sp_stripe_product_problem(apr_pool_t *pool, const sp_product_t *product)
{
    const char *count;

    return !product->renews || sp_stripe_interval(pool, product->period, &count)
               ? NULL
               : "SubPayPeriod: Stripe renews at least every three years; write 3y or "
                 "less, or SubPayRenews off";
}

typedef struct price_t {
    const char *id;
    const char *currency;
    const char *interval;
    int64_t count;
    int64_t amount;
    int active;
} price_t;

static const sp_scan_field_t recurring_rows[] = {
    ROW(price_t, "interval", TEXT, 0, interval),
    ROW(price_t, "interval_count", INT, 0, count),
};
static const sp_scan_shape_t recurring_shape = ALL(recurring_rows);

static const sp_scan_field_t price_rows[] = {
    ROW(price_t, "id", TEXT, 1, id),
    ROW(price_t, "active", BOOL, 0, active),
    ROW(price_t, "currency", TEXT, 1, currency),
    { "recurring", 9, SP_SCAN_OBJECT, 0, 0, &recurring_shape, NULL },
    ROW(price_t, "unit_amount", INT, 0, amount), /* absent: by tiers, or fractions */
};
static const sp_scan_shape_t price_shape = ALL(price_rows);

/* "month" and 3 as "3mo"; a word that we do not know as it is. */
static const char *period_of(apr_pool_t *pool, const price_t *price)
{
    const char *unit = price->interval;
    size_t i;

    if (!unit) {
        return NULL;
    }
    for (i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (strcmp(units[i].theirs, price->interval) == 0) {
            unit = units[i].ours;
        }
    }
    return apr_psprintf(pool, "%" APR_INT64_T_FMT "%s", (apr_int64_t)price->count,
                        unit);
}

sp_outcome_t sp_stripe_price_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                   const char *provider_price, sp_price_t *price)
{
    price_t read = { .amount = -1 };
    sp_stripe_call_t call;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;

    if (!sp_stripe_is_id(provider_price, "price_") &&
        !sp_stripe_is_id(provider_price, "plan_")) {
        return sp_end(ctx, SP_REFUSED, "not_found", NULL);
    }
    sp_stripe_call_start(
        &call, ctx->pool, "fetch price", "GET",
        apr_pstrcat(ctx->pool, "/v1/prices/", provider_price, NULL));
    out = sp_stripe_send(ctx, account, &call, &body);
    if (out != SP_DONE) {
        return out;
    }
    why = sp_scan_whole(ctx->pool, body.data, body.len, &price_shape, &read);
    memset(price, 0, sizeof(*price));
    if (!why && read.amount >= 0) {
        why = sp_stripe_money(&price->price, read.amount, read.currency);
    }
    if (why) {
        return sp_call_unreadable(ctx, call.what, why);
    }
    price->active = read.active;
    price->period = period_of(ctx->pool, &read);
    return SP_DONE;
}

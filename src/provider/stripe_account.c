/*
 * stripe_account.c - what only the going live asks of Stripe: our key, its clock, prices.
 *
 * Room: provider.
 * Source: Stripe API reference, "Events", "Prices".
 */
#include "provider/stripe.h"

#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "provider/call.h"

/* Reading events is what the key needs anyway, and costs nothing. */
sp_outcome_t sp_stripe_account_check(sp_ctx_t *ctx, const sp_account_t *account,
                                     apr_time_t *clock)
{
    sp_stripe_call_t call;
    sp_slice_t body;

    sp_stripe_call_start(&call, ctx->pool, "check the key", "GET", "/v1/events");
    sp_query_add_int(&call.params, "limit", 1);
    call.clock = clock;
    *clock = 0;
    return sp_stripe_send(ctx, account, &call, &body);
}

/* A price, as Stripe has it. */
typedef struct listed_t {
    const char *currency;
    sp_slice_t recurring; /* an object, or null */
    int64_t amount;
    int active;
} listed_t;

static const sp_scan_field_t rows[] = {
    { "active", 6, SP_SCAN_BOOL, 1, offsetof(listed_t, active), NULL, NULL },
    { "currency", 8, SP_SCAN_TEXT, 1, offsetof(listed_t, currency), NULL, NULL },
    { "recurring", 9, SP_SCAN_RAW, 0, offsetof(listed_t, recurring), NULL, NULL },
    { "unit_amount", 11, SP_SCAN_INT, 1, offsetof(listed_t, amount), NULL, NULL },
};
static const sp_scan_shape_t shape = { rows, 4 };

sp_outcome_t sp_stripe_price_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                   const char *id, sp_price_t *price)
{
    listed_t listed = { .currency = NULL };
    sp_stripe_call_t call;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;

    if (!sp_stripe_is_id(id, "price_")) {
        return sp_end(ctx, SP_REFUSED, "not_found", "It is no price of Stripe's.");
    }
    sp_stripe_call_start(&call, ctx->pool, "fetch price", "GET",
                         apr_pstrcat(ctx->pool, "/v1/prices/", id, NULL));
    out = sp_stripe_send(ctx, account, &call, &body);
    if (out != SP_DONE) {
        return out;
    }
    why = sp_scan_whole(ctx->pool, body.data, body.len, &shape, &listed);
    if (!why && !sp_money_currency(listed.currency, &price->price)) {
        why = "currency is no code of three letters";
    }
    if (why) {
        return sp_call_unreadable(ctx, call.what, why);
    }
    price->price.minor = listed.amount;
    price->active = listed.active;
    price->period =
        listed.recurring.data && *listed.recurring.data == '{' ? "some" : NULL;
    return SP_DONE;
}

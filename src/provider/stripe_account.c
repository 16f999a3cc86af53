/*
 * stripe_account.c - what only the going live asks of Stripe: our key, and its clock.
 *
 * Room: provider.
 * Source: Stripe API reference, "Events".
 */
#include "provider/stripe.h"

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

/*
 * stripe_refund.c - sending money back.
 *
 * Room: provider.
 * Source: Stripe API reference, "Refunds".
 */
#include "provider/stripe.h"

#include <string.h>

#include "provider/call.h"

sp_outcome_t sp_stripe_refund(sp_ctx_t *ctx, const sp_account_t *account,
                              const sp_refund_ask_t *ask, sp_fact_t **fact)
{
    sp_stripe_reader_t reader = sp_stripe_reader(ctx);
    int intent = sp_stripe_is_id(ask->payment_id, "pi_");
    sp_stripe_call_t call;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;

    if (!intent && !sp_stripe_is_id(ask->payment_id, "ch_") &&
        !sp_stripe_is_id(ask->payment_id, "py_")) {
        return sp_end(ctx, SP_REFUSED, "not_found",
                      "There is no payment to refund.");
    }
    sp_stripe_call_start(&call, ctx->pool, "refund", "POST", "/v1/refunds");
    call.key = ask->key;
    sp_query_add(&call.params, intent ? "payment_intent" : "charge",
                 ask->payment_id);
    sp_query_add_int(&call.params, "amount", ask->amount.minor);
    sp_query_add(&call.params, "reason", ask->reason);
    sp_query_add(&call.params, "metadata[subpay_order]", ask->order_id);
    sp_query_add(&call.params, "metadata[subpay_site]", ctx->settings->base_url);
    out = sp_stripe_send(ctx, account, &call, &body);
    if (out != SP_DONE) {
        return out;
    }
    why = sp_stripe_read(&reader, &body, sp_stripe_take_refund, fact);
    return why ? sp_call_unreadable(ctx, call.what, why) : SP_DONE;
}

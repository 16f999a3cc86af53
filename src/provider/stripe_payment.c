/*
 * stripe_payment.c - PaymentIntents: taking what is held, and letting it go.
 *
 * Room: provider.
 * Source: Stripe API reference, "PaymentIntents"; "Place a hold on a payment method". The
 * PaymentIntent of a Checkout Session may be cancelled only while it requires capture.
 */
#include "provider/stripe.h"

#include <apr_strings.h>
#include <string.h>

#include "provider/call.h"

/* POST to one PaymentIntent, which answers as it is then. */
static sp_outcome_t post_intent(sp_ctx_t *ctx, const sp_account_t *account,
                                sp_stripe_call_t *call, sp_fact_t **fact)
{
    sp_stripe_reader_t reader = sp_stripe_reader(ctx);
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;

    sp_query_add(&call->params, "expand[]", "latest_charge");
    out = sp_stripe_send(ctx, account, call, &body);
    if (out != SP_DONE) {
        return out;
    }
    why = sp_stripe_read(&reader, &body, sp_stripe_take_intent, fact);
    return why ? sp_call_unreadable(ctx, call->what, why) : SP_DONE;
}

static const char *intent_path(sp_ctx_t *ctx, const char *id, const char *verb)
{
    return apr_pstrcat(ctx->pool, "/v1/payment_intents/", id, verb, NULL);
}

static sp_outcome_t no_such_payment(sp_ctx_t *ctx)
{
    return sp_end(ctx, SP_REFUSED, "not_found",
                  "The payment provider does not know this payment.");
}

sp_outcome_t sp_stripe_payment_capture(sp_ctx_t *ctx, const sp_account_t *account,
                                       const sp_hold_ask_t *ask, sp_fact_t **fact)
{
    sp_stripe_call_t call;

    if (!sp_stripe_is_id(ask->payment_id, "pi_")) {
        return no_such_payment(ctx);
    }
    sp_stripe_call_start(&call, ctx->pool, "capture", "POST",
                         intent_path(ctx, ask->payment_id, "/capture"));
    call.key = ask->key;
    sp_query_add_int(&call.params, "amount_to_capture", ask->amount.minor);
    return post_intent(ctx, account, &call, fact);
}

sp_outcome_t sp_stripe_payment_release(sp_ctx_t *ctx, const sp_account_t *account,
                                       const sp_hold_ask_t *ask, sp_fact_t **fact)
{
    sp_stripe_call_t call;

    if (!sp_stripe_is_id(ask->payment_id, "pi_")) {
        return no_such_payment(ctx);
    }
    sp_stripe_call_start(&call, ctx->pool, "release", "POST",
                         intent_path(ctx, ask->payment_id, "/cancel"));
    call.key = ask->key;
    return post_intent(ctx, account, &call, fact);
}

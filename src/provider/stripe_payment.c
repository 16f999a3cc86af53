/*
 * stripe_payment.c - PaymentIntents: paying without a page; taking what is held, and
 * letting it go.
 *
 * Room: provider.
 * Source: Stripe API reference, "PaymentIntents"; "Place a hold on a payment method". The
 * PaymentIntent of a Checkout Session may be cancelled only while it requires capture.
 */
#include "provider/stripe.h"

#include <apr_strings.h>
#include <string.h>

#include "provider/call.h"
#include "provider/stripe_shape.h"
#include "util/reference.h"
#include "util/text.h"

/* One call about a PaymentIntent, which answers as it is then. */
static sp_outcome_t send_intent(sp_ctx_t *ctx, const sp_account_t *account,
                                sp_stripe_call_t *call, sp_slice_t *body,
                                sp_fact_t **fact)
{
    sp_stripe_reader_t reader = sp_stripe_reader(ctx);
    sp_outcome_t out;
    const char *why;

    sp_query_add(&call->params, "expand[]", "latest_charge");
    out = sp_stripe_send(ctx, account, call, body);
    if (out != SP_DONE) {
        return out;
    }
    why = sp_stripe_read(&reader, body, sp_stripe_take_intent, fact);
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

/* -- Paying without a page ---------------------------------------------------------- */

sp_outcome_t sp_stripe_payment_begin(sp_ctx_t *ctx, const sp_account_t *account,
                                     const sp_order_t *order,
                                     const char **payment_id)
{
    sp_stripe_call_t call;
    sp_query_t *params = &call.params;
    sp_slice_t body;
    sp_outcome_t out;

    sp_stripe_call_start(&call, ctx->pool, "begin payment", "POST",
                         "/v1/payment_intents");
    call.key = apr_pstrcat(ctx->pool, "payment-", order->id, NULL);
    sp_query_add_int(params, "amount", order->price.minor);
    sp_query_add(params, "currency", sp_text_fold(ctx->pool, order->price.currency));
    if (ctx->settings->capture_after_access) {
        sp_query_add(params, "capture_method", "manual");
    }
    sp_stripe_add_metadata(params, ctx, order, "metadata");
    sp_query_add(params, "description", order->reference);
    sp_query_add(params, "statement_descriptor_suffix",
                 sp_reference_statement(ctx->pool, order->reference));
    out = sp_stripe_send(ctx, account, &call, &body);
    if (out != SP_DONE) {
        return out;
    }
    *payment_id = sp_stripe_find_id(ctx->pool, &body);
    return sp_stripe_is_id(*payment_id, "pi_")
               ? SP_DONE
               : sp_call_unreadable(ctx, call.what, "id is missing");
}

/* What only the browser of the one who pays may know. */
static const char *read_action(sp_ctx_t *ctx, const sp_slice_t *body,
                               sp_direct_t *direct)
{
    sp_stripe_intent_t intent = { .amount_received = -1 };
    const char *why = sp_scan_whole(ctx->pool, body->data, body->len,
                                    &sp_stripe_intent_shape, &intent);

    direct->needs_action = !why && strcmp(intent.status, "requires_action") == 0;
    direct->client_secret = direct->needs_action ? intent.client_secret : NULL;
    direct->action_url = direct->needs_action ? intent.action_url : NULL;
    return why;
}

sp_outcome_t sp_stripe_payment_confirm(sp_ctx_t *ctx, const sp_account_t *account,
                                       const sp_confirm_ask_t *ask,
                                       sp_direct_t *direct)
{
    sp_stripe_call_t call;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;

    if (!sp_stripe_is_id(ask->payment_id, "pi_")) {
        return no_such_payment(ctx);
    }
    sp_stripe_call_start(
        &call, ctx->pool, ask->method ? "pay" : "fetch payment",
        ask->method ? "POST" : "GET",
        intent_path(ctx, ask->payment_id, ask->method ? "/confirm" : NULL));
    if (ask->method) {
        call.key = ask->key;
        sp_query_add(&call.params, "payment_method", ask->method);
        sp_query_add(&call.params, "return_url", ask->return_url);
    }
    out = send_intent(ctx, account, &call, &body, &direct->fact);
    if (out != SP_DONE) {
        return out;
    }
    why = read_action(ctx, &body, direct);
    return why ? sp_call_unreadable(ctx, call.what, why) : SP_DONE;
}

/* -- What is held ------------------------------------------------------------------- */

sp_outcome_t sp_stripe_payment_capture(sp_ctx_t *ctx, const sp_account_t *account,
                                       const sp_hold_ask_t *ask, sp_fact_t **fact)
{
    sp_stripe_call_t call;
    sp_slice_t body;

    if (!sp_stripe_is_id(ask->payment_id, "pi_")) {
        return no_such_payment(ctx);
    }
    sp_stripe_call_start(&call, ctx->pool, "capture", "POST",
                         intent_path(ctx, ask->payment_id, "/capture"));
    call.key = ask->key;
    sp_query_add_int(&call.params, "amount_to_capture", ask->amount.minor);
    return send_intent(ctx, account, &call, &body, fact);
}

sp_outcome_t sp_stripe_payment_release(sp_ctx_t *ctx, const sp_account_t *account,
                                       const sp_hold_ask_t *ask, sp_fact_t **fact)
{
    sp_stripe_call_t call;
    sp_slice_t body;

    if (!sp_stripe_is_id(ask->payment_id, "pi_")) {
        return no_such_payment(ctx);
    }
    sp_stripe_call_start(&call, ctx->pool, "release", "POST",
                         intent_path(ctx, ask->payment_id, "/cancel"));
    call.key = ask->key;
    return send_intent(ctx, account, &call, &body, fact);
}

/*
 * stripe_rehearse.c - a payment without a page, for drills in test mode.
 *
 * Room: provider.
 * Source: Stripe, "Testing": test PaymentMethods; "Create a PaymentIntent".
 *
 * Stripe's hosted page cannot be paid by a program. What comes behind it can: this
 * PaymentIntent carries what the page's would, and its events are the same.
 */
#include "provider/stripe.h"

#include <apr_strings.h>
#include <string.h>

#include "provider/call.h"
#include "provider/snapshot.h"
#include "util/reference.h"
#include "util/text.h"

sp_outcome_t sp_stripe_payment_rehearse(sp_ctx_t *ctx, const sp_account_t *account,
                                        const sp_order_t *order, sp_fact_t **fact)
{
    sp_stripe_reader_t reader = sp_stripe_reader(ctx);
    sp_snapshot_pair_t pairs[SP_SNAPSHOT_PAIRS];
    sp_stripe_call_t call;
    sp_query_t *params = &call.params;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;
    int i;

    if (strcmp(ctx->settings->mode, "test") != 0) {
        return sp_end(ctx, SP_REFUSED, "live_mode", "Test cards are for test mode.");
    }
    sp_stripe_call_start(&call, ctx->pool, "pay by test card", "POST",
                         "/v1/payment_intents");
    call.key = apr_pstrcat(ctx->pool, "rehearse-", order->id, NULL);
    sp_query_add_int(params, "amount", order->price.minor);
    sp_query_add(params, "currency", sp_text_fold(ctx->pool, order->price.currency));
    sp_query_add(params, "payment_method", "pm_card_visa");
    sp_query_add(params, "payment_method_types[0]", "card");
    sp_query_add(params, "confirm", "true");
    sp_query_add(params, "description", order->reference);
    sp_query_add(params, "statement_descriptor_suffix",
                 sp_reference_statement(ctx->pool, order->reference));
    sp_snapshot_write(ctx, order, pairs);
    for (i = 0; i < SP_SNAPSHOT_PAIRS; i++) {
        sp_query_add(params,
                     apr_pstrcat(ctx->pool, "metadata[", pairs[i].key, "]", NULL),
                     pairs[i].value);
    }
    out = sp_stripe_send(ctx, account, &call, &body);
    if (out != SP_DONE) {
        return out;
    }
    why = sp_stripe_read(&reader, &body, sp_stripe_take_intent, fact);
    return why ? sp_call_unreadable(ctx, call.what, why) : SP_DONE;
}

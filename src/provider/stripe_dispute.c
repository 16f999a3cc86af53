/*
 * stripe_dispute.c - answering a bank that questions a payment.
 *
 * Room: provider.
 * Source: Stripe API reference, "Disputes". An update with evidence goes to the bank at
 * once, and in effect once; closing a dispute loses it, and cannot be taken back.
 */
#include "provider/stripe.h"

#include <apr_strings.h>

#include "provider/call.h"

static const char *path_of(sp_ctx_t *ctx, const char *dispute_id, const char *more)
{
    return sp_stripe_is_id(dispute_id, "dp_") || sp_stripe_is_id(dispute_id, "du_")
               ? apr_pstrcat(ctx->pool, "/v1/disputes/", dispute_id, more, NULL)
               : NULL;
}

static sp_outcome_t unknown(sp_ctx_t *ctx)
{
    return sp_end(ctx, SP_REFUSED, "not_found", "There is no such dispute.");
}

sp_outcome_t sp_stripe_dispute_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                     const char *dispute_id, sp_fact_t **fact)
{
    const char *path = path_of(ctx, dispute_id, NULL);

    return path ? sp_stripe_fetch(ctx, account, "fetch dispute", path, NULL,
                                  sp_stripe_take_dispute, fact)
                : unknown(ctx);
}

static sp_outcome_t submit(sp_ctx_t *ctx, const sp_account_t *account,
                           const sp_stripe_call_t *call, sp_fact_t **fact)
{
    sp_stripe_reader_t reader = sp_stripe_reader(ctx);
    sp_slice_t body;
    sp_outcome_t out = sp_stripe_send(ctx, account, call, &body);
    const char *why;

    if (out != SP_DONE) {
        return out;
    }
    why = sp_stripe_read(&reader, &body, sp_stripe_take_dispute, fact);
    return why ? sp_call_unreadable(ctx, call->what, why) : SP_DONE;
}

sp_outcome_t sp_stripe_dispute_answer(sp_ctx_t *ctx, const sp_account_t *account,
                                      const sp_evidence_t *evidence,
                                      sp_fact_t **fact)
{
    const struct {
        const char *name;
        const char *value;
    } fields[] = {
        { "evidence[customer_email_address]", evidence->customer_email },
        { "evidence[customer_name]", evidence->customer_name },
        { "evidence[product_description]", evidence->product },
        { "evidence[service_date]", evidence->service_date },
        { "evidence[access_activity_log]", evidence->log },
        { "evidence[refund_policy_disclosure]", evidence->policy },
        { "evidence[uncategorized_text]", evidence->text },
    };
    const char *path = path_of(ctx, evidence->dispute_id, NULL);
    sp_stripe_call_t call;
    size_t i;

    if (!path) {
        return unknown(ctx);
    }
    sp_stripe_call_start(&call, ctx->pool, "answer dispute", "POST", path);
    call.key = evidence->key;
    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        sp_query_add(&call.params, fields[i].name, fields[i].value);
    }
    sp_query_add(&call.params, "submit", "true");
    return submit(ctx, account, &call, fact);
}

sp_outcome_t sp_stripe_dispute_accept(sp_ctx_t *ctx, const sp_account_t *account,
                                      const char *key, const char *dispute_id,
                                      sp_fact_t **fact)
{
    const char *path = path_of(ctx, dispute_id, "/close");
    sp_stripe_call_t call;

    if (!path) {
        return unknown(ctx);
    }
    sp_stripe_call_start(&call, ctx->pool, "accept dispute", "POST", path);
    call.key = key;
    return submit(ctx, account, &call, fact);
}

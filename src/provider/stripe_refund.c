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
    sp_query_add(&call.params, "metadata[subpay_refund]", ask->decision);
    sp_query_add(&call.params, "metadata[subpay_site]", ctx->settings->base_url);
    out = sp_stripe_send(ctx, account, &call, &body);
    if (out != SP_DONE) {
        return out;
    }
    why = sp_stripe_read(&reader, &body, sp_stripe_take_refund, fact);
    return why ? sp_call_unreadable(ctx, call.what, why) : SP_DONE;
}

/* What is looked for, and what was found so far. */
typedef struct search_t {
    const sp_refund_ask_t *ask;
    sp_fact_t *found;
    int garbled; /* one could not be read, and may have been it */
} search_t;

/* A refund that names our order and no decision is ours as well: an earlier version wrote
 * no more. Stripe's clock may be a little behind ours. */
static int is_it(const sp_refund_ask_t *ask, const sp_fact_t *fact)
{
    if (fact->decision) {
        return strcmp(fact->decision, ask->decision) == 0;
    }
    return fact->order_id && strcmp(fact->order_id, ask->order_id) == 0 &&
           fact->amount.minor == ask->amount.minor &&
           fact->created > ask->decided_at - apr_time_from_sec(60);
}

static int visit(void *baton, const sp_page_t *page)
{
    search_t *search = baton;
    sp_fact_t *fact;
    int i;

    search->garbled |= page->unreadable->nelts > 0;
    for (i = 0; i < page->facts->nelts; i++) {
        fact = APR_ARRAY_IDX(page->facts, i, sp_fact_t *);
        if (is_it(search->ask, fact)) {
            search->found = fact;
            return 0;
        }
    }
    return 1;
}

sp_outcome_t sp_stripe_refund_find(sp_ctx_t *ctx, const sp_account_t *account,
                                   const sp_refund_ask_t *ask, sp_fact_t **fact)
{
    search_t search = { .ask = ask };
    const sp_list_ask_t of = { .payment_id = ask->payment_id };
    sp_stripe_list_t list = sp_stripe_refunds(&of);
    sp_outcome_t out = sp_stripe_walk(ctx, account, &list, visit, &search);

    *fact = search.found;
    return out == SP_DONE && !search.found && search.garbled
               ? sp_end(ctx, SP_UNKNOWN, "provider_unreadable", NULL)
               : out;
}

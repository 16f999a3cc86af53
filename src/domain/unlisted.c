/*
 * unlisted.c - money that went back at a provider which keeps no list of refunds.
 *
 * Room: domain.
 */
#include "domain/unlisted.h"

#include "cfg/settings.h"
#include "db/jobs.h"
#include "domain/order.h"
#include "provider/provider.h"

/* For each question; the worker has mails to send as well. */
#define PATIENCE apr_time_from_sec(8)

/* So many payments of one provider are asked about in one turn. */
#define AT_ONCE 5

static sp_outcome_t ask(sp_ctx_t *ctx, const sp_account_t *account,
                        const char *payment_id)
{
    sp_settled_t settled = { 0 };
    sp_fact_t *fact;
    sp_outcome_t out;

    ctx->patience = PATIENCE;
    out = account->provider->payment_fetch(ctx, account, payment_id, &fact);
    out = out == SP_DONE ? sp_fact_settle(ctx, fact, &settled) : out;
    return out == SP_DONE || out == SP_REFUSED
               ? sp_db_payment_asked(ctx, account->name, payment_id)
               : out;
}

static sp_outcome_t look_at(sp_ctx_t *ctx, const sp_account_t *account, int *more)
{
    apr_array_header_t *ids;
    sp_outcome_t out = sp_db_payments_due(ctx, account->name, AT_ONCE, &ids);
    int i;

    for (i = 0; out == SP_DONE && i < ids->nelts; i++) {
        out = ask(ctx, account, APR_ARRAY_IDX(ids, i, const char *));
    }
    *more |= out == SP_DONE && ids->nelts == AT_ONCE;
    return out;
}

sp_outcome_t sp_unlisted_look(sp_ctx_t *ctx, int *more)
{
    const apr_array_header_t *accounts = ctx->settings->accounts;
    sp_ctx_t own = *ctx;
    const sp_account_t *account;
    sp_outcome_t out = SP_DONE;
    int i;

    own.via = "reconcile";
    *more = 0;
    for (i = 0; out == SP_DONE && i < accounts->nelts; i++) {
        account = APR_ARRAY_IDX(accounts, i, sp_account_t *);
        if (!account->provider->refunds_list && account->provider->payment_fetch) {
            out = look_at(&own, account, more);
        }
    }
    return out;
}

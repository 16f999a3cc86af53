/*
 * renewal.c - plans that renew: ask about them, stop them, go on after all.
 *
 * Room: domain.
 */
#include "domain/renewal.h"

#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/jobs.h"
#include "domain/order.h"
#include "provider/provider.h"
#include "util/log.h"

/* A webhook is answered within this, whatever the provider does: the payment page
 * waits for it. What could not be asked in time, the worker asks. */
#define COMPLETE_TIME apr_time_from_sec(4)

/* One turn's worth, so that mails leave in between. */
#define BATCH 10
#define LOOK_TIME apr_time_from_sec(15)

static const sp_account_t *account_of(const sp_ctx_t *ctx, const char *provider)
{
    return sp_settings_account(ctx->settings, provider);
}

/* ---- one fact ------------------------------------------------------------------- */

static int is_settled(sp_ctx_t *ctx, sp_fact_t *fact)
{
    apr_array_header_t *one = apr_array_make(ctx->pool, 1, sizeof(sp_fact_t *));
    char wanted = 1;

    APR_ARRAY_PUSH(one, sp_fact_t *) = fact;
    return sp_db_periods_unmatched(ctx, fact->provider, one, &wanted) == SP_DONE &&
           !wanted;
}

void sp_period_complete(sp_ctx_t *ctx, sp_fact_t *fact)
{
    const sp_account_t *account = account_of(ctx, fact->provider);
    apr_interval_time_t patience = ctx->patience;
    const char *code = ctx->code;

    if (fact->kind != SP_FACT_PERIOD_PAID || fact->charge_id ||
        (fact->payment_id && fact->amount.minor == 0) || !fact->invoice_id ||
        !account || !account->provider->period_complete || is_settled(ctx, fact)) {
        return;
    }
    if (!patience || patience > COMPLETE_TIME) {
        ctx->patience = COMPLETE_TIME;
    }
    account->provider->period_complete(ctx, account, fact);
    ctx->patience = patience;
    ctx->code = code;
}

/* ---- one renewal ------------------------------------------------------------------ */

static sp_outcome_t settle_all(sp_ctx_t *ctx, const sp_renewal_t *renewal,
                               const apr_array_header_t *facts)
{
    sp_settled_t settled = { 0 };
    sp_outcome_t one, all = SP_DONE;
    sp_fact_t *fact;
    int i;

    for (i = 0; i < facts->nelts; i++) {
        fact = APR_ARRAY_IDX(facts, i, sp_fact_t *);
        if (!fact->order_id) {
            fact->order_id = renewal->order_id; /* somebody took its metadata away */
        }
        if ((fact->kind == SP_FACT_PERIOD_PAID ||
             fact->kind == SP_FACT_PERIOD_FAILED) &&
            is_settled(ctx, fact)) {
            continue;
        }
        one = sp_fact_settle(ctx, fact, &settled);
        all = one == SP_DONE ? all : one;
    }
    return all;
}

static sp_outcome_t ask(sp_ctx_t *ctx, const sp_account_t *account,
                        const sp_renewal_t *renewal)
{
    apr_array_header_t *facts;
    sp_outcome_t out =
        account->provider->renewal_fetch(ctx, account, renewal->id, &facts);

    return out == SP_DONE ? settle_all(ctx, renewal, facts) : out;
}

/* What is wanted of it. Where the provider says no, it mostly has ended already. */
static sp_outcome_t act(sp_ctx_t *ctx, const sp_account_t *account,
                        const sp_renewal_t *renewal)
{
    sp_settled_t settled = { 0 };
    sp_fact_t *fact;
    sp_outcome_t out = account->provider->renewal_stop(
        ctx, account, renewal->id, strcmp(renewal->wanted, "stop") == 0, &fact);

    if (out == SP_REFUSED) {
        return ask(ctx, account, renewal);
    }
    if (out == SP_DONE) {
        fact->order_id = fact->order_id ? fact->order_id : renewal->order_id;
        out = sp_fact_settle(ctx, fact, &settled);
    }
    if (out == SP_DONE) {
        sp_log(ctx->log, SP_LOG_NOTICE, 308, "renewal of order %s: %s, by %s",
               renewal->reference, fact->status, ctx->actor);
    }
    return out;
}

static sp_outcome_t look(sp_ctx_t *ctx, const sp_renewal_t *renewal)
{
    const sp_account_t *account = account_of(ctx, renewal->provider);

    if (!account || !account->provider->renewal_fetch) {
        return sp_end(ctx, SP_FAILED, "provider_missing", NULL);
    }
    return renewal->wanted ? act(ctx, account, renewal) : ask(ctx, account, renewal);
}

/* ---- the customer ------------------------------------------------------------------- */

sp_outcome_t sp_renewal_stop(sp_ctx_t *ctx, const char *account,
                             const char *reference, int stop)
{
    sp_renewal_t renewal;
    const char *verdict;
    sp_outcome_t out = sp_db_renewal_want(
        ctx, account, reference, stop ? "stop" : "resume", &verdict, &renewal);

    if (out != SP_DONE || strcmp(verdict, "already") == 0) {
        return out;
    }
    if (strcmp(verdict, "wanted") != 0) {
        return sp_end(ctx, SP_REFUSED,
                      strcmp(verdict, "ended") == 0 ? "ended" : "no_renewal",
                      strcmp(verdict, "ended") == 0
                          ? "This plan has been ended and cannot be taken up again. "
                            "You can buy it anew."
                          : "There is no renewal of yours under this reference.");
    }
    out = look(ctx, &renewal);
    return out == SP_DONE ? SP_DONE : sp_end(ctx, SP_UNKNOWN, ctx->code, NULL);
}

/* ---- the worker --------------------------------------------------------------------- */

static sp_outcome_t look_at_each(sp_ctx_t *ctx, const sp_pulse_t *pulse,
                                 const apr_array_header_t *due, const char **code)
{
    const sp_renewal_t *renewal;
    sp_outcome_t one, all = SP_DONE;
    int i;

    for (i = 0; i < due->nelts; i++) {
        renewal = &APR_ARRAY_IDX(due, i, sp_renewal_t);
        ctx->code = NULL;
        sp_pulse_beat(pulse, ctx->settings->provider_timeout + LOOK_TIME);
        one = look(ctx, renewal);
        if (one != SP_DONE) {
            all = one;
            *code = ctx->code;
            sp_log(ctx->log, SP_LOG_WARN, 309,
                   "renewal of order %s could not be %s now (%s) and is tried again",
                   renewal->reference, renewal->wanted ? "changed" : "asked about",
                   *code ? *code : "");
        }
        if (sp_db_renewal_asked(ctx, renewal) != SP_DONE) {
            return SP_FAILED;
        }
    }
    return all;
}

sp_outcome_t sp_renewals_work(sp_ctx_t *ctx, const char *worker,
                              const sp_pulse_t *pulse, int *more)
{
    apr_array_header_t *due;
    const char *code = NULL;
    apr_int64_t run;
    sp_outcome_t out;

    *more = 0;
    if (sp_db_renewals_due(ctx, BATCH, &due) != SP_DONE) {
        return SP_FAILED;
    }
    if (due->nelts == 0) {
        return SP_DONE; /* not worth a row in the book */
    }
    if (sp_db_run_begin(ctx, "renewals", worker, &run) != SP_DONE) {
        return SP_FAILED;
    }
    ctx->via = "reconcile";
    out = look_at_each(ctx, pulse, due, &code);
    if (sp_db_run_end(ctx, run, out == SP_DONE,
                      apr_psprintf(ctx->pool, "{\"seen\": %d}", due->nelts),
                      code) != SP_DONE) {
        return SP_FAILED;
    }
    *more = out == SP_DONE && due->nelts == BATCH;
    return out == SP_DONE ? SP_DONE : sp_end(ctx, out, code, NULL);
}

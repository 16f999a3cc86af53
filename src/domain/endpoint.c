/*
 * endpoint.c - does the provider still know where to send its events?
 *
 * Room: domain.
 * A shop took money for a year without an endpoint: nothing else notices, as the
 * other roads carry on.
 */
#include "domain/endpoint.h"

#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/jobs.h"
#include "util/json.h"
#include "util/log.h"

const char *sp_endpoint_url(const sp_ctx_t *ctx, const sp_account_t *account)
{
    return apr_pstrcat(ctx->pool, ctx->settings->base_url, "/webhook/",
                       account->name, NULL);
}

const char *sp_endpoint_problem(apr_pool_t *pool, const sp_account_t *account,
                                const sp_endpoint_t *endpoint)
{
    const char *who = account->provider->title;

    if (!endpoint->found) {
        return apr_psprintf(pool, "%s knows no webhook endpoint with our address",
                            who);
    }
    if (!endpoint->enabled) {
        return apr_psprintf(pool, "our webhook endpoint is disabled at %s", who);
    }
    if (endpoint->missing && *endpoint->missing) {
        return apr_psprintf(pool, "our webhook endpoint at %s lacks events: %s", who,
                            endpoint->missing);
    }
    if (endpoint->wanted &&
        (!endpoint->version || strcmp(endpoint->version, endpoint->wanted) != 0)) {
        return apr_psprintf(
            pool, "our webhook endpoint at %s sends version %s, not %s", who,
            endpoint->version ? endpoint->version : "by default", endpoint->wanted);
    }
    return NULL;
}

static sp_outcome_t tell(sp_ctx_t *ctx, const sp_account_t *account, const char *url,
                         const char *problem)
{
    const char *key = apr_pstrcat(ctx->pool, "endpoint:", account->name, NULL);
    json_t *detail = sp_json_object(ctx->pool);

    if (!problem) {
        return sp_db_alert_clear(ctx, key);
    }
    sp_log(ctx->log, SP_LOG_WARN, 355, "%s; it should be %s", problem, url);
    sp_json_set_text(detail, "url", url);
    return sp_db_alert_raise(ctx, key, "today", problem,
                             sp_json_dump(ctx->pool, detail));
}

static sp_outcome_t look_at(sp_ctx_t *ctx, const sp_account_t *account)
{
    const char *url = sp_endpoint_url(ctx, account);
    sp_endpoint_t endpoint = { 0 };
    sp_outcome_t out;

    if (!account->provider->endpoint_check) {
        return SP_DONE;
    }
    out = account->provider->endpoint_check(ctx, account, url, &endpoint);
    if (out != SP_DONE) {
        return out;
    }
    return tell(ctx, account, url,
                sp_endpoint_problem(ctx->pool, account, &endpoint));
}

sp_outcome_t sp_endpoint_look(sp_ctx_t *ctx, const char *worker)
{
    const apr_array_header_t *accounts = ctx->settings->accounts;
    sp_outcome_t one, all = SP_DONE;
    const char *code = NULL;
    apr_int64_t run;
    int i;

    if (sp_db_run_begin(ctx, "endpoint", worker, &run) != SP_DONE) {
        return SP_FAILED;
    }
    for (i = 0; i < accounts->nelts; i++) {
        one = look_at(ctx, APR_ARRAY_IDX(accounts, i, sp_account_t *));
        if (one != SP_DONE) {
            all = one;
            code = ctx->code;
        }
    }
    if (sp_db_run_end(ctx, run, all == SP_DONE, "{}", code) != SP_DONE) {
        return SP_FAILED;
    }
    return all == SP_DONE ? SP_DONE : sp_end(ctx, all, code, NULL);
}

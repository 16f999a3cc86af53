/*
 * price.c - does the provider take what the plans say?
 *
 * Room: domain.
 * Asked by the worker as it starts, and daily: a start of httpd must not wait for a
 * provider that is away, and a price can be changed there at any time. What is found here
 * decides who is woken, no more: however SubPayPriceCheck is set, no page is opened where
 * another sum would be charged (the provider's checkout).
 */
#include "domain/price.h"

#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/jobs.h"
#include "util/json.h"
#include "util/log.h"

static int same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Twelve months are a year, and seven days a week, whoever wrote it how. */
static const char *plain_period(apr_pool_t *pool, const char *period)
{
    static const struct {
        const char *from, *to;
        int each;
    } ways[] = { { "mo", "y", 12 }, { "d", "w", 7 } };
    apr_size_t digits = period ? strspn(period, "0123456789") : 0;
    apr_int64_t count = period ? apr_atoi64(period) : 0;
    size_t i;

    for (i = 0; digits && i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(period + digits, ways[i].from) == 0 &&
            count % ways[i].each == 0) {
            return apr_psprintf(pool, "%" APR_INT64_T_FMT "%s", count / ways[i].each,
                                ways[i].to);
        }
    }
    return period;
}

static const char *words_of(apr_pool_t *pool, const char *period)
{
    return period ? apr_pstrcat(pool, "every ", period, NULL) : "once";
}

const char *sp_price_problem(apr_pool_t *pool, const sp_product_t *product,
                             const sp_price_t *price)
{
    const char *ours = product->renews ? product->period : NULL;

    if (!price->price.currency[0] || price->price.minor != product->price.minor ||
        strcmp(price->price.currency, product->price.currency) != 0) {
        return apr_psprintf(pool, "it is %s there and %s here",
                            price->price.currency[0]
                                ? sp_money_text(pool, &price->price)
                                : "no fixed sum",
                            sp_money_text(pool, &product->price));
    }
    if (!same(plain_period(pool, price->period), plain_period(pool, ours))) {
        return apr_psprintf(pool, "it is charged %s there and %s here",
                            words_of(pool, price->period), words_of(pool, ours));
    }
    return price->active ? NULL : "it is archived there and cannot be sold";
}

static int is_error(const sp_settings_t *settings)
{
    return strcmp(settings->price_check, "error") == 0 ||
           (strcmp(settings->price_check, "auto") == 0 &&
            strcmp(settings->mode, "live") == 0);
}

static sp_outcome_t tell(sp_ctx_t *ctx, const sp_product_t *product,
                         const char *problem)
{
    const char *key = apr_pstrcat(ctx->pool, "price:", product->name, NULL);
    int error = is_error(ctx->settings);
    json_t *detail;

    if (!problem) {
        return sp_db_alert_clear(ctx, key);
    }
    sp_log(ctx->log, error ? SP_LOG_ERR : SP_LOG_WARN, 412,
           "SubPayProviderPrice %s of %s: %s", product->provider_price,
           product->name, problem);
    detail = sp_json_object(ctx->pool);
    sp_json_set_text(detail, "price", product->provider_price);
    return sp_db_alert_raise(
        ctx, key, error ? "page" : "today",
        apr_psprintf(ctx->pool, "The price of %s differs at the provider: %s",
                     product->name, problem),
        sp_json_dump(ctx->pool, detail));
}

static sp_outcome_t look_at(sp_ctx_t *ctx, const sp_account_t *account,
                            const sp_product_t *product)
{
    sp_price_t price = { .period = NULL };
    sp_outcome_t out;

    if (!product->provider_price) {
        return SP_DONE;
    }
    out = account->provider->price_fetch(ctx, account, product->provider_price,
                                         &price);
    if (out == SP_REFUSED && strcmp(ctx->code, "not_found") == 0) {
        return tell(ctx, product, "the provider knows no such price");
    }
    return out == SP_DONE
               ? tell(ctx, product, sp_price_problem(ctx->pool, product, &price))
               : out;
}

int sp_prices_named(const sp_settings_t *settings)
{
    int i;

    for (i = 0; i < settings->products->nelts; i++) {
        if (APR_ARRAY_IDX(settings->products, i, sp_product_t *)->provider_price) {
            return 1;
        }
    }
    return 0;
}

sp_outcome_t sp_prices_look(sp_ctx_t *ctx, const char *worker)
{
    const sp_settings_t *settings = ctx->settings;
    const sp_account_t *account = sp_settings_account(settings, settings->provider);
    sp_outcome_t one, all = SP_DONE;
    const char *code = NULL;
    apr_int64_t run;
    int i;

    if (!sp_prices_named(settings) || !account || !account->provider->price_fetch) {
        return SP_DONE;
    }
    if (sp_db_run_begin(ctx, "prices", worker, &run) != SP_DONE) {
        return SP_FAILED;
    }
    for (i = 0; i < settings->products->nelts; i++) {
        one = look_at(ctx, account,
                      APR_ARRAY_IDX(settings->products, i, sp_product_t *));
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

/*
 * mod_subpay_third.c - a payment provider that mod_subpay has never heard of.
 *
 * Room: tests. Knows httpd, APR and provider.h, and nothing of mod_subpay's code.
 * It has a page, and a webhook "order=...&minor=...&currency=...&event=..." whose
 * Third-Secret header is the secret itself; nothing else is offered, and nothing else
 * is needed to sell.
 */
#include <httpd.h>
#include <http_config.h>
#include <ap_provider.h>
#include <apr_strings.h>
#include <string.h>

#include "provider/provider.h"

static sp_outcome_t end(sp_ctx_t *ctx, sp_outcome_t outcome, const char *code)
{
    ctx->code = code;
    ctx->say = NULL;
    return outcome;
}

static sp_outcome_t checkout_create(sp_ctx_t *ctx, const sp_account_t *account,
                                    const sp_order_t *order, const char *success_url,
                                    const char *cancel_url, sp_checkout_t *checkout)
{
    (void)account;
    (void)success_url;
    (void)cancel_url;
    checkout->id = apr_pstrcat(ctx->pool, "page-", order->id, NULL);
    checkout->url =
        apr_pstrcat(ctx->pool, "https://third.example/", order->id, NULL);
    checkout->expires = 0;
    return SP_DONE;
}

static sp_outcome_t checkout_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                   const char *checkout_id, sp_fact_t **fact)
{
    (void)account;
    (void)checkout_id;
    (void)fact;
    return end(ctx, SP_UNKNOWN, "provider_timeout");
}

static sp_outcome_t payment_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                  const char *payment_id, sp_fact_t **fact)
{
    (void)account;
    (void)payment_id;
    (void)fact;
    return end(ctx, SP_REFUSED, "not_found");
}

/* The value of one field; "" where there is none. */
static const char *field(apr_pool_t *pool, const char *body, const char *name)
{
    const char *at = strstr(body, apr_pstrcat(pool, name, "=", NULL));

    at = at ? at + strlen(name) + 1 : "";
    return apr_pstrndup(pool, at, strcspn(at, "&"));
}

static sp_outcome_t webhook_read(sp_ctx_t *ctx, const sp_account_t *account,
                                 sp_header_fn header, void *baton, const char *body,
                                 apr_size_t len, sp_fact_t **fact,
                                 sp_unreadable_t **unreadable)
{
    const char *text = apr_pstrndup(ctx->pool, body, len);
    const char *given = header(baton, "Third-Secret");
    sp_fact_t *paid = apr_pcalloc(ctx->pool, sizeof(*paid));

    if (!given || account->secrets->nelts == 0 ||
        strcmp(given, APR_ARRAY_IDX(account->secrets, 0, const char *)) != 0) {
        return end(ctx, SP_REFUSED, "signature");
    }
    paid->kind = SP_FACT_PAYMENT_SUCCEEDED;
    paid->provider = "third";
    paid->mode = ctx->settings->mode;
    paid->at = apr_time_now();
    paid->event_id = field(ctx->pool, text, "event");
    paid->event_type = "paid";
    paid->order_id = field(ctx->pool, text, "order");
    paid->payment_id = apr_pstrcat(ctx->pool, "payment-", paid->order_id, NULL);
    paid->amount.minor = apr_atoi64(field(ctx->pool, text, "minor"));
    apr_cpystrn(paid->amount.currency, field(ctx->pool, text, "currency"),
                sizeof(paid->amount.currency));
    paid->paid_at = paid->at;
    *fact = paid;
    *unreadable = NULL;
    return SP_DONE;
}

static const sp_provider_t third = {
    .name = "third",
    .title = "Third Pay",
    .checkout_create = checkout_create,
    .checkout_fetch = checkout_fetch,
    .payment_fetch = payment_fetch,
    .webhook_read = webhook_read,
};

static void register_hooks(apr_pool_t *pool)
{
    ap_register_provider(pool, SP_PROVIDER_GROUP, third.name, SP_PROVIDER_VERSION,
                         &third);
}

AP_DECLARE_MODULE(subpay_third) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
    AP_MODULE_FLAG_NONE
};

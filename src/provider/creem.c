/*
 * creem.c - Creem as a provider: the table of its functions, its keys and ids.
 *
 * Room: provider.
 */
#include "provider/creem.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

int sp_creem_is_id(const char *id, const char *prefix)
{
    apr_size_t i;

    if (!id || strncmp(id, prefix, strlen(prefix)) != 0) {
        return 0;
    }
    for (i = 0; id[i]; i++) {
        if ((!apr_isalnum(id[i]) && id[i] != '_') || (unsigned char)id[i] >= 0x80) {
            return 0;
        }
    }
    return i > strlen(prefix) && i <= 255;
}

/* Never the key itself. Of the keys only "creem_" is promised, so one that names no
 * mode is let through: each mode has a host of its own, which refuses the others. */
static const char *key_problem(apr_pool_t *pool, const char *key, const char *mode)
{
    int live = strcmp(mode, "live") == 0;
    const char *said = live ? "creem_test_" : "creem_live_";

    if (!sp_creem_is_id(key, "creem_")) {
        return "it is no API key of Creem's: one begins with creem_";
    }
    if (strncmp(key, said, strlen(said)) == 0) {
        return apr_psprintf(pool,
                            "it is a key of Creem's %s mode: take the other one, or "
                            "change SubPayEnvironment",
                            live ? "test" : "live");
    }
    return NULL;
}

static const char *product_problem(apr_pool_t *pool, const sp_product_t *product)
{
    if (!product->provider_price) {
        return "SubPayProviderPrice is missing: Creem sells only products made there; "
               "write its id, such as prod_1a2b3c";
    }
    if (!sp_creem_is_id(product->provider_price, "prod_")) {
        return apr_psprintf(
            pool,
            "SubPayProviderPrice \"%s\": it is no product of Creem's; "
            "the id of one begins with prod_",
            product->provider_price);
    }
    return sp_creem_period_problem(product);
}

const sp_provider_t sp_provider_creem = {
    .name = "creem",
    .title = "Creem",
    .is_seller = 1,
    .key_problem = key_problem,
    .product_problem = product_problem,
    .checkout_create = sp_creem_checkout_create,
    .checkout_fetch = sp_creem_checkout_fetch,
    .payment_fetch = sp_creem_payment_fetch,
    .payments_find = sp_creem_payments_find,
    .period_complete = sp_creem_period_complete,
    .renewal_fetch = sp_creem_renewal_fetch,
    .renewal_stop = sp_creem_renewal_stop,
    .refund = sp_creem_refund,
    .price_fetch = sp_creem_price_fetch,
    .webhook_sample = sp_creem_webhook_sample,
    .webhook_read = sp_creem_webhook_read,
};

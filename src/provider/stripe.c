/*
 * stripe.c - Stripe as a provider: the table of its functions, its keys and ids.
 *
 * Room: provider.
 */
#include "provider/stripe.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#include "provider/stripe_shape.h"

int sp_stripe_is_id(const char *id, const char *prefix)
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

const char *sp_stripe_find_id(apr_pool_t *pool, const sp_slice_t *bytes)
{
    sp_stripe_event_t only = { .id = NULL };

    /* Whatever is wrong behind the id: we only want to know which one it is. */
    sp_scan_whole(pool, bytes->data, bytes->len, &sp_stripe_id_shape, &only);
    return sp_stripe_is_id(only.id, "") ? only.id : NULL;
}

/* Never the key itself: this message goes to a terminal and a log. */
static const char *key_problem(apr_pool_t *pool, const char *key, const char *mode)
{
    int secret = key && (sp_stripe_is_id(key, "sk_") || sp_stripe_is_id(key, "rk_"));
    const char *other = strcmp(mode, "live") == 0 ? "test" : "live";

    if (key && (strncmp(key, "pk_", 3) == 0 || strncmp(key, "whsec_", 6) == 0)) {
        return apr_psprintf(pool,
                            "it is a %s, not a secret key: take the one that begins "
                            "with sk_%s_ or rk_%s_",
                            *key == 'p' ? "publishable key" : "webhook secret", mode,
                            mode);
    }
    if (secret && strncmp(key + 3, other, 4) == 0 && key[7] == '_') {
        return apr_psprintf(
            pool,
            "it is a key of Stripe's %s mode: take the one that begins "
            "with sk_%s_ or rk_%s_, or change SubPayEnvironment",
            other, mode, mode);
    }
    if (!secret || strncmp(key + 3, mode, 4) != 0 || key[7] != '_' || !key[8]) {
        return apr_psprintf(
            pool,
            "it is no secret key of Stripe's: one begins with sk_%s_ or "
            "rk_%s_",
            mode, mode);
    }
    return NULL;
}

const sp_provider_t sp_provider_stripe = {
    .name = "stripe",
    .title = "Stripe",
    .key_problem = key_problem,
    .product_problem = sp_stripe_product_problem,
    .checkout_create = sp_stripe_checkout_create,
    .checkout_fetch = sp_stripe_checkout_fetch,
    .checkout_find = sp_stripe_checkout_find,
    .checkout_expire = sp_stripe_checkout_expire,
    .payment_fetch = sp_stripe_payment_fetch,
    .payments_list = sp_stripe_payments_list,
    .periods_list = sp_stripe_periods_list,
    .period_complete = sp_stripe_period_complete,
    .renewal_fetch = sp_stripe_renewal_fetch,
    .renewal_stop = sp_stripe_renewal_stop,
    .price_fetch = sp_stripe_price_fetch,
    .events_list = sp_stripe_events_list,
    .payments_find = sp_stripe_payments_find,
    .refund = sp_stripe_refund,
    .account_check = sp_stripe_account_check,
    .payment_begin = sp_stripe_payment_begin,
    .payment_confirm = sp_stripe_payment_confirm,
    .payment_capture = sp_stripe_payment_capture,
    .payment_release = sp_stripe_payment_release,
    .endpoint_check = sp_stripe_endpoint_check,
    .endpoint_create = sp_stripe_endpoint_create,
    .webhook_sample = sp_stripe_webhook_sample,
    .payment_rehearse = sp_stripe_payment_rehearse,
    .refunds_list = sp_stripe_refunds_list,
    .refund_find = sp_stripe_refund_find,
    .disputes_list = sp_stripe_disputes_list,
    .dispute_fetch = sp_stripe_dispute_fetch,
    .dispute_answer = sp_stripe_dispute_answer,
    .dispute_accept = sp_stripe_dispute_accept,
    .webhook_read = sp_stripe_webhook_read,
};

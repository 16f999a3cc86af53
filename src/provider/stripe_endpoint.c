/*
 * stripe_endpoint.c - does Stripe send its webhooks here, and all we need; make it so.
 *
 * Room: provider.
 * Source: Stripe API reference, "Webhook endpoints". Endpoints vanish, get disabled,
 * or point to an old host, and nobody notices until a customer does.
 */
#include "provider/stripe.h"

#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "provider/call.h"

/* One endpoint, as Stripe lists it. */
typedef struct listed_t {
    const char *id;
    const char *url;
    const char *status;
    const char *version;
    uint32_t sends; /* of our types: one bit for each */
} listed_t;

/* The list while it is read. */
typedef struct intake_t {
    const char *url;
    listed_t best;
    const char *last;
    int has_more;
} intake_t;

static const char *take_type(void *into, sp_scan_t *scan)
{
    listed_t *listed = into;
    const char *name = sp_scan_text(scan);
    apr_size_t i;

    for (i = 0; name && sp_stripe_event_type(i); i++) {
        if (strcmp(name, "*") == 0 || strcmp(name, sp_stripe_event_type(i)) == 0) {
            listed->sends |= UINT32_C(1) << i;
        }
    }
    return NULL;
}

static void pass_over(void *into, const sp_slice_t *bytes, const char *why)
{
    (void)into;
    (void)bytes;
    (void)why;
}

static const sp_scan_list_t type_list = { take_type, pass_over };

static const sp_scan_field_t listed_rows[] = {
    { "id", 2, SP_SCAN_TEXT, 1, offsetof(listed_t, id), NULL, NULL },
    { "api_version", 11, SP_SCAN_TEXT, 0, offsetof(listed_t, version), NULL, NULL },
    { "enabled_events", 14, SP_SCAN_LIST, 0, 0, NULL, &type_list },
    { "status", 6, SP_SCAN_TEXT, 0, offsetof(listed_t, status), NULL, NULL },
    { "url", 3, SP_SCAN_TEXT, 0, offsetof(listed_t, url), NULL, NULL },
};
static const sp_scan_shape_t listed_shape = { listed_rows, 5 };

static int is_enabled(const listed_t *listed)
{
    return listed->status && strcmp(listed->status, "enabled") == 0;
}

/* Which of two endpoints with our address does more for us. */
static int is_better(const listed_t *a, const listed_t *b)
{
    if (!b->id || is_enabled(a) != is_enabled(b)) {
        return !b->id || is_enabled(a);
    }
    return __builtin_popcount(a->sends) > __builtin_popcount(b->sends);
}

static const char *take_endpoint(void *into, sp_scan_t *scan)
{
    intake_t *in = into;
    listed_t listed = { .id = NULL };

    if (!sp_scan_read(scan, &listed_shape, &listed)) {
        return scan->error;
    }
    in->last = listed.id;
    if (listed.url && strcmp(listed.url, in->url) == 0 &&
        is_better(&listed, &in->best)) {
        in->best = listed;
    }
    return NULL;
}

static const sp_scan_list_t endpoint_list = { take_endpoint, pass_over };

static const sp_scan_field_t rows[] = {
    { "data", 4, SP_SCAN_LIST, 1, 0, NULL, &endpoint_list },
    { "has_more", 8, SP_SCAN_BOOL, 1, offsetof(intake_t, has_more), NULL, NULL },
};
static const sp_scan_shape_t shape = { rows, 2 };

/* Nobody must send us news of renewals where nothing renews. */
static int is_needed(const sp_settings_t *settings, const char *type)
{
    int i;

    if (strncmp(type, "invoice.", 8) != 0 &&
        strncmp(type, "customer.subscription.", 22) != 0) {
        return 1;
    }
    for (i = 0; i < settings->products->nelts; i++) {
        if (APR_ARRAY_IDX(settings->products, i, const sp_product_t *)->renews) {
            return 1;
        }
    }
    return 0;
}

static const char *list_missing(apr_pool_t *pool, const sp_settings_t *settings,
                                uint32_t sends)
{
    const char *missing = NULL;
    apr_size_t i;

    for (i = 0; sp_stripe_event_type(i); i++) {
        if (!(sends >> i & 1) && is_needed(settings, sp_stripe_event_type(i))) {
            missing = apr_pstrcat(pool, missing ? missing : "", missing ? ", " : "",
                                  sp_stripe_event_type(i), NULL);
        }
    }
    return missing;
}

sp_outcome_t sp_stripe_endpoint_check(sp_ctx_t *ctx, const sp_account_t *account,
                                      const char *url, sp_endpoint_t *endpoint)
{
    intake_t in = { .url = url };
    sp_stripe_call_t call;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;

    /* An account has 16 endpoints at most, so one page is all. */
    sp_stripe_call_start(&call, ctx->pool, "check endpoint", "GET",
                         "/v1/webhook_endpoints");
    sp_query_add_int(&call.params, "limit", 100);
    out = sp_stripe_send(ctx, account, &call, &body);
    if (out != SP_DONE) {
        return out;
    }
    why = sp_scan_whole(ctx->pool, body.data, body.len, &shape, &in);
    if (why) {
        return sp_call_unreadable(ctx, call.what, why);
    }
    memset(endpoint, 0, sizeof(*endpoint));
    endpoint->found = in.best.id != NULL;
    endpoint->enabled = endpoint->found && is_enabled(&in.best);
    endpoint->id = in.best.id;
    endpoint->version = in.best.version;
    endpoint->wanted = SP_STRIPE_VERSION;
    endpoint->missing = endpoint->found
                            ? list_missing(ctx->pool, ctx->settings, in.best.sends)
                            : NULL;
    return SP_DONE;
}

/* ---- making one ---------------------------------------------------------------- */

/* What Stripe says of one that it has just made: the only time with its secret. */
static const sp_scan_field_t made_rows[] = {
    { "id", 2, SP_SCAN_TEXT, 1, offsetof(sp_endpoint_made_t, id), NULL, NULL },
    { "secret", 6, SP_SCAN_TEXT, 1, offsetof(sp_endpoint_made_t, secret), NULL,
      NULL },
};
static const sp_scan_shape_t made_shape = { made_rows, 2 };

sp_outcome_t sp_stripe_endpoint_create(sp_ctx_t *ctx, const sp_account_t *account,
                                       const char *url, const char *key,
                                       sp_endpoint_made_t *made)
{
    sp_stripe_call_t call;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;
    apr_size_t i;

    sp_stripe_call_start(&call, ctx->pool, "create endpoint", "POST",
                         "/v1/webhook_endpoints");
    call.key = key;
    sp_query_add(&call.params, "url", url);
    sp_query_add(&call.params, "api_version", SP_STRIPE_VERSION);
    sp_query_add(&call.params, "description", "mod_subpay");
    for (i = 0; sp_stripe_event_type(i); i++) {
        sp_query_add(&call.params,
                     apr_psprintf(ctx->pool, "enabled_events[%d]", (int)i),
                     sp_stripe_event_type(i));
    }
    out = sp_stripe_send(ctx, account, &call, &body);
    if (out != SP_DONE) {
        return out;
    }
    memset(made, 0, sizeof(*made));
    why = sp_scan_whole(ctx->pool, body.data, body.len, &made_shape, made);
    return why ? sp_call_unreadable(ctx, call.what, why) : SP_DONE;
}

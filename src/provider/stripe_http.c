/*
 * stripe_http.c - one call to Stripe: its headers, and what its errors mean.
 *
 * Room: provider.
 * Source: Stripe API reference, "Errors", "Idempotent requests"; "Advanced error
 * handling".
 */
#include "provider/stripe.h"

#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "provider/call.h"

#define API "https://api.stripe.com"

/* What Stripe says in {"error": {...}}. */
typedef struct message_t {
    const char *type;
    const char *code;
    const char *param;
    const char *message;
} message_t;

#define FIELD(name, must)                                                        \
    {                                                                            \
#name, sizeof(#name) - 1, SP_SCAN_TEXT, must, offsetof(message_t, name), \
            NULL, NULL                                                           \
    }

static const sp_scan_field_t error_fields[] = {
    FIELD(type, 1),
    FIELD(code, 0),
    FIELD(param, 0),
    FIELD(message, 0),
};
static const sp_scan_shape_t error_shape = { error_fields, 4 };
static const sp_scan_field_t body_fields[] = {
    { "error", 5, SP_SCAN_OBJECT, 1, 0, &error_shape, NULL },
};
static const sp_scan_shape_t body_shape = { body_fields, 1 };

static const char *complain(apr_pool_t *pool, const sp_slice_t *body, int status,
                            sp_complaint_t *complaint)
{
    message_t error = { .type = NULL };
    const char *why =
        sp_scan_whole(pool, body->data, body->len, &body_shape, &error);

    (void)status;
    if (why) {
        return why;
    }
    complaint->type = error.type;
    complaint->code = error.code;
    complaint->param = error.param;
    /* Only a card error's message is written for the customer. */
    complaint->say = strcmp(error.type, "card_error") == 0 ? error.message : NULL;
    complaint->missing = error.code && strcmp(error.code, "resource_missing") == 0;
    /* A reused key says nothing about the money: the first request may be through. */
    complaint->unclear = strcmp(error.type, "idempotency_error") == 0;
    return NULL;
}

static const sp_dialect_t dialect = { .request = "Request-Id",
                                      .should_retry = "Stripe-Should-Retry",
                                      .complain = complain };

void sp_stripe_call_start(sp_stripe_call_t *call, apr_pool_t *pool, const char *what,
                          const char *method, const char *path)
{
    memset(call, 0, sizeof(*call));
    call->what = what;
    call->method = method;
    call->path = path;
    sp_query_start(&call->params, pool);
}

sp_outcome_t sp_stripe_send(sp_ctx_t *ctx, const sp_account_t *account,
                            const sp_stripe_call_t *call, sp_slice_t *body)
{
    const char *base = account->url ? account->url : API;
    int post = call->method[0] == 'P';
    const char *query = post || !call->params.len ? NULL : call->params.text;
    sp_call_t sent;

    sp_call_start(
        &sent, ctx->pool, &dialect, call->what, call->method,
        apr_pstrcat(ctx->pool, base, call->path, query ? "?" : NULL, query, NULL));
    sp_call_header(&sent, "Authorization",
                   apr_pstrcat(ctx->pool, "Bearer ", account->key, NULL));
    sp_call_header(&sent, "Stripe-Version", SP_STRIPE_VERSION);
    sent.clock = call->clock;
    if (post) {
        sp_call_header(&sent, "Content-Type", "application/x-www-form-urlencoded");
        sp_call_header(&sent, "Idempotency-Key", call->key);
        sent.body = call->params.text;
        sent.len = call->params.len;
    }
    return sp_call_send(ctx, &sent, body);
}

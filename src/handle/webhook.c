/*
 * webhook.c - POST /<provider>: the provider tells us that something happened.
 *
 * Room: handle. Sees httpd.
 * 2xx only when the effect is committed, or known to be of no interest: what is
 * answered 2xx and lost is never sent again. The hosted payment page waits for this
 * answer before it sends the customer back, so nothing here is done twice or drawn.
 */
#include <apr_strings.h>

#include "domain/order.h"
#include "handle/batch.h"
#include "handle/body.h"
#include "handle/page.h"
#include "handle/route.h"
#include "handle/tries.h"
#include "util/log.h"
#include "util/tally.h"

/* Stripe's largest event so far has a few tens of KB. */
#define LARGEST (1024 * 1024)
#define RECEIVED "{\"received\":true}"

static const char *header_of(void *baton, const char *name)
{
    request_rec *r = baton;

    return apr_table_get(r->headers_in, name);
}

static int received(request_rec *r)
{
    return sp_answer(r, HTTP_OK, "application/json", RECEIVED, sizeof(RECEIVED) - 1);
}

/* Not stored, so it must come again. */
static int come_again(request_rec *r)
{
    return sp_json_error(r, HTTP_SERVICE_UNAVAILABLE, "unavailable",
                         "Not stored. Please deliver it again.", NULL);
}

/* Signed ones are never counted: a provider that catches up sends thousands. Past the
 * limit nothing is logged either, or strangers would fill the disk. Returns DECLINED, or
 * what the handler returns. */
static int count_unsigned(request_rec *r, sp_ctx_t *ctx)
{
    int wait = sp_tries_minute_peer(r, "webhook", ctx->settings->rate_limit.webhook);

    if (!wait) {
        return DECLINED;
    }
    apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, wait));
    return sp_json_error(r, HTTP_TOO_MANY_REQUESTS, "too_many_tries",
                         "Too many webhooks without a valid signature.", NULL);
}

static int refused(request_rec *r, sp_ctx_t *ctx, const sp_account_t *account)
{
    int status = count_unsigned(r, ctx);

    if (status != DECLINED) {
        return status;
    }
    sp_log(
        ctx->log, SP_LOG_WARN, 203,
        "a webhook for %s was refused: %s; is SubPayWebhookSecret the one of this "
        "endpoint, and our clock right?",
        account->name, ctx->code ? ctx->code : "signature");
    return sp_json_error(r, HTTP_BAD_REQUEST, ctx->code ? ctx->code : "signature",
                         "The signature does not match.", NULL);
}

/* Signed, so it is the provider's word, but not readable: the same bytes again could
 * not help, so they are kept for a person and taken. */
static int keep(request_rec *r, sp_ctx_t *ctx, const sp_account_t *account,
                const sp_unreadable_t *unreadable)
{
    sp_log(ctx->log, SP_LOG_ERR, 204,
           "a signed webhook of %s could not be read (%s) and is kept; see "
           "subpay.provider_events",
           account->name, unreadable->why);
    return sp_db_event_keep(ctx, account->name, unreadable->id, unreadable->raw,
                            unreadable->len, unreadable->why) == SP_DONE
               ? received(r)
               : come_again(r);
}

static int settle(request_rec *r, sp_ctx_t *ctx, const sp_account_t *account,
                  const char *body, apr_size_t len)
{
    sp_settled_t settled = { 0 };
    sp_unreadable_t *unreadable = NULL;
    sp_fact_t *fact = NULL;
    sp_outcome_t out = account->provider->webhook_read(
        ctx, account, header_of, r, body, len, &fact, &unreadable);

    if (out == SP_REFUSED) {
        return refused(r, ctx, account);
    }
    if (out != SP_DONE) {
        return come_again(r);
    }
    if (unreadable) {
        return keep(r, ctx, account, unreadable);
    }
    return sp_fact_settle(ctx, fact, &settled) == SP_DONE ? received(r)
                                                          : come_again(r);
}

int sp_handle_webhook(request_rec *r, sp_ctx_t *ctx)
{
    const sp_account_t *account =
        sp_settings_account(ctx->settings, sp_place(r)->rest);
    char *body;
    apr_size_t len;
    int status;

    if (!account) {
        status = count_unsigned(r, ctx);
        return status != DECLINED
                   ? status
                   : sp_json_error(r, HTTP_NOT_FOUND, "no_such_provider",
                                   "No provider of this name is set up here.", NULL);
    }
    status = sp_body_read(r, LARGEST, &body, &len);
    if (status == AP_FILTER_ERROR) {
        return status;
    }
    if (status != OK) {
        int counted = count_unsigned(r, ctx);

        return counted != DECLINED ? counted
                                   : sp_page_error(r, ctx, status, NULL, NULL);
    }
    ctx->db->settle = sp_batch_settle;
    status = settle(r, ctx, account, body, len);
    sp_tally_webhook(apr_time_now() - r->request_time);
    return status;
}

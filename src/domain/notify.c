/*
 * notify.c - telling the application what became of somebody's access.
 *
 * Room: domain.
 * Source: Standard Webhooks, "Webhook metadata".
 */
#include "domain/notify.h"

#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/notify.h"
#include "util/http.h"
#include "util/signing.h"

/* An application that takes longer should take the message first and work later. */
#define LONGEST apr_time_from_sec(5)
#define LARGEST_ANSWER 65536
#define BATCH 100

static void add_header(sp_ctx_t *ctx, sp_http_ask_t *ask, const char *name,
                       const char *value)
{
    APR_ARRAY_PUSH(ask->headers, const char *) =
        apr_pstrcat(ctx->pool, name, ": ", value, NULL);
}

/* 0 when it could not be signed. */
static int make_ask(sp_ctx_t *ctx, const sp_outbox_row_t *row, sp_http_ask_t *ask)
{
    const char *id = apr_pstrcat(ctx->pool, "msg_", row->message_id, NULL);
    apr_time_t now = apr_time_now();
    const char *signature = sp_signing_sign(ctx->pool, ctx->settings->notify_secret,
                                            id, now, row->payload);

    ask->method = "POST";
    ask->url = ctx->settings->notify_url;
    ask->timeout = LONGEST;
    ask->largest = LARGEST_ANSWER;
    ask->body = row->payload;
    ask->len = strlen(row->payload);
    ask->headers = apr_array_make(ctx->pool, 4, sizeof(const char *));
    add_header(ctx, ask, "Content-Type", "application/json");
    add_header(ctx, ask, "webhook-id", id);
    add_header(
        ctx, ask, "webhook-timestamp",
        apr_psprintf(ctx->pool, "%" APR_TIME_T_FMT, (apr_time_t)apr_time_sec(now)));
    add_header(ctx, ask, "webhook-signature", signature ? signature : "");
    return signature != NULL;
}

sp_outcome_t sp_notify_send(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                            const char **say)
{
    sp_http_ask_t ask = { 0 };
    sp_http_reply_t reply = { 0 };

    if (!ctx->settings->notify_url || !ctx->settings->notify_secret) {
        *say = "SubPayNotifyURL is not set";
        return SP_FAILED;
    }
    if (!make_ask(ctx, row, &ask)) {
        *say = "it could not be signed";
        return SP_FAILED;
    }
    if (sp_http_send(ctx->http, ctx->pool, &ask, &reply) != SP_HTTP_ANSWERED) {
        *say = apr_pstrcat(ctx->pool, "the application did not answer: ",
                           reply.why ? reply.why : "no reason", NULL);
        return SP_UNKNOWN;
    }
    *say = apr_psprintf(ctx->pool, "the application answered %d", reply.status);
    return reply.status >= 200 && reply.status < 300 ? SP_DONE : SP_FAILED;
}

sp_outcome_t sp_notify_expired(sp_ctx_t *ctx, int *more)
{
    int count = 0;
    sp_outcome_t out = SP_DONE;

    if (ctx->settings->notify_url) {
        out = sp_db_notify_expired(ctx, BATCH, &count);
    }
    *more = count == BATCH;
    return out;
}

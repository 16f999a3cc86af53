/*
 * creem_http.c - one call to Creem: its addresses, its header, its error object.
 *
 * Room: provider.
 * Source: Creem API reference, "Error codes", "Test mode".
 */
#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "provider/call.h"
#include "provider/creem.h"

#define LIVE "https://api.creem.io"
#define TEST "https://test-api.creem.io"

typedef struct trouble_t {
    const char *error;
    const char *trace;
    int64_t status;
} trouble_t;

static const sp_scan_field_t trouble_rows[] = {
    { "error", 5, SP_SCAN_TEXT, 1, offsetof(trouble_t, error), NULL, NULL },
    { "status", 6, SP_SCAN_INT, 1, offsetof(trouble_t, status), NULL, NULL },
    { "trace_id", 8, SP_SCAN_TEXT, 0, offsetof(trouble_t, trace), NULL, NULL },
};
static const sp_scan_shape_t trouble_shape = { trouble_rows, 3 };

/* "Bad Request" as one word. */
static const char *one_word(apr_pool_t *pool, const char *text)
{
    char *word = apr_pstrdup(pool, text);
    char *at;

    for (at = word; *at; at++) {
        *at = *at == ' ' ? '_' : *at;
    }
    return word;
}

static const char *complain(apr_pool_t *pool, const sp_slice_t *body, int status,
                            sp_complaint_t *complaint)
{
    trouble_t trouble = { .error = NULL };
    const char *why =
        sp_scan_whole(pool, body->data, body->len, &trouble_shape, &trouble);

    if (why) {
        return why;
    }
    if (trouble.status != status) {
        return "the status inside is another";
    }
    complaint->code = one_word(pool, trouble.error);
    complaint->request = trouble.trace;
    complaint->missing = status == 404;
    return NULL;
}

static const sp_dialect_t dialect = { .complain = complain };

static void start(sp_call_t *call, const sp_ctx_t *ctx, const sp_account_t *account,
                  const char *what, const char *method, const char *path)
{
    const char *usual = strcmp(ctx->settings->mode, "live") == 0 ? LIVE : TEST;

    sp_call_start(
        call, ctx->pool, &dialect, what, method,
        apr_pstrcat(ctx->pool, account->url ? account->url : usual, path, NULL));
    sp_call_header(call, "x-api-key", account->key);
}

sp_outcome_t sp_creem_get(sp_ctx_t *ctx, const sp_account_t *account,
                          const char *what, const char *path,
                          const sp_query_t *query, sp_slice_t *body)
{
    sp_call_t call;

    start(&call, ctx, account, what, "GET",
          apr_pstrcat(ctx->pool, path, "?", query->text, NULL));
    return sp_call_send(ctx, &call, body);
}

sp_outcome_t sp_creem_post(sp_ctx_t *ctx, const sp_account_t *account,
                           const char *what, const char *path, const char *json,
                           sp_slice_t *body)
{
    sp_call_t call;

    start(&call, ctx, account, what, "POST", path);
    sp_call_header(&call, "Content-Type", "application/json");
    call.body = json;
    call.len = strlen(json);
    call.once = 1;
    return sp_call_send(ctx, &call, body);
}

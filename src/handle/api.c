/*
 * api.c - what the application behind us asks: entitlements and credits.
 *
 * Room: handle. Sees httpd.
 * Its location authenticates (route.c refuses to answer otherwise); r->user stands
 * beside each entry of the ledger that it makes.
 */
#include <apr_strings.h>
#include <string.h>

#include "domain/credit.h"
#include "handle/body.h"
#include "handle/form.h"
#include "handle/page.h"
#include "handle/route.h"
#include "util/json.h"
#include "util/text.h"

#define LARGEST 16384
#define KEY "Idempotency-Key"

/* What each refusal is over HTTP; 400 where the request itself is wrong. */
static int status_of(const char *code)
{
    static const struct {
        const char *code;
        int status;
    } known[] = { { "no_such_account", HTTP_NOT_FOUND },
                  { "insufficient_credits", HTTP_CONFLICT },
                  { "too_many_credits", HTTP_CONFLICT },
                  { "idempotency_key_reused", HTTP_UNPROCESSABLE_ENTITY } };
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(code, known[i].code) == 0) {
            return known[i].status;
        }
    }
    return HTTP_BAD_REQUEST;
}

static int refuse(request_rec *r, sp_ctx_t *ctx, sp_outcome_t out)
{
    return out == SP_REFUSED
               ? sp_json_error(r, status_of(ctx->code), ctx->code, ctx->say, NULL)
               : sp_page_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, "unavailable",
                               "Not done, as far as we know. Send the same request, "
                               "with the same key, again.");
}

/* A time as text; null where there is none: no end is not the end of 1969. */
static void set_time(request_rec *r, json_t *object, const char *name, apr_time_t at)
{
    json_object_set_new(object, name,
                        at ? json_string(sp_text_time(r->pool, at)) : json_null());
}

/* ---- reading -------------------------------------------------------------------- */

static json_t *plan_json(request_rec *r, const sp_entitlement_t *plan)
{
    json_t *object = json_object();

    sp_json_set_text(object, "product", plan->product);
    sp_json_set_bool(object, "active", plan->active);
    set_time(r, object, "starts_at", plan->starts_at);
    set_time(r, object, "expires_at", plan->expires_at);
    sp_json_set_bool(object, "renews", plan->renews);
    sp_json_set_text(object, "status", plan->status);
    return object;
}

int sp_handle_api_entitlements(request_rec *r, sp_ctx_t *ctx)
{
    sp_entitlements_t *found = NULL;
    sp_outcome_t out = sp_entitlements_get(ctx, sp_query_get(r, "account"), &found);
    json_t *body, *plans;
    int active = 0;
    int i;

    if (out != SP_DONE) {
        return refuse(r, ctx, out);
    }
    body = sp_json_object(r->pool);
    plans = json_array();
    for (i = 0; i < found->plans->nelts; i++) {
        const sp_entitlement_t *plan =
            &APR_ARRAY_IDX(found->plans, i, sp_entitlement_t);

        active |= plan->active;
        json_array_append_new(plans, plan_json(r, plan));
    }
    sp_json_set_text(body, "account", found->email);
    sp_json_set_bool(body, "active", active);
    json_object_set_new(body, "plans", plans);
    sp_json_set_int(body, "credits", found->credits);
    return sp_json_show(r, HTTP_OK, body);
}

static json_t *entry_json(request_rec *r, const sp_credit_entry_t *entry)
{
    json_t *object = json_object();

    sp_json_set_int(object, "transaction", entry->id);
    sp_json_set_int(object, "amount", entry->amount);
    sp_json_set_int(object, "balance", entry->balance);
    sp_json_set_text(object, "reason", entry->reason);
    sp_json_set_text(object, "reference", entry->reference);
    set_time(r, object, "at", entry->at);
    return object;
}

int sp_handle_api_credits(request_rec *r, sp_ctx_t *ctx)
{
    sp_credits_t *found = NULL;
    sp_outcome_t out = sp_credits_get(ctx, sp_query_get(r, "account"), &found);
    json_t *body, *entries;
    int i;

    if (out != SP_DONE) {
        return refuse(r, ctx, out);
    }
    body = sp_json_object(r->pool);
    entries = json_array();
    for (i = 0; i < found->entries->nelts; i++) {
        json_array_append_new(
            entries,
            entry_json(r, &APR_ARRAY_IDX(found->entries, i, sp_credit_entry_t)));
    }
    sp_json_set_text(body, "account", found->email);
    sp_json_set_int(body, "balance", found->balance);
    json_object_set_new(body, "transactions", entries);
    return sp_json_show(r, HTTP_OK, body);
}

/* ---- booking -------------------------------------------------------------------- */

/* 24900.0, 2.49e4 and "24900" are no amounts; 0 is refused as such. */
static int64_t amount_of(const json_t *object)
{
    const json_t *amount = json_object_get(object, "amount");

    return json_is_integer(amount) ? json_integer_value(amount) : 0;
}

/* One that is not there may be left out; one that is no text is wrong. */
static const char *reason_of(const json_t *object, const char *preset)
{
    return json_object_get(object, "reason") ? sp_json_text(object, "reason")
                                             : preset;
}

/* DECLINED: go on with ask; any other value is what the handler returns. */
static int read_ask(request_rec *r, sp_ctx_t *ctx, const char *reason,
                    sp_credit_ask_t *ask)
{
    json_t *object;
    apr_size_t len;
    char *body;
    int status;

    if (!sp_body_is(r, "application/json") ||
        apr_table_get(r->headers_in, "Content-Encoding")) {
        return sp_page_error(r, ctx, HTTP_UNSUPPORTED_MEDIA_TYPE, NULL,
                             "Send application/json, not packed.");
    }
    status = sp_body_read(r, LARGEST, &body, &len);
    if (status != OK) {
        return sp_page_error(r, ctx, status, NULL, NULL);
    }
    object =
        sp_json_own(r->pool, json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL));
    if (!json_is_object(object)) {
        return sp_page_error(r, ctx, HTTP_BAD_REQUEST, NULL,
                             "The body is not one JSON object with each name once.");
    }
    ask->account = sp_json_text(object, "account");
    ask->amount = amount_of(object);
    ask->reason = reason_of(object, reason);
    ask->key = apr_table_get(r->headers_in, KEY);
    return DECLINED;
}

typedef sp_outcome_t (*book_fn)(sp_ctx_t *ctx, const sp_credit_ask_t *ask,
                                sp_credit_t *credit);

static int book(request_rec *r, sp_ctx_t *ctx, const char *reason, book_fn call)
{
    sp_credit_ask_t ask = { 0 };
    sp_credit_t credit = { 0 };
    sp_outcome_t out;
    json_t *body;
    int status = read_ask(r, ctx, reason, &ask);

    if (status != DECLINED) {
        return status;
    }
    ctx->actor = r->user;
    out = call(ctx, &ask, &credit);
    if (out != SP_DONE) {
        return refuse(r, ctx, out);
    }
    body = sp_json_object(r->pool);
    sp_json_set_int(body, "balance", credit.balance);
    sp_json_set_int(body, "transaction", credit.entry);
    return sp_json_show(r, HTTP_OK, body);
}

int sp_handle_api_deduct(request_rec *r, sp_ctx_t *ctx)
{
    return book(r, ctx, "deduct", sp_credit_deduct);
}

int sp_handle_api_refund(request_rec *r, sp_ctx_t *ctx)
{
    return book(r, ctx, "refund", sp_credit_refund);
}

/*
 * find.c - GET and POST /find: charged, but no access?
 *
 * Room: handle. Sees httpd.
 *
 * Nothing here looks for anything: the request writes down what is asked, and answers
 * the same whatever there is to find. Only the browser that bought sees a result.
 */
#include "domain/find.h"

#include <apr_strings.h>
#include <string.h>

#include "domain/order.h"
#include "handle/auth_form.h"
#include "handle/buyer.h"
#include "handle/cookie.h"
#include "handle/form.h"
#include "handle/model.h"
#include "handle/page.h"
#include "handle/route.h"
#include "handle/shop.h"
#include "handle/tries.h"
#include "util/crypto.h"
#include "util/json.h"
#include "util/reference.h"
#include "util/text.h"

/* The machine needs seconds; what we promise is ten minutes, up to the next ten: the
 * pages of one moment are the same to the letter. */
#define PROMISE apr_time_from_sec(600)

/* Long enough for most answers of the provider, short enough not to look dead. */
#define PATIENCE apr_time_from_sec(3)

static const char *const field_names[] = { "email", "reference", "amount",
                                           "day",   "last4",     NULL };

static json_t *form_model(sp_ctx_t *ctx, const sp_form_t *form)
{
    json_t *page = sp_auth_form_model(ctx, NULL);
    json_t *fields = json_object_get(page, "fields");
    int i;

    for (i = 0; form && field_names[i]; i++) {
        sp_json_set_text(fields, field_names[i], sp_form_get(form, field_names[i]));
        if (i > 0 && sp_form_get(form, field_names[i])) {
            sp_json_set_bool(page, "details_open", 1);
        }
    }
    sp_json_set_bool(page, "show_form", 1);
    return page;
}

/* GET /find?r=SP-... - the reference comes along from the page that sent them here. */
int sp_handle_find_form(request_rec *r, sp_ctx_t *ctx)
{
    const char *given = sp_query_get(r, "r");
    const char *reference;
    json_t *page = form_model(ctx, NULL);

    if (given && sp_reference_parse(r->pool, given, &reference)) {
        sp_json_set_text(json_object_get(page, "fields"), "reference", reference);
        sp_json_set_bool(page, "details_open", 1);
    }
    return sp_page_show(r, ctx, HTTP_OK, "find", page);
}

static apr_time_t promise(void)
{
    return ((apr_time_now() + PROMISE) / PROMISE + 1) * PROMISE;
}

/* What was mistyped, guessed where that tells nobody anything: in the browser that
 * made the order. */
static const char *guess_reference(request_rec *r, sp_ctx_t *ctx, const char *typed)
{
    const char *wrong;
    apr_array_header_t *near;
    const char *own;
    int i;

    sp_reference_parse(r->pool, typed, &wrong);
    if (!wrong) {
        return NULL;
    }
    near = sp_reference_near(r->pool, wrong);
    own = sp_buyer_reference(r, ctx);
    for (i = 0; own && i < near->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(near, i, const char *), own) == 0) {
            return own;
        }
    }
    return NULL;
}

static int form_again(request_rec *r, sp_ctx_t *ctx, const sp_form_t *form)
{
    const char *field = ctx->code + strlen("bad_");
    const char *meant;
    json_t *page;

    if (sp_wants_json(r)) {
        return sp_json_error(r, HTTP_BAD_REQUEST, ctx->code, ctx->say, NULL);
    }
    meant = strcmp(field, "reference") == 0
                ? guess_reference(r, ctx, sp_form_get(form, "reference"))
                : NULL;
    page = form_model(ctx, form);
    sp_json_set_text(page, "meant_reference", meant);
    sp_auth_form_problem(page, field, ctx->say);
    return sp_page_show(r, ctx, HTTP_BAD_REQUEST, "find", page);
}

static int taken(request_rec *r, sp_ctx_t *ctx)
{
    apr_time_t answer_by = promise();
    json_t *model;

    if (sp_wants_json(r)) {
        model = sp_json_object(r->pool);
        sp_json_set_bool(model, "accepted", 1);
        sp_json_set_text(model, "answer_by", sp_text_time(r->pool, answer_by));
        return sp_json_show(r, HTTP_OK, model);
    }
    model = sp_model_page(ctx);
    json_object_set_new(model, "state", json_pack("{s:b}", "sent", 1));
    sp_model_set_time(ctx, model, "answer_by", answer_by);
    return sp_page_show(r, ctx, HTTP_OK, "find", model);
}

/* Limited by what is asked for: the address, else whatever there is. */
static int too_many(request_rec *r, sp_ctx_t *ctx, const sp_find_ask_t *ask)
{
    const char *whom = ask->email ? ask->email
                       : ask->reference
                           ? ask->reference
                           : apr_pstrcat(r->pool, ask->day ? ask->day : "", " ",
                                         ask->last4 ? ask->last4 : "", NULL);

    return sp_tries_take(r, "find", whom, ctx->settings->rate_limit.find);
}

static void read_ask(request_rec *r, const sp_form_t *form, sp_find_ask_t *ask)
{
    const char *key = sp_form_get(form, "form_key");

    ask->form_key = sp_text_is_uuid(key) ? key : NULL;
    ask->email = sp_form_get(form, "email");
    ask->reference = sp_form_get(form, "reference");
    ask->amount = sp_form_get(form, "amount");
    ask->day = sp_form_get(form, "day");
    ask->last4 = sp_form_get(form, "last4");
    ask->token = sp_cookie_last(r);
}

int sp_handle_find(request_rec *r, sp_ctx_t *ctx)
{
    sp_find_ask_t ask;
    sp_form_t *form;
    sp_order_t *own;
    int status = sp_auth_form_read(r, ctx, &form);
    int wait;

    if (status != DECLINED) {
        return status;
    }
    read_ask(r, form, &ask);
    wait = too_many(r, ctx, &ask);
    if (wait) {
        return sp_auth_too_many(r, ctx, wait);
    }
    switch (sp_find_ask(ctx, &ask)) {
    case SP_DONE:
        own = sp_wants_json(r) ? NULL : sp_buyer_paid(r, ctx, PATIENCE);
        return own ? sp_buyer_show_found(r, ctx, "find", "found", own)
                   : taken(r, ctx);
    case SP_REFUSED:
        return form_again(r, ctx, form);
    default:
        return sp_page_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, ctx->code, NULL);
    }
}

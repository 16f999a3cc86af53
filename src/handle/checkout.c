/*
 * checkout.c - POST /checkout: somebody pressed "Continue to payment".
 *
 * Room: handle. Sees httpd.
 */
#include "handle/checkout.h"

#include <apr_strings.h>
#include <string.h>

#include "domain/order.h"
#include "handle/auth_form.h"
#include "handle/cookie.h"
#include "handle/form.h"
#include "handle/model.h"
#include "handle/page.h"
#include "handle/pause.h"
#include "handle/route.h"
#include "handle/slip.h"
#include "handle/tries.h"
#include "util/crypto.h"
#include "util/json.h"
#include "util/text.h"

/* The key of the form as it was drawn, so that a resend meets the same order. One that
 * is no uuid was not drawn by us and means nothing. */
static const char *form_key(const sp_form_t *form)
{
    const char *key = sp_form_get(form, "form_key");

    return sp_text_is_uuid(key) ? key : NULL;
}

static json_t *form_model(sp_ctx_t *ctx, const sp_form_t *form)
{
    json_t *page = sp_model_page(ctx);
    json_t *fields = json_object();
    const char *key = form_key(form);

    sp_json_set_text(fields, "email", sp_form_get(form, "email"));
    sp_json_set_text(fields, "name", sp_form_get(form, "name"));
    json_object_set_new(page, "fields", fields);
    sp_json_set_text(page, "form_key", key ? key : sp_crypto_uuid(ctx->pool));
    sp_json_set_bool(page, "show_form", 1);
    sp_model_set_products(ctx, page, sp_form_get(form, "product"));
    return page;
}

static void add_problem(json_t *page, const char *field, const char *message)
{
    json_t *problem = json_object();

    sp_json_set_text(problem, "field", field);
    sp_json_set_text(problem, "message", message);
    json_object_set_new(page, "problems", json_pack("[o]", problem));
    sp_json_set_bool(page, "has_problems", 1);
    if (field) {
        char name[32] = "problem_";

        sp_json_set_text(page, strcat(name, field), message);
    }
}

/* The field that a refusal is about, NULL for none in particular. */
static const char *field_of(const char *code)
{
    static const struct {
        const char *code, *field;
    } fields[] = { { "bad_email", "email" },
                   { "bad_name", "name" },
                   { "no_product", "product" },
                   { "no_such_product", "product" } };
    size_t i;

    for (i = 0; code && i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(fields[i].code, code) == 0) {
            return fields[i].field;
        }
    }
    return NULL;
}

int sp_checkout_form_again(request_rec *r, sp_ctx_t *ctx, const sp_form_t *form)
{
    int status =
        strcmp(ctx->code, "no_such_product") ? HTTP_BAD_REQUEST : HTTP_NOT_FOUND;
    json_t *page;

    if (sp_wants_json(r)) {
        return sp_json_error(r, status, ctx->code, ctx->say, NULL);
    }
    page = form_model(ctx, form);
    add_problem(page, field_of(ctx->code), ctx->say);
    return sp_page_show(r, ctx, status, "checkout", page);
}

/* A browser that was at a payment page, or a program that repeats a request, may have
 * paid for the very order that we cannot look at now. */
static int may_have_paid(request_rec *r, sp_ctx_t *ctx, const sp_form_t *form)
{
    if (ctx->code && strcmp(ctx->code, "paused") == 0) {
        return 0; /* the database has said that this form has no order */
    }
    return sp_wants_json(r) ? form_key(form) != NULL : sp_cookie_all(r)->nelts > 0;
}

/* The provider did not answer clearly. Not the words of an error: people who read
 * "failed" pay a second time. The same form meets the same order. */
static int ask_again(request_rec *r, sp_ctx_t *ctx, const sp_form_t *form,
                     const sp_order_t *order)
{
    json_t *page;

    if (sp_wants_json(r)) {
        return sp_json_error(
            r, HTTP_SERVICE_UNAVAILABLE, "checking",
            "The payment page could not be opened yet. Send the same "
            "request, with the same form_key, again.",
            order->reference);
    }
    page = form_model(ctx, form);
    sp_json_set_text(page, "reference", order->reference);
    sp_model_set_money(ctx, page, "checking", NULL);
    sp_json_set_text(
        page, "notice",
        "The payment page is not open yet. Press \"Continue to payment\" again: "
        "it leads to the same order, so you cannot pay twice.");
    return sp_page_show(r, ctx, HTTP_SERVICE_UNAVAILABLE, "checkout", page);
}

const char *sp_checkout_return_url(sp_ctx_t *ctx, const sp_order_t *order)
{
    return apr_psprintf(ctx->pool, "%s/return?t=%s&r=%s", ctx->settings->base_url,
                        order->token, order->reference);
}

static int go_to_payment(request_rec *r, sp_ctx_t *ctx, const sp_order_t *order)
{
    int payable = strcmp(order->state, "pending") == 0 && order->checkout_url;
    const char *url =
        payable ? order->checkout_url : sp_checkout_return_url(ctx, order);
    json_t *body;

    sp_cookie_remember(r, order->token);
    if (!sp_wants_json(r)) {
        return sp_page_go(r, url);
    }
    body = sp_json_object(r->pool);
    sp_json_set_text(body, "reference", order->reference);
    sp_json_set_text(body, "token", order->token);
    sp_json_set_text(body, "checkout_url", url);
    return sp_json_show(r, HTTP_OK, body);
}

/* Whether this looks like a slip that nobody has confirmed yet. */
static int is_slip(request_rec *r, const sp_form_t *form, const char **meant)
{
    const char *email = sp_form_get(form, "email");
    const char *checked = sp_form_get(form, "email_checked");

    *meant = email && !(checked && strcmp(checked, email) == 0)
                 ? sp_slip_suggest(r->pool, email)
                 : NULL;
    return *meant && !sp_wants_json(r);
}

/* A question, not a refusal: the same address sent again is taken. */
static int ask_about(request_rec *r, sp_ctx_t *ctx, const sp_form_t *form,
                     const char *meant)
{
    json_t *page = form_model(ctx, form);

    sp_json_set_text(page, "suggested_email", meant);
    return sp_page_show(r, ctx, HTTP_OK, "checkout", page);
}

sp_order_ask_t *sp_checkout_ask(sp_ctx_t *ctx, const sp_form_t *form)
{
    sp_order_ask_t *ask = apr_pcalloc(ctx->pool, sizeof(*ask));
    const char *email = sp_form_get(form, "email");

    ask->email = email ? email : "";
    ask->name = sp_form_get(form, "name");
    ask->product = sp_form_get(form, "product");
    ask->form_key = form_key(form);
    return ask;
}

int sp_checkout_closed(request_rec *r, sp_ctx_t *ctx, const sp_form_t *form)
{
    /* Where the database says so itself, an address can be stored. */
    return sp_pause_show(r, ctx, ctx->code && !strcmp(ctx->code, "paused"),
                         may_have_paid(r, ctx, form));
}

int sp_handle_checkout(request_rec *r, sp_ctx_t *ctx)
{
    sp_form_t *form;
    sp_order_t *order = NULL;
    const sp_order_ask_t *ask;
    const char *meant;
    int wait;
    int status = sp_form_read(r, &form);

    if (status != OK) {
        return sp_page_error(r, ctx, status, NULL, form->problem);
    }
    if (!sp_form_get(form, "product")) {
        sp_end(ctx, SP_REFUSED, "no_product", "Choose a plan.");
        return sp_checkout_form_again(r, ctx, form);
    }
    if (is_slip(r, form, &meant)) {
        return ask_about(r, ctx, form, meant);
    }
    ask = sp_checkout_ask(ctx, form);
    wait = sp_tries_minute(r, "checkout", ask->email,
                           ctx->settings->rate_limit.checkout);
    if (wait) {
        return sp_auth_too_many(r, ctx, wait);
    }
    switch (sp_order_place(ctx, ask, &order)) {
    case SP_DONE:
        return go_to_payment(r, ctx, order);
    case SP_REFUSED:
        if (ctx->say && strcmp(ctx->code, "paused") != 0) {
            return sp_checkout_form_again(r, ctx, form);
        }
        break;
    case SP_UNKNOWN:
        return ask_again(r, ctx, form, order);
    case SP_FAILED:
        break;
    }
    return sp_checkout_closed(r, ctx, form);
}

/*
 * auth_pages.c - POST /login, /logout, /email; GET /login, /account.
 *
 * Room: handle. Sees httpd. The password's own pages are in auth_password.c.
 */
#include "handle/auth_pages.h"

#include <apr_strings.h>
#include <http_protocol.h>

#include "domain/account.h"
#include "domain/order.h"
#include "handle/access_grace.h"
#include "handle/auth.h"
#include "handle/auth_cookie.h"
#include "handle/auth_form.h"
#include "handle/cookie.h"
#include "handle/form.h"
#include "handle/model.h"
#include "handle/page.h"
#include "handle/renewal.h"
#include "handle/route.h"
#include "handle/shop.h"
#include "util/json.h"

/* ---- log in ----------------------------------------------------------------- */

static const char *account_url(sp_ctx_t *ctx)
{
    return apr_pstrcat(ctx->pool, sp_shop()->base_path, "/account", NULL);
}

static json_t *login_model(sp_ctx_t *ctx, const char *email, const char *to)
{
    json_t *page = sp_auth_form_model(ctx, email);

    sp_json_set_text(page, "to", sp_auth_local_path(to));
    return page;
}

/* GET /login. Who is logged in already goes on. */
int sp_handle_login_form(request_rec *r, sp_ctx_t *ctx)
{
    const char *to = sp_auth_local_path(sp_query_get(r, "to"));
    sp_access_t access;
    json_t *page;

    if (sp_access_by_session(r, sp_auth_cookie(r, SP_COOKIE_SESSION), 1, &access) ==
            SP_DONE &&
        access.customer) {
        return sp_page_go(r, to ? to : account_url(ctx));
    }
    page = login_model(ctx, NULL, to);
    if (to) {
        json_object_set_new(page, "state", json_pack("{s:b}", "needed", 1));
    }
    return sp_page_show(r, ctx, HTTP_OK, "login", page);
}

static int login_refused(request_rec *r, sp_ctx_t *ctx, const sp_form_t *form)
{
    json_t *page;

    /* A scheme that browsers do not know: they show the page, and no box of theirs. */
    apr_table_setn(r->err_headers_out, "WWW-Authenticate",
                   "SubPay realm=\"account\"");
    if (sp_wants_json(r)) {
        return sp_json_error(r, HTTP_UNAUTHORIZED, ctx->code, ctx->say, NULL);
    }
    page = login_model(ctx, sp_form_get(form, "email"), sp_form_get(form, "to"));
    sp_auth_form_problem(page, "password", ctx->say);
    return sp_page_show(r, ctx, HTTP_UNAUTHORIZED, "login", page);
}

static int logged_in(request_rec *r, sp_ctx_t *ctx, const sp_form_t *form,
                     const char *token)
{
    const char *to = sp_auth_local_path(sp_form_get(form, "to"));
    json_t *body;

    sp_auth_cookie_set(r, SP_COOKIE_SESSION, token,
                       (int)apr_time_sec(SP_SESSION_LIFE));
    if (!sp_wants_json(r)) {
        return sp_page_go(r, to ? to : account_url(ctx));
    }
    body = sp_json_object(r->pool);
    sp_json_set_bool(body, "logged_in", 1);
    return sp_json_show(r, HTTP_OK, body);
}

/* POST /login */
int sp_handle_login(request_rec *r, sp_ctx_t *ctx)
{
    const char *email, *token;
    sp_form_t *form;
    int status = sp_auth_form_read(r, ctx, &form);
    int wait;

    if (status != DECLINED) {
        return status;
    }
    email = sp_form_get(form, "email");
    email = email ? email : "";
    wait = sp_auth_try(r, email);
    if (wait) {
        return sp_auth_too_many(r, ctx, wait);
    }
    switch (sp_account_login(ctx, email, sp_form_get(form, "password"), &token)) {
    case SP_DONE:
        sp_auth_try_right(r, email);
        return logged_in(r, ctx, form, token);
    case SP_REFUSED:
        return login_refused(r, ctx, form);
    default:
        sp_auth_try_right(r, email);
        return sp_page_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, ctx->code, NULL);
    }
}

/* POST /logout */
int sp_handle_logout(request_rec *r, sp_ctx_t *ctx)
{
    json_t *page;
    sp_form_t *form;
    int status = sp_auth_form_read(r, ctx, &form);

    if (status != DECLINED) {
        return status;
    }
    if (sp_account_logout(ctx, sp_auth_cookie(r, SP_COOKIE_SESSION)) != SP_DONE) {
        return sp_page_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, ctx->code, NULL);
    }
    sp_auth_cookie_set(r, SP_COOKIE_SESSION, "", 0);
    sp_grace_end(r);
    page = login_model(ctx, NULL, NULL);
    json_object_set_new(page, "state", json_pack("{s:b}", "logged_out", 1));
    return sp_page_show(r, ctx, HTTP_OK, "login", page);
}

/* ---- the account ------------------------------------------------------------ */

/* The receipt is the order's own return page, as long as its token follows from its id;
 * and the provider's, where it makes one. */
static void set_receipts(sp_ctx_t *ctx, json_t *model, const char *reference)
{
    sp_order_t *order = NULL;
    sp_order_money_t money;
    const char *token;

    if (sp_db_order_by_reference(ctx, reference, &order) != SP_DONE || !order) {
        return;
    }
    token = sp_order_link_token(ctx, order);
    sp_json_set_text(model, "url",
                     token ? apr_psprintf(ctx->pool, "%s/return?t=%s&r=%s",
                                          sp_shop()->base_path, token, reference)
                           : NULL);
    sp_order_money(ctx, order, &money);
    sp_json_set_text(model, "receipt_url", money.receipt_url);
}

static json_t *plan_model(sp_ctx_t *ctx, const sp_plan_t *plan,
                          const apr_array_header_t *renewals)
{
    json_t *model = json_object();

    sp_json_set_text(model, "title", plan->title);
    sp_json_set_bool(model, "active", plan->active);
    sp_model_set_time(ctx, model, "expires", plan->expires_at);
    sp_json_set_text(model, "reference", plan->reference);
    set_receipts(ctx, model, plan->reference);
    sp_renewal_show(ctx, model, plan->reference, renewals);
    return model;
}

static json_t *account_model(sp_ctx_t *ctx, const sp_customer_t *customer)
{
    json_t *page = sp_auth_form_model(ctx, NULL);
    json_t *plans = json_array();
    apr_array_header_t *renewals = NULL;
    int active = 0;
    int i;

    sp_db_renewals_of(ctx, customer->id, &renewals); /* without: fewer buttons */
    for (i = 0; i < customer->plans->nelts; i++) {
        const sp_plan_t *plan = &APR_ARRAY_IDX(customer->plans, i, const sp_plan_t);

        json_array_append_new(plans, plan_model(ctx, plan, renewals));
        active |= plan->active;
    }
    json_object_set_new(page, "subscriptions", plans);
    sp_json_set_text(page, "email", customer->email);
    sp_json_set_bool(page, "has_access", active);
    sp_json_set_bool(page, "has_password", customer->has_password);
    sp_json_set_bool(page, "show_credits", customer->credits > 0);
    sp_json_set_int(page, "credits", customer->credits);
    if (active) {
        sp_json_set_text(page, "start_url", ctx->settings->app_url);
    }
    return page;
}

/* GET /account */
int sp_handle_account(request_rec *r, sp_ctx_t *ctx)
{
    sp_customer_t *customer;

    if (sp_account_session(ctx, sp_auth_cookie(r, SP_COOKIE_SESSION), &customer) !=
        SP_DONE) {
        return sp_page_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, ctx->code, NULL);
    }
    if (customer) {
        return sp_page_show(r, ctx, HTTP_OK, "account",
                            account_model(ctx, customer));
    }
    if (sp_wants_json(r)) {
        return sp_json_error(r, HTTP_UNAUTHORIZED, "login_required", "Log in first.",
                             NULL);
    }
    return sp_page_go(r, apr_pstrcat(r->pool, sp_shop()->base_path, "/login?to=",
                                     ap_escape_urlencoded(r->pool, account_url(ctx)),
                                     NULL));
}

/* ---- the mistyped address ---------------------------------------------------- */

/* What was typed and why it does not do; the return page shows it beside the field. */
typedef struct correction_t {
    const char *email;
    const char *problem;
} correction_t;

#define CORRECTION_KEY "subpay-correction"

static const char *return_args(sp_ctx_t *ctx, const sp_form_t *form)
{
    const char *reference = sp_form_get(form, "r");

    return apr_pstrcat(
        ctx->pool, "t=", sp_form_get(form, "t"), reference ? "&r=" : "",
        reference ? ap_escape_urlencoded(ctx->pool, reference) : "", NULL);
}

/* The page they came from, again, with nothing typed lost. */
static int email_refused(request_rec *r, sp_ctx_t *ctx, const sp_form_t *form)
{
    correction_t *correction;

    if (sp_wants_json(r)) {
        return sp_json_error(r, HTTP_BAD_REQUEST, ctx->code, ctx->say, NULL);
    }
    correction = apr_palloc(r->pool, sizeof(*correction));
    correction->email = sp_form_get(form, "email");
    correction->problem = ctx->say;
    apr_pool_userdata_setn(correction, CORRECTION_KEY, NULL, r->pool);
    r->args = (char *)return_args(ctx, form);
    return sp_handle_return(r, ctx);
}

/* POST /email - in the browser that paid. */
int sp_handle_email(request_rec *r, sp_ctx_t *ctx)
{
    sp_form_t *form;
    int status = sp_auth_form_read(r, ctx, &form);

    if (status != DECLINED) {
        return status;
    }
    if (!sp_cookie_has(r, sp_form_get(form, "t"))) {
        return sp_page_error(
            r, ctx, HTTP_FORBIDDEN, "other_browser",
            "The address can be corrected in the browser that paid. "
            "Write to us, and we see to it.");
    }
    switch (
        sp_email_correct(ctx, sp_form_get(form, "t"), sp_form_get(form, "email"))) {
    case SP_DONE:
        return sp_page_go(r, apr_pstrcat(r->pool, sp_shop()->base_path, "/return?",
                                         return_args(ctx, form), NULL));
    case SP_REFUSED:
        return email_refused(r, ctx, form);
    default:
        return sp_page_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, ctx->code, NULL);
    }
}

static void add_correction(sp_ctx_t *ctx, json_t *page, const char *token,
                           const char *reference, const correction_t *correction)
{
    json_t *model = json_object();

    sp_json_set_text(model, "action",
                     apr_pstrcat(ctx->pool, sp_shop()->base_path, "/email", NULL));
    sp_json_set_text(model, "t", token);
    sp_json_set_text(model, "r", reference);
    if (correction) {
        sp_json_set_text(model, "email", correction->email);
        sp_json_set_text(model, "problem", correction->problem);
        sp_auth_form_problem(page, "email", correction->problem);
    }
    json_object_set_new(page, "correct_email", model);
}

int sp_auth_next_steps(sp_ctx_t *ctx, json_t *page, const char *token,
                       const char *reference)
{
    const char *base = sp_shop()->base_path;
    sp_order_account_t *owner;
    void *correction = NULL;

    apr_pool_userdata_get(&correction, CORRECTION_KEY, ctx->pool);
    if (sp_account_of_order(ctx, token, &owner) == SP_DONE && owner) {
        if (owner->has_password) {
            sp_json_set_text(page, "login_url",
                             apr_pstrcat(ctx->pool, base, "/login", NULL));
        }
        else {
            sp_json_set_text(
                page, "password_url",
                apr_pstrcat(ctx->pool, base, "/password?t=", token, NULL));
        }
        if (owner->correctable || correction) {
            add_correction(ctx, page, token, reference, correction);
        }
    }
    return correction ? HTTP_BAD_REQUEST : HTTP_OK;
}

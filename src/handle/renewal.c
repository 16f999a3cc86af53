/*
 * renewal.c - POST /account/renewal, GET /renewal: stop a renewal, pay a period by hand.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/renewal.h"

#include <apr_strings.h>
#include <httpd.h>
#include <string.h>

#include "domain/account.h"
#include "domain/renewal.h"
#include "handle/auth_cookie.h"
#include "handle/auth_form.h"
#include "handle/form.h"
#include "handle/model.h"
#include "handle/page.h"
#include "handle/route.h"
#include "handle/shop.h"
#include "util/json.h"

static int is(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

static const sp_renewal_view_t *find(const apr_array_header_t *renewals,
                                     const char *reference)
{
    int i;

    for (i = 0; renewals && i < renewals->nelts; i++) {
        const sp_renewal_view_t *view =
            &APR_ARRAY_IDX(renewals, i, const sp_renewal_view_t);

        if (is(view->reference, reference)) {
            return view;
        }
    }
    return NULL;
}

void sp_renewal_show(sp_ctx_t *ctx, json_t *plan, const char *reference,
                     const apr_array_header_t *renewals)
{
    const sp_renewal_view_t *view = find(renewals, reference);
    int active = view && is(view->state, "active");
    json_t *model;

    if (!view) {
        return;
    }
    model = json_object();
    sp_json_set_bool(model, "declined", view->declined && !is(view->state, "ended"));
    sp_json_set_text(model, "pay_url", view->pay_url);
    sp_json_set_bool(model, "stopping", !active && !view->wanted);
    sp_json_set_bool(model, "asked_stop", is(view->wanted, "stop"));
    sp_json_set_bool(model, "asked_resume", is(view->wanted, "resume"));
    sp_json_set_bool(model, "can_stop", active && !view->wanted);
    sp_json_set_bool(model, "can_resume",
                     is(view->state, "stopping") && !view->wanted);
    sp_model_set_time(ctx, model, "grace", view->grace_until);
    if (active && !view->wanted && !view->declined) {
        sp_model_set_time(ctx, plan, "renews_on", view->renews_at);
    }
    json_object_set_new(plan, "renewal", model);
}

static const char *account_url(request_rec *r)
{
    return apr_pstrcat(r->pool, sp_shop()->base_path, "/account", NULL);
}

/* Confirmed, or written down and not confirmed yet: the page says which. */
static int answer(request_rec *r, sp_outcome_t out, int stop)
{
    json_t *body;

    if (!sp_wants_json(r)) {
        return sp_page_go(r, account_url(r));
    }
    body = sp_json_object(r->pool);
    sp_json_set_bool(body, "renews", !stop);
    sp_json_set_bool(body, "confirmed", out == SP_DONE);
    return sp_json_show(r, out == SP_DONE ? HTTP_OK : HTTP_ACCEPTED, body);
}

/* POST /account/renewal - by whoever is logged in, for a plan of theirs. */
int sp_handle_renewal(request_rec *r, sp_ctx_t *ctx)
{
    sp_customer_t *customer;
    sp_form_t *form;
    const char *reference;
    int status = sp_auth_form_read(r, ctx, &form);
    sp_outcome_t out;
    int stop;

    if (status != DECLINED) {
        return status;
    }
    if (sp_account_session(ctx, sp_auth_cookie(r, SP_COOKIE_SESSION), &customer) !=
        SP_DONE) {
        return sp_page_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, ctx->code, NULL);
    }
    if (!customer) {
        return sp_wants_json(r)
                   ? sp_json_error(r, HTTP_UNAUTHORIZED, "login_required",
                                   "Log in first.", NULL)
                   : sp_page_go(r, account_url(r)); /* which asks for the log-in */
    }
    reference = sp_form_get(form, "reference");
    stop = is(sp_form_get(form, "do"), "stop");
    if (!reference || (!stop && !is(sp_form_get(form, "do"), "resume"))) {
        return sp_page_error(r, ctx, HTTP_BAD_REQUEST, "bad_request",
                             "Say which plan, and stop or resume.");
    }
    out = sp_renewal_stop(ctx, customer->id, reference, stop);
    if (out == SP_REFUSED) {
        return sp_page_error(r, ctx, HTTP_CONFLICT, ctx->code, ctx->say);
    }
    return out == SP_FAILED
               ? sp_page_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, ctx->code, NULL)
               : answer(r, out, stop);
}

/* GET /renewal?t=<token> - from the mail about a declined renewal: on to where the
 * period can be paid, as long as it is not; else to the order's own page. */
int sp_handle_renewal_pay(request_rec *r, sp_ctx_t *ctx)
{
    const char *token = sp_query_get(r, "t");
    const char *reference = sp_query_get(r, "r");
    unsigned char hash[SP_HASH_SIZE];
    const char *url = NULL;

    if (!token || !sp_account_hash(token, hash)) {
        return sp_page_error(r, ctx, HTTP_NOT_FOUND, NULL, NULL);
    }
    if (sp_db_renewal_pay_url(ctx, hash, &url) != SP_DONE) {
        return sp_page_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, ctx->code, NULL);
    }
    if (!url) {
        url =
            apr_psprintf(r->pool, "%s/return?t=%s%s%s", sp_shop()->base_path, token,
                         reference ? "&r=" : "",
                         reference ? ap_escape_urlencoded(r->pool, reference) : "");
    }
    return sp_page_go(r, url);
}

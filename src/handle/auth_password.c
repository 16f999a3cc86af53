/*
 * auth_password.c - GET and POST /password: choose one, or ask for a link to do so.
 *
 * Room: handle. Sees httpd.
 *
 * The t of the address is the token of a mailed link, or, in the browser that paid,
 * that of the order: both have 32 digits, and the cookie tells which it is.
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "domain/account.h"
#include "handle/auth.h"
#include "handle/auth_cookie.h"
#include "handle/auth_form.h"
#include "handle/cookie.h"
#include "handle/form.h"
#include "handle/page.h"
#include "handle/route.h"
#include "handle/tries.h"
#include "util/clock.h"
#include "util/json.h"

/* Asking for a link is answered when this much time has passed: whether a mail was
 * queued meanwhile must not show. */
#define SAME_TIME apr_time_from_msec(250)

/* In 15 minutes: nobody's mailbox is to be filled, whoever asks. */
#define MOST_ASKS 5

static int show(request_rec *r, sp_ctx_t *ctx, int status, const char *state,
                json_t *page)
{
    json_object_set_new(page, "state", json_pack("{s:b}", state, 1));
    return sp_page_show(r, ctx, status, "password", page);
}

static json_t *choose_model(sp_ctx_t *ctx, const char *t, const char *email)
{
    json_t *page = sp_auth_form_model(ctx, NULL);

    sp_json_set_text(page, "t", t);
    sp_json_set_text(page, "email", email);
    return page;
}

/* Whose first password this browser may choose, as it paid; NULL: nobody's. */
static const char *first_password_of(sp_ctx_t *ctx, const char *token)
{
    sp_order_account_t *owner = NULL;

    return token && sp_account_of_order(ctx, token, &owner) == SP_DONE && owner &&
                   !owner->has_password
               ? owner->email
               : NULL;
}

/* The address of whoever is logged in here, so that they need not type it. */
static const char *own_address(request_rec *r)
{
    sp_access_t access;

    return sp_access_by_session(r, sp_auth_cookie(r, SP_COOKIE_SESSION), 0,
                                &access) == SP_DONE &&
                   access.customer
               ? access.customer->email
               : NULL;
}

/* GET /password. Spends nothing: mail scanners open links. */
int sp_handle_password_form(request_rec *r, sp_ctx_t *ctx)
{
    const char *t = sp_query_get(r, "t");
    int paid_here = t ? sp_cookie_has(r, t) : 1;
    const char *token = t ? t : sp_cookie_last(r);
    const char *email = paid_here ? first_password_of(ctx, token) : NULL;

    if (email) {
        return show(r, ctx, HTTP_OK, "choose", choose_model(ctx, token, email));
    }
    if (!t || paid_here) {
        return show(r, ctx, HTTP_OK, "ask", sp_auth_form_model(ctx, own_address(r)));
    }
    if (sp_account_link_look(ctx, t, &email) != SP_DONE) {
        return sp_page_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, ctx->code, NULL);
    }
    return email ? show(r, ctx, HTTP_OK, "choose", choose_model(ctx, t, email))
                 : show(r, ctx, HTTP_OK, "expired", sp_auth_form_model(ctx, NULL));
}

static int ask_again(request_rec *r, sp_ctx_t *ctx, const char *email)
{
    json_t *page;

    if (sp_wants_json(r)) {
        return sp_json_error(r, HTTP_BAD_REQUEST, ctx->code, ctx->say, NULL);
    }
    page = sp_auth_form_model(ctx, email);
    sp_auth_form_problem(page, "email", ctx->say);
    return show(r, ctx, HTTP_BAD_REQUEST, "ask", page);
}

static int asked(request_rec *r, sp_ctx_t *ctx)
{
    json_t *body;

    if (!sp_wants_json(r)) {
        return show(r, ctx, HTTP_OK, "sent", sp_auth_form_model(ctx, NULL));
    }
    body = sp_json_object(r->pool);
    sp_json_set_bool(body, "accepted", 1);
    return sp_json_show(r, HTTP_OK, body);
}

/* The same answer, at the same time, whatever we know of this address. */
static int ask_for_link(request_rec *r, sp_ctx_t *ctx, const char *email)
{
    apr_time_t answer_at = sp_clock_now() + SAME_TIME;
    sp_outcome_t out;
    int wait;

    wait = sp_tries_take(r, "link", email ? email : "", MOST_ASKS);
    if (wait) {
        return sp_auth_too_many(r, ctx, wait);
    }
    out = sp_password_ask(ctx, email);
    if (out == SP_REFUSED) {
        return ask_again(r, ctx, email);
    }
    if (out != SP_DONE) {
        return sp_page_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, ctx->code, NULL);
    }
    if (sp_clock_now() < answer_at) {
        apr_sleep(answer_at - sp_clock_now());
    }
    return asked(r, ctx);
}

/* The address stays in the form only where it was shown before. */
static const char *address_of(sp_ctx_t *ctx, const char *t, int paid_here)
{
    const char *email = NULL;

    if (paid_here) {
        return first_password_of(ctx, t);
    }
    return sp_account_link_look(ctx, t, &email) == SP_DONE ? email : NULL;
}

static int not_set(request_rec *r, sp_ctx_t *ctx, const char *t, int paid_here)
{
    const char *say = ctx->say;
    json_t *page;

    if (sp_wants_json(r)) {
        return sp_json_error(r, HTTP_BAD_REQUEST, ctx->code,
                             say ? say : "This link has expired.", NULL);
    }
    if (strcmp(ctx->code, "bad_password") == 0) {
        page = choose_model(ctx, t, address_of(ctx, t, paid_here));
        sp_auth_form_problem(page, "password", say);
        return show(r, ctx, HTTP_BAD_REQUEST, "choose", page);
    }
    page = sp_auth_form_model(ctx, NULL);
    if (say) {
        sp_auth_form_problem(page, "email", say);
    }
    return show(r, ctx, HTTP_BAD_REQUEST, say ? "ask" : "expired", page);
}

static int is_set(request_rec *r, sp_ctx_t *ctx, const char *session)
{
    json_t *page;

    sp_auth_cookie_set(r, SP_COOKIE_SESSION, session,
                       (int)apr_time_sec(SP_SESSION_LIFE));
    page = sp_auth_form_model(ctx, NULL);
    if (sp_wants_json(r)) {
        json_t *body = sp_json_object(r->pool);

        sp_json_set_bool(body, "saved", 1);
        return sp_json_show(r, HTTP_OK, body);
    }
    sp_json_set_text(page, "start_url", ctx->settings->app_url);
    return show(r, ctx, HTTP_OK, "done", page);
}

/* POST /password */
int sp_handle_password(request_rec *r, sp_ctx_t *ctx)
{
    const char *t, *session;
    sp_form_t *form;
    int status = sp_auth_form_read(r, ctx, &form);
    int paid_here;

    if (status != DECLINED) {
        return status;
    }
    t = sp_form_get(form, "t");
    if (!t) {
        return ask_for_link(r, ctx, sp_form_get(form, "email"));
    }
    paid_here = sp_cookie_has(r, t);
    switch (sp_password_set(ctx, paid_here ? NULL : t, t,
                            sp_form_get(form, "password"), &session)) {
    case SP_DONE:
        return is_set(r, ctx, session);
    case SP_REFUSED:
        return not_set(r, ctx, t, paid_here);
    default:
        return sp_page_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, ctx->code, NULL);
    }
}

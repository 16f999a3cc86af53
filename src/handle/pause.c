/*
 * pause.c - while checkout is paused: the page that says so, and POST /notify.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/pause.h"

#include "cfg/settings.h"
#include "db/alert.h"
#include "handle/auth_form.h"
#include "handle/cookie.h"
#include "handle/model.h"
#include "handle/page.h"
#include "handle/route.h"
#include "handle/tries.h"
#include "util/crypto.h"
#include "util/json.h"
#include "util/text.h"

#define RETRY_AFTER "300" /* seconds, for programs; people get a mail */

static json_t *page_model(sp_ctx_t *ctx, const char *email, int unsure)
{
    json_t *page = sp_auth_form_model(ctx, email);

    sp_model_set_money(ctx, page, unsure ? "checking" : "expired", NULL);
    sp_json_set_text(page, "form_key", sp_crypto_uuid(ctx->pool));
    sp_json_set_bool(page, "can_store", 1);
    return page;
}

int sp_pause_is_on(sp_ctx_t *ctx)
{
    int paused = 0;

    return sp_db_checkout_paused(ctx, &paused) == SP_DONE && paused;
}

int sp_pause_show(request_rec *r, sp_ctx_t *ctx, int can_store, int unsure)
{
    json_t *page;

    apr_table_setn(r->err_headers_out, "Retry-After", RETRY_AFTER);
    if (sp_wants_json(r)) {
        return sp_json_error(r, HTTP_SERVICE_UNAVAILABLE,
                             ctx->code ? ctx->code : "paused",
                             unsure ? "New payments are paused. If you have paid "
                                      "already, do not pay again."
                                    : "New payments are paused. You have not been "
                                      "charged.",
                             NULL);
    }
    page = page_model(ctx, NULL, unsure);
    sp_json_set_bool(page, "can_store", can_store);
    return sp_page_show(r, ctx, HTTP_SERVICE_UNAVAILABLE, "paused", page);
}

static int ask_again(request_rec *r, sp_ctx_t *ctx, const char *email,
                     const char *problem)
{
    json_t *page;

    if (sp_wants_json(r)) {
        return sp_json_error(r, HTTP_BAD_REQUEST, "bad_email", problem, NULL);
    }
    page = page_model(ctx, email, sp_cookie_last(r) != NULL);
    sp_auth_form_problem(page, "email", problem);
    return sp_page_show(r, ctx, HTTP_BAD_REQUEST, "paused", page);
}

/* Thanks, whoever asked and however often. */
static int thank(request_rec *r, sp_ctx_t *ctx)
{
    json_t *page;

    if (sp_wants_json(r)) {
        page = sp_json_object(r->pool);
        sp_json_set_bool(page, "accepted", 1);
        return sp_json_show(r, HTTP_OK, page);
    }
    page = page_model(ctx, NULL, sp_cookie_last(r) != NULL);
    json_object_set_new(page, "state", json_pack("{s:b}", "saved", 1));
    return sp_page_show(r, ctx, HTTP_OK, "paused", page);
}

/* POST /notify: "tell me when it works" */
int sp_handle_notify(request_rec *r, sp_ctx_t *ctx)
{
    const char *email, *problem;
    sp_form_t *form;
    int wait, waits;
    int status = sp_auth_form_read(r, ctx, &form);

    if (status != DECLINED) {
        return status;
    }
    email = sp_form_get(form, "email");
    problem = sp_text_email_problem(email ? email : "");
    if (problem) {
        return ask_again(r, ctx, email, problem);
    }
    wait = sp_tries_take(r, "notify", email, ctx->settings->rate_limit.find);
    if (wait) {
        return sp_auth_too_many(r, ctx, wait);
    }
    if (sp_db_resume_wait(ctx, email, &waits) != SP_DONE) {
        return sp_pause_show(r, ctx, 0, sp_cookie_last(r) != NULL);
    }
    /* It works again already: straight to what they wanted. */
    return waits || sp_wants_json(r) ? thank(r, ctx)
                                     : sp_page_go(r, ctx->settings->base_url);
}

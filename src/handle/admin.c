/*
 * admin.c - what all pages of the support area have in common.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/admin.h"

#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/desk.h"
#include "handle/auth.h"
#include "handle/model.h"
#include "handle/page.h"
#include "handle/route.h"
#include "handle/shop.h"
#include "util/crypto.h"
#include "util/json.h"

#define CSRF_SIZE 16 /* bytes: 128 bits */
#define DAY apr_time_from_sec(86400)

/* Bound to the person and the day: what is drawn today is good until tomorrow night. */
static const char *csrf_of(request_rec *r, sp_ctx_t *ctx, apr_int64_t day)
{
    const sp_account_t *account =
        sp_settings_account(ctx->settings, ctx->settings->provider);
    unsigned char key[SP_HASH_SIZE], mac[SP_HASH_SIZE];
    const char *date = apr_psprintf(r->pool, "%" APR_INT64_T_FMT " ", day);
    struct iovec said[2] = { { (void *)date, strlen(date) },
                             { r->user, strlen(r->user) } };

    if (sp_crypto_derive(account->key, "support form", key) != APR_SUCCESS ||
        sp_crypto_hmac(key, sizeof(key), said, 2, mac) != APR_SUCCESS) {
        return NULL;
    }
    return sp_crypto_hex(r->pool, mac, CSRF_SIZE);
}

static int is_csrf(request_rec *r, sp_ctx_t *ctx, const char *given)
{
    apr_int64_t today = apr_time_now() / DAY;
    int i;

    for (i = 0; given && strlen(given) == 2 * CSRF_SIZE && i < 2; i++) {
        const char *right = csrf_of(r, ctx, today - i);

        if (right && sp_crypto_equal(given, right, 2 * CSRF_SIZE)) {
            return 1;
        }
    }
    return 0;
}

static void prepare(request_rec *r)
{
    /* The words of this area are English, whoever reads them. */
    apr_table_setn(r->headers_in, "Accept-Language", "en");
    /* No token stands in its addresses, and its forms shall say where they come from. */
    apr_table_setn(r->err_headers_out, "Referrer-Policy", "same-origin");
}

int sp_admin_show(request_rec *r, sp_ctx_t *ctx, int status, const char *page,
                  json_t *value)
{
    const char *csrf = csrf_of(r, ctx, apr_time_now() / DAY);
    json_t *model;

    prepare(r);
    if (sp_wants_json(r)) {
        sp_json_set_text(value, "csrf", csrf);
        return sp_json_show(r, status, value);
    }
    model = sp_model_page(ctx);
    sp_json_set_text(model, "admin", sp_place(r)->prefix);
    sp_json_set_text(model, "user", r->user);
    sp_json_set_text(model, "csrf", csrf);
    sp_json_set_text(model, "form_key", sp_crypto_uuid(r->pool));
    json_object_update(model, value);
    return sp_page_show(r, ctx, status, page, model);
}

int sp_admin_error(request_rec *r, sp_ctx_t *ctx, int status, const char *code,
                   const char *say)
{
    json_t *value;

    prepare(r);
    if (sp_wants_json(r)) {
        return sp_json_error(r, status, code, say, NULL);
    }
    value = sp_json_object(r->pool);
    sp_json_set_text(value, "title", "This was not done");
    sp_json_set_text(value, "say", say);
    return sp_admin_show(r, ctx, status, "admin_message", value);
}

/* Basic authentication comes along from anywhere, so "null" is no origin of ours. */
static int is_foreign(request_rec *r)
{
    const char *origin = apr_table_get(r->headers_in, "Origin");

    return !sp_auth_own_origin(r) || (origin && strcmp(origin, "null") == 0);
}

int sp_admin_form(request_rec *r, sp_ctx_t *ctx, sp_form_t **form)
{
    const char *given;
    int status;

    if (is_foreign(r)) {
        return sp_admin_error(r, ctx, HTTP_FORBIDDEN, "foreign_origin",
                              "This form came from another site. Nothing was done.");
    }
    status = sp_form_read(r, form);
    if (status == AP_FILTER_ERROR) {
        return status;
    }
    if (status != OK) {
        return sp_admin_error(r, ctx, status, "malformed", (*form)->problem);
    }
    given = sp_form_get(*form, "csrf");
    if (!is_csrf(r, ctx,
                 given ? given : apr_table_get(r->headers_in, "X-CSRF-Token"))) {
        return sp_admin_error(r, ctx, HTTP_FORBIDDEN, "csrf",
                              "This form is too old, or was not drawn for you. "
                              "Nothing was done: open the page anew.");
    }
    return DECLINED;
}

void sp_admin_set_here(request_rec *r, sp_ctx_t *ctx, const char *place,
                       json_t *value)
{
    json_t *others;

    if (!sp_wants_json(r) && sp_db_desk_visit(ctx, place, &others) == SP_DONE) {
        json_object_set(value, "here", others ? others : json_null());
    }
}

const char *sp_admin_url(request_rec *r, const char *path, const char *about)
{
    return apr_pstrcat(r->pool, sp_place(r)->prefix, path, about, NULL);
}

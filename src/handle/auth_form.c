/*
 * auth_form.c - what the forms about accounts have in common.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/auth_form.h"

#include <apr_strings.h>
#include <http_protocol.h>

#include "handle/auth.h"
#include "handle/model.h"
#include "handle/page.h"
#include "util/crypto.h"
#include "util/json.h"

int sp_auth_form_read(request_rec *r, sp_ctx_t *ctx, sp_form_t **form)
{
    int status;

    if (!sp_auth_own_origin(r)) {
        return sp_page_error(
            r, ctx, HTTP_FORBIDDEN, "foreign_origin",
            "This form came from another site. Open our page and send "
            "it from there.");
    }
    status = sp_form_read(r, form);
    return status == OK ? DECLINED
                        : sp_page_error(r, ctx, status, NULL, (*form)->problem);
}

json_t *sp_auth_form_model(sp_ctx_t *ctx, const char *email)
{
    json_t *page = sp_model_page(ctx);
    json_t *fields = json_object();

    sp_json_set_text(fields, "email", email);
    json_object_set_new(page, "fields", fields);
    sp_json_set_text(page, "form_key", sp_crypto_uuid(ctx->pool));
    return page;
}

void sp_auth_form_problem(json_t *page, const char *field, const char *message)
{
    json_t *problem = json_object();
    char name[32] = "problem_";

    sp_json_set_text(problem, "field", field);
    sp_json_set_text(problem, "message", message);
    json_object_set_new(page, "problems", json_pack("[o]", problem));
    sp_json_set_bool(page, "has_problems", 1);
    sp_json_set_text(page, strncat(name, field, sizeof(name) - 9), message);
}

int sp_auth_too_many(request_rec *r, sp_ctx_t *ctx, int wait_s)
{
    const char *say =
        wait_s > 60 ? "There were too many tries for a while. Please try again in a "
                      "quarter of an hour."
                    : "There were too many tries for a while. Please try again in a "
                      "minute.";
    json_t *page;

    apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, wait_s));
    if (sp_wants_json(r)) {
        return sp_json_error(r, HTTP_TOO_MANY_REQUESTS, "too_many_tries", say, NULL);
    }
    page = sp_model_page(ctx);
    sp_json_set_text(page, "title", "Please wait a moment");
    json_object_set_new(page, "lines", json_pack("[s]", say));
    return sp_page_show(r, ctx, HTTP_TOO_MANY_REQUESTS, "message", page);
}

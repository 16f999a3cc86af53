/*
 * page.c - sending an answer: a page, JSON, or the way to another place.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/page.h"

#include <apr_strings.h>
#include <http_protocol.h>

#include "handle/model.h"
#include "handle/route.h"
#include "handle/shop.h"
#include "util/json.h"
#include "util/log.h"
#include "view/templates.h"

/* When the page that should have said it could not be drawn. */
#define LAST_RESORT                                                                 \
    "<!doctype html><html lang=\"en\"><title>Something broke on our side</title>"   \
    "<h1>Something broke on our side. Sorry.</h1><p>If you had entered your card, " \
    "we check by ourselves whether the payment went through. Please do not pay "    \
    "again.</p>"

/* Into err_headers_out: only those survive errors and redirects. */
static void set_headers(request_rec *r, int status)
{
    apr_table_t *headers = r->err_headers_out;

    apr_table_setn(headers, "Content-Security-Policy", sp_shop()->csp);
    apr_table_setn(headers, "X-Content-Type-Options", "nosniff");
    /* The return address carries a token. */
    if (!apr_table_get(headers, "Referrer-Policy")) {
        apr_table_setn(headers, "Referrer-Policy", "no-referrer");
    }
    if (!apr_table_get(headers, "Cache-Control")) {
        apr_table_setn(headers, "Cache-Control", "no-store");
    }
    if (status == HTTP_SERVICE_UNAVAILABLE &&
        !apr_table_get(headers, "Retry-After")) {
        apr_table_setn(headers, "Retry-After", "2");
    }
}

int sp_answer(request_rec *r, int status, const char *type, const char *body,
              apr_size_t len)
{
    r->status = status;
    if (ap_status_drops_connection(status)) {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    set_headers(r, status);
    ap_set_content_type(r, type);
    ap_set_content_length(r, (apr_off_t)len);
    if (!r->header_only) {
        ap_rwrite(body, (int)len, r);
    }
    return OK;
}

/* Programs, not people, come to these. */
static int is_for_programs(request_rec *r)
{
    const sp_place_t *place = sp_place(r);

    return place && (!strcmp(place->handler, "subpay-webhook") ||
                     !strcmp(place->handler, "subpay-api") ||
                     !strcmp(place->handler, "subpay-status"));
}

int sp_wants_json(request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");
    const char *type = apr_table_get(r->headers_in, "Content-Type");

    if (is_for_programs(r)) {
        return 1;
    }
    if (accept && ap_strstr_c(accept, "text/html")) {
        return 0;
    }
    return (accept && ap_strstr_c(accept, "application/json")) ||
           (type && strncasecmp(type, "application/json", 16) == 0);
}

int sp_page_show(request_rec *r, sp_ctx_t *ctx, int status, const char *page,
                 json_t *model)
{
    sp_text_t html;

    if (sp_page_render(r->pool, ctx->templates, ctx->lang, page, model, &html) !=
        APR_SUCCESS) {
        sp_log(ctx->log, SP_LOG_ERR, 201, "page %s could not be drawn: %s", page,
               html.error);
        return sp_answer(r, HTTP_INTERNAL_SERVER_ERROR, "text/html; charset=utf-8",
                         LAST_RESORT, strlen(LAST_RESORT));
    }
    /* What was drawn, which is English where ctx->lang lacks this page. */
    apr_table_set(r->headers_out, "Content-Language", sp_json_text(model, "lang"));
    if (r->method_number == M_POST) {
        /* "Back" to it would else be the browser's own error page: the form may not
         * be sent again unasked, and what must not be stored is gone. */
        apr_table_setn(r->err_headers_out, "Cache-Control", "private, no-cache");
    }
    return sp_answer(r, status, "text/html; charset=utf-8", html.data, html.len);
}

int sp_json_show(request_rec *r, int status, const json_t *value)
{
    const char *text = sp_json_dump(r->pool, value);

    return sp_answer(r, status, "application/json", text, strlen(text));
}

int sp_json_error(request_rec *r, int status, const char *code, const char *message,
                  const char *reference)
{
    json_t *body = sp_json_object(r->pool);
    json_t *error = json_object();

    sp_json_set_text(error, "code", code);
    sp_json_set_text(error, "message", message);
    sp_json_set_text(error, "reference", reference);
    json_object_set_new(body, "error", error);
    return sp_json_show(r, status, body);
}

int sp_page_go(request_rec *r, const char *url)
{
    const char *body = apr_psprintf(
        r->pool,
        "<!doctype html><html lang=\"en\"><title>One moment</title><p><a "
        "href=\"%s\">Continue</a></p>",
        ap_escape_html(r->pool, url));

    apr_table_setn(r->headers_out, "Location", url);
    return sp_answer(r, HTTP_SEE_OTHER, "text/html; charset=utf-8", body,
                     strlen(body));
}

/* What a status says to a person, where nobody had better words. */
typedef struct words_t {
    int status;
    const char *code;
    const char *title;
    const char *say;
} words_t;

static const words_t *words_of(int status)
{
    static const words_t words[] = {
        { HTTP_BAD_REQUEST, "malformed", "That did not arrive as we expected",
          "Please go back and send it again." },
        { HTTP_FORBIDDEN, "forbidden", "This is not open to you",
          "Log in first, or ask whoever runs this site." },
        { HTTP_NOT_FOUND, "not_found", "There is no page at this address",
          "There is nothing at this address." },
        /* Mostly somebody who reloads a form's address from the address bar. */
        { HTTP_METHOD_NOT_ALLOWED, "method_not_allowed",
          "This address only takes a form",
          "The plans page shows a payment that you have started." },
        { HTTP_REQUEST_TIME_OUT, "too_slow", "That took too long to arrive",
          "Please send it again." },
        { HTTP_REQUEST_ENTITY_TOO_LARGE, "too_large", "That was too much at once",
          "Please send less." },
        { HTTP_UNSUPPORTED_MEDIA_TYPE, "unsupported_type",
          "That did not arrive as we expected", "Send a form or JSON." },
        { HTTP_SERVICE_UNAVAILABLE, "unavailable", "We cannot do this right now",
          "Please try again in a moment." },
        { 0, "problem", "Something broke on our side. Sorry.",
          "We are looking into it." },
    };
    const words_t *found = words;

    while (found->status && found->status != status) {
        found++;
    }
    return found;
}

int sp_page_error(request_rec *r, sp_ctx_t *ctx, int status, const char *code,
                  const char *say)
{
    const words_t *words = words_of(status);
    json_t *model;

    if (status == AP_FILTER_ERROR) {
        return status; /* a filter has answered */
    }
    say = say ? say : words->say;
    if (sp_wants_json(r)) {
        return sp_json_error(r, status, code ? code : words->code, say, NULL);
    }
    model = sp_model_page(ctx);
    sp_json_set_text(model, "title", words->title);
    json_object_set_new(model, "lines", json_pack("[s]", say));
    sp_json_set_bool(model, "plans_link", status == HTTP_METHOD_NOT_ALLOWED);
    return sp_page_show(r, ctx, status,
                        status == HTTP_NOT_FOUND ? "not_found" : "message", model);
}

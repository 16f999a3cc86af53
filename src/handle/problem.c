/*
 * problem.c - GET /problem: the page behind a broken one; and the one kept for when
 * no server answers at all.
 *
 * Room: handle. Sees httpd.
 * Needs no database: it may be the very thing that broke.
 */
#include <apr_strings.h>

#include "handle/form.h"
#include "handle/model.h"
#include "handle/page.h"
#include "handle/route.h"
#include "util/json.h"
#include "util/reference.h"

/* What the address that broke says; a wrong check symbol means it says nothing. */
static const char *reference_of(request_rec *r)
{
    const char *text = sp_query_get(r, "r");
    const char *reference = NULL;

    return text && sp_reference_parse(r->pool, text, &reference) ? reference : NULL;
}

/* Only a GET may be tried again with one press. httpd has made a GET of the broken
 * request by now, and keeps what it was in REQUEST_METHOD. */
static const char *retry_url(request_rec *broken)
{
    const char *method = apr_table_get(broken->subprocess_env, "REQUEST_METHOD");

    return !method || !strcmp(method, "GET") ? broken->unparsed_uri : NULL;
}

int sp_handle_problem(request_rec *r, sp_ctx_t *ctx)
{
    request_rec *broken = r->prev; /* as ErrorDocument; else somebody just looks */
    int status = broken && broken->status >= 400 ? broken->status : HTTP_OK;
    const char *reference = reference_of(broken ? broken : r);
    json_t *page;

    if (broken && sp_wants_json(r)) {
        return sp_json_error(
            r, status, "problem",
            "Something broke on our side. If money moved, we find out "
            "by ourselves.",
            reference);
    }
    page = sp_model_page(ctx);
    sp_json_set_text(page, "reference", reference);
    sp_json_set_text(page, "retry_url", broken ? retry_url(broken) : NULL);
    return sp_page_show(r, ctx, status, "problem", page);
}

int sp_handle_offline(request_rec *r, sp_ctx_t *ctx)
{
    return sp_page_show(r, ctx, HTTP_OK, "offline", sp_model_page(ctx));
}

/*
 * status.c - GET /health and /metrics: is this node well?
 *
 * Room: handle. Sees httpd.
 */
#include <apr_strings.h>

#include "db/db.h"
#include "handle/page.h"
#include "handle/route.h"
#include "util/json.h"

/* One call on the very path that orders take. No order has this reference: its check
 * symbol is wrong. */
static int database_answers(sp_ctx_t *ctx)
{
    sp_order_t *none;

    return sp_db_order_by_reference(ctx, "SP-0000-0001", &none) == SP_DONE;
}

int sp_handle_health(request_rec *r, sp_ctx_t *ctx)
{
    int well = database_answers(ctx);
    json_t *body = sp_json_object(r->pool);

    sp_json_set_text(body, "status", well ? "ok" : "down");
    sp_json_set_text(body, "database", well ? "ok" : "unreachable");
    return sp_json_show(r, well ? HTTP_OK : HTTP_SERVICE_UNAVAILABLE, body);
}

int sp_handle_metrics(request_rec *r, sp_ctx_t *ctx)
{
    const char *text =
        apr_psprintf(r->pool,
                     "# HELP subpay_database_up Whether the database answers.\n"
                     "# TYPE subpay_database_up gauge\n"
                     "subpay_database_up %d\n",
                     database_answers(ctx));

    return sp_answer(r, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text,
                     strlen(text));
}

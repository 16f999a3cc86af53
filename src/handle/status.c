/*
 * status.c - GET /health and /metrics: is this node well?
 *
 * Room: handle. Sees httpd.
 */
#include <apr_strings.h>

#include "db/db.h"
#include "db/desk.h"
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

/* Each number of subpay.status() under its own name; one that is not known is left
 * out, as Prometheus wants it. */
static const char *figures_text(apr_pool_t *pool, const apr_array_header_t *figures)
{
    const char *text = "";
    int i;

    for (i = 0; i < figures->nelts; i++) {
        const sp_figure_t *figure = &APR_ARRAY_IDX(figures, i, sp_figure_t);

        if (figure->is_number && figure->value) {
            text = apr_psprintf(pool, "%s# TYPE subpay_%s gauge\nsubpay_%s %s\n",
                                text, figure->name, figure->name, figure->value);
        }
    }
    return text;
}

int sp_handle_metrics(request_rec *r, sp_ctx_t *ctx)
{
    apr_array_header_t *figures = NULL;
    int up = sp_db_status(ctx, &figures) == SP_DONE;
    const char *text =
        apr_psprintf(r->pool,
                     "# HELP subpay_database_up Whether the database answers.\n"
                     "# TYPE subpay_database_up gauge\n"
                     "subpay_database_up %d\n%s",
                     up, up ? figures_text(r->pool, figures) : "");

    return sp_answer(r, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text,
                     strlen(text));
}

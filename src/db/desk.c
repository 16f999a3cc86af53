/*
 * desk.c - the SQL calls of people who look something up.
 *
 * Room: db.
 */
#include "db/desk.h"

#include <apr_strings.h>
#include <string.h>

#include "db/call.h"

/* PostgreSQL, catalog/pg_type.dat: the types that status() answers numbers in. */
#define INT4OID 23
#define INT8OID 20

sp_outcome_t sp_db_lookup(sp_ctx_t *ctx, const char *q, apr_array_header_t **found)
{
    static const sp_stmt_t stmt = {
        "lookup", "select diagnosis, " SP_ORDER_COLUMNS " from subpay.lookup($1)", 1
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;
    sp_found_t *one;
    int i;

    sp_args_text(&args, q);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE) {
        return out;
    }
    *found = apr_array_make(ctx->pool, PQntuples(res), sizeof(sp_found_t));
    for (i = 0; i < PQntuples(res); i++) {
        one = apr_array_push(*found);
        memset(one, 0, sizeof(*one));
        one->diagnosis = sp_row_text(res, i, 0);
        sp_row_order(res, i, 1, &one->order);
    }
    return SP_DONE;
}

sp_outcome_t sp_db_status(sp_ctx_t *ctx, apr_array_header_t **figures)
{
    static const sp_stmt_t stmt = { "status", "select * from subpay.status()", 1 };
    const sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, &stmt, &args, &res);
    sp_figure_t *figure;
    int i;

    if (out != SP_DONE) {
        return out;
    }
    *figures = apr_array_make(ctx->pool, PQnfields(res), sizeof(sp_figure_t));
    for (i = 0; i < PQnfields(res); i++) {
        figure = apr_array_push(*figures);
        figure->name = PQfname(res, i);
        figure->value = sp_row_text(res, 0, i);
        figure->is_number = PQftype(res, i) == INT4OID || PQftype(res, i) == INT8OID;
    }
    return SP_DONE;
}

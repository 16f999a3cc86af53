/*
 * desk.c - the SQL calls of people who look something up.
 *
 * Room: db.
 */
#include "db/desk.h"

#include <apr_strings.h>
#include <string.h>

#include "db/call.h"
#include "util/json.h"

/* PostgreSQL, catalog/pg_type.dat: the types that status() answers numbers in. */
#define INT4OID 23
#define INT8OID 20

sp_outcome_t sp_db_lookup(sp_ctx_t *ctx, const char *q, const json_t *more,
                          apr_array_header_t **found)
{
    static const sp_stmt_t stmt = { "lookup",
                                    "select diagnosis, " SP_ORDER_COLUMNS
                                    " from subpay.lookup($1, $2::jsonb)",
                                    1 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;
    sp_found_t *one;
    int i;

    sp_args_text(&args, q);
    sp_args_text(&args, more ? sp_json_dump(ctx->pool, more) : "{}");
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

/* A call whose answer is one JSON value, or null. */
static sp_outcome_t answer(sp_ctx_t *ctx, const sp_stmt_t *stmt,
                           const sp_args_t *args, json_t **found)
{
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, stmt, args, &res);
    const char *text = out == SP_DONE ? sp_row_text(res, 0, 0) : NULL;

    *found = text ? sp_json_own(ctx->pool, json_loads(text, JSON_DECODE_ANY, NULL))
                  : NULL;
    return out;
}

sp_outcome_t sp_db_desk_case(sp_ctx_t *ctx, const char *reference, json_t **found)
{
    static const sp_stmt_t stmt = { "desk_case", "select subpay.desk_case($1)", 1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, reference);
    return answer(ctx, &stmt, &args, found);
}

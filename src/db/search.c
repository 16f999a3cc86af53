/*
 * search.c - the SQL calls around looking for a payment.
 *
 * Room: db.
 */
#include "db/search.h"

#include <apr_strings.h>
#include <string.h>

#include "db/call.h"

static void add_card(sp_ctx_t *ctx, sp_args_t *args, const sp_search_t *search)
{
    char day[16];
    apr_time_exp_t t;

    if (!search->last4) {
        sp_args_text(args, NULL);
        sp_args_text(args, NULL);
        sp_args_text(args, NULL);
        sp_args_text(args, NULL);
        return;
    }
    apr_time_exp_gmt(&t, search->day);
    apr_snprintf(day, sizeof(day), "%04d-%02d-%02d", t.tm_year + 1900, t.tm_mon + 1,
                 t.tm_mday);
    sp_args_int(args, ctx->pool, search->amount.minor);
    sp_args_text(args, search->amount.currency);
    sp_args_text(args, apr_pstrdup(ctx->pool, day));
    sp_args_text(args, search->last4);
}

sp_outcome_t sp_db_search_add(sp_ctx_t *ctx, const sp_search_t *search)
{
    static const sp_stmt_t stmt = {
        "search_add",
        "select subpay.search_add($1::uuid, $2, $3, $4::bigint, $5, $6::date, $7,"
        " $8::bytea, $9)",
        1,
    };
    sp_args_t args = { 0 };
    PGresult *res;

    sp_args_text(&args, search->form_key);
    sp_args_text(&args, search->email);
    sp_args_text(&args, search->reference);
    add_card(ctx, &args, search);
    sp_args_bytes(&args, search->token_hash, search->token_hash ? 32 : 0);
    sp_args_text(&args, ctx->lang);
    return sp_db_call(ctx, &stmt, &args, &res);
}

sp_outcome_t sp_db_search_claim(sp_ctx_t *ctx, const char *worker, int lease_s,
                                sp_search_t **search)
{
    static const sp_stmt_t stmt = {
        "search_claim",
        "select id, lease, email, reference, amount, currency, day, last4"
        " from subpay.search_claim($1::uuid, $2::int)",
        1,
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;
    sp_search_t *found;

    *search = NULL;
    sp_args_text(&args, worker);
    sp_args_int(&args, ctx->pool, lease_s);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE || PQntuples(res) == 0) {
        return out;
    }
    found = apr_pcalloc(ctx->pool, sizeof(*found));
    found->id = sp_row_text(res, 0, 0);
    found->lease = sp_row_text(res, 0, 1);
    found->email = sp_row_text(res, 0, 2);
    found->reference = sp_row_text(res, 0, 3);
    found->amount.minor = sp_row_int(res, 0, 4);
    apr_cpystrn(found->amount.currency, PQgetvalue(res, 0, 5),
                sizeof(found->amount.currency));
    found->day = sp_row_int(res, 0, 6);
    found->last4 = sp_row_text(res, 0, 7);
    *search = found;
    return SP_DONE;
}

/* A call whose rows are order rows. */
static sp_outcome_t many_orders(sp_ctx_t *ctx, const sp_stmt_t *stmt,
                                const sp_args_t *args, apr_array_header_t **orders)
{
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, stmt, args, &res);
    int row;

    *orders = apr_array_make(ctx->pool, 4, sizeof(sp_order_t));
    for (row = 0; out == SP_DONE && row < PQntuples(res); row++) {
        sp_order_t *order = apr_array_push(*orders);

        memset(order, 0, sizeof(*order));
        sp_row_order(res, row, 0, order);
    }
    return out;
}

sp_outcome_t sp_db_search_orders(sp_ctx_t *ctx, const char *search,
                                 apr_array_header_t **orders)
{
    static const sp_stmt_t stmt = { "search_orders",
                                    "select " SP_ORDER_COLUMNS
                                    " from subpay.search_orders($1::uuid)",
                                    1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, search);
    return many_orders(ctx, &stmt, &args, orders);
}

/* uuids need no quotes in an array. */
static const char *uuid_array(apr_pool_t *pool, const apr_array_header_t *ids)
{
    return apr_pstrcat(pool, "{", apr_array_pstrcat(pool, ids, ','), "}", NULL);
}

sp_outcome_t sp_db_search_done(sp_ctx_t *ctx, const sp_search_t *search,
                               const apr_array_header_t *orders, int clear,
                               const char **verdict)
{
    static const sp_stmt_t stmt = {
        "search_done",
        "select subpay.search_done($1::uuid, $2::uuid, $3::uuid[], $4::boolean)",
        1,
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_text(&args, search->id);
    sp_args_text(&args, search->lease);
    sp_args_text(&args, uuid_array(ctx->pool, orders));
    sp_args_bool(&args, clear);
    out = sp_db_call(ctx, &stmt, &args, &res);
    *verdict = out == SP_DONE ? sp_row_text(res, 0, 0) : NULL;
    return out;
}

sp_outcome_t sp_db_checking_note(sp_ctx_t *ctx, const char *order_id,
                                 apr_time_t *answers_at)
{
    static const sp_stmt_t stmt = { "checking_note",
                                    "select subpay.checking_note($1::uuid)", 1 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_text(&args, order_id);
    out = sp_db_call(ctx, &stmt, &args, &res);
    *answers_at = out == SP_DONE ? sp_row_int(res, 0, 0) : 0;
    return out;
}

sp_outcome_t sp_db_checkings_due(sp_ctx_t *ctx, int limit,
                                 apr_array_header_t **orders)
{
    static const sp_stmt_t stmt = { "checkings_due",
                                    "select " SP_ORDER_COLUMNS
                                    " from subpay.checkings_due($1::int)",
                                    1 };
    sp_args_t args = { 0 };

    sp_args_int(&args, ctx->pool, limit);
    return many_orders(ctx, &stmt, &args, orders);
}

sp_outcome_t sp_db_checking_done(sp_ctx_t *ctx, const char *order_id, int clear)
{
    static const sp_stmt_t stmt = {
        "checking_done", "select subpay.checking_done($1::uuid, $2::boolean)", 1
    };
    sp_args_t args = { 0 };
    PGresult *res;

    sp_args_text(&args, order_id);
    sp_args_bool(&args, clear);
    return sp_db_call(ctx, &stmt, &args, &res);
}

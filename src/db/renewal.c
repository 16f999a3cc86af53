/*
 * renewal.c - the SQL calls about plans that renew.
 *
 * Room: db.
 */
#include "db/renewal.h"

#include <string.h>

#include "db/call.h"

sp_outcome_t sp_db_renewals_due(sp_ctx_t *ctx, int limit,
                                apr_array_header_t **renewals)
{
    static const sp_stmt_t stmt = {
        "renewals_due",
        "select provider, renewal_id, order_id, reference, wanted"
        " from subpay.renewals_due($1::int)",
        1,
    };
    sp_args_t args = { 0 };
    sp_renewal_t *renewal;
    PGresult *res;
    sp_outcome_t out;
    int i;

    sp_args_int(&args, ctx->pool, limit);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE) {
        return out;
    }
    *renewals = apr_array_make(ctx->pool, PQntuples(res), sizeof(sp_renewal_t));
    for (i = 0; i < PQntuples(res); i++) {
        renewal = apr_array_push(*renewals);
        renewal->provider = sp_row_text(res, i, 0);
        renewal->id = sp_row_text(res, i, 1);
        renewal->order_id = sp_row_text(res, i, 2);
        renewal->reference = sp_row_text(res, i, 3);
        renewal->wanted = sp_row_text(res, i, 4);
    }
    return SP_DONE;
}

sp_outcome_t sp_db_renewal_asked(sp_ctx_t *ctx, const sp_renewal_t *renewal)
{
    static const sp_stmt_t stmt = { "renewal_asked",
                                    "select subpay.renewal_asked($1, $2)", 1 };
    sp_args_t args = { 0 };
    PGresult *res;

    sp_args_text(&args, renewal->provider);
    sp_args_text(&args, renewal->id);
    return sp_db_call(ctx, &stmt, &args, &res);
}

sp_outcome_t sp_db_renewal_want(sp_ctx_t *ctx, const char *account,
                                const char *reference, const char *want,
                                const char **verdict, sp_renewal_t *renewal)
{
    static const sp_stmt_t stmt = {
        "renewal_want",
        "select verdict, provider, renewal_id, order_id"
        " from subpay.renewal_want($1::uuid, $2, $3, $4)",
        1,
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_text(&args, account);
    sp_args_text(&args, reference);
    sp_args_text(&args, want);
    sp_args_text(&args, ctx->actor);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE) {
        return out;
    }
    memset(renewal, 0, sizeof(*renewal));
    *verdict = sp_row_text(res, 0, 0);
    renewal->provider = sp_row_text(res, 0, 1);
    renewal->id = sp_row_text(res, 0, 2);
    renewal->order_id = sp_row_text(res, 0, 3);
    renewal->reference = reference;
    renewal->wanted = want;
    return SP_DONE;
}

sp_outcome_t sp_db_renewals_of(sp_ctx_t *ctx, const char *account,
                               apr_array_header_t **renewals)
{
    static const sp_stmt_t stmt = {
        "renewals_of",
        "select reference, state, wanted, renews_at, grace_until, declined, pay_url"
        " from subpay.renewals_of($1::uuid)",
        1,
    };
    sp_args_t args = { 0 };
    sp_renewal_view_t *view;
    PGresult *res;
    sp_outcome_t out;
    int i;

    sp_args_text(&args, account);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE) {
        return out;
    }
    *renewals = apr_array_make(ctx->pool, PQntuples(res), sizeof(sp_renewal_view_t));
    for (i = 0; i < PQntuples(res); i++) {
        view = apr_array_push(*renewals);
        view->reference = sp_row_text(res, i, 0);
        view->state = sp_row_text(res, i, 1);
        view->wanted = sp_row_text(res, i, 2);
        view->renews_at = sp_row_int(res, i, 3);
        view->grace_until = sp_row_int(res, i, 4);
        view->declined = sp_row_bool(res, i, 5);
        view->pay_url = sp_row_text(res, i, 6);
    }
    return SP_DONE;
}

sp_outcome_t sp_db_renewal_pay_url(sp_ctx_t *ctx, const unsigned char hash[32],
                                   const char **url)
{
    static const sp_stmt_t stmt = { "renewal_pay_url",
                                    "select subpay.renewal_pay_url($1::bytea)", 1 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_bytes(&args, hash, 32);
    out = sp_db_call(ctx, &stmt, &args, &res);
    *url = out == SP_DONE ? sp_row_text(res, 0, 0) : NULL;
    return out;
}

/*
 * notify.c - SQL calls about what the application is told.
 *
 * Room: db.
 */
#include "db/notify.h"

#include "db/call.h"

sp_outcome_t sp_db_notify_expired(sp_ctx_t *ctx, int limit, int *count)
{
    static const sp_stmt_t stmt = { "notify_expired",
                                    "select subpay.notify_expired($1::int)", 1 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_int(&args, ctx->pool, limit);
    out = sp_db_call(ctx, &stmt, &args, &res);
    *count = out == SP_DONE ? (int)sp_row_int(res, 0, 0) : 0;
    return out;
}

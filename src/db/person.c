/*
 * person.c - the SQL calls around what is held about people.
 *
 * Room: db.
 */
#include "db/person.h"

#include "db/call.h"

sp_outcome_t sp_db_person_export(sp_ctx_t *ctx, const char *email, const char **held)
{
    static const sp_stmt_t stmt = { "person_export",
                                    "select subpay.person_export($1)", 1 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_text(&args, email);
    out = sp_db_call(ctx, &stmt, &args, &res);
    *held = out == SP_DONE ? sp_row_text(res, 0, 0) : NULL;
    return out;
}

sp_outcome_t sp_db_person_erase(sp_ctx_t *ctx, const char *email, const char *reason,
                                sp_erased_t *erased)
{
    static const sp_stmt_t stmt = { "person_erase",
                                    "select verdict, pseudonym, orders, tickets"
                                    " from subpay.person_erase($1, $2, $3)",
                                    0 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_text(&args, email);
    sp_args_text(&args, ctx->actor);
    sp_args_text(&args, reason);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out == SP_DONE) {
        erased->verdict = sp_row_text(res, 0, 0);
        erased->pseudonym = sp_row_text(res, 0, 1);
        erased->orders = (int)sp_row_int(res, 0, 2);
        erased->tickets = (int)sp_row_int(res, 0, 3);
    }
    return out;
}

sp_outcome_t sp_db_retention_clean(sp_ctx_t *ctx, const char *events,
                                   const char *mails, const char *audit, int *gone)
{
    static const sp_stmt_t stmt = { "retention_clean",
                                    "select subpay.retention_clean($1::interval,"
                                    " $2::interval, $3::interval)",
                                    1 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_text(&args, events);
    sp_args_text(&args, mails);
    sp_args_text(&args, audit);
    out = sp_db_call(ctx, &stmt, &args, &res);
    *gone = out == SP_DONE ? (int)sp_row_int(res, 0, 0) : 0;
    return out;
}

/*
 * credit.c - SQL calls about the ledger of credits and what customers may use.
 *
 * Room: db.
 */
#include "db/credit.h"

#include "db/call.h"

/* deduct and refund ask and answer alike. */
static sp_outcome_t book(sp_ctx_t *ctx, const sp_stmt_t *stmt,
                         const sp_credit_ask_t *ask, sp_credit_t *credit)
{
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_text(&args, ask->account);
    sp_args_int(&args, ctx->pool, ask->amount);
    sp_args_text(&args, ask->reason);
    sp_args_text(&args, ask->key);
    sp_args_text(&args, ctx->actor);
    out = sp_db_call(ctx, stmt, &args, &res);
    if (out == SP_DONE) {
        credit->verdict = sp_row_text(res, 0, 0);
        credit->balance = sp_row_int(res, 0, 1);
        credit->entry = sp_row_int(res, 0, 2);
    }
    return out;
}

sp_outcome_t sp_db_credit_deduct(sp_ctx_t *ctx, const sp_credit_ask_t *ask,
                                 sp_credit_t *credit)
{
    static const sp_stmt_t stmt = {
        "credit_deduct",
        "select verdict, balance, entry from"
        " subpay.credit_deduct($1, $2::bigint, $3, $4, $5)",
        1
    };

    return book(ctx, &stmt, ask, credit);
}

sp_outcome_t sp_db_credit_refund(sp_ctx_t *ctx, const sp_credit_ask_t *ask,
                                 sp_credit_t *credit)
{
    static const sp_stmt_t stmt = {
        "credit_refund",
        "select verdict, balance, entry from"
        " subpay.credit_refund($1, $2::bigint, $3, $4, $5)",
        1
    };

    return book(ctx, &stmt, ask, credit);
}

static void read_entry(const PGresult *res, int row, sp_credit_entry_t *entry)
{
    entry->id = sp_row_int(res, row, 2);
    entry->amount = sp_row_int(res, row, 3);
    entry->reason = sp_row_text(res, row, 4);
    entry->reference = sp_row_text(res, row, 5);
    entry->balance = sp_row_int(res, row, 6);
    entry->at = sp_row_int(res, row, 7);
}

sp_outcome_t sp_db_credits_get(sp_ctx_t *ctx, const char *account, int limit,
                               sp_credits_t **credits)
{
    static const sp_stmt_t stmt = {
        "credits_get",
        "select email, balance, entry, amount, reason, reference, balance_after, at"
        " from subpay.credits_get($1, $2::int)",
        1
    };
    sp_args_t args = { 0 };
    sp_credits_t *found;
    PGresult *res;
    sp_outcome_t out;
    int row;

    *credits = NULL;
    sp_args_text(&args, account);
    sp_args_int(&args, ctx->pool, limit);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE || PQntuples(res) == 0) {
        return out;
    }
    found = apr_pcalloc(ctx->pool, sizeof(*found));
    found->email = sp_row_text(res, 0, 0);
    found->balance = sp_row_int(res, 0, 1);
    found->entries =
        apr_array_make(ctx->pool, PQntuples(res), sizeof(sp_credit_entry_t));
    for (row = 0; row < PQntuples(res); row++) {
        if (sp_row_text(res, row, 2)) {
            read_entry(res, row, apr_array_push(found->entries));
        }
    }
    *credits = found;
    return SP_DONE;
}

static void read_plan(const PGresult *res, int row, sp_entitlement_t *plan)
{
    plan->product = sp_row_text(res, row, 2);
    plan->active = sp_row_bool(res, row, 3);
    plan->starts_at = sp_row_int(res, row, 4);
    plan->expires_at = sp_row_int(res, row, 5);
    plan->renews = sp_row_bool(res, row, 6);
    plan->status = sp_row_text(res, row, 7);
}

sp_outcome_t sp_db_entitlements_get(sp_ctx_t *ctx, const char *account,
                                    sp_entitlements_t **entitlements)
{
    static const sp_stmt_t stmt = {
        "entitlements_get",
        "select email, credits, product, active, starts_at, expires_at, renews, status"
        " from subpay.entitlements_get($1)",
        1
    };
    sp_args_t args = { 0 };
    sp_entitlements_t *found;
    PGresult *res;
    sp_outcome_t out;
    int row;

    *entitlements = NULL;
    sp_args_text(&args, account);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE || PQntuples(res) == 0) {
        return out;
    }
    found = apr_pcalloc(ctx->pool, sizeof(*found));
    found->email = sp_row_text(res, 0, 0);
    found->credits = sp_row_int(res, 0, 1);
    found->plans =
        apr_array_make(ctx->pool, PQntuples(res), sizeof(sp_entitlement_t));
    for (row = 0; row < PQntuples(res); row++) {
        if (sp_row_text(res, row, 2)) {
            read_plan(res, row, apr_array_push(found->plans));
        }
    }
    *entitlements = found;
    return SP_DONE;
}

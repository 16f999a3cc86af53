/*
 * account.c - SQL calls about accounts, passwords and sessions.
 *
 * Room: db.
 */
#include "db/account.h"

#include "db/call.h"

#define ACCOUNT_COLUMNS                                                           \
    "account_id, email, name, credits, has_password, product, title, reference, " \
    "active, starts_at, expires_at"

static void row_plan(const PGresult *res, int row, sp_plan_t *plan)
{
    plan->product = sp_row_text(res, row, 5);
    plan->title = sp_row_text(res, row, 6);
    plan->reference = sp_row_text(res, row, 7);
    plan->active = sp_row_bool(res, row, 8);
    plan->starts_at = sp_row_int(res, row, 9);
    plan->expires_at = sp_row_int(res, row, 10);
}

/* A call whose rows are subpay.account_row: one for each plan, at least one. */
static sp_outcome_t one_customer(sp_ctx_t *ctx, const sp_stmt_t *stmt,
                                 const sp_args_t *args, sp_customer_t **customer)
{
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, stmt, args, &res);
    sp_customer_t *found;
    int row;

    *customer = NULL;
    if (out != SP_DONE || PQntuples(res) == 0) {
        return out;
    }
    found = apr_pcalloc(ctx->pool, sizeof(*found));
    found->id = sp_row_text(res, 0, 0);
    found->email = sp_row_text(res, 0, 1);
    found->name = sp_row_text(res, 0, 2);
    found->credits = sp_row_int(res, 0, 3);
    found->has_password = sp_row_bool(res, 0, 4);
    found->plans = apr_array_make(ctx->pool, 2, sizeof(sp_plan_t));
    for (row = 0; row < PQntuples(res); row++) {
        if (sp_row_text(res, row, 5)) {
            row_plan(res, row, apr_array_push(found->plans));
        }
    }
    *customer = found;
    return SP_DONE;
}

sp_outcome_t sp_db_account_get(sp_ctx_t *ctx, const char *account,
                               sp_customer_t **customer)
{
    static const sp_stmt_t stmt = { "account_get",
                                    "select " ACCOUNT_COLUMNS
                                    " from subpay.account_get($1::uuid)",
                                    1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, account);
    return one_customer(ctx, &stmt, &args, customer);
}

sp_outcome_t sp_db_session_get(sp_ctx_t *ctx, const unsigned char hash[SP_HASH_SIZE],
                               sp_customer_t **customer)
{
    static const sp_stmt_t stmt = { "session_get",
                                    "select " ACCOUNT_COLUMNS
                                    " from subpay.session_get($1::bytea)",
                                    1 };
    sp_args_t args = { 0 };

    sp_args_bytes(&args, hash, SP_HASH_SIZE);
    return one_customer(ctx, &stmt, &args, customer);
}

sp_outcome_t sp_db_account_login(sp_ctx_t *ctx, const char *email,
                                 const char **account, const char **password_hash)
{
    static const sp_stmt_t stmt = {
        "account_login",
        "select account_id, password_hash from subpay.account_login($1)", 1
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    *account = *password_hash = NULL;
    sp_args_text(&args, email);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out == SP_DONE && PQntuples(res) > 0) {
        *account = sp_row_text(res, 0, 0);
        *password_hash = sp_row_text(res, 0, 1);
    }
    return out;
}

sp_outcome_t sp_db_account_by_order(sp_ctx_t *ctx, const unsigned char *hash,
                                    const char *order_id, sp_order_account_t **found)
{
    static const sp_stmt_t stmt = {
        "account_by_order",
        "select account_id, email, has_password, correctable"
        " from subpay.account_by_order($1::bytea, $2::uuid)",
        1
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    *found = NULL;
    sp_args_bytes(&args, hash, hash ? SP_HASH_SIZE : 0);
    sp_args_text(&args, order_id);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out == SP_DONE && PQntuples(res) > 0) {
        *found = apr_pcalloc(ctx->pool, sizeof(**found));
        (*found)->id = sp_row_text(res, 0, 0);
        (*found)->email = sp_row_text(res, 0, 1);
        (*found)->has_password = sp_row_bool(res, 0, 2);
        (*found)->correctable = sp_row_bool(res, 0, 3);
    }
    return out;
}

/* Sent again after a lost answer, it would meet its own row; the caller then makes
 * another token, so it is not idempotent. */
sp_outcome_t sp_db_account_link(sp_ctx_t *ctx, const char *account,
                                const unsigned char hash[SP_HASH_SIZE],
                                apr_interval_time_t life, const char **email)
{
    static const sp_stmt_t stmt = {
        "account_link",
        "select subpay.account_link($1::uuid, $2::bytea, $3::interval)", 0
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_text(&args, account);
    sp_args_bytes(&args, hash, SP_HASH_SIZE);
    sp_args_interval(&args, ctx->pool, life);
    out = sp_db_call(ctx, &stmt, &args, &res);
    *email = out == SP_DONE ? sp_row_text(res, 0, 0) : NULL;
    return out;
}

sp_outcome_t sp_db_account_link_get(sp_ctx_t *ctx,
                                    const unsigned char hash[SP_HASH_SIZE],
                                    const char **email)
{
    static const sp_stmt_t stmt = { "account_link_get",
                                    "select subpay.account_link_get($1::bytea)", 1 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_bytes(&args, hash, SP_HASH_SIZE);
    out = sp_db_call(ctx, &stmt, &args, &res);
    *email = out == SP_DONE ? sp_row_text(res, 0, 0) : NULL;
    return out;
}

sp_outcome_t sp_db_password_ask(sp_ctx_t *ctx, const char *email)
{
    static const sp_stmt_t stmt = { "password_ask", "select subpay.password_ask($1)",
                                    1 };
    sp_args_t args = { 0 };
    PGresult *res;

    sp_args_text(&args, email);
    return sp_db_call(ctx, &stmt, &args, &res);
}

sp_outcome_t sp_db_password_set(sp_ctx_t *ctx, const sp_password_set_t *ask,
                                const char **verdict, const char **account)
{
    static const sp_stmt_t stmt = { "password_set",
                                    "select verdict, account_id from "
                                    "subpay.password_set($1::bytea, $2::bytea, $3,"
                                    " $4::bytea, $5::interval)",
                                    0 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_bytes(&args, ask->link_hash, ask->link_hash ? SP_HASH_SIZE : 0);
    sp_args_bytes(&args, ask->order_hash, ask->order_hash ? SP_HASH_SIZE : 0);
    sp_args_text(&args, ask->password_hash);
    sp_args_bytes(&args, ask->session_hash, SP_HASH_SIZE);
    sp_args_interval(&args, ctx->pool, ask->session_life);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out == SP_DONE) {
        *verdict = sp_row_text(res, 0, 0);
        *account = sp_row_text(res, 0, 1);
    }
    return out;
}

sp_outcome_t sp_db_session_open(sp_ctx_t *ctx, const char *account,
                                const unsigned char hash[SP_HASH_SIZE],
                                apr_interval_time_t life)
{
    static const sp_stmt_t stmt = {
        "session_open",
        "select subpay.session_open($1::uuid, $2::bytea, $3::interval)", 0
    };
    sp_args_t args = { 0 };
    PGresult *res;

    sp_args_text(&args, account);
    sp_args_bytes(&args, hash, SP_HASH_SIZE);
    sp_args_interval(&args, ctx->pool, life);
    return sp_db_call(ctx, &stmt, &args, &res);
}

sp_outcome_t sp_db_session_close(sp_ctx_t *ctx,
                                 const unsigned char hash[SP_HASH_SIZE])
{
    static const sp_stmt_t stmt = { "session_close",
                                    "select subpay.session_close($1::bytea)", 1 };
    sp_args_t args = { 0 };
    PGresult *res;

    sp_args_bytes(&args, hash, SP_HASH_SIZE);
    return sp_db_call(ctx, &stmt, &args, &res);
}

sp_outcome_t sp_db_account_used(sp_ctx_t *ctx, const char *account)
{
    static const sp_stmt_t stmt = { "account_used",
                                    "select subpay.account_used($1::uuid)", 1 };
    sp_args_t args = { 0 };
    PGresult *res;

    sp_args_text(&args, account);
    return sp_db_call(ctx, &stmt, &args, &res);
}

sp_outcome_t sp_db_email_correct(sp_ctx_t *ctx,
                                 const unsigned char hash[SP_HASH_SIZE],
                                 const char *email, const char *masked,
                                 const char **verdict)
{
    static const sp_stmt_t stmt = {
        "email_correct",
        "select verdict from subpay.email_correct($1::bytea, $2, $3)", 0
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_bytes(&args, hash, SP_HASH_SIZE);
    sp_args_text(&args, email);
    sp_args_text(&args, masked);
    out = sp_db_call(ctx, &stmt, &args, &res);
    *verdict = out == SP_DONE ? sp_row_text(res, 0, 0) : NULL;
    return out;
}

sp_outcome_t sp_db_access_changes_since(sp_ctx_t *ctx, apr_interval_time_t within,
                                        apr_array_header_t **changes)
{
    static const sp_stmt_t stmt = {
        "access_changes_since",
        "select account_id, at from subpay.access_changes_since($1::interval)", 1
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;
    int row;

    sp_args_interval(&args, ctx->pool, within);
    out = sp_db_call(ctx, &stmt, &args, &res);
    *changes = apr_array_make(ctx->pool, 16, sizeof(sp_access_change_t));
    for (row = 0; out == SP_DONE && row < PQntuples(res); row++) {
        sp_access_change_t *change = apr_array_push(*changes);

        change->account = sp_row_text(res, row, 0);
        change->at = sp_row_int(res, row, 1);
    }
    return out;
}

sp_outcome_t sp_db_access_clean(sp_ctx_t *ctx, int64_t *gone)
{
    static const sp_stmt_t stmt = { "access_clean", "select subpay.access_clean()",
                                    1 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, &stmt, &args, &res);

    *gone = out == SP_DONE ? sp_row_int(res, 0, 0) : 0;
    return out;
}

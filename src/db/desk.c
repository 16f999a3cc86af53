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

sp_outcome_t sp_db_desk_case(sp_ctx_t *ctx, const char *reference, json_t **found)
{
    static const sp_stmt_t stmt = { "desk_case", "select subpay.desk_case($1)", 1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, reference);
    return sp_db_ask_json(ctx, &stmt, &args, found);
}

sp_outcome_t sp_db_desk_ticket(sp_ctx_t *ctx, const char *reference, json_t **found)
{
    static const sp_stmt_t stmt = { "desk_ticket", "select subpay.desk_ticket($1)",
                                    1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, reference);
    return sp_db_ask_json(ctx, &stmt, &args, found);
}

sp_outcome_t sp_db_desk_queue(sp_ctx_t *ctx, json_t **found)
{
    static const sp_stmt_t stmt = { "desk_queue", "select subpay.desk_queue()", 1 };
    const sp_args_t args = { 0 };

    return sp_db_ask_json(ctx, &stmt, &args, found);
}

sp_outcome_t sp_db_desk_runs(sp_ctx_t *ctx, json_t **found)
{
    static const sp_stmt_t stmt = { "desk_runs", "select subpay.desk_runs()", 1 };
    const sp_args_t args = { 0 };

    return sp_db_ask_json(ctx, &stmt, &args, found);
}

sp_outcome_t sp_db_desk_pictures(sp_ctx_t *ctx, json_t **found)
{
    static const sp_stmt_t stmt = { "desk_pictures", "select subpay.desk_pictures()",
                                    1 };
    const sp_args_t args = { 0 };

    return sp_db_ask_json(ctx, &stmt, &args, found);
}

sp_outcome_t sp_db_desk_ledger(sp_ctx_t *ctx, const char *email, json_t **found)
{
    static const sp_stmt_t stmt = { "desk_ledger", "select subpay.desk_ledger($1)",
                                    1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, email);
    return sp_db_ask_json(ctx, &stmt, &args, found);
}

sp_outcome_t sp_db_desk_duties(sp_ctx_t *ctx, json_t **found)
{
    static const sp_stmt_t stmt = { "desk_duties", "select subpay.desk_duties()",
                                    1 };
    const sp_args_t args = { 0 };

    return sp_db_ask_json(ctx, &stmt, &args, found);
}

sp_outcome_t sp_db_desk_visit(sp_ctx_t *ctx, const char *place, json_t **others)
{
    static const sp_stmt_t stmt = { "desk_visit", "select subpay.desk_visit($1, $2)",
                                    1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, place);
    sp_args_text(&args, ctx->actor);
    return sp_db_ask_json(ctx, &stmt, &args, others);
}

sp_outcome_t sp_db_inbox_take(sp_ctx_t *ctx, const json_t *mail, json_t **taken)
{
    static const sp_stmt_t stmt = { "inbox_take",
                                    "select subpay.inbox_take($1::jsonb)", 1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, sp_json_dump(ctx->pool, mail));
    return sp_db_ask_json(ctx, &stmt, &args, taken);
}

/* None is sent again blindly: each is idempotent by the key of its form, where it has
 * one. Where nobody knows whether it was done, the page of the case tells. */
static const sp_stmt_t acts[] = {
    { "desk_recover", "select subpay.desk_recover($1::jsonb)", 1 },
    { "desk_resend", "select subpay.desk_resend($1::jsonb)", 0 },
    { "desk_email", "select subpay.desk_email($1::jsonb)", 0 },
    { "desk_refund", "select subpay.desk_refund($1::jsonb)", 0 },
    { "desk_dispute", "select subpay.desk_dispute($1::jsonb)", 0 },
    { "desk_extend", "select subpay.desk_extend($1::jsonb)", 0 },
    { "desk_grant", "select subpay.desk_grant($1::jsonb)", 0 },
    { "desk_note", "select subpay.desk_note($1::jsonb)", 0 },
    { "desk_assign", "select subpay.desk_assign($1::jsonb)", 0 },
    { "desk_close", "select subpay.desk_close($1::jsonb)", 0 },
    { "desk_reply", "select subpay.desk_reply($1::jsonb)", 0 },
    { "desk_thank", "select subpay.desk_thank($1::jsonb)", 0 },
    { "desk_write", "select subpay.desk_write($1::jsonb)", 0 },
    { "desk_duty", "select subpay.desk_duty($1::jsonb)", 0 },
    { "desk_alert_test", "select subpay.desk_alert_test($1::jsonb)", 1 },
    { "desk_run_now", "select subpay.desk_run_now($1::jsonb)", 0 },
};

sp_outcome_t sp_db_desk_act(sp_ctx_t *ctx, const char *action, const json_t *ask,
                            json_t **found)
{
    sp_args_t args = { 0 };
    sp_stmt_t stmt;
    size_t i;

    for (i = 0; i + 1 < sizeof(acts) / sizeof(acts[0]); i++) {
        if (strcmp(acts[i].name + strlen("desk_"), action) == 0) {
            break;
        }
    }
    stmt = acts[i];
    /* A form with a key is answered the same when it comes again. */
    stmt.idempotent |= json_object_get(ask, "form_key") != NULL;
    sp_args_text(&args, sp_json_dump(ctx->pool, ask));
    return sp_db_ask_json(ctx, &stmt, &args, found);
}

/* A question about one payment. */
static sp_outcome_t may(sp_ctx_t *ctx, const sp_stmt_t *stmt, const char *provider,
                        const char *payment_id, int *allowed)
{
    sp_args_t args = { 0 };

    sp_args_text(&args, provider);
    sp_args_text(&args, payment_id);
    return sp_db_ask_bool(ctx, stmt, &args, allowed);
}

sp_outcome_t sp_db_capture_allowed(sp_ctx_t *ctx, const char *provider,
                                   const char *payment_id, int *allowed)
{
    static const sp_stmt_t stmt = { "capture_allowed",
                                    "select subpay.capture_allowed($1, $2)", 1 };

    return may(ctx, &stmt, provider, payment_id, allowed);
}

sp_outcome_t sp_db_doctor_look(sp_ctx_t *ctx, json_t **look)
{
    static const sp_stmt_t stmt = { "doctor_look", "select subpay.doctor_look()",
                                    SP_TRY_ONCE };
    const sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, &stmt, &args, &res);
    const char *text = out == SP_DONE ? sp_row_text(res, 0, 0) : NULL;

    *look = text ? sp_json_own(ctx->pool, json_loads(text, 0, NULL)) : NULL;
    return out == SP_DONE && !*look ? SP_REFUSED : out;
}

sp_outcome_t sp_db_desk_evidence(sp_ctx_t *ctx, const char *reference,
                                 json_t **found)
{
    static const sp_stmt_t stmt = { "desk_evidence",
                                    "select subpay.desk_evidence($1)", 1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, reference);
    return sp_db_ask_json(ctx, &stmt, &args, found);
}

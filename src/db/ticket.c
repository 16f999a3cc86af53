/*
 * ticket.c - the SQL calls around what customers write to us.
 *
 * Room: db.
 */
#include "db/ticket.h"

#include "db/call.h"

sp_outcome_t sp_db_ticket_write(sp_ctx_t *ctx, const sp_letter_in_t *letter,
                                sp_ticket_t *ticket)
{
    static const sp_stmt_t stmt = {
        "ticket_write",
        "select reference, answers_at"
        " from subpay.ticket_write($1::uuid, $2, $3, $4, $5, $6::bytea, $7)",
        1,
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_text(&args, letter->form_key);
    sp_args_text(&args, letter->email);
    sp_args_text(&args, letter->body);
    sp_args_text(&args, letter->charged);
    sp_args_text(&args, letter->reference);
    sp_args_bytes(&args, letter->token_hash, letter->token_hash ? 32 : 0);
    sp_args_text(&args, ctx->lang);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out == SP_DONE) {
        ticket->reference = sp_row_text(res, 0, 0);
        ticket->answers_at = sp_row_int(res, 0, 1);
    }
    return out;
}

sp_outcome_t sp_db_support_turn(sp_ctx_t *ctx, apr_time_t *answers_at)
{
    static const sp_stmt_t stmt = {
        "support_turn",
        "select (extract(epoch from answers_at) * 1000000)::bigint"
        " from subpay.support_turn()",
        1,
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, &stmt, &args, &res);

    *answers_at = out == SP_DONE ? sp_row_int(res, 0, 0) : 0;
    return out;
}

sp_outcome_t sp_db_tickets_heal(sp_ctx_t *ctx, int *healed)
{
    static const sp_stmt_t stmt = { "tickets_heal", "select subpay.tickets_heal()",
                                    1 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, &stmt, &args, &res);

    *healed = out == SP_DONE ? (int)sp_row_int(res, 0, 0) : 0;
    return out;
}

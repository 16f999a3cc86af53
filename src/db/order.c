/*
 * order.c - the calls about one order, and the one door for facts.
 *
 * Room: db.
 */
#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/call.h"
#include "db/fact.h"

typedef enum type_t { TEXT, INTEGER, NUMBER, MONEY, BOOLEAN } type_t;

/* As many rows, in the same order, as SP_ORDER_COLUMNS has names. */
static const struct {
    type_t type;
    size_t at;
} columns[] = {
    { TEXT, offsetof(sp_order_t, id) },
    { TEXT, offsetof(sp_order_t, reference) },
    { TEXT, offsetof(sp_order_t, provider) },
    { TEXT, offsetof(sp_order_t, mode) },
    { TEXT, offsetof(sp_order_t, email) },
    { TEXT, offsetof(sp_order_t, name) },
    { TEXT, offsetof(sp_order_t, product) },
    { TEXT, offsetof(sp_order_t, title) },
    { INTEGER, offsetof(sp_order_t, price.minor) },
    { MONEY, offsetof(sp_order_t, price.currency) },
    { TEXT, offsetof(sp_order_t, period) },
    { INTEGER, offsetof(sp_order_t, credits) },
    { BOOLEAN, offsetof(sp_order_t, renews) },
    { TEXT, offsetof(sp_order_t, state) },
    { TEXT, offsetof(sp_order_t, checkout_id) },
    { TEXT, offsetof(sp_order_t, checkout_url) },
    { INTEGER, offsetof(sp_order_t, checkout_expires) },
    { TEXT, offsetof(sp_order_t, payment_id) },
    { TEXT, offsetof(sp_order_t, statement) },
    { TEXT, offsetof(sp_order_t, review_reason) },
    { TEXT, offsetof(sp_order_t, completed_via) },
    { BOOLEAN, offsetof(sp_order_t, processing) },
    { TEXT, offsetof(sp_order_t, failure) },
    { INTEGER, offsetof(sp_order_t, created_at) },
    { INTEGER, offsetof(sp_order_t, paid_at) },
    { INTEGER, offsetof(sp_order_t, completed_at) },
    { INTEGER, offsetof(sp_order_t, starts_at) },
    { INTEGER, offsetof(sp_order_t, expires_at) },
    { NUMBER, offsetof(sp_order_t, bonus_days) },
    { TEXT, offsetof(sp_order_t, access) },
};

void sp_row_order(const PGresult *result, int row, int column, sp_order_t *order)
{
    size_t i;
    char *member;

    for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++, column++) {
        member = (char *)order + columns[i].at;
        switch (columns[i].type) {
        case TEXT:
            *(const char **)member = sp_row_text(result, row, column);
            break;
        case INTEGER:
            *(apr_int64_t *)member = sp_row_int(result, row, column);
            break;
        case NUMBER:
            *(int *)member = (int)sp_row_int(result, row, column);
            break;
        case MONEY:
            apr_cpystrn(member, PQgetvalue(result, row, column),
                        sizeof(order->price.currency));
            break;
        case BOOLEAN:
            *(int *)member = sp_row_bool(result, row, column);
            break;
        }
    }
}

void sp_row_settled(const PGresult *result, int row, int column,
                    sp_settled_t *settled)
{
    settled->verdict = sp_row_text(result, row, column);
    settled->reason = sp_row_text(result, row, column + 1);
    settled->order_id = sp_row_text(result, row, column + 2);
    settled->reference = sp_row_text(result, row, column + 3);
    settled->state = sp_row_text(result, row, column + 4);
    settled->completed_via = sp_row_text(result, row, column + 5);
    settled->mail = sp_row_text(result, row, column + 6);
    settled->delay_s = (int)sp_row_int(result, row, column + 7);
}

sp_outcome_t sp_db_settle(sp_ctx_t *ctx, const sp_fact_t *fact,
                          sp_settled_t *settled)
{
    return ctx->db->settle ? ctx->db->settle(ctx, fact, settled)
                           : sp_db_settle_alone(ctx, fact, settled);
}

sp_outcome_t sp_db_settle_alone(sp_ctx_t *ctx, const sp_fact_t *fact,
                                sp_settled_t *settled)
{
    static const sp_stmt_t stmt = {
        "settle",
        "select " SP_SETTLED_COLUMNS " from subpay.settle($1::jsonb, $2, $3)",
        1,
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_text(&args, sp_fact_json(ctx->pool, fact));
    sp_args_text(&args, ctx->via);
    sp_args_text(&args, ctx->actor);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE) {
        return out;
    }
    sp_row_settled(res, 0, 0, settled);
    return SP_DONE;
}

/* The answer lives with the leader's result, the asker may outlive that. */
static void settled_copy(apr_pool_t *pool, const sp_settled_t *from,
                         sp_settled_t *to)
{
    to->verdict = apr_pstrdup(pool, from->verdict);
    to->reason = apr_pstrdup(pool, from->reason);
    to->order_id = apr_pstrdup(pool, from->order_id);
    to->reference = apr_pstrdup(pool, from->reference);
    to->state = apr_pstrdup(pool, from->state);
    to->completed_via = apr_pstrdup(pool, from->completed_via);
    to->mail = apr_pstrdup(pool, from->mail);
    to->delay_s = from->delay_s;
}

static void answer_many(const PGresult *res, sp_settling_t *const *all, int count)
{
    sp_settled_t settled;
    int row, i;

    for (row = 0; row < PQntuples(res); row++) {
        i = (int)sp_row_int(res, row, 0) - 1;
        sp_row_settled(res, row, 1, &settled);
        if (i >= 0 && i < count && strcmp(settled.verdict, "busy") != 0) {
            settled_copy(all[i]->ctx->pool, &settled, all[i]->settled);
            all[i]->out = SP_DONE;
        }
    }
}

static const char *json_of(apr_pool_t *pool, const sp_settling_t *one)
{
    return sp_fact_json(pool, one->fact);
}

static const char *via_of(apr_pool_t *pool, const sp_settling_t *one)
{
    (void)pool;
    return one->ctx->via;
}

static const char *actor_of(apr_pool_t *pool, const sp_settling_t *one)
{
    (void)pool;
    return one->ctx->actor;
}

static char *put_element(char *at, const char *text)
{
    for (*at++ = '"'; *text; *at++ = *text++) {
        if (*text == '"' || *text == '\\') {
            *at++ = '\\';
        }
    }
    *at++ = '"';
    return at;
}

/* An array as PostgreSQL reads it: {"...",null}. */
static const char *array_text(apr_pool_t *pool, sp_settling_t *const *all, int count,
                              const char *(*text_of)(apr_pool_t *,
                                                     const sp_settling_t *))
{
    const char **texts = apr_palloc(pool, (apr_size_t)count * sizeof(*texts));
    apr_size_t room = 3;
    char *start, *at;
    int i;

    for (i = 0; i < count; i++) {
        texts[i] = text_of(pool, all[i]);
        room += texts[i] ? 2 * strlen(texts[i]) + 3 : 6;
    }
    start = at = apr_palloc(pool, room);
    for (i = 0; i < count; i++) {
        *at++ = i == 0 ? '{' : ',';
        at = texts[i] ? put_element(at, texts[i]) : apr_cpystrn(at, "null", 5);
    }
    apr_cpystrn(at, "}", 2);
    return start;
}

void sp_db_settle_many(sp_ctx_t *ctx, sp_settling_t *const *all, int count)
{
    static const sp_stmt_t stmt = {
        "settle_many",
        "select idx, " SP_SETTLED_COLUMNS
        " from subpay.settle_many($1::jsonb[], $2::text[], $3::text[])",
        SP_TRY_ONCE,
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;
    int i;

    sp_args_text(&args, array_text(ctx->pool, all, count, json_of));
    sp_args_text(&args, array_text(ctx->pool, all, count, via_of));
    sp_args_text(&args, array_text(ctx->pool, all, count, actor_of));
    out = sp_db_call(ctx, &stmt, &args, &res);
    for (i = 0; i < count; i++) {
        all[i]->out = out == SP_DONE ? SP_REFUSED : out;
    }
    if (out == SP_DONE) {
        answer_many(res, all, count);
    }
}

sp_outcome_t sp_db_event_keep(sp_ctx_t *ctx, const char *provider,
                              const char *event_id, const char *raw, apr_size_t len,
                              const char *error)
{
    static const sp_stmt_t stmt = {
        "event_keep",
        "select subpay.event_keep($1, $2, $3::bytea, $4)",
        1,
    };
    sp_args_t args = { 0 };
    PGresult *res;

    sp_args_text(&args, provider);
    sp_args_text(&args, event_id);
    sp_args_bytes(&args, raw, len);
    sp_args_text(&args, error);
    return sp_db_call(ctx, &stmt, &args, &res);
}

static void place_args(sp_ctx_t *ctx, sp_args_t *args, const sp_order_t *order)
{
    sp_args_text(args, order->provider);
    sp_args_text(args, order->mode);
    sp_args_text(args, order->email);
    sp_args_text(args, order->name);
    sp_args_text(args, order->product);
    sp_args_text(args, order->title);
    sp_args_int(args, ctx->pool, order->price.minor);
    sp_args_text(args, order->price.currency);
    sp_args_text(args, sp_period_iso(ctx->pool, order->period));
    sp_args_text(args, order->period);
    sp_args_int(args, ctx->pool, order->credits);
    sp_args_bool(args, order->renews);
}

sp_outcome_t sp_db_order_place(sp_ctx_t *ctx, const char *form_key,
                               const unsigned char token_hash[32], sp_order_t *order,
                               int *again)
{
    static const sp_stmt_t stmt = {
        "order_place",
        "select verdict, " SP_ORDER_COLUMNS
        " from subpay.order_place($1::uuid, $2::uuid,"
        " $3::bytea, $4, $5, $6, $7, $8, $9, $10::bigint, $11, $12::interval, $13,"
        " $14::bigint, $15::boolean, $16, $17::interval, $18)",
        1,
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;
    const char *verdict;

    sp_args_text(&args, order->id);
    sp_args_text(&args, form_key);
    sp_args_bytes(&args, token_hash, 32);
    place_args(ctx, &args, order);
    sp_args_text(&args, ctx->settings->base_url);
    sp_args_interval(&args, ctx->pool, ctx->settings->pending_expiry);
    sp_args_text(&args, ctx->lang);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE) {
        return out;
    }
    verdict = sp_row_text(res, 0, 0);
    if (strcmp(verdict, "paused") == 0) {
        return sp_end(ctx, SP_REFUSED, "paused",
                      "We have paused new payments for now.");
    }
    *again = strcmp(verdict, "again") == 0;
    order->token = NULL;
    sp_row_order(res, 0, 1, order);
    return SP_DONE;
}

sp_outcome_t sp_db_checkout_store(sp_ctx_t *ctx, const char *order_id,
                                  const char *checkout_id, const char *url,
                                  apr_time_t expires)
{
    static const sp_stmt_t stmt = {
        "checkout_store",
        "select subpay.checkout_store($1::uuid, $2, $3, $4::timestamptz)",
        1,
    };
    sp_args_t args = { 0 };
    PGresult *res;

    sp_args_text(&args, order_id);
    sp_args_text(&args, checkout_id);
    sp_args_text(&args, url);
    sp_args_time(&args, ctx->pool, expires);
    return sp_db_call(ctx, &stmt, &args, &res);
}

/* A call whose result is one order row or none. */
static sp_outcome_t one_order(sp_ctx_t *ctx, const sp_stmt_t *stmt,
                              const sp_args_t *args, sp_order_t **order)
{
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, stmt, args, &res);

    *order = NULL;
    if (out == SP_DONE && PQntuples(res) > 0 && sp_row_text(res, 0, 0)) {
        *order = apr_pcalloc(ctx->pool, sizeof(**order));
        sp_row_order(res, 0, 0, *order);
    }
    return out;
}

sp_outcome_t sp_db_order_get(sp_ctx_t *ctx, const unsigned char token_hash[32],
                             sp_order_t **order)
{
    static const sp_stmt_t stmt = { "order_get",
                                    "select " SP_ORDER_COLUMNS
                                    " from subpay.order_get($1::bytea)",
                                    1 };
    sp_args_t args = { 0 };

    sp_args_bytes(&args, token_hash, 32);
    return one_order(ctx, &stmt, &args, order);
}

sp_outcome_t sp_db_order_by_reference(sp_ctx_t *ctx, const char *reference,
                                      sp_order_t **order)
{
    static const sp_stmt_t stmt = { "order_by_reference",
                                    "select " SP_ORDER_COLUMNS
                                    " from subpay.order_by_reference($1)",
                                    1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, reference);
    return one_order(ctx, &stmt, &args, order);
}

sp_outcome_t sp_db_order_by_id(sp_ctx_t *ctx, const char *order_id,
                               sp_order_t **order)
{
    static const sp_stmt_t stmt = { "order_by_id",
                                    "select " SP_ORDER_COLUMNS
                                    " from subpay.order_by_id($1::uuid)",
                                    1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, order_id);
    return one_order(ctx, &stmt, &args, order);
}

sp_outcome_t sp_db_order_money(sp_ctx_t *ctx, const char *order_id,
                               sp_moved_t *moved)
{
    static const sp_stmt_t stmt = {
        "order_money",
        "select paid, returned, currency, receipt_url, review_due"
        " from subpay.order_money($1::uuid)",
        1,
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    memset(moved, 0, sizeof(*moved));
    sp_args_text(&args, order_id);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE || PQntuples(res) == 0) {
        return out;
    }
    moved->paid.minor = sp_row_int(res, 0, 0);
    moved->returned.minor = sp_row_int(res, 0, 1);
    apr_cpystrn(moved->paid.currency, PQgetvalue(res, 0, 2),
                sizeof(moved->paid.currency));
    apr_cpystrn(moved->returned.currency, PQgetvalue(res, 0, 2),
                sizeof(moved->returned.currency));
    moved->receipt_url = sp_row_text(res, 0, 3);
    moved->review_by = sp_row_int(res, 0, 4);
    return out;
}

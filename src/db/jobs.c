/*
 * jobs.c - the worker's SQL calls.
 *
 * Room: db.
 */
#include "db/jobs.h"

#include <apr_strings.h>
#include <string.h>

#include "db/call.h"

/* A call whose result nobody needs. */
static sp_outcome_t tell(sp_ctx_t *ctx, const sp_stmt_t *stmt, const sp_args_t *args)
{
    PGresult *res;

    return sp_db_call(ctx, stmt, args, &res);
}

/* A call whose result is one number. */
static sp_outcome_t ask_int(sp_ctx_t *ctx, const sp_stmt_t *stmt,
                            const sp_args_t *args, apr_int64_t *answer)
{
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, stmt, args, &res);

    *answer = out == SP_DONE ? sp_row_int(res, 0, 0) : 0;
    return out;
}

sp_outcome_t sp_db_settings_store(sp_ctx_t *ctx, const char *settings)
{
    static const sp_stmt_t stmt = { "settings_store",
                                    "select subpay.settings_store($1::jsonb)", 1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, settings);
    return tell(ctx, &stmt, &args);
}

sp_outcome_t sp_db_worker_beat(sp_ctx_t *ctx, const char *worker, const char *host,
                               int pid, int leader)
{
    static const sp_stmt_t stmt = {
        "worker_beat", "select subpay.worker_beat($1::uuid, $2, $3::int, $4::bool)",
        1
    };
    sp_args_t args = { 0 };

    sp_args_text(&args, worker);
    sp_args_text(&args, host);
    sp_args_int(&args, ctx->pool, pid);
    sp_args_bool(&args, leader);
    return tell(ctx, &stmt, &args);
}

sp_outcome_t sp_db_workers_at(sp_ctx_t *ctx, const char *host,
                              apr_array_header_t **workers)
{
    static const sp_stmt_t stmt = { "workers_at",
                                    "select id, pid from subpay.workers_at($1)", 1 };
    sp_args_t args = { 0 };
    sp_worker_row_t *row;
    PGresult *res;
    sp_outcome_t out;
    int i;

    sp_args_text(&args, host);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE) {
        return out;
    }
    *workers = apr_array_make(ctx->pool, PQntuples(res), sizeof(sp_worker_row_t));
    for (i = 0; i < PQntuples(res); i++) {
        row = apr_array_push(*workers);
        row->id = sp_row_text(res, i, 0);
        row->pid = (int)sp_row_int(res, i, 1);
    }
    return SP_DONE;
}

sp_outcome_t sp_db_worker_gone(sp_ctx_t *ctx, const char *worker, apr_int64_t *freed)
{
    static const sp_stmt_t stmt = { "worker_gone",
                                    "select subpay.worker_gone($1::uuid)", 1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, worker);
    return ask_int(ctx, &stmt, &args, freed);
}

sp_outcome_t sp_db_worker_release(sp_ctx_t *ctx, const char *worker)
{
    static const sp_stmt_t stmt = { "worker_release",
                                    "select subpay.worker_release($1::uuid)", 1 };
    sp_args_t args = { 0 };
    apr_int64_t released;

    sp_args_text(&args, worker);
    return ask_int(ctx, &stmt, &args, &released);
}

sp_outcome_t sp_db_leader_try(sp_ctx_t *ctx, int *leader)
{
    static const sp_stmt_t stmt = { "leader_try", "select subpay.leader_try()", 1 };
    const sp_args_t args = { 0 };

    return sp_db_ask_bool(ctx, &stmt, &args, leader);
}

static void read_outbox_row(const PGresult *res, int i, sp_outbox_row_t *row)
{
    row->id = sp_row_int(res, i, 0);
    row->kind = sp_row_text(res, i, 1);
    row->template = sp_row_text(res, i, 2);
    row->order_id = sp_row_text(res, i, 3);
    row->ticket_id = sp_row_int(res, i, 4);
    row->recipient = sp_row_text(res, i, 5);
    row->payload = sp_row_text(res, i, 6);
    row->attempts = (int)sp_row_int(res, i, 7);
    row->message_id = sp_row_text(res, i, 8);
    row->lease = sp_row_text(res, i, 9);
}

/* Not idempotent: an answer that was lost leaves its rows claimed, and another call
 * claims other rows. */
sp_outcome_t sp_db_outbox_claim(sp_ctx_t *ctx, const char *worker, int limit,
                                int lease_s, apr_array_header_t **rows)
{
    static const sp_stmt_t stmt = {
        "outbox_claim",
        "select id, kind, template, order_id, ticket_id, recipient, payload, "
        "attempts,"
        " message_id, lease from subpay.outbox_claim($1::uuid, $2::int, $3::int)",
        0
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;
    int i;

    sp_args_text(&args, worker);
    sp_args_int(&args, ctx->pool, limit);
    sp_args_int(&args, ctx->pool, lease_s);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE) {
        return out;
    }
    *rows = apr_array_make(ctx->pool, PQntuples(res), sizeof(sp_outbox_row_t));
    for (i = 0; i < PQntuples(res); i++) {
        read_outbox_row(res, i, apr_array_push(*rows));
    }
    return SP_DONE;
}

static void row_args(sp_ctx_t *ctx, sp_args_t *args, const sp_outbox_row_t *row)
{
    sp_args_int(args, ctx->pool, row->id);
    sp_args_text(args, row->lease);
}

sp_outcome_t sp_db_outbox_sent(sp_ctx_t *ctx, const sp_outbox_row_t *row)
{
    static const sp_stmt_t stmt = {
        "outbox_sent", "select subpay.outbox_sent($1::bigint, $2::uuid)", 1
    };
    sp_args_t args = { 0 };

    row_args(ctx, &args, row);
    return tell(ctx, &stmt, &args);
}

sp_outcome_t sp_db_outbox_retry(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                                const char *error)
{
    static const sp_stmt_t stmt = {
        "outbox_retry", "select subpay.outbox_retry($1::bigint, $2::uuid, $3)", 1
    };
    sp_args_t args = { 0 };

    row_args(ctx, &args, row);
    sp_args_text(&args, error);
    return tell(ctx, &stmt, &args);
}

sp_outcome_t sp_db_outbox_dead(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                               const char *error)
{
    static const sp_stmt_t stmt = {
        "outbox_dead", "select subpay.outbox_dead($1::bigint, $2::uuid, $3)", 1
    };
    sp_args_t args = { 0 };

    row_args(ctx, &args, row);
    sp_args_text(&args, error);
    return tell(ctx, &stmt, &args);
}

sp_outcome_t sp_db_outbox_next(sp_ctx_t *ctx, apr_time_t *at)
{
    static const sp_stmt_t stmt = { "outbox_next", "select subpay.outbox_next()",
                                    1 };
    const sp_args_t args = { 0 };

    return ask_int(ctx, &stmt, &args, at);
}

sp_outcome_t sp_db_outbox_depth(sp_ctx_t *ctx, apr_int64_t *depth)
{
    static const sp_stmt_t stmt = { "outbox_depth", "select subpay.outbox_depth()",
                                    1 };
    const sp_args_t args = { 0 };

    return ask_int(ctx, &stmt, &args, depth);
}

sp_outcome_t sp_db_orders_due(sp_ctx_t *ctx, int limit, int starting,
                              apr_array_header_t **orders)
{
    static const sp_stmt_t stmt = { "orders_due",
                                    "select " SP_ORDER_COLUMNS
                                    " from subpay.orders_due($1::int, $2::bool)",
                                    1 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;
    sp_order_t *order;
    int i;

    sp_args_int(&args, ctx->pool, limit);
    sp_args_bool(&args, starting);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE) {
        return out;
    }
    *orders = apr_array_make(ctx->pool, PQntuples(res), sizeof(sp_order_t));
    for (i = 0; i < PQntuples(res); i++) {
        order = apr_array_push(*orders);
        memset(order, 0, sizeof(*order));
        sp_row_order(res, i, 0, order);
    }
    return SP_DONE;
}

sp_outcome_t sp_db_order_asked(sp_ctx_t *ctx, const char *order_id, const char *note)
{
    static const sp_stmt_t stmt = { "order_asked",
                                    "select subpay.order_asked($1::uuid, $2)", 1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, order_id);
    sp_args_text(&args, note);
    return tell(ctx, &stmt, &args);
}

sp_outcome_t sp_db_events_due(sp_ctx_t *ctx, int limit, apr_array_header_t **keys)
{
    static const sp_stmt_t stmt = {
        "events_due", "select provider, event_id from subpay.events_due($1::int)", 1
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;
    sp_event_key_t *key;
    int i;

    sp_args_int(&args, ctx->pool, limit);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE) {
        return out;
    }
    *keys = apr_array_make(ctx->pool, PQntuples(res), sizeof(sp_event_key_t));
    for (i = 0; i < PQntuples(res); i++) {
        key = apr_array_push(*keys);
        key->provider = sp_row_text(res, i, 0);
        key->event_id = sp_row_text(res, i, 1);
    }
    return SP_DONE;
}

sp_outcome_t sp_db_event_retry(sp_ctx_t *ctx, const sp_event_key_t *key,
                               sp_settled_t *settled)
{
    static const sp_stmt_t stmt = { "event_retry",
                                    "select " SP_SETTLED_COLUMNS
                                    " from subpay.event_retry($1, $2)",
                                    1 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_text(&args, key->provider);
    sp_args_text(&args, key->event_id);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out == SP_DONE) {
        sp_row_settled(res, 0, 0, settled);
    }
    return out;
}

/* ---- arrays as PostgreSQL reads them: {"a","b"} -------------------------------- */

typedef const char *(*item_fn)(apr_pool_t *pool, const sp_fact_t *fact);

static const char *event_of(apr_pool_t *pool, const sp_fact_t *fact)
{
    (void)pool;
    return fact->event_id;
}

static const char *payment_of(apr_pool_t *pool, const sp_fact_t *fact)
{
    (void)pool;
    return fact->payment_id;
}

static const char *invoice_of(apr_pool_t *pool, const sp_fact_t *fact)
{
    (void)pool;
    return fact->invoice_id;
}

static const char *is_paid_of(apr_pool_t *pool, const sp_fact_t *fact)
{
    (void)pool;
    return fact->kind == SP_FACT_PERIOD_PAID ? "t" : "f";
}

static const char *tries_of(apr_pool_t *pool, const sp_fact_t *fact)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, (apr_int64_t)fact->tries);
}

static const char *amount_of(apr_pool_t *pool, const sp_fact_t *fact)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, (apr_int64_t)fact->amount.minor);
}

static const char *refunded_of(apr_pool_t *pool, const sp_fact_t *fact)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT,
                        (apr_int64_t)fact->amount_refunded);
}

static const char *disputed_of(apr_pool_t *pool, const sp_fact_t *fact)
{
    (void)pool;
    return fact->disputed ? "t" : "f";
}

/* Room for each byte to be escaped. */
static char *put_item(char *at, const char *item)
{
    *at++ = '"';
    for (; *item; item++) {
        if (*item == '"' || *item == '\\') {
            *at++ = '\\';
        }
        *at++ = *item;
    }
    *at++ = '"';
    return at;
}

static const char *array_of(apr_pool_t *pool, const apr_array_header_t *facts,
                            item_fn item)
{
    const char **items =
        apr_palloc(pool, sizeof(*items) * (size_t)(facts->nelts + 1));
    apr_size_t room = 3;
    char *text, *at;
    int i;

    for (i = 0; i < facts->nelts; i++) {
        items[i] = item(pool, APR_ARRAY_IDX(facts, i, const sp_fact_t *));
        items[i] = items[i] ? items[i] : "";
        room += 2 * strlen(items[i]) + 3;
    }
    text = at = apr_palloc(pool, room);
    *at++ = '{';
    for (i = 0; i < facts->nelts; i++) {
        if (i > 0) {
            *at++ = ',';
        }
        at = put_item(at, items[i]);
    }
    *at++ = '}';
    *at = '\0';
    return text;
}

sp_outcome_t sp_db_events_known(sp_ctx_t *ctx, const char *provider,
                                const apr_array_header_t *facts, char *wanted)
{
    static const sp_stmt_t stmt = {
        "events_known", "select * from subpay.events_known($1, $2::text[])", 1
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;
    const char *id, *event;
    int i, row;

    memset(wanted, 0, (apr_size_t)facts->nelts);
    sp_args_text(&args, provider);
    sp_args_text(&args, array_of(ctx->pool, facts, event_of));
    out = sp_db_call(ctx, &stmt, &args, &res);
    for (row = 0; out == SP_DONE && row < PQntuples(res); row++) {
        id = sp_row_text(res, row, 0);
        for (i = 0; i < facts->nelts; i++) {
            event = APR_ARRAY_IDX(facts, i, const sp_fact_t *)->event_id;
            if (event && id && strcmp(event, id) == 0) {
                wanted[i] = 1;
            }
        }
    }
    return out;
}

/* A call whose rows are positions of facts, counted from 1. */
static sp_outcome_t mark_positions(sp_ctx_t *ctx, const sp_stmt_t *stmt,
                                   const sp_args_t *args, int count, char *wanted)
{
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, stmt, args, &res);
    apr_int64_t i;
    int row;

    memset(wanted, 0, (apr_size_t)count);
    for (row = 0; out == SP_DONE && row < PQntuples(res); row++) {
        i = sp_row_int(res, row, 0) - 1;
        if (i >= 0 && i < count) {
            wanted[i] = 1;
        }
    }
    return out;
}

sp_outcome_t sp_db_payments_unmatched(sp_ctx_t *ctx, const char *provider,
                                      const apr_array_header_t *facts, char *wanted)
{
    static const sp_stmt_t stmt = {
        "payments_unmatched",
        "select * from subpay.payments_unmatched($1, $2::text[], $3::bigint[],"
        " $4::bigint[], $5::bool[])",
        1
    };
    sp_args_t args = { 0 };

    sp_args_text(&args, provider);
    sp_args_text(&args, array_of(ctx->pool, facts, payment_of));
    sp_args_text(&args, array_of(ctx->pool, facts, amount_of));
    sp_args_text(&args, array_of(ctx->pool, facts, refunded_of));
    sp_args_text(&args, array_of(ctx->pool, facts, disputed_of));
    return mark_positions(ctx, &stmt, &args, facts->nelts, wanted);
}

sp_outcome_t sp_db_periods_unmatched(sp_ctx_t *ctx, const char *provider,
                                     const apr_array_header_t *facts, char *wanted)
{
    static const sp_stmt_t stmt = {
        "periods_unmatched",
        "select * from subpay.periods_unmatched($1, $2::text[], $3::bool[], $4::int[])",
        1
    };
    sp_args_t args = { 0 };

    sp_args_text(&args, provider);
    sp_args_text(&args, array_of(ctx->pool, facts, invoice_of));
    sp_args_text(&args, array_of(ctx->pool, facts, is_paid_of));
    sp_args_text(&args, array_of(ctx->pool, facts, tries_of));
    return mark_positions(ctx, &stmt, &args, facts->nelts, wanted);
}

static const char *refund_of(apr_pool_t *pool, const sp_fact_t *fact)
{
    (void)pool;
    return fact->refund_id;
}

static const char *dispute_of(apr_pool_t *pool, const sp_fact_t *fact)
{
    (void)pool;
    return fact->dispute_id;
}

static const char *status_of(apr_pool_t *pool, const sp_fact_t *fact)
{
    (void)pool;
    return fact->status;
}

static sp_outcome_t ask_states(sp_ctx_t *ctx, const sp_stmt_t *stmt,
                               const char *provider, const apr_array_header_t *facts,
                               item_fn id, char *wanted)
{
    sp_args_t args = { 0 };

    sp_args_text(&args, provider);
    sp_args_text(&args, array_of(ctx->pool, facts, id));
    sp_args_text(&args, array_of(ctx->pool, facts, payment_of));
    sp_args_text(&args, array_of(ctx->pool, facts, status_of));
    return mark_positions(ctx, stmt, &args, facts->nelts, wanted);
}

sp_outcome_t sp_db_refunds_unmatched(sp_ctx_t *ctx, const char *provider,
                                     const apr_array_header_t *facts, char *wanted)
{
    static const sp_stmt_t stmt = {
        "refunds_unmatched",
        "select * from subpay.refunds_unmatched($1, $2::text[], $3::text[],"
        " $4::text[])",
        1
    };

    return ask_states(ctx, &stmt, provider, facts, refund_of, wanted);
}

sp_outcome_t sp_db_disputes_unmatched(sp_ctx_t *ctx, const char *provider,
                                      const apr_array_header_t *facts, char *wanted)
{
    static const sp_stmt_t stmt = {
        "disputes_unmatched",
        "select * from subpay.disputes_unmatched($1, $2::text[], $3::text[],"
        " $4::text[])",
        1
    };

    return ask_states(ctx, &stmt, provider, facts, dispute_of, wanted);
}

sp_outcome_t sp_db_disputes_due(sp_ctx_t *ctx, int limit,
                                apr_array_header_t **disputes)
{
    static const sp_stmt_t stmt = { "disputes_due",
                                    "select * from subpay.disputes_due($1)", 1 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;
    sp_dispute_key_t *key;
    int row;

    sp_args_int(&args, ctx->pool, limit);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE) {
        return out;
    }
    *disputes = apr_array_make(ctx->pool, PQntuples(res), sizeof(*key));
    for (row = 0; row < PQntuples(res); row++) {
        key = apr_array_push(*disputes);
        key->provider = sp_row_text(res, row, 0);
        key->dispute_id = sp_row_text(res, row, 1);
    }
    return SP_DONE;
}

sp_outcome_t sp_db_dispute_asked(sp_ctx_t *ctx, const sp_dispute_key_t *key)
{
    static const sp_stmt_t stmt = { "dispute_asked",
                                    "select subpay.dispute_asked($1, $2)", 1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, key->provider);
    sp_args_text(&args, key->dispute_id);
    return tell(ctx, &stmt, &args);
}

sp_outcome_t sp_db_payments_due(sp_ctx_t *ctx, const char *provider, int limit,
                                apr_array_header_t **ids)
{
    static const sp_stmt_t stmt = { "payments_due",
                                    "select * from subpay.payments_due($1, $2)", 1 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;
    int row;

    sp_args_text(&args, provider);
    sp_args_int(&args, ctx->pool, limit);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out != SP_DONE) {
        return out;
    }
    *ids = apr_array_make(ctx->pool, PQntuples(res), sizeof(const char *));
    for (row = 0; row < PQntuples(res); row++) {
        APR_ARRAY_PUSH(*ids, const char *) = sp_row_text(res, row, 0);
    }
    return SP_DONE;
}

sp_outcome_t sp_db_payment_asked(sp_ctx_t *ctx, const char *provider,
                                 const char *payment_id)
{
    static const sp_stmt_t stmt = { "payment_asked",
                                    "select subpay.payment_asked($1, $2)", 1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, provider);
    sp_args_text(&args, payment_id);
    return tell(ctx, &stmt, &args);
}

sp_outcome_t sp_db_refunds_decide(sp_ctx_t *ctx, apr_int64_t *decided)
{
    static const sp_stmt_t stmt = { "refunds_decide",
                                    "select subpay.refunds_decide()", 1 };
    const sp_args_t args = { 0 };

    return ask_int(ctx, &stmt, &args, decided);
}

sp_outcome_t sp_db_refund_ready(sp_ctx_t *ctx, apr_int64_t id, const char **verdict)
{
    static const sp_stmt_t stmt = { "refund_ready", "select subpay.refund_ready($1)",
                                    1 };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    sp_args_int(&args, ctx->pool, id);
    out = sp_db_call(ctx, &stmt, &args, &res);
    *verdict = out == SP_DONE ? sp_row_text(res, 0, 0) : NULL;
    return out;
}

/* ---- the book of runs --------------------------------------------------------- */

sp_outcome_t sp_db_run_begin(sp_ctx_t *ctx, const char *kind, const char *worker,
                             apr_int64_t *run)
{
    static const sp_stmt_t stmt = { "run_begin",
                                    "select subpay.run_begin($1, $2::uuid)", 1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, kind);
    sp_args_text(&args, worker);
    return ask_int(ctx, &stmt, &args, run);
}

sp_outcome_t sp_db_run_end(sp_ctx_t *ctx, apr_int64_t run, int ok,
                           const char *counts, const char *error)
{
    static const sp_stmt_t stmt = {
        "run_end", "select subpay.run_end($1::bigint, $2::bool, $3::jsonb, $4)", 1
    };
    sp_args_t args = { 0 };

    sp_args_int(&args, ctx->pool, run);
    sp_args_bool(&args, ok);
    sp_args_text(&args, counts);
    sp_args_text(&args, error);
    return tell(ctx, &stmt, &args);
}

sp_outcome_t sp_db_watermark_get(sp_ctx_t *ctx, const char *name,
                                 sp_watermark_t *mark)
{
    static const sp_stmt_t stmt = {
        "watermark_get",
        "select (extract(epoch from at) * 1000000)::bigint, cursor"
        " from subpay.watermark_get($1)",
        1
    };
    sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out;

    memset(mark, 0, sizeof(*mark));
    sp_args_text(&args, name);
    out = sp_db_call(ctx, &stmt, &args, &res);
    if (out == SP_DONE && PQntuples(res) > 0) {
        mark->at = sp_row_int(res, 0, 0);
        mark->cursor = sp_row_text(res, 0, 1);
    }
    return out;
}

sp_outcome_t sp_db_watermark_set(sp_ctx_t *ctx, const char *name,
                                 const sp_watermark_t *mark)
{
    static const sp_stmt_t stmt = {
        "watermark_set", "select subpay.watermark_set($1, $2::timestamptz, $3)", 1
    };
    sp_args_t args = { 0 };

    sp_args_text(&args, name);
    sp_args_time(&args, ctx->pool, mark->at);
    sp_args_text(&args, mark->cursor);
    return tell(ctx, &stmt, &args);
}

/* ---- telling people ------------------------------------------------------------ */

sp_outcome_t sp_db_alert_raise(sp_ctx_t *ctx, const char *key, const char *level,
                               const char *text, const char *detail)
{
    static const sp_stmt_t stmt = {
        "alert_raise",
        "select subpay.alert_raise($1, $2, $3, coalesce($4::jsonb, '{}'))", 1
    };
    sp_args_t args = { 0 };

    sp_args_text(&args, key);
    sp_args_text(&args, level);
    sp_args_text(&args, text);
    sp_args_text(&args, detail);
    return tell(ctx, &stmt, &args);
}

sp_outcome_t sp_db_alert_clear(sp_ctx_t *ctx, const char *key)
{
    static const sp_stmt_t stmt = { "alert_clear", "select subpay.alert_clear($1)",
                                    1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, key);
    return tell(ctx, &stmt, &args);
}

sp_outcome_t sp_db_anomalies(sp_ctx_t *ctx, apr_array_header_t **anomalies)
{
    static const sp_stmt_t stmt = {
        "anomalies",
        "select code, order_id, reference, detail from subpay.anomalies()", 1
    };
    const sp_args_t args = { 0 };
    sp_anomaly_t *anomaly;
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, &stmt, &args, &res);
    int i;

    if (out != SP_DONE) {
        return out;
    }
    *anomalies = apr_array_make(ctx->pool, PQntuples(res), sizeof(sp_anomaly_t));
    for (i = 0; i < PQntuples(res); i++) {
        anomaly = apr_array_push(*anomalies);
        anomaly->code = sp_row_text(res, i, 0);
        anomaly->order_id = sp_row_text(res, i, 1);
        anomaly->reference = sp_row_text(res, i, 2);
        anomaly->detail = sp_row_text(res, i, 3);
    }
    return SP_DONE;
}

sp_outcome_t sp_db_anomaly_mend(sp_ctx_t *ctx, const sp_anomaly_t *anomaly,
                                int *mended)
{
    static const sp_stmt_t stmt = { "anomaly_mend",
                                    "select subpay.anomaly_mend($1, $2::uuid)", 1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, anomaly->code);
    sp_args_text(&args, anomaly->order_id);
    return sp_db_ask_bool(ctx, &stmt, &args, mended);
}

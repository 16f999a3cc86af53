/*
 * alert.c - the SQL calls about trouble: alerts, the digest, the pause, the figures.
 *
 * Room: db.
 */
#include "db/alert.h"

#include "db/call.h"
#include "util/json.h"

/* A call with one JSON argument, whose answer does not matter. */
static sp_outcome_t tell(sp_ctx_t *ctx, const sp_stmt_t *stmt, const json_t *rules)
{
    sp_args_t args = { 0 };
    PGresult *res;

    sp_args_text(&args, sp_json_dump(ctx->pool, rules));
    return sp_db_call(ctx, stmt, &args, &res);
}

sp_outcome_t sp_db_alert_watch(sp_ctx_t *ctx, const json_t *rules)
{
    static const sp_stmt_t stmt = { "alert_watch",
                                    "select subpay.alert_watch($1::jsonb)", 1 };

    return tell(ctx, &stmt, rules);
}

sp_outcome_t sp_db_digest_make(sp_ctx_t *ctx, const json_t *rules)
{
    static const sp_stmt_t stmt = { "digest_make",
                                    "select subpay.digest_make($1::jsonb)", 1 };

    return tell(ctx, &stmt, rules);
}

sp_outcome_t sp_db_alert_letter(sp_ctx_t *ctx, apr_int64_t alert, json_t **letter)
{
    static const sp_stmt_t stmt = { "alert_letter", "select subpay.alert_letter($1)",
                                    1 };
    sp_args_t args = { 0 };

    sp_args_int(&args, ctx->pool, alert);
    return sp_db_ask_json(ctx, &stmt, &args, letter);
}

sp_outcome_t sp_db_alerts_list(sp_ctx_t *ctx, json_t **list)
{
    static const sp_stmt_t stmt = { "alerts_list", "select subpay.alerts_list()",
                                    1 };
    const sp_args_t args = { 0 };

    return sp_db_ask_json(ctx, &stmt, &args, list);
}

sp_outcome_t sp_db_alert_take(sp_ctx_t *ctx, const char *key, json_t **answer)
{
    static const sp_stmt_t stmt = { "alert_take", "select subpay.alert_take($1, $2)",
                                    1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, key);
    sp_args_text(&args, ctx->actor);
    return sp_db_ask_json(ctx, &stmt, &args, answer);
}

sp_outcome_t sp_db_checkout_pause(sp_ctx_t *ctx, int on, const char *why,
                                  int *changed)
{
    static const sp_stmt_t stmt = { "checkout_pause",
                                    "select subpay.checkout_pause($1, $2, $3)", 1 };
    sp_args_t args = { 0 };

    sp_args_bool(&args, on);
    sp_args_text(&args, ctx->actor);
    sp_args_text(&args, why);
    return sp_db_ask_bool(ctx, &stmt, &args, changed);
}

sp_outcome_t sp_db_checkout_paused(sp_ctx_t *ctx, int *paused)
{
    static const sp_stmt_t stmt = { "checkout_paused",
                                    "select subpay.checkout_paused()", SP_TRY_ONCE };
    const sp_args_t args = { 0 };

    return sp_db_ask_bool(ctx, &stmt, &args, paused);
}

sp_outcome_t sp_db_resume_wait(sp_ctx_t *ctx, const char *email, int *waits)
{
    static const sp_stmt_t stmt = { "resume_wait",
                                    "select subpay.resume_wait($1, $2)", 1 };
    sp_args_t args = { 0 };

    sp_args_text(&args, email);
    sp_args_text(&args, ctx->lang);
    return sp_db_ask_bool(ctx, &stmt, &args, waits);
}

sp_outcome_t sp_db_health(sp_ctx_t *ctx, apr_int64_t *objects_age_s)
{
    static const sp_stmt_t stmt = { "health", "select subpay.health()", 1 };
    const sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, &stmt, &args, &res);

    *objects_age_s =
        out == SP_DONE && sp_row_text(res, 0, 0) ? sp_row_int(res, 0, 0) : -1;
    return out;
}

sp_outcome_t sp_db_metrics(sp_ctx_t *ctx, apr_array_header_t **metrics)
{
    static const sp_stmt_t stmt = {
        "metrics", "select name, labels, value from subpay.metrics()", 1
    };
    const sp_args_t args = { 0 };
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, &stmt, &args, &res);
    sp_metric_t *metric;
    int i;

    if (out != SP_DONE) {
        return out;
    }
    *metrics = apr_array_make(ctx->pool, PQntuples(res), sizeof(sp_metric_t));
    for (i = 0; i < PQntuples(res); i++) {
        metric = apr_array_push(*metrics);
        metric->name = sp_row_text(res, i, 0);
        metric->labels = sp_row_text(res, i, 1);
        metric->value = sp_row_text(res, i, 2);
    }
    return SP_DONE;
}

sp_outcome_t sp_db_metrics_roll(sp_ctx_t *ctx)
{
    static const sp_stmt_t stmt = { "metrics_roll", "select subpay.metrics_roll()",
                                    0 };
    const sp_args_t args = { 0 };
    PGresult *res;

    return sp_db_call(ctx, &stmt, &args, &res);
}

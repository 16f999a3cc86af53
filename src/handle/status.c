/*
 * status.c - GET /health and /metrics: is this node well?
 *
 * Room: handle. Sees httpd.
 * Source: Prometheus, "Exposition formats" and "Metric and label naming".
 */
#include <apr_strings.h>
#include <apr_time.h>
#include <httpd.h>
#include <string.h>

/* needs httpd.h before it */
#include <scoreboard.h>

#include "cfg/settings.h"
#include "db/alert.h"
#include "handle/page.h"
#include "handle/route.h"
#include "util/json.h"
#include "util/tally.h"

#define INTERVALS 3
/* A short interval must not make every hiccup of the provider a 503. */
#define LEAST_SILENCE apr_time_from_sec(30)

static int health_show(request_rec *r, const char *reason, const char *database,
                       const char *reconciler)
{
    json_t *body = sp_json_object(r->pool);

    sp_json_set_text(body, "status", reason ? "down" : "ok");
    sp_json_set_text(body, "database", database);
    sp_json_set_text(body, "reconciler", reconciler);
    sp_json_set_text(body, "reason", reason);
    return sp_json_show(r, reason ? HTTP_SERVICE_UNAVAILABLE : HTTP_OK, body);
}

static int database_away(request_rec *r)
{
    return health_show(r, "the database does not answer", "unreachable", NULL);
}

/* Silent: nobody has looked at the provider with success for three intervals, and this
 * httpd has been up for long enough to do so. */
static int is_silent(const sp_settings_t *settings, apr_int64_t age_s)
{
    apr_interval_time_t most = INTERVALS * settings->reconcile_interval;
    apr_interval_time_t up =
        apr_time_now() - ap_scoreboard_image->global->restart_time;

    most = most > LEAST_SILENCE ? most : LEAST_SILENCE;
    return up > most && (age_s < 0 || apr_time_from_sec(age_s) > most);
}

/* GET /health: for people and monitors; whatever is wrong. */
int sp_handle_health(request_rec *r, sp_ctx_t *ctx)
{
    apr_int64_t age_s;

    if (sp_db_health(ctx, &age_s) != SP_DONE) {
        return database_away(r);
    }
    if (!ctx->settings->worker) {
        return health_show(r, NULL, "ok", "off");
    }
    if (!is_silent(ctx->settings, age_s)) {
        return health_show(r, NULL, "ok", "ok");
    }
    return health_show(
        r,
        age_s < 0 ? "the provider has never been looked at with success"
                  : apr_psprintf(r->pool,
                                 "no look at the provider has succeeded for "
                                 "%" APR_INT64_T_FMT " s",
                                 age_s),
        "ok", "silent");
}

/* GET /health/live: httpd answers. Restarting it would help nothing else. */
int sp_handle_health_live(request_rec *r, sp_ctx_t *ctx)
{
    (void)ctx;
    return health_show(r, NULL, NULL, NULL);
}

/* GET /health/ready: for load balancers. A provider that is silent is silent for every
 * node, so it takes none out of service. */
int sp_handle_health_ready(request_rec *r, sp_ctx_t *ctx)
{
    apr_int64_t age_s;

    return sp_db_health(ctx, &age_s) == SP_DONE ? health_show(r, NULL, "ok", NULL)
                                                : database_away(r);
}

/* What each name means. Samples whose name is not here are not shown, so that none
 * comes without its help. */
static const struct {
    const char *name;
    const char *type;
    const char *help;
} families[] = {
    { "subpay_completions_total", "counter", "Orders completed, by road." },
    { "subpay_payments_total", "counter", "Payments that the provider told us of." },
    { "subpay_payments_minor_units_total", "counter",
      "Money of these payments, in minor units of the currency." },
    { "subpay_refunds_total", "counter", "Refunds that the provider told us of." },
    { "subpay_access_delay_seconds", "histogram",
      "Time from the payment to access for it." },
    { "subpay_outbox_messages", "gauge",
      "Messages in the outbox that have not left." },
    { "subpay_outbox_oldest_seconds", "gauge",
      "Age of the oldest message that waits; 0 when none does." },
    { "subpay_run_age_seconds", "gauge",
      "Time since the latest good look, by what was looked for." },
    { "subpay_worker_heartbeat_age_seconds", "gauge",
      "Time since any worker last gave a sign of life." },
    { "subpay_workers", "gauge", "Workers alive, of all nodes." },
    { "subpay_paid_without_access", "gauge", "Payments whose buyer has no access." },
    { "subpay_paid_without_access_oldest_seconds", "gauge",
      "How long the first of them has waited; 0 when none does." },
    { "subpay_money_at_risk_minor_units", "gauge",
      "Money without access, in review included, in minor units of the currency." },
    { "subpay_ledger_drift_credits", "gauge",
      "Credits by which balances differ from their entries." },
    { "subpay_orders_open", "gauge", "Orders that are not decided yet." },
    { "subpay_events_unsettled", "gauge", "Events kept to be settled again." },
    { "subpay_event_age_seconds", "gauge", "Time since the latest event came in." },
    { "subpay_tickets_open", "gauge", "Tickets that are not solved." },
    { "subpay_tickets_late", "gauge", "Tickets past their time." },
    { "subpay_alerts_open", "gauge", "Alerts that are open, by level." },
    { "subpay_checkout_paused", "gauge", "Whether new payments are paused." },
    { "subpay_schema_version", "gauge", "The latest migration of the database." },
};

#define FAMILY_COUNT (sizeof(families) / sizeof(families[0]))

/* A histogram's samples bear its name and an ending. */
static int is_of(const char *name, const char *family)
{
    apr_size_t len = strlen(family);

    return strncmp(name, family, len) == 0 &&
           (!name[len] || !strcmp(name + len, "_bucket") ||
            !strcmp(name + len, "_sum") || !strcmp(name + len, "_count"));
}

static const char *family_text(apr_pool_t *pool, size_t which,
                               const apr_array_header_t *metrics)
{
    const char *text = "";
    int i;

    for (i = 0; i < metrics->nelts; i++) {
        const sp_metric_t *metric = &APR_ARRAY_IDX(metrics, i, sp_metric_t);

        if (is_of(metric->name, families[which].name)) {
            text = apr_pstrcat(pool, text, metric->name, metric->labels, " ",
                               metric->value, "\n", NULL);
        }
    }
    return *text ? apr_psprintf(pool, "# HELP %s %s\n# TYPE %s %s\n%s",
                                families[which].name, families[which].help,
                                families[which].name, families[which].type, text)
                 : "";
}

#define HELP(name, type, help) "# HELP " name " " help "\n# TYPE " name " " type "\n"
#define CALLS "subpay_provider_calls_total"
#define WEBHOOKS "subpay_webhook_duration_seconds"

static const char *seconds(apr_pool_t *pool, apr_uint64_t us)
{
    return apr_psprintf(pool, "%" APR_UINT64_T_FMT ".%06d", us / APR_USEC_PER_SEC,
                        (int)(us % APR_USEC_PER_SEC));
}

/* In the order of sp_outcome_t. */
static const char *calls_text(apr_pool_t *pool, const sp_tally_t *tally)
{
    static const char *const results[SP_TALLY_RESULTS] = { "done", "refused",
                                                           "unknown", "failed" };
    const char *text =
        HELP(CALLS, "counter", "Calls of this node to the provider, by result.");
    int i;

    for (i = 0; i < SP_TALLY_RESULTS; i++) {
        text =
            apr_psprintf(pool, "%s" CALLS "{result=\"%s\"} %" APR_UINT64_T_FMT "\n",
                         text, results[i], tally->calls[i]);
    }
    return text;
}

static const char *webhooks_text(apr_pool_t *pool, const sp_tally_t *tally)
{
    const char *text =
        HELP(WEBHOOKS, "histogram", "Time in which this node answered webhooks.");
    apr_uint64_t count = 0;
    int i;

    for (i = 0; i < SP_TALLY_BUCKETS; i++) {
        count += tally->webhooks[i];
        text = apr_psprintf(
            pool, "%s" WEBHOOKS "_bucket{le=\"%s\"} %" APR_UINT64_T_FMT "\n", text,
            i < SP_TALLY_BUCKETS - 1 ? seconds(pool, sp_tally_bounds[i]) : "+Inf",
            count);
    }
    return apr_psprintf(
        pool, "%s" WEBHOOKS "_sum %s\n" WEBHOOKS "_count %" APR_UINT64_T_FMT "\n",
        text, seconds(pool, tally->webhook_time), count);
}

static const char *tally_text(apr_pool_t *pool)
{
    const sp_tally_t *tally = sp_tally_get();

    return tally ? apr_pstrcat(pool, calls_text(pool, tally),
                               webhooks_text(pool, tally), NULL)
                 : "";
}

/* GET /metrics. 200 with "down" also without the database: that is what it tells. */
int sp_handle_metrics(request_rec *r, sp_ctx_t *ctx)
{
    apr_array_header_t *metrics = NULL;
    int up = sp_db_metrics(ctx, &metrics) == SP_DONE;
    const char *text =
        apr_psprintf(r->pool,
                     "# HELP subpay_database_up Whether the database answers.\n"
                     "# TYPE subpay_database_up gauge\n"
                     "subpay_database_up %d\n%s",
                     up, tally_text(r->pool));
    size_t i;

    for (i = 0; up && i < FAMILY_COUNT; i++) {
        text = apr_pstrcat(r->pool, text, family_text(r->pool, i, metrics), NULL);
    }
    return sp_answer(r, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text,
                     strlen(text));
}

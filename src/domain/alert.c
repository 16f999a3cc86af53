/*
 * alert.c - telling the two people in support that something needs them.
 *
 * Room: domain.
 */
#include "domain/alert.h"

#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/jobs.h"
#include "util/http.h"
#include "util/json.h"
#include "util/log.h"

#define FAILURES 3
#define INTERVALS 3
#define SHORT_SILENCE apr_time_from_sec(3 * 60)
#define LONG_SILENCE apr_time_from_sec(30 * 60)
#define WEBHOOK_TIME apr_time_from_sec(5)

/* Where to begin, by the start of the alert's key. */
static const struct {
    const char *key;
    const char *step;
    const char *path;
} first_steps[] = {
    { "ticket:", "Open the queue", "/admin/" },
    { "run:", "See which runs failed, and why", "/admin/runs" },
    { "silence:", "See which runs failed, and why", "/admin/runs" },
    { "poison:", "See the fact that could not be applied", "/admin/runs" },
    { "endpoint:", "Compare the webhook endpoint at the provider with this",
      "/admin/runs" },
    { "", "Open the queue", "/admin/" },
};

void sp_alert_model(sp_ctx_t *ctx, const char *payload, json_t *model)
{
    json_t *said =
        sp_json_own(ctx->pool, json_loads(payload ? payload : "{}", 0, NULL));
    const char *key = sp_json_text(said, "key");
    const char *text = sp_json_text(said, "text");
    json_t *alert = json_object();
    size_t i = 0;

    while (strncmp(first_steps[i].key, key ? key : "", strlen(first_steps[i].key)) !=
           0) {
        i++; /* the last row's key is at the start of everything */
    }
    sp_json_set_text(alert, "headline", text ? text : "Something needs a look");
    sp_json_set_text(alert, "first_step", first_steps[i].step);
    sp_json_set_text(
        alert, "first_step_url",
        apr_pstrcat(ctx->pool, ctx->settings->base_url, first_steps[i].path, NULL));
    /* In place of the number that the payload holds under this name. */
    json_object_set_new(model, "alert", alert);
}

sp_outcome_t sp_alert_webhook(sp_ctx_t *ctx, const json_t *model)
{
    const json_t *alert = json_object_get(model, "alert");
    json_t *body = sp_json_object(ctx->pool);
    sp_http_ask_t ask = { .method = "POST",
                          .url = ctx->settings->alert_webhook,
                          .timeout = WEBHOOK_TIME };
    sp_http_reply_t reply = { 0 };

    if (!ask.url) {
        return SP_REFUSED;
    }
    sp_json_set_text(body, "text",
                     apr_psprintf(ctx->pool, "%s: %s\n%s: %s",
                                  ctx->settings->app_name,
                                  sp_json_text(alert, "headline"),
                                  sp_json_text(alert, "first_step"),
                                  sp_json_text(alert, "first_step_url")));
    ask.body = sp_json_dump(ctx->pool, body);
    ask.len = strlen(ask.body);
    ask.headers = apr_array_make(ctx->pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(ask.headers, const char *) = "Content-Type: application/json";
    if (sp_http_send(ctx->http, ctx->pool, &ask, &reply) == SP_HTTP_ANSWERED &&
        reply.status >= 200 && reply.status < 300) {
        return SP_DONE;
    }
    sp_log(ctx->log, SP_LOG_WARN, 353,
           "SubPayAlertWebhook did not take an alert: %s %d",
           reply.why ? reply.why : "it answered", reply.status);
    return SP_FAILED;
}

static void raise_run(sp_ctx_t *ctx, const sp_alert_run_t *run, const char *key,
                      const char *level, const char *text)
{
    json_t *detail = sp_json_object(ctx->pool);

    sp_json_set_text(detail, "kind", run->kind);
    sp_json_set_text(detail, "code", run->code);
    sp_json_set_int(detail, "failures", run->failures);
    sp_json_set_int(detail, "silent_s", apr_time_sec(run->since_good));
    sp_db_alert_raise(ctx, key, level, text, sp_json_dump(ctx->pool, detail));
}

/* Three intervals, but never less than this. */
static apr_interval_time_t silence(const sp_ctx_t *ctx, apr_interval_time_t least)
{
    apr_interval_time_t time = INTERVALS * ctx->settings->reconcile_interval;

    return time > least ? time : least;
}

static int keeps_failing(const sp_ctx_t *ctx, const sp_alert_run_t *run)
{
    int patience = strcmp(run->code, "provider_limit") == 0;

    return (run->failures >= FAILURES && !patience) ||
           run->since_good > silence(ctx, SHORT_SILENCE);
}

void sp_alert_run(sp_ctx_t *ctx, sp_alert_run_t *run)
{
    const char *failing = apr_pstrcat(ctx->pool, "run:", run->kind, NULL);
    const char *silent = apr_pstrcat(ctx->pool, "silence:", run->kind, NULL);

    if (run->failures == 0) {
        if (run->told && sp_db_alert_clear(ctx, failing) == SP_DONE &&
            sp_db_alert_clear(ctx, silent) == SP_DONE) {
            run->told = 0;
        }
        return;
    }
    if (keeps_failing(ctx, run)) {
        run->told = 1;
        raise_run(ctx, run, failing, "today",
                  apr_psprintf(ctx->pool, "Looking for %s keeps failing (%s)",
                               run->kind, run->code));
    }
    if (run->since_good > silence(ctx, LONG_SILENCE)) {
        run->told = 1;
        raise_run(
            ctx, run, silent, "page",
            apr_psprintf(ctx->pool, "No look for %s has succeeded for %d minutes",
                         run->kind, (int)(apr_time_sec(run->since_good) / 60)));
    }
}

/*
 * alert.c - telling the two people in support that something needs them.
 *
 * Room: domain.
 */
#include "domain/alert.h"

#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/alert.h"
#include "db/jobs.h"
#include "util/http.h"
#include "util/json.h"
#include "util/log.h"

#define FAILURES 3
#define INTERVALS 3
#define SHORT_SILENCE apr_time_from_sec(3 * 60)
#define WEBHOOK_TIME apr_time_from_sec(5)

/* Where to begin, by the start of the alert's key. */
static const struct {
    const char *key;
    const char *step;
    const char *path;
} first_steps[] = {
    { "money", "Open the queue and recover who waits longest", "/admin/" },
    { "poison:", "Open the queue; the error's log number says what to do",
      "/admin/" },
    { "silence", "See which runs failed, and why", "/admin/runs" },
    { "key", "Compare SubPayProviderKey with the key at the provider",
      "/admin/runs" },
    { "outbox", "See whether the mail server takes mail; the error is on the page",
      "/admin/alerts" },
    { "test", "Press \"I have it\": then both of you know that alerts arrive",
      "/admin/alerts" },
    { "run:", "See which runs failed, and why", "/admin/runs" },
    { "endpoint:", "Compare the webhook endpoint at the provider with this",
      "/admin/runs" },
    { "", "Open the queue", "/admin/" },
};

static const char *desk_url(sp_ctx_t *ctx, const char *path)
{
    return apr_pstrcat(ctx->pool, ctx->settings->base_url, path, NULL);
}

static void set_first_step(sp_ctx_t *ctx, json_t *alert, const char *key)
{
    size_t i = 0;

    while (strncmp(first_steps[i].key, key, strlen(first_steps[i].key)) != 0) {
        i++; /* the last row's key is at the start of everything */
    }
    sp_json_set_text(alert, "first_step", first_steps[i].step);
    sp_json_set_text(alert, "first_step_url", desk_url(ctx, first_steps[i].path));
}

static void set_case_urls(sp_ctx_t *ctx, json_t *alert)
{
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(alert, "cases"), i, one)
    {
        const char *reference = sp_json_text(one, "reference");

        sp_json_set_text(one, "url",
                         apr_pstrcat(ctx->pool, desk_url(ctx, "/admin/orders/"),
                                     reference ? reference : "", NULL));
    }
}

sp_outcome_t sp_alert_model(sp_ctx_t *ctx, const char *payload, json_t *model)
{
    json_t *said =
        sp_json_own(ctx->pool, json_loads(payload ? payload : "{}", 0, NULL));
    const char *key;
    json_t *alert;

    if (sp_db_alert_letter(ctx, json_integer_value(json_object_get(said, "alert")),
                           &alert) != SP_DONE) {
        return SP_FAILED;
    }
    if (!alert) {
        return SP_REFUSED;
    }
    key = sp_json_text(alert, "key");
    set_first_step(ctx, alert, key ? key : "");
    set_case_urls(ctx, alert);
    sp_json_set_text(alert, "acknowledge_url", desk_url(ctx, "/admin/alerts"));
    /* In place of the number that the payload holds under this name. */
    json_object_set(model, "alert", alert);
    return SP_DONE;
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
                     apr_psprintf(ctx->pool, "%s: %s\n%s: %s\nI have it: %s",
                                  ctx->settings->app_name,
                                  sp_json_text(alert, "headline"),
                                  sp_json_text(alert, "first_step"),
                                  sp_json_text(alert, "first_step_url"),
                                  sp_json_text(alert, "acknowledge_url")));
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

static void raise_run(sp_ctx_t *ctx, const sp_alert_run_t *run, const char *key)
{
    json_t *detail = sp_json_object(ctx->pool);

    sp_json_set_text(detail, "kind", run->kind);
    sp_json_set_text(detail, "code", run->code);
    sp_json_set_int(detail, "failures", run->failures);
    sp_json_set_int(detail, "silent_s", apr_time_sec(run->since_good));
    sp_db_alert_raise(ctx, key, "today",
                      apr_psprintf(ctx->pool, "Looking for %s keeps failing (%s)",
                                   run->kind, run->code),
                      sp_json_dump(ctx->pool, detail));
}

static int keeps_failing(const sp_ctx_t *ctx, const sp_alert_run_t *run)
{
    int patience = strcmp(run->code, "provider_limit") == 0;
    apr_interval_time_t silence = INTERVALS * ctx->settings->reconcile_interval;

    return (run->failures >= FAILURES && !patience) ||
           run->since_good > (silence > SHORT_SILENCE ? silence : SHORT_SILENCE);
}

void sp_alert_run(sp_ctx_t *ctx, sp_alert_run_t *run)
{
    const char *failing = apr_pstrcat(ctx->pool, "run:", run->kind, NULL);

    if (run->failures == 0) {
        if (run->told && sp_db_alert_clear(ctx, failing) == SP_DONE) {
            run->told = 0;
        }
        return;
    }
    if (keeps_failing(ctx, run)) {
        run->told = 1;
        raise_run(ctx, run, failing);
    }
}

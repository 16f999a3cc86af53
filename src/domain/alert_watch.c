/*
 * alert_watch.c - is anything so wrong that somebody must get up?
 *
 * Room: domain. What counts as wrong stands in sql/functions/alert_look_*.sql.
 */
#include "domain/alert_watch.h"

#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/alert.h"
#include "util/json.h"

#define INTERVALS 3
#define LEAST_SILENCE apr_time_from_sec(30 * 60)

int sp_alert_people(const sp_ctx_t *ctx)
{
    const char *c = ctx->settings->alert_to;
    int count = c != NULL;

    for (; c && *c; c++) {
        count += *c == ' ';
    }
    return count;
}

const char *sp_alert_person(const sp_ctx_t *ctx, apr_int64_t number)
{
    int people = sp_alert_people(ctx);
    const char *start = ctx->settings->alert_to;
    apr_int64_t i;

    if (!people || number < 0) {
        return start;
    }
    for (i = number % people; i > 0; i--) {
        start = strchr(start, ' ') + 1;
    }
    return apr_pstrmemdup(ctx->pool, start, strcspn(start, " "));
}

static apr_interval_time_t silence(const sp_settings_t *settings)
{
    apr_interval_time_t time = INTERVALS * settings->reconcile_interval;

    return time > LEAST_SILENCE ? time : LEAST_SILENCE;
}

sp_outcome_t sp_alert_watch(sp_ctx_t *ctx)
{
    const sp_settings_t *settings = ctx->settings;
    json_t *rules = sp_json_object(ctx->pool);

    sp_json_set_int(rules, "silence_s", apr_time_sec(silence(settings)));
    sp_json_set_int(rules, "escalate_s", apr_time_sec(settings->escalate_after));
    sp_json_set_int(rules, "pause_s", apr_time_sec(settings->pause_after));
    return sp_db_alert_watch(ctx, rules);
}

/*
 * digest.c - once a day, how things stand: its absence is an alarm.
 *
 * Room: domain. What it says stands in sql/functions/digest_text.sql.
 */
#include "domain/digest.h"

#include "cfg/settings.h"
#include "db/alert.h"
#include "domain/alert_watch.h"
#include "util/json.h"

sp_outcome_t sp_digest_make(sp_ctx_t *ctx)
{
    json_t *rules = sp_json_object(ctx->pool);
    int people = sp_alert_people(ctx);

    if (!people) {
        return SP_DONE;
    }
    sp_json_set_text(rules, "at", ctx->settings->digest_at);
    sp_json_set_text(rules, "hours", ctx->settings->support_hours);
    sp_json_set_text(rules, "quiet", ctx->settings->quiet_hours);
    sp_json_set_int(rules, "people", people);
    return sp_db_digest_make(ctx, rules);
}

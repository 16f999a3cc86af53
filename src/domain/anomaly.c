/*
 * anomaly.c - what does not fit together in our own rows.
 *
 * Room: domain.
 */
#include "domain/anomaly.h"

#include <apr_strings.h>
#include <string.h>

#include "db/jobs.h"
#include "util/json.h"
#include "util/log.h"

/* What nobody but a person can put right. One alert for each kind: the first step is
 * the same for all of them. */
static const struct {
    const char *code;
    const char *level;
    const char *text;
} tellings[] = {
    { "ledger", "page", "An account's credits do not add up" },
    { "no_subscription", "page",
      "A paid order gives no access and could not be mended" },
    { "ticket_late", "today", "A ticket is past its time" },
};

#define TELLING_COUNT (sizeof(tellings) / sizeof(tellings[0]))

typedef struct look_t {
    int found;
    int mended;
    int open[TELLING_COUNT]; /* whether a row of that kind is still wrong */
} look_t;

static sp_outcome_t take(sp_ctx_t *ctx, look_t *look, const sp_anomaly_t *anomaly)
{
    sp_outcome_t out;
    int mended = 0;
    size_t i;

    look->found++;
    out = sp_db_anomaly_mend(ctx, anomaly, &mended);
    if (out != SP_DONE) {
        return out;
    }
    if (mended) {
        look->mended++;
        sp_log(ctx->log, SP_LOG_NOTICE, 356, "order %s: %s; mended",
               anomaly->reference ? anomaly->reference : "", anomaly->detail);
        return SP_DONE;
    }
    for (i = 0; i < TELLING_COUNT; i++) {
        look->open[i] |= strcmp(tellings[i].code, anomaly->code) == 0;
    }
    return SP_DONE;
}

static sp_outcome_t tell(sp_ctx_t *ctx, const look_t *look)
{
    sp_outcome_t out = SP_DONE;
    const char *key;
    size_t i;

    for (i = 0; out == SP_DONE && i < TELLING_COUNT; i++) {
        key = apr_pstrcat(ctx->pool, "anomaly:", tellings[i].code, NULL);
        out = look->open[i] ? sp_db_alert_raise(ctx, key, tellings[i].level,
                                                tellings[i].text, NULL)
                            : sp_db_alert_clear(ctx, key);
    }
    return out;
}

sp_outcome_t sp_anomaly_look(sp_ctx_t *ctx, const char *worker)
{
    apr_array_header_t *anomalies;
    look_t look = { 0 };
    apr_int64_t run;
    sp_outcome_t out;
    int i;

    out = sp_db_run_begin(ctx, "anomalies", worker, &run);
    if (out == SP_DONE) {
        out = sp_db_anomalies(ctx, &anomalies);
    }
    for (i = 0; out == SP_DONE && i < anomalies->nelts; i++) {
        out = take(ctx, &look, &APR_ARRAY_IDX(anomalies, i, sp_anomaly_t));
    }
    if (out == SP_DONE) {
        out = tell(ctx, &look);
    }
    if (out != SP_DONE) {
        return out;
    }
    return sp_db_run_end(ctx, run, 1,
                         apr_psprintf(ctx->pool, "{\"found\": %d, \"mended\": %d}",
                                      look.found, look.mended),
                         NULL);
}

/*
 * alert.h - the SQL calls about trouble: alerts, the digest, the pause, the figures.
 *
 * Room: db. As db.h. Raising and closing an alert stand in jobs.h.
 */
#ifndef SUBPAY_DB_ALERT_H
#define SUBPAY_DB_ALERT_H

#include <jansson.h>

#include "db/db.h"

/** Look at everything that may need a person at once; rules as alert_watch.sql. */
sp_outcome_t sp_db_alert_watch(sp_ctx_t *ctx, const json_t *rules);

/** Make today's digest when it is due; rules as digest_make.sql. */
sp_outcome_t sp_db_digest_make(sp_ctx_t *ctx, const json_t *rules);

/** What a message about this alert says now; *letter NULL: it is not needed. */
sp_outcome_t sp_db_alert_letter(sp_ctx_t *ctx, apr_int64_t alert, json_t **letter);

/** What is open, what was over lately, whether checkout is paused. */
sp_outcome_t sp_db_alerts_list(sp_ctx_t *ctx, json_t **list);

/** "I have it", said by ctx->actor; answer: {verdict, by, text}. */
sp_outcome_t sp_db_alert_take(sp_ctx_t *ctx, const char *key, json_t **answer);

/** Stop or resume checkout, by ctx->actor; *changed tells whether that was new. */
sp_outcome_t sp_db_checkout_pause(sp_ctx_t *ctx, int on, const char *why,
                                  int *changed);

/** Is checkout paused? */
sp_outcome_t sp_db_checkout_paused(sp_ctx_t *ctx, int *paused);

/** Tell this address when checkout works again; *waits is 0 when it does already. */
sp_outcome_t sp_db_resume_wait(sp_ctx_t *ctx, const char *email, int *waits);

/** Seconds since the provider's objects were last looked at with success; -1: never
 * tried. */
sp_outcome_t sp_db_health(sp_ctx_t *ctx, apr_int64_t *objects_age_s);

/* One sample of /metrics. */
typedef struct sp_metric_t {
    const char *name;
    const char *labels; /* {via="return"}, or empty */
    const char *value;
} sp_metric_t;

/** All samples (sp_metric_t) that the database knows, those of one name together. */
sp_outcome_t sp_db_metrics(sp_ctx_t *ctx, apr_array_header_t **metrics);

/** Once an hour: add up what the counters need not count again. */
sp_outcome_t sp_db_metrics_roll(sp_ctx_t *ctx);

#endif

/*
 * alert.h - telling the two people in support that something needs them.
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_ALERT_H
#define SUBPAY_DOMAIN_ALERT_H

#include <jansson.h>

#include "model/ctx.h"

/**
 * Add to model what the mail "alert" says at this moment, from the row's payload.
 *
 * @return SP_DONE; SP_REFUSED: it need not be said any more; SP_FAILED (database)
 */
sp_outcome_t sp_alert_model(sp_ctx_t *ctx, const char *payload, json_t *model);

/** Post the same to SubPayAlertWebhook. SP_REFUSED when there is none. */
sp_outcome_t sp_alert_webhook(sp_ctx_t *ctx, const json_t *model);

/* How the runs of one job have been going, for sp_alert_run(). */
typedef struct sp_alert_run_t {
    const char *kind;               /* events, orders, objects ... */
    const char *code;               /* why the latest one failed */
    int failures;                   /* in a row; 0 after a good one */
    apr_interval_time_t since_good; /* how long ago the latest good one ended */
    int told;                       /* in and out: whether an alert may be open */
} sp_alert_run_t;

/**
 * A run has ended: tell people, with the next digest, when three failed in a row or none
 * was good for three intervals, and close the alert after a good one. A provider that
 * asks for patience (provider_limit) counts by time only. Silence that lasts pages:
 * alert_watch.h.
 */
void sp_alert_run(sp_ctx_t *ctx, sp_alert_run_t *run);

#endif

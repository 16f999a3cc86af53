/*
 * notify.h - telling the application what became of somebody's access.
 *
 * Room: domain.
 *
 * Messages are queued with the fact they tell, signed as Standard Webhooks says, and
 * sent at least once, under an id that stays. They may overtake each other: whoever
 * needs the present state asks GET /entitlements.
 */
#ifndef SUBPAY_DOMAIN_NOTIFY_H
#define SUBPAY_DOMAIN_NOTIFY_H

#include "db/jobs.h"
#include "model/ctx.h"

/**
 * Post one message to SubPayNotifyURL. Blocks for five seconds at most.
 *
 * @param say  unless SP_DONE: what happened, fit for the log
 * @return SP_DONE     taken (2xx)
 *         SP_FAILED   answered with something else, or not set up
 *         SP_UNKNOWN  no answer
 */
sp_outcome_t sp_notify_send(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                            const char **say);

/**
 * Queue messages about access whose time is up.
 *
 * @param more  set when there may be others
 * @return SP_DONE, or SP_FAILED (database)
 */
sp_outcome_t sp_notify_expired(sp_ctx_t *ctx, int *more);

#endif

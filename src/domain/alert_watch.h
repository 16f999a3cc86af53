/*
 * alert_watch.h - is anything so wrong that somebody must get up?
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_ALERT_WATCH_H
#define SUBPAY_DOMAIN_ALERT_WATCH_H

#include "model/ctx.h"

/**
 * Look for money without access, silence, a stuck outbox, a refused key; raise, repeat
 * and close alerts; pause checkout when nobody answers. For the leader, every few
 * seconds.
 *
 * @return SP_DONE, or SP_FAILED (database)
 */
sp_outcome_t sp_alert_watch(sp_ctx_t *ctx);

/** How many addresses SubPayAlertTo names. */
int sp_alert_people(const sp_ctx_t *ctx);

/** The address of that person; numbers beyond the last begin again with the first. */
const char *sp_alert_person(const sp_ctx_t *ctx, apr_int64_t number);

#endif

/*
 * anomaly.h - what does not fit together in our own rows.
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_ANOMALY_H
#define SUBPAY_DOMAIN_ANOMALY_H

#include "model/ctx.h"

/**
 * Look for orders that are completed without a subscription or a mail, a ledger that
 * does not add up, and their like; mend what is safe, tell people about the rest.
 *
 * @param worker  uuid, for the book of runs
 * @return SP_DONE, or SP_FAILED (database)
 */
sp_outcome_t sp_anomaly_look(sp_ctx_t *ctx, const char *worker);

#endif

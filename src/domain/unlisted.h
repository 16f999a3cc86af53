/*
 * unlisted.h - money that went back at a provider which keeps no list of refunds.
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_UNLISTED_H
#define SUBPAY_DOMAIN_UNLISTED_H

#include "model/ctx.h"

/** Ask how a few payments stand, one by one, where the provider has no refunds_list: its
 * webhook may have been lost while we were away, and nothing else would tell. Daily while
 * a payment is young, then weekly, for as long as cards can be charged back
 * (payments_due.sql). *more: some are left. Stops at the first that cannot be asked; that
 * one is due again in a minute. */
sp_outcome_t sp_unlisted_look(sp_ctx_t *ctx, int *more);

#endif

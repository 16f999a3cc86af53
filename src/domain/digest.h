/*
 * digest.h - once a day, how things stand: its absence is an alarm.
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_DIGEST_H
#define SUBPAY_DOMAIN_DIGEST_H

#include "model/ctx.h"

/** Queue today's digest for everybody in SubPayAlertTo, when it is time and nobody has
 * done so. */
sp_outcome_t sp_digest_make(sp_ctx_t *ctx);

#endif

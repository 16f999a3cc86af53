/*
 * refund.h - make a refund that somebody decided on.
 *
 * Room: domain. The decision is a row of the outbox (desk_refund.sql); the worker gets
 * here with it, as often as it takes. A decision of the machine is looked at once more.
 */
#ifndef SUBPAY_DOMAIN_REFUND_H
#define SUBPAY_DOMAIN_REFUND_H

#include "db/jobs.h"
#include "model/ctx.h"

/**
 * Ask the provider for the refund, and settle what it says.
 *
 * Its name at the provider is the row's own, so an earlier try that worked is found by it,
 * and a refund that somebody made by hand is not taken for it; where refunds carry no
 * name, by the key, and once that may be forgotten by what has gone back in all.
 *
 * @param say  what support reads when it did not work; holds no address
 * @return SP_DONE     it exists, and our books say so
 *         SP_REFUSED  it was not and will not be made: disputed, or refused there
 *         SP_UNKNOWN, SP_FAILED  come again later
 */
sp_outcome_t sp_refund_make(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                            const char **say);

/** Decide what goes back by itself (refunds_decide.sql); the outbox makes it. */
sp_outcome_t sp_refunds_decide(sp_ctx_t *ctx);

#endif

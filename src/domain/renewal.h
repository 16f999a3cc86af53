/*
 * renewal.h - plans that renew: ask about them, stop them, go on after all.
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_RENEWAL_H
#define SUBPAY_DOMAIN_RENEWAL_H

#include "db/renewal.h"
#include "domain/pulse.h"
#include "model/ctx.h"

/**
 * A customer wants no further charges for the plan of this order, or, with stop 0, does
 * after all.
 *
 * Written down first: what the provider did not confirm now, the worker goes on with.
 *
 * @param account    whose: the plan must be theirs
 * @return SP_DONE     the provider has confirmed it, or it was so already
 *         SP_REFUSED  code no_renewal or ended; ctx->say is fit to show
 *         SP_UNKNOWN  written down; the provider has not confirmed it yet
 *         SP_FAILED   code database: nothing was done
 */
sp_outcome_t sp_renewal_stop(sp_ctx_t *ctx, const char *account,
                             const char *reference, int stop);

/**
 * The worker's look at renewals that are due: do what is wanted of them, ask what has
 * become of their periods, and let the answers in.
 *
 * @param worker  for the book of runs
 * @param more    set when the rest wants another turn
 */
sp_outcome_t sp_renewals_work(sp_ctx_t *ctx, const char *worker,
                              const sp_pulse_t *pulse, int *more);

/** Fill in what a paid period's fact does not tell, where it is not settled yet and the
 * provider can be asked now. The fact may stay as it was. */
void sp_period_complete(sp_ctx_t *ctx, sp_fact_t *fact);

#endif

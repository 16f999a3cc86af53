/*
 * person.h - what is held about one person: tell it, forget it; and forget by age.
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_PERSON_H
#define SUBPAY_DOMAIN_PERSON_H

#include "db/person.h"

/**
 * Everything held about an address, as one JSON document.
 *
 * @return SP_REFUSED  code bad_email, or not_found: nothing is held
 */
sp_outcome_t sp_person_export(sp_ctx_t *ctx, const char *email, const char **held);

/**
 * Forget a person: a pseudonym stands wherever they were named. Orders, payments,
 * refunds and the ledger stay.
 *
 * What is about to leave goes first: waits for that, up to patience.
 *
 * @param reason  for the audit; given, it ends access that goes on, and passes over an
 *                open dispute
 * @return SP_DONE     *erased says as whom they are kept
 *         SP_REFUSED  code bad_email, not_found, or what stands against it: renews, open,
 *                     dispute, access, waiting; ctx->say tells a person what to do
 */
sp_outcome_t sp_person_erase(sp_ctx_t *ctx, const char *email, const char *reason,
                             apr_interval_time_t patience, sp_erased_t *erased);

/** Forget some of what is older than SubPayRetention says; *more: call again. */
sp_outcome_t sp_retention_clean(sp_ctx_t *ctx, int *more);

#endif

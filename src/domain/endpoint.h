/*
 * endpoint.h - does the provider still know where to send its events?
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_ENDPOINT_H
#define SUBPAY_DOMAIN_ENDPOINT_H

#include "model/ctx.h"
#include "provider/provider.h"

/** Where this provider shall send its events. */
const char *sp_endpoint_url(const sp_ctx_t *ctx, const sp_account_t *account);

/** What is wrong with our endpoint there, fit for an alert; NULL when all is well. */
const char *sp_endpoint_problem(apr_pool_t *pool, const sp_account_t *account,
                                const sp_endpoint_t *endpoint);

/**
 * Ask each provider for our webhook endpoint: there, enabled, with all events.
 *
 * Raises an alert where it is not, and closes it where it is.
 *
 * @param worker  uuid, for the book of runs
 * @return SP_DONE     asked, whatever was found
 *         SP_UNKNOWN  or SP_FAILED: somebody could not be asked; ctx->code says why
 */
sp_outcome_t sp_endpoint_look(sp_ctx_t *ctx, const char *worker);

#endif

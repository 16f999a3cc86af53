/*
 * price.h - does the provider take what the plans say?
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_PRICE_H
#define SUBPAY_DOMAIN_PRICE_H

#include "model/ctx.h"

/**
 * Compare each product's price, currency and period with what its SubPayProviderPrice
 * is at the provider. Raises an alert where they differ, and closes it where not.
 *
 * @param worker  uuid, for the book of runs
 * @return SP_DONE     asked, whatever was found
 *         SP_UNKNOWN  or SP_FAILED: the provider could not be asked; ctx->code says why
 */
sp_outcome_t sp_prices_look(sp_ctx_t *ctx, const char *worker);

#endif

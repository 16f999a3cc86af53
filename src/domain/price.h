/*
 * price.h - does the provider take what the plans say?
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_PRICE_H
#define SUBPAY_DOMAIN_PRICE_H

#include "cfg/settings.h"
#include "model/ctx.h"
#include "provider/provider.h"

/** What differs between a product and the price it names, fit for people, in pool; NULL
 * for nothing. Twelve months are a year, and seven days a week. */
const char *sp_price_problem(apr_pool_t *pool, const sp_product_t *product,
                             const sp_price_t *price);

/** Whether any product names a price of the provider's: else there is nothing to ask. */
int sp_prices_named(const sp_settings_t *settings);

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

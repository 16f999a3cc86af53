/*
 * providers.h - the providers that come with us.
 *
 * Room: cfg, free of httpd. In httpd they are registered under SP_PROVIDER_GROUP
 * beside those of other modules, and looked up there; subpayctl knows these only.
 */
#ifndef SUBPAY_CFG_PROVIDERS_H
#define SUBPAY_CFG_PROVIDERS_H

#include "provider/provider.h"

/** Ended by NULL. */
extern const sp_provider_t *const sp_providers_builtin[];

/** One of them by name, NULL for none: the find of everybody outside httpd. */
const sp_provider_t *sp_provider_builtin(const char *name);

/** Their names as an admin may write them: "stripe or creem". */
const char *sp_providers_names(apr_pool_t *pool);

#endif

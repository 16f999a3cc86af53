/*
 * providers.c - the providers that come with us.
 *
 * Room: cfg, free of httpd.
 */
#include "cfg/providers.h"

#include <apr_strings.h>
#include <string.h>

const sp_provider_t *const sp_providers_builtin[] = { &sp_provider_stripe,
                                                      &sp_provider_creem, NULL };

const sp_provider_t *sp_provider_builtin(const char *name)
{
    const sp_provider_t *const *provider = sp_providers_builtin;

    while (*provider && strcmp((*provider)->name, name) != 0) {
        provider++;
    }
    return *provider;
}

const char *sp_providers_names(apr_pool_t *pool)
{
    const sp_provider_t *const *provider = sp_providers_builtin;
    const char *names = (*provider)->name;

    while (*++provider) {
        names = apr_pstrcat(pool, names, " or ", (*provider)->name, NULL);
    }
    return names;
}

/*
 * providers.c - the providers that come with us.
 *
 * Room: cfg, free of httpd.
 */
#include "cfg/providers.h"

#include <string.h>

const sp_provider_t *const sp_providers_builtin[] = { &sp_provider_stripe, NULL };

const sp_provider_t *sp_provider_builtin(const char *name)
{
    const sp_provider_t *const *provider = sp_providers_builtin;

    while (*provider && strcmp((*provider)->name, name) != 0) {
        provider++;
    }
    return *provider;
}

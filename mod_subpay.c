/*
 * mod_subpay.c - the front door: the module record and its hooks.
 *
 * What a hook does is in the rooms: cfg/ reads the directives, handle/ answers
 * requests, worker/ owns the process beside httpd's children.
 */
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <http_request.h>
#include <ap_provider.h>
#include <mpm_common.h>

#include "cfg/httpd_directives.h"
#include "cfg/providers.h"
#include "handle/access.h"
#include "handle/handle.h"
#include "worker/worker.h"

/* Runs for configtest as well; and twice at a start, the second time for good. */
static int check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                        server_rec *s)
{
    const char *problem = sp_server_check(pconf, s);
    const sp_settings_t *settings = sp_server_settings(s);

    (void)plog;
    (void)ptemp;
    if (!problem && settings) {
        problem = sp_handle_prepare(pconf, settings);
    }
    if (problem) {
        ap_log_error(APLOG_MARK, APLOG_EMERG | APLOG_STARTUP, 0, s, "SP0101: %s",
                     problem);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                       server_rec *s)
{
    const sp_settings_t *settings = sp_server_settings(s);

    return settings ? sp_worker_post_config(pconf, plog, ptemp, s, settings) : OK;
}

static int monitor(apr_pool_t *pool, server_rec *s)
{
    return sp_worker_monitor(pool, s);
}

static void child_init(apr_pool_t *pool, server_rec *s)
{
    if (sp_server_settings(s)) {
        sp_worker_child_init();
        sp_handle_child_init(pool, s);
    }
}

static void register_hooks(apr_pool_t *pool)
{
    const sp_provider_t *const *provider;

    for (provider = sp_providers_builtin; *provider; provider++) {
        ap_register_provider(pool, SP_PROVIDER_GROUP, (*provider)->name,
                             SP_PROVIDER_VERSION, *provider);
    }
    sp_access_register(pool);
    sp_mod_status_register();
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    /* After everybody: the worker is forked with all that the others have set up. */
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_monitor(monitor, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    /* Before core walks the disk for files that bear the names of our pages. */
    ap_hook_map_to_storage(sp_handle_map, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_handler(sp_handle_request, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(subpay) = { STANDARD20_MODULE_STUFF,
                              NULL, /* directories have no settings of their own */
                              NULL,
                              sp_server_create,
                              NULL, /* every virtual host has the same */
                              sp_directives,
                              register_hooks,
                              AP_MODULE_FLAG_NONE };

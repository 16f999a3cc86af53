/*
 * worker.h - the process beside httpd's children that does the slow things.
 *
 * Room: worker. The one header that mod_subpay.c needs of it.
 *
 * Exactly one worker lives for each httpd: forked in post_config, replaced by the
 * other-child callback, watched by the monitor hook.
 */
#ifndef SUBPAY_WORKER_WORKER_H
#define SUBPAY_WORKER_WORKER_H

#include <httpd.h>

#include "cfg/settings.h"

/**
 * Start the worker. For post_config at APR_HOOK_REALLY_LAST, when every secret has
 * been read; does nothing in the pass that only checks the configuration.
 *
 * @param s         the main server
 * @param settings  the main server's; must live as long as pconf. No worker with
 *                  SubPayWorker off, and none where no provider is configured
 * @return OK, or HTTP_INTERNAL_SERVER_ERROR when there is no shared memory
 */
int sp_worker_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                          server_rec *s, const sp_settings_t *settings);

/** The monitor hook: end a worker that hangs, start one that is missing. */
int sp_worker_monitor(apr_pool_t *pool, server_rec *s);

/** For child_init: give back what httpd's children inherit and must not keep. */
void sp_worker_child_init(void);

#endif

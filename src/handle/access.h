/*
 * access.h - gates: Require subpay-plan and Require subpay-active.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_ACCESS_H
#define SUBPAY_HANDLE_ACCESS_H

#include <apr_pools.h>

/** Everything that gates and log-ins hook into httpd; for register_hooks. */
void sp_access_register(apr_pool_t *pool);

#endif

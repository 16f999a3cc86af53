/*
 * access_near.h - what this process has just seen of gates' answers, before the cache
 * that all processes share: no lock between processes on the way of every request.
 *
 * Room: handle. Sees httpd. Threads of one process share it.
 */
#ifndef SUBPAY_HANDLE_ACCESS_NEAR_H
#define SUBPAY_HANDLE_ACCESS_NEAR_H

#include <httpd.h>

#include "handle/access_cache.h"

/** For child_init. */
void sp_near_child_init(apr_pool_t *pool);

/** What is known of this name, whatever its age; NULL: nothing. */
sp_memory_t *sp_near_get(request_rec *r, const char *name);

/** Remember; an older answer of another name may have to go. */
void sp_near_put(const char *name, const sp_memory_t *memory);

/** Forget. */
void sp_near_remove(const char *name);

#endif

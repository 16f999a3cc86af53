/*
 * access_cache.h - what gates remember for some seconds: a socache provider of httpd,
 * and the board that says what is void.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_ACCESS_CACHE_H
#define SUBPAY_HANDLE_ACCESS_CACHE_H

#include <httpd.h>

#include "cfg/settings.h"
#include "domain/account_board.h"
#include "util/crypto.h"

/* One remembered answer. */
typedef struct sp_memory_t {
    apr_time_t confirmed_at; /* when the database said it */
    sp_board_mark_t mark;
    const char *text;
} sp_memory_t;

/* A keyed hash of what the answer is about. */
typedef struct sp_cache_key_t {
    unsigned char bytes[SP_HASH_SIZE];
} sp_cache_key_t;

/** For pre_config. */
void sp_cache_pre_config(apr_pool_t *pconf);

/** For check_config: find the provider of SubPayCache; what is wrong, or NULL. */
const char *sp_cache_prepare(apr_pool_t *pconf, apr_pool_t *ptemp,
                             const sp_settings_t *settings);

/** For post_config, before the worker is forked. */
int sp_cache_post_config(apr_pool_t *pconf, server_rec *s);

/** For child_init. */
void sp_cache_child_init(apr_pool_t *pool, server_rec *s);

/** Make a key. Answers of different kinds never meet. */
void sp_cache_key(sp_cache_key_t *key, char kind, const void *data, apr_size_t len);

/** What is remembered under this key, whatever its age; NULL: nothing. */
sp_memory_t *sp_cache_get(request_rec *r, const sp_cache_key_t *key);

/** Remember for so long. */
void sp_cache_put(request_rec *r, const sp_cache_key_t *key,
                  const sp_memory_t *memory, apr_interval_time_t life);

/** Whether other nodes see what is remembered here: redis, memcache. Keys made by
 * sp_cache_key() are this node's alone all the same. */
int sp_cache_is_shared(void);

void sp_cache_remove(request_rec *r, const sp_cache_key_t *key);

#endif

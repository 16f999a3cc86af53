/*
 * json.h - building JSON with Jansson, owned by a pool.
 *
 * Room: util. What comes from a provider is read by scan.h instead.
 */
#ifndef SUBPAY_UTIL_JSON_H
#define SUBPAY_UTIL_JSON_H

#include <apr_pools.h>
#include <apr_time.h>
#include <jansson.h>

/** Give a value to pool: it is released with it. Takes and returns NULL too. */
json_t *sp_json_own(apr_pool_t *pool, json_t *json);

/** An empty object owned by pool. */
json_t *sp_json_object(apr_pool_t *pool);

/** Set a member; nothing happens for a NULL text, a zero time. What is no valid
 * UTF-8 is left out as well: Jansson cannot hold it. */
void sp_json_set_text(json_t *object, const char *name, const char *text);
void sp_json_set_time(json_t *object, const char *name, apr_time_t at); /* seconds */

void sp_json_set_int(json_t *object, const char *name, json_int_t value);
void sp_json_set_bool(json_t *object, const char *name, int value);

/** The member's text, or NULL when it is absent, no text, or holds a NUL. */
const char *sp_json_text(const json_t *object, const char *name);

/** Written compactly, in pool. */
const char *sp_json_dump(apr_pool_t *pool, const json_t *json);

#endif

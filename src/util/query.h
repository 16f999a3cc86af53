/*
 * query.h - application/x-www-form-urlencoded, for bodies and query strings.
 *
 * Room: util.
 */
#ifndef SUBPAY_UTIL_QUERY_H
#define SUBPAY_UTIL_QUERY_H

#include <apr_pools.h>
#include <stdint.h>

typedef struct sp_query_t {
    apr_pool_t *pool;
    char *text; /* what was added so far, ended by a NUL */
    apr_size_t len;
    apr_size_t room;
} sp_query_t;

/** An empty one. */
void sp_query_start(sp_query_t *query, apr_pool_t *pool);

/** Add a name and its value, both encoded here; brackets in names stay plain. A
 * NULL value adds nothing. */
void sp_query_add(sp_query_t *query, const char *name, const char *value);

/** Add a whole number. */
void sp_query_add_int(sp_query_t *query, const char *name, int64_t value);

#endif

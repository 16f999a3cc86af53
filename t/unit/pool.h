/*
 * pool.h - what every unit test begins with: cmocka, and a pool for its group.
 *
 * Room: tests. cmocka.h wants the four standard headers before it.
 */
#ifndef SUBPAY_UNIT_POOL_H
#define SUBPAY_UNIT_POOL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_general.h>
#include <apr_pools.h>

static apr_pool_t *pool;

static int make_pool(void **state)
{
    (void)state;
    apr_initialize();
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int drop_pool(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

#endif

/*
 * tally.c - what has happened so often, counted by all processes of this httpd.
 *
 * Room: util.
 */
#include "util/tally.h"

#include <apr_shm.h>
#include <string.h>

#define MS apr_time_from_msec

const apr_interval_time_t sp_tally_bounds[SP_TALLY_BUCKETS - 1] = {
    MS(5),   MS(10),  MS(25),   MS(50),   MS(100),
    MS(250), MS(500), MS(1000), MS(2500), MS(10000)
};

static sp_tally_t *tally;

static apr_status_t forget(void *data)
{
    (void)data;
    tally = NULL;
    return APR_SUCCESS;
}

apr_status_t sp_tally_open(apr_pool_t *pool)
{
    apr_shm_t *shm;
    apr_status_t rv = apr_shm_create(&shm, sizeof(*tally), NULL, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    tally = apr_shm_baseaddr_get(shm);
    memset(tally, 0, sizeof(*tally));
    apr_pool_cleanup_register(pool, NULL, forget, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

static void add(apr_uint64_t *counter, apr_uint64_t more)
{
    __atomic_fetch_add(counter, more, __ATOMIC_RELAXED);
}

void sp_tally_call(int outcome)
{
    if (tally && outcome >= 0 && outcome < SP_TALLY_RESULTS) {
        add(&tally->calls[outcome], 1);
    }
}

void sp_tally_webhook(apr_interval_time_t took)
{
    int i = 0;

    if (!tally) {
        return;
    }
    while (i < SP_TALLY_BUCKETS - 1 && took > sp_tally_bounds[i]) {
        i++;
    }
    add(&tally->webhooks[i], 1);
    add(&tally->webhook_time, (apr_uint64_t)(took > 0 ? took : 0));
}

void sp_tally_beat(apr_time_t looked, apr_int64_t waiting)
{
    if (!tally) {
        return;
    }
    __atomic_store_n(&tally->looked, looked, __ATOMIC_RELAXED);
    __atomic_store_n(&tally->waiting, waiting, __ATOMIC_RELAXED);
    __atomic_store_n(&tally->beat, apr_time_now(), __ATOMIC_RELAXED);
}

const sp_tally_t *sp_tally_get(void)
{
    return tally;
}

/*
 * limit.c - how often somebody may try.
 *
 * Room: handle. Free of httpd.
 */
#include "handle/limit.h"

#include <stddef.h>
#include <string.h>

#include "util/crypto.h"

/* One word is one counter: 24 bits of the name's hash, 24 of the window's number, 16 of
 * the count. A name whose place is taken by another begins anew; with a thousand names
 * in a window that happens to one in 65. Nobody can aim for it without the seed. */
#define PLACES 65536
#define COUNT_MASK 0xffffu

typedef struct limits_t {
    unsigned char seed[SP_HASH_SIZE];
    apr_uint64_t places[PLACES];
} limits_t;

typedef struct where_t {
    apr_uint64_t *place;
    apr_uint64_t name; /* hash and window, count 0 */
    int left_s;        /* of the window */
} where_t;

static limits_t *limits;

apr_size_t sp_limit_size(void)
{
    return sizeof(limits_t);
}

void sp_limit_use(void *memory)
{
    static const unsigned char none[SP_HASH_SIZE];

    limits = memory;
    if (memcmp(limits->seed, none, sizeof(none)) == 0) {
        sp_crypto_random(limits->seed, sizeof(limits->seed));
    }
}

static where_t find(const sp_limit_t *limit, const char *whom)
{
    struct iovec parts[] = { { (void *)limit->what, strlen(limit->what) + 1 },
                             { (void *)whom, strlen(whom) } };
    apr_uint64_t now = (apr_uint64_t)apr_time_sec(apr_time_now());
    unsigned char mac[SP_HASH_SIZE] = { 0 };
    apr_uint32_t place, tag;
    where_t where;

    sp_crypto_hmac(limits->seed, sizeof(limits->seed), parts, 2, mac);
    memcpy(&place, mac, sizeof(place));
    memcpy(&tag, mac + sizeof(place), sizeof(tag));
    where.place = &limits->places[place % PLACES];
    where.name = (apr_uint64_t)(tag & 0xffffff) << 40 |
                 (now / (apr_uint64_t)limit->window_s & 0xffffff) << 16;
    where.left_s = limit->window_s - (int)(now % (apr_uint64_t)limit->window_s);
    return where;
}

int sp_limit_take(const sp_limit_t *limit, const char *whom)
{
    apr_uint64_t before, after;
    where_t where;

    if (!limits || limit->most <= 0) {
        return 0;
    }
    where = find(limit, whom);
    before = __atomic_load_n(where.place, __ATOMIC_RELAXED);
    do {
        after = (before & ~(apr_uint64_t)COUNT_MASK) == where.name ? before + 1
                                                                   : where.name + 1;
        if ((int)(after & COUNT_MASK) > limit->most) {
            return where.left_s;
        }
    } while (!__atomic_compare_exchange_n(where.place, &before, after, 0,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return 0;
}

void sp_limit_give(const sp_limit_t *limit, const char *whom)
{
    apr_uint64_t before;
    where_t where;

    if (!limits || limit->most <= 0) {
        return;
    }
    where = find(limit, whom);
    before = __atomic_load_n(where.place, __ATOMIC_RELAXED);
    while ((before & ~(apr_uint64_t)COUNT_MASK) == where.name &&
           before & COUNT_MASK &&
           !__atomic_compare_exchange_n(where.place, &before, before - 1, 0,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        continue;
    }
}

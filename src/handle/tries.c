/*
 * tries.c - how often somebody may knock: by what they name, and from where.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/tries.h"

#include <apr_strings.h>

#include "handle/access_cache.h"
#include "handle/limit.h"
#include "handle/shop.h"
#include "util/text.h"

#define WINDOW_S 900
#define MINUTE_S 60
#define WAYS 3

typedef struct way_t {
    sp_limit_t limit;
    const char *whom;
} way_t;

/* ---- what all nodes count --------------------------------------------------------- */

/* Every node makes the same key from the secret that all have, and nobody else can tell
 * whom it is about. 0 when there is nothing to make it from. */
static int shared_key(request_rec *r, const way_t *way, apr_time_t window,
                      sp_cache_key_t *key)
{
    const sp_settings_t *settings = sp_shop()->settings;
    const sp_account_t *account = sp_settings_account(settings, settings->provider);
    const char *name = apr_psprintf(r->pool, "%s\n%" APR_TIME_T_FMT "\n%s",
                                    way->limit.what, window, way->whom);
    struct iovec part = { (void *)name, strlen(name) };
    unsigned char secret[SP_HASH_SIZE];

    return account && account->key &&
           sp_crypto_derive(account->key, "rate limits", secret) == APR_SUCCESS &&
           sp_crypto_hmac(secret, sizeof(secret), &part, 1, key->bytes) ==
               APR_SUCCESS;
}

/* Add to what all nodes have counted, unless that is most already; the seconds to wait,
 * 0: go on. */
static int shared_add(request_rec *r, const way_t *way, int number)
{
    apr_time_t now = apr_time_sec(apr_time_now());
    apr_time_t window = now / way->limit.window_s;
    int left_s = way->limit.window_s - (int)(now % way->limit.window_s);
    sp_memory_t memory = { 0 };
    sp_memory_t *before;
    sp_cache_key_t key;
    int count;

    if (!sp_cache_is_shared() || way->limit.most <= 0 ||
        !shared_key(r, way, window, &key)) {
        return 0;
    }
    before = sp_cache_get(r, &key);
    count = (before ? atoi(before->text) : 0) + number;
    if (count > way->limit.most) {
        return left_s;
    }
    memory.text = apr_itoa(r->pool, count < 0 ? 0 : count);
    sp_cache_put(r, &key, &memory, apr_time_from_sec(left_s));
    return 0;
}

static int take(request_rec *r, const way_t *way)
{
    int wait = sp_limit_take(&way->limit, way->whom);

    return wait ? wait : shared_add(r, way, 1);
}

/* ---- who knocks ------------------------------------------------------------------- */

static int is_proxy(const char *peer)
{
    return strncmp(peer, "127.", 4) == 0 || strcmp(peer, "::1") == 0;
}

static void make_ways(request_rec *r, const char *what, const char *address,
                      int most, way_t ways[WAYS])
{
    const char *folded = sp_text_fold(r->pool, address);
    const char *peer = r->useragent_ip;
    const way_t made[WAYS] = {
        { { apr_pstrcat(r->pool, what, " by address and peer", NULL), most,
            WINDOW_S },
          apr_pstrcat(r->pool, folded, " ", peer, NULL) },
        { { apr_pstrcat(r->pool, what, " by address", NULL), most * 10, WINDOW_S },
          folded },
        { { apr_pstrcat(r->pool, what, " by peer", NULL),
            is_proxy(peer) ? 0 : most * 6, WINDOW_S },
          peer },
    };

    memcpy(ways, made, sizeof(made));
}

int sp_tries_take(request_rec *r, const char *what, const char *address, int most)
{
    way_t ways[WAYS];
    int wait = 0;
    int i;

    make_ways(r, what, address, most, ways);
    for (i = 0; i < WAYS && !wait; i++) {
        wait = take(r, &ways[i]);
    }
    return wait;
}

void sp_tries_give(request_rec *r, const char *what, const char *address, int most)
{
    way_t ways[WAYS];
    int i;

    make_ways(r, what, address, most, ways);
    for (i = 0; i < WAYS; i++) {
        sp_limit_give(&ways[i].limit, ways[i].whom);
        shared_add(r, &ways[i], -1);
    }
}

int sp_tries_minute_peer(request_rec *r, const char *what, int most)
{
    const way_t way = { { apr_pstrcat(r->pool, what, " by peer", NULL), most,
                          MINUTE_S },
                        r->useragent_ip };

    return take(r, &way);
}

int sp_tries_minute(request_rec *r, const char *what, const char *address, int most)
{
    const way_t way = { { apr_pstrcat(r->pool, what, " by address", NULL), most,
                          MINUTE_S },
                        sp_text_fold(r->pool, address) };
    int wait = is_proxy(r->useragent_ip) ? 0 : sp_tries_minute_peer(r, what, most);

    return wait ? wait : take(r, &way);
}

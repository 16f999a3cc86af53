/*
 * tries.c - how often somebody may knock: by what they name, and from where.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/tries.h"

#include <apr_strings.h>

#include "handle/auth_limit.h"
#include "util/text.h"

#define WINDOW_S 900
#define WAYS 3

typedef struct way_t {
    sp_limit_t limit;
    const char *whom;
} way_t;

static void make_ways(request_rec *r, const char *what, const char *address,
                      int most, way_t ways[WAYS])
{
    const char *folded = sp_text_fold(r->pool, address);
    const char *peer = r->useragent_ip;
    /* On loopback it is a proxy of ours, and stands for everybody. */
    int proxy = strncmp(peer, "127.", 4) == 0 || strcmp(peer, "::1") == 0;
    const way_t made[WAYS] = {
        { { apr_pstrcat(r->pool, what, " by address and peer", NULL), most,
            WINDOW_S },
          apr_pstrcat(r->pool, folded, " ", peer, NULL) },
        { { apr_pstrcat(r->pool, what, " by address", NULL), most * 10, WINDOW_S },
          folded },
        { { apr_pstrcat(r->pool, what, " by peer", NULL), proxy ? 0 : most * 6,
            WINDOW_S },
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
        wait = sp_limit_take(&ways[i].limit, ways[i].whom);
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
    }
}

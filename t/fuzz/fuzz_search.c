/*
 * fuzz_search.c - the box in which support types anything.
 *
 * Room: tests. Clean text only: that is what a form lets through.
 */
#include "fuzz.h"

#include <string.h>

#include "../unit/stripe_world.h"
#include "domain/desk_look.h"
#include "util/text.h"

static world_t world;

void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
    world_start(&world);
}

void fuzz(apr_pool_t *pool, const char *text, apr_size_t len)
{
    sp_desk_query_t query;

    if (!sp_text_is_clean(text, len)) {
        return;
    }
    world.ctx.pool = pool;
    sp_desk_read_query(&world.ctx, text, &query);
    MUST(query.text);
    MUST(!query.email || strchr(query.email, '@'));
    MUST(!query.reference || strlen(query.reference) == 12);
    MUST(!query.last4 || (strlen(query.last4) == 4 && query.amount.minor > 0 &&
                          query.day > 0 && query.day_text));
}

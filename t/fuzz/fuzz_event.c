/*
 * fuzz_event.c - a signed event, or any object in it, is a fact or is parked.
 *
 * Room: tests. The first byte: e for an event, s, i, c, r, d for Stripe's objects, E, S,
 * R, D, U for Creem's.
 */
#include "facts.h"
#include "../unit/stripe_world.h"
#include "provider/creem.h"

static world_t world;

void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
    world_start(&world);
}

static sp_stripe_take_fn stripe_take(char kind)
{
    switch (kind) {
    case 'e':
        return sp_stripe_take_event;
    case 's':
        return sp_stripe_take_session;
    case 'i':
        return sp_stripe_take_intent;
    case 'c':
        return sp_stripe_take_charge;
    case 'r':
        return sp_stripe_take_refund;
    case 'd':
        return sp_stripe_take_dispute;
    default:
        return NULL;
    }
}

static const char *creem_read(char kind, const sp_creem_reader_t *reader,
                              const sp_slice_t *bytes, sp_fact_t **fact)
{
    switch (kind) {
    case 'E':
        return sp_creem_read_event(reader, bytes, fact);
    case 'S':
        return sp_creem_read_checkout(reader, bytes, fact);
    case 'R':
        return sp_creem_read_refund(reader, bytes, fact);
    case 'D':
        return sp_creem_read_dispute(reader, bytes, fact);
    case 'U':
        return sp_creem_read_subscription(reader, NULL, bytes, fact);
    default:
        return "nothing";
    }
}

void fuzz(apr_pool_t *pool, const char *text, apr_size_t len)
{
    sp_slice_t bytes = { text + 1, len - 1 };
    sp_stripe_reader_t reader;
    sp_creem_reader_t other;
    sp_fact_t *fact = NULL;
    const char *why;

    if (len == 0) {
        return;
    }
    world.ctx.pool = pool;
    reader = sp_stripe_reader(&world.ctx);
    other = sp_creem_reader(&world.ctx);
    why = stripe_take(*text)
              ? sp_stripe_read(&reader, &bytes, stripe_take(*text), &fact)
              : creem_read(*text, &other, &bytes, &fact);
    if (why) {
        const char *id = sp_stripe_find_id(pool, &bytes);

        MUST(fuzz_is_line(why));
        MUST(!id || fuzz_is_line(id));
    }
    else {
        MUST(fact);
        check_fact(pool, fact);
    }
}

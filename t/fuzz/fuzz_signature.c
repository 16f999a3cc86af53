/*
 * fuzz_signature.c - nothing passes that was not signed.
 *
 * Room: tests. The header is the first line, the body the rest. Nobody guesses an HMAC:
 * in the header @T stands for now, @O for an hour ago, @V for the signature that fits
 * what follows "t=" first, @C for Creem's.
 */
#include "fuzz.h"

#include <apr_strings.h>
#include <apr_time.h>
#include <string.h>

#include "../unit/stripe_world.h"
#include "provider/creem.h"
#include "util/crypto.h"

#define SECRET "whsec_fuzz"

static world_t world;
static const char *stripe_header;
static const char *creem_header;

void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
    world_start(&world);
    APR_ARRAY_PUSH(world.account.secrets, const char *) = "whsec_before";
    APR_ARRAY_PUSH(world.account.secrets, const char *) = SECRET;
    world.ctx.log = NULL;
}

static const char *sign(apr_pool_t *pool, const char *time, apr_size_t time_len,
                        const char *body, apr_size_t len)
{
    struct iovec parts[] = { { (void *)time, time_len },
                             { (void *)".", 1 },
                             { (void *)body, len } };
    unsigned char mac[SP_HASH_SIZE];
    int from = time ? 0 : 2;

    sp_crypto_hmac(SECRET, strlen(SECRET), parts + from, 3 - from, mac);
    return sp_crypto_hex(pool, mac, sizeof(mac));
}

/* The text behind the first "t=". */
static const char *signed_time(const char *header, apr_size_t *len)
{
    const char *time =
        strncmp(header, "t=", 2) == 0 ? header : strstr(header, ",t=");

    time = time ? time + (*time == ',') + 2 : "";
    *len = strcspn(time, ",");
    return time;
}

static const char *replace(apr_pool_t *pool, const char *text, const char *what,
                           const char *with)
{
    const char *at;

    while ((at = strstr(text, what)) != NULL) {
        text = apr_pstrcat(pool, apr_pstrmemdup(pool, text, (apr_size_t)(at - text)),
                           with, at + strlen(what), NULL);
    }
    return text;
}

static const char *get(void *baton, const char *name)
{
    (void)baton;
    return strcmp(name, "Stripe-Signature") == 0  ? stripe_header
           : strcmp(name, "creem-signature") == 0 ? creem_header
                                                  : NULL;
}

static int holds(const char *header, const char *hex)
{
    return strcasestr(header, hex) != NULL;
}

void fuzz(apr_pool_t *pool, const char *text, apr_size_t len)
{
    apr_size_t line = strcspn(text, "\n");
    const char *body = line < len ? text + line + 1 : text + len;
    apr_size_t body_len = (apr_size_t)(text + len - body);
    const char *header = apr_pstrmemdup(pool, text, line);
    apr_time_t now = apr_time_sec(apr_time_now());
    apr_size_t time_len;
    const char *time;
    sp_unreadable_t *unreadable = NULL;
    sp_fact_t *fact = NULL;

    if (line > 4096) {
        return;
    }
    header =
        replace(pool, header, "@T", apr_psprintf(pool, "%" APR_TIME_T_FMT, now));
    header = replace(pool, header, "@O",
                     apr_psprintf(pool, "%" APR_TIME_T_FMT, now - 3600));
    time = signed_time(header, &time_len);
    header = replace(pool, header, "@V", sign(pool, time, time_len, body, body_len));
    header = replace(pool, header, "@C", sign(pool, NULL, 0, body, body_len));
    stripe_header = creem_header = header;
    world.ctx.pool = pool;
    time = signed_time(header, &time_len);
    if (sp_stripe_webhook_read(&world.ctx, &world.account, get, NULL, body, body_len,
                               &fact, &unreadable) == SP_DONE) {
        MUST(holds(header, sign(pool, time, time_len, body, body_len)));
        MUST(now - apr_atoi64(time) <= 301);
        MUST(!fact != !unreadable);
    }
    if (sp_creem_webhook_read(&world.ctx, &world.account, get, NULL, body, body_len,
                              &fact, &unreadable) == SP_DONE) {
        MUST(holds(header, sign(pool, NULL, 0, body, body_len)));
        MUST(!fact != !unreadable);
    }
}

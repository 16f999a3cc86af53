/*
 * stripe_webhook.c - is this really from Stripe, and what does it say.
 *
 * Room: provider.
 * Source: Stripe, "Verify webhook signatures manually".
 */
#include "provider/stripe.h"

#include <apr_strings.h>
#include <string.h>

#include "util/crypto.h"

#define TOLERANCE apr_time_from_sec(300)
/* Stripe sends two v1 while a secret is rolled; nobody needs many more, and each
 * costs us a comparison. */
#define MOST_SIGNATURES 8
#define LONGEST_HEADER 2048

/* The Stripe-Signature header, taken apart. */
typedef struct signature_t {
    const char *time; /* as it stands there: that text was signed */
    apr_size_t time_len;
    int64_t seconds;
    unsigned char v1[MOST_SIGNATURES][SP_HASH_SIZE];
    int count;
} signature_t;

static int read_seconds(signature_t *signature, const char *text, apr_size_t len)
{
    apr_size_t i;

    if (signature->time || len == 0 || len > 12) {
        return 0; /* two times: which one was signed? */
    }
    for (i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return 0;
        }
        signature->seconds = signature->seconds * 10 + (text[i] - '0');
    }
    signature->time = text;
    signature->time_len = len;
    return 1;
}

static void read_v1(signature_t *signature, const char *text, apr_size_t len)
{
    char hex[2 * SP_HASH_SIZE + 1];

    if (len != 2 * SP_HASH_SIZE || signature->count == MOST_SIGNATURES) {
        return;
    }
    apr_cpystrn(hex, text, sizeof(hex));
    signature->count +=
        sp_crypto_unhex(hex, signature->v1[signature->count], SP_HASH_SIZE);
}

/* Pairs in any order; schemes other than v1 are for Stripe's own tests. */
static int read_signature(signature_t *signature, const char *header)
{
    const char *end;
    apr_size_t len;

    memset(signature, 0, sizeof(*signature));
    if (!header || strlen(header) > LONGEST_HEADER) {
        return 0;
    }
    for (; *header; header = *end ? end + 1 : end) {
        end = header + strcspn(header, ",");
        len = (apr_size_t)(end - header);
        if (len > 2 && memcmp(header, "t=", 2) == 0) {
            if (!read_seconds(signature, header + 2, len - 2)) {
                return 0;
            }
        }
        else if (len > 3 && memcmp(header, "v1=", 3) == 0) {
            read_v1(signature, header + 3, len - 3);
        }
    }
    return signature->time && signature->count > 0;
}

static int is_signed(const signature_t *signature, const char *secret,
                     const char *body, apr_size_t len)
{
    struct iovec parts[] = { { (void *)signature->time, signature->time_len },
                             { (void *)".", 1 },
                             { (void *)body, len } };
    unsigned char mac[SP_HASH_SIZE];
    int fits = 0;
    int i;

    if (sp_crypto_hmac(secret, strlen(secret), parts, 3, mac) != APR_SUCCESS) {
        return 0;
    }
    for (i = 0; i < signature->count; i++) {
        fits |= sp_crypto_equal(signature->v1[i], mac, sizeof(mac));
    }
    return fits;
}

static sp_outcome_t check_signature(sp_ctx_t *ctx, const sp_account_t *account,
                                    const char *header, const char *body,
                                    apr_size_t len)
{
    signature_t signature;
    const char *secret;
    int usable = 0, fits = 0, i;

    for (i = 0; account->secrets && i < account->secrets->nelts; i++) {
        secret = APR_ARRAY_IDX(account->secrets, i, const char *);
        usable += secret && *secret;
    }
    if (!usable) {
        /* An empty secret signs whatever anybody sends. */
        return sp_end(ctx, SP_REFUSED, "closed", "No webhook secret is configured.");
    }
    if (!read_signature(&signature, header)) {
        return sp_end(ctx, SP_REFUSED, "signature", "The signature is missing.");
    }
    for (i = 0; i < account->secrets->nelts; i++) {
        secret = APR_ARRAY_IDX(account->secrets, i, const char *);
        fits |= secret && *secret && is_signed(&signature, secret, body, len);
    }
    if (!fits) {
        return sp_end(ctx, SP_REFUSED, "signature", "The signature does not fit.");
    }
    /* Only now: a stale one that is genuine means that a clock is wrong. */
    if (apr_time_sec(apr_time_now()) - signature.seconds > apr_time_sec(TOLERANCE)) {
        return sp_end(ctx, SP_REFUSED, "stale", "The signature is too old.");
    }
    return SP_DONE;
}

sp_outcome_t sp_stripe_webhook_read(sp_ctx_t *ctx, const sp_account_t *account,
                                    sp_header_fn header, void *baton,
                                    const char *body, apr_size_t len,
                                    sp_fact_t **fact, sp_unreadable_t **unreadable)
{
    sp_stripe_reader_t reader = sp_stripe_reader(ctx);
    sp_slice_t bytes = { body, len };
    sp_outcome_t out;
    const char *why;

    *fact = NULL;
    *unreadable = NULL;
    out =
        check_signature(ctx, account, header(baton, "Stripe-Signature"), body, len);
    if (out != SP_DONE) {
        return out;
    }
    why = sp_stripe_read(&reader, &bytes, sp_stripe_take_event, fact);
    if (why) {
        *fact = NULL;
        *unreadable = apr_palloc(ctx->pool, sizeof(**unreadable));
        (*unreadable)->id = sp_stripe_find_id(ctx->pool, &bytes);
        (*unreadable)->raw = body;
        (*unreadable)->len = len;
        (*unreadable)->why = why;
    }
    return SP_DONE;
}

/* A type that nobody at Stripe sends, so that it can be told from what they do. */
#define SAMPLE                                                                       \
    "{\"id\":\"evt_subpay_doctor\",\"object\":\"event\",\"type\":\"subpay.doctor\"," \
    "\"created\":%" APR_TIME_T_FMT ",\"livemode\":%s,\"data\":{\"object\":{}}}"

const char *sp_stripe_webhook_sample(apr_pool_t *pool, const char *secret,
                                     const char *mode, apr_time_t at,
                                     apr_array_header_t *headers)
{
    const char *time =
        apr_psprintf(pool, "%" APR_TIME_T_FMT, (apr_time_t)apr_time_sec(at));
    const char *body = apr_psprintf(pool, SAMPLE, (apr_time_t)apr_time_sec(at),
                                    strcmp(mode, "live") == 0 ? "true" : "false");
    struct iovec parts[] = { { (void *)time, strlen(time) },
                             { (void *)".", 1 },
                             { (void *)body, strlen(body) } };
    unsigned char mac[SP_HASH_SIZE] = { 0 };

    sp_crypto_hmac(secret, strlen(secret), parts, 3, mac);
    APR_ARRAY_PUSH(headers, const char *) =
        apr_pstrcat(pool, "Stripe-Signature: t=", time,
                    ",v1=", sp_crypto_hex(pool, mac, sizeof(mac)), NULL);
    return body;
}

/*
 * creem_webhook.c - is this really from Creem, and what does it say.
 *
 * Room: provider.
 * Source: Creem, "Verify Creem webhook requests". The signature has no time in it, so
 * an old body can be sent again by whoever saw it: the event's id, unique in the
 * database, is what makes that harmless.
 */
#include <apr_strings.h>
#include <string.h>

#include "provider/creem.h"
#include "util/crypto.h"

static int is_signed(const char *secret, const unsigned char *signature,
                     const char *body, apr_size_t len)
{
    struct iovec part = { (void *)body, len };
    unsigned char mac[SP_HASH_SIZE];

    return secret && *secret &&
           sp_crypto_hmac(secret, strlen(secret), &part, 1, mac) == APR_SUCCESS &&
           sp_crypto_equal(signature, mac, sizeof(mac));
}

static sp_outcome_t check_signature(sp_ctx_t *ctx, const sp_account_t *account,
                                    const char *header, const char *body,
                                    apr_size_t len)
{
    unsigned char signature[SP_HASH_SIZE];
    int usable = 0, fits = 0, i;
    int readable = header && strlen(header) == 2 * SP_HASH_SIZE &&
                   sp_crypto_unhex(header, signature, SP_HASH_SIZE);

    for (i = 0; account->secrets && i < account->secrets->nelts; i++) {
        const char *secret = APR_ARRAY_IDX(account->secrets, i, const char *);

        /* An empty secret signs whatever anybody sends. */
        usable += secret && *secret;
        fits |= readable && is_signed(secret, signature, body, len);
    }
    if (!usable) {
        return sp_end(ctx, SP_REFUSED, "closed", "No webhook secret is configured.");
    }
    return fits
               ? SP_DONE
               : sp_end(ctx, SP_REFUSED, "signature", "The signature does not fit.");
}

/* The id of what is not readable otherwise, or NULL. */
static const char *find_id(apr_pool_t *pool, const sp_slice_t *bytes)
{
    sp_creem_event_t event = { .id = NULL };

    sp_scan_whole(pool, bytes->data, bytes->len, &sp_creem_event_shape, &event);
    return sp_creem_is_id(event.id, "") ? event.id : NULL;
}

sp_outcome_t sp_creem_webhook_read(sp_ctx_t *ctx, const sp_account_t *account,
                                   sp_header_fn header, void *baton,
                                   const char *body, apr_size_t len,
                                   sp_fact_t **fact, sp_unreadable_t **unreadable)
{
    sp_creem_reader_t reader = sp_creem_reader(ctx);
    sp_slice_t bytes = { body, len };
    sp_outcome_t out;
    const char *why;

    *fact = NULL;
    *unreadable = NULL;
    out = check_signature(ctx, account, header(baton, "creem-signature"), body, len);
    if (out != SP_DONE) {
        return out;
    }
    why = sp_creem_read_event(&reader, &bytes, fact);
    if (why) {
        *fact = NULL;
        *unreadable = apr_palloc(ctx->pool, sizeof(**unreadable));
        (*unreadable)->id = find_id(ctx->pool, &bytes);
        (*unreadable)->raw = body;
        (*unreadable)->len = len;
        (*unreadable)->why = why;
    }
    return SP_DONE;
}

const char *sp_creem_webhook_sample(apr_pool_t *pool, const char *secret,
                                    const char *mode, apr_time_t at,
                                    apr_array_header_t *headers)
{
    const char *body = apr_psprintf(
        pool,
        "{\"id\":\"evt_subpay_doctor\",\"eventType\":\"subpay.doctor\","
        "\"created_at\":%" APR_TIME_T_FMT ",\"object\":{\"mode\":\"%s\"}}",
        (apr_time_t)apr_time_as_msec(at), mode);
    struct iovec part = { (void *)body, strlen(body) };
    unsigned char mac[SP_HASH_SIZE] = { 0 };

    sp_crypto_hmac(secret, strlen(secret), &part, 1, mac);
    APR_ARRAY_PUSH(headers, const char *) = apr_pstrcat(
        pool, "creem-signature: ", sp_crypto_hex(pool, mac, sizeof(mac)), NULL);
    return body;
}

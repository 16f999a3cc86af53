/*
 * signing.c - signatures of what we send to the application.
 *
 * Room: util.
 */
#include "util/signing.h"

#include <apr_base64.h>
#include <apr_strings.h>
#include <string.h>

#include "util/crypto.h"

#define PREFIX "whsec_"
#define LEAST 24
#define MOST 64
#define ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/* Strict, because apr_base64 stops in silence at what it does not know. Returns the
 * number of bytes, 0 where it is none. */
static apr_size_t read_key(apr_pool_t *pool, const char *secret, unsigned char **key)
{
    apr_size_t prefix = strlen(PREFIX);
    const char *text = secret + prefix;
    apr_size_t symbols, len;

    if (strncmp(secret, PREFIX, prefix) != 0) {
        return 0;
    }
    symbols = strspn(text, ALPHABET);
    len = strlen(text);
    if (len % 4 || len > (MOST + 2) / 3 * 4 || len - symbols > 2 ||
        strspn(text + symbols, "=") != len - symbols) {
        return 0;
    }
    *key = apr_palloc(pool, len);
    return (apr_size_t)apr_base64_decode_binary(*key, text);
}

const char *sp_signing_problem(apr_pool_t *pool, const char *secret)
{
    unsigned char *key;
    apr_size_t len = read_key(pool, secret, &key);

    return len >= LEAST && len <= MOST
               ? NULL
               : "it must be whsec_ and 24 to 64 bytes in base64; make one with: echo "
                 "whsec_$(openssl rand -base64 32)";
}

const char *sp_signing_sign(apr_pool_t *pool, const char *secret, const char *id,
                            apr_time_t at, const char *body)
{
    const char *signed_at =
        apr_psprintf(pool, ".%" APR_TIME_T_FMT ".", (apr_time_t)apr_time_sec(at));
    struct iovec parts[] = { { (void *)id, strlen(id) },
                             { (void *)signed_at, strlen(signed_at) },
                             { (void *)body, strlen(body) } };
    unsigned char mac[SP_HASH_SIZE];
    unsigned char *key;
    apr_size_t len = read_key(pool, secret, &key);
    char *text;

    if (len == 0 || sp_crypto_hmac(key, len, parts, 3, mac) != APR_SUCCESS) {
        return NULL;
    }
    text = apr_palloc(pool, (apr_size_t)apr_base64_encode_len(sizeof(mac)));
    apr_base64_encode_binary(text, mac, sizeof(mac));
    return apr_pstrcat(pool, "v1,", text, NULL);
}

/*
 * crypto.c - the few calls of OpenSSL that we need.
 *
 * Room: util.
 */
#include "util/crypto.h"

#include <apr_strings.h>
#include <pthread.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

/* Looking an algorithm up by name costs more than hashing a webhook body with it,
 * so each is looked up once in a process. */
static pthread_once_t looked_up = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static EVP_MAC *hmac;

static void look_up(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

static apr_status_t ended(int fine)
{
    if (!fine) {
        ERR_clear_error();
    }
    return fine ? APR_SUCCESS : APR_EGENERAL;
}

apr_status_t sp_crypto_sha256(const void *data, apr_size_t len,
                              unsigned char hash[SP_HASH_SIZE])
{
    pthread_once(&looked_up, look_up);
    return ended(sha256 && EVP_Digest(data, len, hash, NULL, sha256, NULL));
}

apr_status_t sp_crypto_hmac(const void *key, apr_size_t key_len,
                            const struct iovec *parts, int count,
                            unsigned char mac[SP_HASH_SIZE])
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                             digest, 0),
                            OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *state;
    size_t size;
    int fine, i;

    pthread_once(&looked_up, look_up);
    state = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    fine = state && EVP_MAC_init(state, key, key_len, params);
    for (i = 0; fine && i < count; i++) {
        fine = EVP_MAC_update(state, parts[i].iov_base, parts[i].iov_len);
    }
    fine = fine && EVP_MAC_final(state, mac, &size, SP_HASH_SIZE);
    EVP_MAC_CTX_free(state);
    return ended(fine);
}

apr_status_t sp_crypto_derive(const char *secret, const char *purpose,
                              unsigned char key[SP_HASH_SIZE])
{
    struct iovec parts[] = { { "subpay: ", 8 },
                             { (void *)purpose, strlen(purpose) } };

    return sp_crypto_hmac(secret, strlen(secret), parts, 2, key);
}

char *sp_crypto_hex(apr_pool_t *pool, const void *bytes, apr_size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = bytes;
    char *text = apr_palloc(pool, len * 2 + 1);
    apr_size_t i;

    for (i = 0; i < len; i++) {
        text[2 * i] = digits[from[i] >> 4];
        text[2 * i + 1] = digits[from[i] & 15];
    }
    text[2 * len] = '\0';
    return text;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int sp_crypto_unhex(const char *text, unsigned char *bytes, apr_size_t len)
{
    apr_size_t i;
    int high, low;

    for (i = 0; i < len; i++) {
        high = digit_value(text[2 * i]);
        low = high < 0 ? -1 : digit_value(text[2 * i + 1]);
        if (low < 0) {
            return 0;
        }
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return text[2 * len] == '\0';
}

int sp_crypto_equal(const void *a, const void *b, apr_size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

apr_status_t sp_crypto_random(void *bytes, apr_size_t len)
{
    return ended(RAND_bytes(bytes, (int)len) == 1);
}

const char *sp_crypto_uuid(apr_pool_t *pool)
{
    unsigned char b[16];
    char *hex;

    if (sp_crypto_random(b, sizeof(b)) != APR_SUCCESS) {
        return NULL;
    }
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    hex = sp_crypto_hex(pool, b, sizeof(b));
    return apr_psprintf(pool, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
                        hex + 16, hex + 20);
}

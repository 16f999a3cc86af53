/*
 * crypto.h - hashes, random bytes and comparisons that take the same time.
 *
 * Room: util. OpenSSL underneath; its error queue is left empty, because mod_ssl
 * reads the same one.
 *
 * Where OpenSSL itself fails (no memory, no entropy) a call says so; a caller that
 * has no better answer must refuse, never go on with what is in the buffer.
 */
#ifndef SUBPAY_UTIL_CRYPTO_H
#define SUBPAY_UTIL_CRYPTO_H

#include <apr_pools.h>
#include <sys/uio.h>

#define SP_HASH_SIZE 32 /* bytes of a SHA-256, and of an HMAC made with it */

/** SHA-256 of len bytes. */
apr_status_t sp_crypto_sha256(const void *data, apr_size_t len,
                              unsigned char hash[SP_HASH_SIZE]);

/** HMAC-SHA256 over pieces that need not lie together. */
apr_status_t sp_crypto_hmac(const void *key, apr_size_t key_len,
                            const struct iovec *parts, int count,
                            unsigned char mac[SP_HASH_SIZE]);

/**
 * A key for one purpose, from a secret that has another.
 *
 * @param purpose  "return token": two purposes never share a key
 */
apr_status_t sp_crypto_derive(const char *secret, const char *purpose,
                              unsigned char key[SP_HASH_SIZE]);

/** Lower-case hex of len bytes. */
char *sp_crypto_hex(apr_pool_t *pool, const void *bytes, apr_size_t len);

/** Read exactly 2 * len hex digits, of either case; whether text is just that. */
int sp_crypto_unhex(const char *text, unsigned char *bytes, apr_size_t len);

/** Whether len bytes are the same, in a time that does not tell where they differ. */
int sp_crypto_equal(const void *a, const void *b, apr_size_t len);

/** len bytes that nobody can guess. */
apr_status_t sp_crypto_random(void *bytes, apr_size_t len);

/** A random uuid (version 4); NULL when there is no entropy. */
const char *sp_crypto_uuid(apr_pool_t *pool);

#endif

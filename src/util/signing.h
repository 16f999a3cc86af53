/*
 * signing.h - signatures of what we send to the application.
 *
 * Room: util.
 * Source: Standard Webhooks, "Signature scheme": HMAC-SHA256 over id.timestamp.body,
 * the key in base64 behind "whsec_".
 */
#ifndef SUBPAY_UTIL_SIGNING_H
#define SUBPAY_UTIL_SIGNING_H

#include <apr_pools.h>
#include <apr_time.h>

/** NULL when this is a secret to sign with, else what it should be: "whsec_", then 24
 * to 64 bytes in base64. The secret is no part of the answer. */
const char *sp_signing_problem(apr_pool_t *pool, const char *secret);

/**
 * The value of the webhook-signature header: "v1,<base64>".
 *
 * @param secret  one without a problem
 * @param id      of the message, the same each time it is sent
 * @param at      when it is sent
 * @return in pool; NULL when OpenSSL has failed
 */
const char *sp_signing_sign(apr_pool_t *pool, const char *secret, const char *id,
                            apr_time_t at, const char *body);

#endif

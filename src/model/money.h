/*
 * money.h - an amount is whole minor units and a currency, nothing else.
 *
 * Room: model.
 * Source: ISO 4217 for the codes; Stripe "Currencies" for the exponents.
 */
#ifndef SUBPAY_MODEL_MONEY_H
#define SUBPAY_MODEL_MONEY_H

#include <apr_pools.h>
#include <stdint.h>

typedef struct sp_money_t {
    int64_t minor;    /* 24900 "USD" is 249.00 USD; 500 "JPY" is 500 JPY */
    char currency[4]; /* ISO 4217, upper case */
} sp_money_t;

/** Digits of a currency's minor unit: 0, 2 or 3; 2 for one we do not know. */
int sp_money_exponent(const char *currency);

/** Cards can be charged, and paid back, multiples of so many minor units. */
int sp_money_step(const char *currency);

/**
 * Read "249.00 USD" (exactly as many decimals as the currency has, or none).
 *
 * @return NULL on success, otherwise what is wrong and what would be right, in pool
 */
const char *sp_money_parse(apr_pool_t *pool, const char *text, sp_money_t *money);

/** Read an amount ("249.00" or "249") of a known currency; as sp_money_parse. */
const char *sp_money_parse_amount(apr_pool_t *pool, const char *amount,
                                  const char *currency, sp_money_t *money);

/** A currency's code as providers write it, in either case; 0 when it is none. */
int sp_money_currency(const char *code, sp_money_t *money);

/** "249.00 USD", in pool: unambiguous everywhere, so used on pages and in mails. */
const char *sp_money_text(apr_pool_t *pool, const sp_money_t *money);

#endif

/*
 * reference.h - the short name of an order that people read, type and say.
 *
 * Room: util.
 *
 * SP-XXXX-XXXX in Crockford's base 32; the eighth symbol is a check over GF(32)
 * that finds every wrong symbol and every swap of two, so a typo is caught before
 * a search. The SQL function subpay.reference_check computes the same.
 */
#ifndef SUBPAY_UTIL_REFERENCE_H
#define SUBPAY_UTIL_REFERENCE_H

#include <apr_pools.h>
#include <apr_tables.h>

/** The check symbol behind seven symbols (upper case), or 0 when one is none. */
char sp_reference_check(const char symbols[7]);

/**
 * Read a reference as people write it.
 *
 * Takes lower case, missing or other dashes, a missing "SP", O for 0, I and L for
 * 1, and the form on the bank statement, also behind its prefix: "SHOP* SP4KTM9XQ2".
 *
 * @param reference  "SP-XXXX-XXXX" when the text has that form, whether or not its
 *                   check symbol is right; otherwise NULL
 * @return whether it has the form and the right check symbol
 */
int sp_reference_parse(apr_pool_t *pool, const char *text, const char **reference);

/**
 * What somebody may have meant: the references (const char *) that differ from a
 * wrong one in a single symbol or by a swap of neighbours. At most fifteen.
 *
 * @param reference  as sp_reference_parse() gave it
 */
apr_array_header_t *sp_reference_near(apr_pool_t *pool, const char *reference);

/** "SPXXXXXXXX" for the bank statement: ten characters, with letters. */
const char *sp_reference_statement(apr_pool_t *pool, const char *reference);

#endif

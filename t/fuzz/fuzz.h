/*
 * fuzz.h - what every fuzz target has: bytes in, a pool, a promise to check.
 *
 * Room: tests.
 */
#ifndef SUBPAY_T_FUZZ_H
#define SUBPAY_T_FUZZ_H

#include <apr_pools.h>
#include <stdint.h>

/* What the file of a target brings: one run. The text has exactly len bytes and a NUL
 * behind them; the pool and all that comes out of it end with the run. */
void fuzz(apr_pool_t *pool, const char *text, apr_size_t len);

/* Optional: once, before the first run. What it allocates stays. */
void fuzz_start(apr_pool_t *pool);

/* A promise that these bytes have broken. */
#define MUST(condition)                                  \
    do {                                                 \
        if (!(condition)) {                              \
            fuzz_broken(__FILE__, __LINE__, #condition); \
        }                                                \
    } while (0)

__attribute__((noreturn)) void fuzz_broken(const char *file, int line,
                                           const char *promise);

/* One line that a page, a header and a database can take. */
int fuzz_is_line(const char *text);

#endif

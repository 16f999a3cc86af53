/*
 * limit.h - how often somebody may try, counted for all processes of this httpd.
 *
 * Room: handle. Free of httpd. Counts are kept under a keyed hash, in shared memory.
 * Each node counts for itself here; what all count together is in tries.c.
 */
#ifndef SUBPAY_HANDLE_LIMIT_H
#define SUBPAY_HANDLE_LIMIT_H

#include <apr_time.h>

typedef struct sp_limit_t {
    const char *what; /* "login by address" */
    int most;         /* tries in each window */
    int window_s;
} sp_limit_t;

/** Bytes of shared memory, zeroed. */
apr_size_t sp_limit_size(void);

/** Use this memory from now on; before any process is forked. */
void sp_limit_use(void *memory);

/**
 * Count one try.
 *
 * @param whom  address, peer: what is counted by
 * @return 0 when it may go on, else the seconds until the next is counted anew
 */
int sp_limit_take(const sp_limit_t *limit, const char *whom);

/** Take a try back: it was none of the kind that is limited. */
void sp_limit_give(const sp_limit_t *limit, const char *whom);

#endif

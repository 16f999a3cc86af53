/*
 * clock.h - a clock that nobody can set.
 *
 * Room: util. The machine's wall clock may step; a worker must not be taken for dead, a
 * job be put off, nor a customer wait, because it did.
 */
#ifndef SUBPAY_UTIL_CLOCK_H
#define SUBPAY_UTIL_CLOCK_H

#include <apr_time.h>
#include <time.h>

/** Microseconds since some moment in the past; the same in every process. Only good for
 * differences. */
static inline apr_time_t sp_clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec(now.tv_sec) + now.tv_nsec / 1000;
}

#endif

/*
 * slip.h - addresses that look mistyped.
 *
 * Room: handle. Free of httpd.
 */
#ifndef SUBPAY_HANDLE_SLIP_H
#define SUBPAY_HANDLE_SLIP_H

#include <apr_pools.h>

/**
 * "ana@gmial.com" was probably meant to be "ana@gmail.com".
 *
 * A mistyped address is the one thing that no retry heals, so it is worth a question.
 *
 * @return what was probably meant, in pool; NULL when nothing looks wrong
 */
const char *sp_slip_suggest(apr_pool_t *pool, const char *email);

#endif

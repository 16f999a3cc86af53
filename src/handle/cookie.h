/*
 * cookie.h - which orders this very browser made.
 *
 * Room: handle. Sees httpd.
 *
 * The cookie holds the tokens of the last orders, newest first. Nobody else has
 * them together with the return address: an address alone gets shared and guessed.
 */
#ifndef SUBPAY_HANDLE_COOKIE_H
#define SUBPAY_HANDLE_COOKIE_H

#include <apr_tables.h>
#include <httpd.h>

/** Was the order of this token made in this browser? */
int sp_cookie_has(request_rec *r, const char *token);

/** The tokens (const char *) of the orders made in this browser, newest first. */
apr_array_header_t *sp_cookie_all(request_rec *r);

/** The token of the last order made in this browser, or NULL. */
const char *sp_cookie_last(request_rec *r);

/** Remember an order; the oldest of more than three is forgotten. */
void sp_cookie_remember(request_rec *r, const char *token);

#endif

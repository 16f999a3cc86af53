/*
 * auth_cookie.h - the cookies of whoever is logged in.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_AUTH_COOKIE_H
#define SUBPAY_HANDLE_AUTH_COOKIE_H

#include <httpd.h>

typedef enum sp_auth_cookie_t {
    SP_COOKIE_SESSION, /* __Host-subpay; subpay_session over plain http */
    SP_COOKIE_GRACE    /* __Host-subpay-grace; subpay_grace */
} sp_auth_cookie_t;

/** Its value, or NULL. */
const char *sp_auth_cookie(request_rec *r, sp_auth_cookie_t which);

/** Set it for so many seconds; 0 ends it. */
void sp_auth_cookie_set(request_rec *r, sp_auth_cookie_t which, const char *value,
                        int seconds);

#endif

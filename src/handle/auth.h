/*
 * auth.h - who is asking: AuthType SubPay, and what the log-in pages need of it.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_AUTH_H
#define SUBPAY_HANDLE_AUTH_H

#include <httpd.h>

#include "handle/access_find.h"

/** Who this request is from, as far as one of our checks has found out; NULL: none
 * has. Subrequests and internal redirects see what the first request found. */
sp_access_t *sp_auth_access(request_rec *r);

/** Remember it for this request. */
void sp_auth_note(request_rec *r, const sp_access_t *access);

/** Set SUBPAY_ACCOUNT, SUBPAY_PLAN, SUBPAY_EXPIRES, SUBPAY_CREDITS; plan may be NULL. */
void sp_auth_env(request_rec *r, const sp_customer_t *customer,
                 const sp_plan_t *plan);

/** The check_authn hook. */
int sp_auth_check(request_rec *r);

/** Count a try at this address's password; seconds to wait, 0: go on. */
int sp_auth_try(request_rec *r, const char *email);

/** It was right: do not count it. */
void sp_auth_try_right(request_rec *r, const char *email);

/** The authentication provider "subpay", for Basic, mod_auth_form and others. */
void sp_auth_register_provider(apr_pool_t *pool);

/**
 * May this POST be believed to come from our own pages?
 *
 * By Sec-Fetch-Site or Origin, which a foreign page cannot choose; a client that sends
 * neither is no browser, and has no cookies to be abused.
 */
int sp_auth_own_origin(request_rec *r);

/** The path to return to, if it is one of this very host; else NULL. */
const char *sp_auth_local_path(const char *to);

#endif

/*
 * auth_pages.h - what other pages show of accounts.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_AUTH_PAGES_H
#define SUBPAY_HANDLE_AUTH_PAGES_H

#include <httpd.h>
#include <jansson.h>

#include "model/ctx.h"

/**
 * Add what the browser that paid can do next: choose the first password
 * (password_url) or log in (login_url), and correct the address once (correct_email).
 *
 * Adds nothing while the database is away: the page is true without.
 *
 * @param token  of a completed order; the caller has seen that this browser made it
 * @return the page's status: 400 where it shows what is wrong with a correction
 */
int sp_auth_next_steps(sp_ctx_t *ctx, json_t *page, const char *token,
                       const char *reference);

#endif

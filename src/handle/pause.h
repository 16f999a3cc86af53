/*
 * pause.h - while checkout is paused: the page that says so.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_PAUSE_H
#define SUBPAY_HANDLE_PAUSE_H

#include <httpd.h>

#include "model/ctx.h"

/**
 * Say that new payments are paused: 503.
 *
 * @param can_store  whether an address can be left: the database answers
 * @param unsure     this browser may have paid before: not "you have not been charged",
 *                   which only holds where nobody has seen a page that takes a card
 */
int sp_pause_show(request_rec *r, sp_ctx_t *ctx, int can_store, int unsure);

/** Has somebody paused checkout? 0 too when the database does not say. */
int sp_pause_is_on(sp_ctx_t *ctx);

#endif

/*
 * buyer.h - what the browser that bought may be told at once.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_BUYER_H
#define SUBPAY_HANDLE_BUYER_H

#include <httpd.h>
#include <jansson.h>

#include "model/ctx.h"
#include "model/order.h"

/**
 * The newest order of this browser that is paid, the provider being asked about those
 * that are open.
 *
 * @param patience  for all of them together
 * @return NULL when none is, or nothing is known yet; its token is set
 */
sp_order_t *sp_buyer_paid(request_rec *r, sp_ctx_t *ctx,
                          apr_interval_time_t patience);

/** The newest order of this browser as the database knows it; NULL: none. */
sp_order_t *sp_buyer_order(request_rec *r, sp_ctx_t *ctx);

/** The money line of this order, as far as the database knows; nothing where the order is
 * history. */
void sp_buyer_set_money(sp_ctx_t *ctx, json_t *page, const sp_order_t *order);

/** Its reference. */
const char *sp_buyer_reference(request_rec *r, sp_ctx_t *ctx);

/** Show a page in this state with the order, its money line, and the way to it. */
int sp_buyer_show_found(request_rec *r, sp_ctx_t *ctx, const char *page,
                        const char *state, const sp_order_t *order);

#endif

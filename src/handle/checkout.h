/*
 * checkout.h - what the two ways to begin an order have in common.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_CHECKOUT_H
#define SUBPAY_HANDLE_CHECKOUT_H

#include <httpd.h>

#include "handle/form.h"
#include "model/ctx.h"
#include "model/order.h"

/** What a form asks for, unchecked. */
sp_order_ask_t *sp_checkout_ask(sp_ctx_t *ctx, const sp_form_t *form);

/** Answer SP_REFUSED: the form again, or a JSON error, with ctx->code and ctx->say. */
int sp_checkout_form_again(request_rec *r, sp_ctx_t *ctx, const sp_form_t *form);

/** Answer SP_FAILED, and a pause: nothing can be sold now. */
int sp_checkout_closed(request_rec *r, sp_ctx_t *ctx, const sp_form_t *form);

/** The order's return page. */
const char *sp_checkout_return_url(sp_ctx_t *ctx, const sp_order_t *order);

#endif

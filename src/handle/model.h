/*
 * model.h - what the templates get to see: JSON, as htdocs/templates/README.md says.
 *
 * Room: handle. Free of httpd.
 */
#ifndef SUBPAY_HANDLE_MODEL_H
#define SUBPAY_HANDLE_MODEL_H

#include <jansson.h>

#include "model/ctx.h"
#include "model/order.h"

/* What a page may show of an order: everything to the browser that bought it, to
 * others no more than the address itself already told them. */
typedef enum sp_view_t { SP_VIEW_STRANGER, SP_VIEW_BUYER } sp_view_t;

/** What every page has. Owned by ctx->pool. */
json_t *sp_model_page(sp_ctx_t *ctx);

/** A new {iso, text}, or NULL for no time. */
json_t *sp_model_time(sp_ctx_t *ctx, apr_time_t at);

/** Set a time under this name; nothing for no time. */
void sp_model_set_time(sp_ctx_t *ctx, json_t *object, const char *name,
                       apr_time_t at);

/**
 * The one word for how an order stands, as the return page knows it: paid, review,
 * refunded, processing, declined, open, expired, cancelled, checking; and where the money
 * is held and not taken: reserved (access is there), review_reserved, released.
 *
 * @param sure  whether the provider was asked just now; if not, "open" would be a
 *              guess, and is "checking"
 */
const char *sp_model_state(const sp_order_t *order, int sure);

/** The money line that goes with that word: paid, reserved, checking, open, not_charged,
 * held or returned. */
const char *sp_model_money_word(const char *state);

/** Set "money" for a state; price may be NULL. */
void sp_model_set_money(sp_ctx_t *ctx, json_t *object, const char *state,
                        const sp_money_t *price);

/** Set "reference" and "order". */
void sp_model_set_order(sp_ctx_t *ctx, json_t *page, const sp_order_t *order,
                        sp_view_t view);

/** Set "products" and "several_products"; selected may be NULL. */
void sp_model_set_products(sp_ctx_t *ctx, json_t *page, const char *selected);

#endif

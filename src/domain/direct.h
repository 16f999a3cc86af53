/*
 * direct.h - paying without a payment page: the owner's own page has asked for the card.
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_DIRECT_H
#define SUBPAY_DOMAIN_DIRECT_H

#include "model/ctx.h"
#include "model/order.h"
#include "provider/provider.h"

/**
 * Pay for a new order with a payment method.
 *
 * The intent is committed first, then the payment is written down at the provider, its id
 * committed, and only then is money asked for: so whatever dies in between, every road
 * finds the order, the payment, or both. The same form again meets the same payment,
 * which can succeed once only; another method is a new try.
 *
 * @param method  a payment method's id at the provider
 * @param direct  on SP_DONE: fact NULL where the order's own state says all
 * @return SP_DONE     *order is true now: completed, in review, processing; or
 *                     direct->needs_action; or not paid, with (*order)->failure
 *         SP_REFUSED  code: as sp_order_place; not_offered: not by this provider, or not
 *                     for this plan; bad_method; has_page: the same form has opened a
 *                     payment page; not_payable: the payment is closed for good
 *         SP_UNKNOWN  money may have been asked for: say "we are checking"
 *         SP_FAILED   code database: no order exists; code not_started: it does, and no
 *                     money was asked for
 */
sp_outcome_t sp_order_subscribe(sp_ctx_t *ctx, const sp_order_ask_t *ask,
                                const char *method, sp_order_t **order,
                                sp_direct_t *direct);

#endif

/*
 * order.h - what people do with an order: place it, come back to it, recover it.
 *
 * Room: domain. One function is one thing that somebody wants done.
 */
#ifndef SUBPAY_DOMAIN_ORDER_H
#define SUBPAY_DOMAIN_ORDER_H

#include "cfg/settings.h"
#include "db/db.h"
#include "model/ctx.h"
#include "model/fact.h"
#include "model/order.h"
#include "provider/provider.h"

/**
 * Somebody pressed "Continue to payment".
 *
 * The intent is committed before the provider is called, and the provider's answer
 * is stored after; a crash in between leaves an order that every road can finish.
 *
 * @return SP_DONE     *order is stored and its checkout_url is where to go now; with
 *                     (*order)->state other than pending when the same form was sent
 *                     before and has been paid meanwhile (then show its return page)
 *         SP_REFUSED  code: no_such_product, bad_email, bad_name, paused; no order exists.
 *                     Or provider_refused: the order exists, the provider said no
 *         SP_UNKNOWN  the order exists (*order set), the page may or may not: the
 *                     same form may be sent again and meets the same order
 *         SP_FAILED   code database: no order exists; code provider_...: it does,
 *                     the page does not. Or checkout_lost: nobody has seen a page,
 *                     and this provider cannot be asked again for the same one
 */
sp_outcome_t sp_order_place(sp_ctx_t *ctx, const sp_order_ask_t *ask,
                            sp_order_t **order);

/**
 * Write an intent down, and ask nobody yet: how sp_order_place and sp_order_subscribe
 * begin.
 *
 * @param of     whose order it is: not always the provider of new ones
 * @param again  whether the same form had made it before
 * @return as sp_order_place: SP_DONE, SP_REFUSED, or SP_FAILED with code database
 */
sp_outcome_t sp_order_begin(sp_ctx_t *ctx, const sp_order_ask_t *ask,
                            sp_order_t **order, const sp_account_t **of, int *again);

/**
 * Somebody comes back from the payment page, or asks again.
 *
 * Takes what the database knows; while that is not final, asks the provider (for
 * ctx->patience at most) and lets its answer in through the one door. Also finds the
 * order whose row is gone, by the provider's own checkout id.
 *
 * @param token        32 hex digits from the address
 * @param checkout_id  the provider's placeholder filled in, or NULL
 * @param order        the present state, also on SP_UNKNOWN; NULL when there is none
 * @return SP_DONE     *order is true now; NULL with SP_DONE: no such order anywhere
 *         SP_UNKNOWN  the provider gave no clear answer: say "we are checking"
 *         SP_FAILED   code database: nothing can be read; say "we are checking" too
 */
sp_outcome_t sp_order_return(sp_ctx_t *ctx, const char *token,
                             const char *checkout_id, sp_order_t **order);

/** What the database knows of the token's order, asking nobody. *order NULL: none. */
sp_outcome_t sp_order_look(sp_ctx_t *ctx, const char *token, sp_order_t **order);

/**
 * Ask the provider about one order and settle what it says.
 *
 * By checkout id, or through the list when that id was never stored; then reads the
 * order again into *order. Used by every road that starts from our side.
 */
sp_outcome_t sp_order_recover(sp_ctx_t *ctx, sp_order_t **order);

/** Ask the provider about one order, and let nothing in: for people who look. */
sp_outcome_t sp_order_ask(sp_ctx_t *ctx, const sp_order_t *order, sp_fact_t **fact);

/** Ask the provider for one payment by any of its ids and settle what it says.
 * SP_REFUSED with code not_found when the provider knows none. */
sp_outcome_t sp_payment_recover(sp_ctx_t *ctx, const sp_account_t *account,
                                const char *payment_id, sp_settled_t *settled);

/** Let one fact in, completed with what only our settings know (the title). Every
 * road ends here. */
sp_outcome_t sp_fact_settle(sp_ctx_t *ctx, sp_fact_t *fact, sp_settled_t *settled);

/**
 * What money has moved for an order, as pages and mails name it: what was paid or sent
 * back, which differs from the price where a person has had to decide.
 *
 * money is filled in any case; what the database cannot say is left out.
 */
void sp_order_money(sp_ctx_t *ctx, const sp_order_t *order, sp_order_money_t *money);

/** As the bank prints it, in ctx->pool: what the provider told us, else what we asked
 * it to print. */
const char *sp_order_statement(sp_ctx_t *ctx, const sp_order_t *order);

/** How the bank statement of a new order will begin ("SHOP* SP…"), in ctx->pool; NULL
 * where nobody has told. */
const char *sp_order_statement_start(sp_ctx_t *ctx);

/** The token of an order: derived from its id and its provider's key, so that a
 * repeated call to the provider sends the same addresses. In ctx->pool; NULL where
 * that provider is not configured any more. */
const char *sp_order_token(sp_ctx_t *ctx, const sp_order_t *order);

/** The same for an order that the database holds, to build links from: NULL as well where
 * it is not that order's token any more, as its provider's key was rolled, or where the
 * database does not say. Then lead to /account or /find instead. */
const char *sp_order_link_token(sp_ctx_t *ctx, const sp_order_t *order);

#endif

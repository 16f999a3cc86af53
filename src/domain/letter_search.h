/*
 * letter_search.h - what is told to somebody who asked for their payment.
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_LETTER_SEARCH_H
#define SUBPAY_DOMAIN_LETTER_SEARCH_H

#include <jansson.h>

#include "db/jobs.h"
#include "model/ctx.h"
#include "model/order.h"

/**
 * Fill in how an order stands: state, money line, and whether another address has it.
 *
 * Only for the mails that answer a search or a message; nothing happens for others.
 *
 * @param order  NULL: none was found
 */
void sp_letter_standing(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                        const sp_order_t *order, json_t *model);

/** Does the mail go to the address that the order is for? Others must not get a link
 * that chooses a password. */
int sp_letter_is_owner(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                       const sp_order_t *order);

#endif

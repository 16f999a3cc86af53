/*
 * desk_reply.h - the queue and its tickets, with the words to say.
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_DESK_REPLY_H
#define SUBPAY_DOMAIN_DESK_REPLY_H

#include <jansson.h>

#include "model/ctx.h"

/** What needs a person, as desk_queue.sql orders it; each row with its diagnosis in
 * words and the next best action. */
sp_outcome_t sp_desk_queue(sp_ctx_t *ctx, json_t **answer);

/**
 * One ticket; NULL: there is none.
 *
 * @param reply   which of the replies to draft, or NULL: the one that fits best
 * @param lang    in which language, or NULL: the one that the customer bought or wrote in
 * @param answer  as desk_ticket.sql has it, with "diagnosis", "replies" (list of {name,
 *                title, chosen}) and "draft": filled with this customer's facts, what is
 *                not known standing there as [fact?]
 */
sp_outcome_t sp_desk_ticket(sp_ctx_t *ctx, const char *reference, const char *reply,
                            const char *lang, json_t **answer);

/**
 * The words to write first with, to somebody who has no ticket.
 *
 * @param email      to whom, or NULL: the order's address
 * @param reference  which order it is about, or NULL
 * @param reply, lang  as for sp_desk_ticket
 * @param answer     {email, reference, subject, diagnosis, customer_lang, replies,
 *                   draft}; NULL: there is no such order
 */
sp_outcome_t sp_desk_write_draft(sp_ctx_t *ctx, const char *email,
                                 const char *reference, const char *reply,
                                 const char *lang, json_t **answer);

#endif

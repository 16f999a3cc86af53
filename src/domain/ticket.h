/*
 * ticket.h - what customers write to us.
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_TICKET_H
#define SUBPAY_DOMAIN_TICKET_H

#include "db/ticket.h"
#include "model/ctx.h"

/* As typed; NULL for what was left out. */
typedef struct sp_message_in_t {
    const char *form_key;
    const char *email;
    const char *message;
    const char *charged; /* yes, no, unsure */
    const char *reference;
    const char *token; /* of the order that this browser made, or NULL */
} sp_message_in_t;

/**
 * Somebody wants a person.
 *
 * Makes a ticket and has their payment looked for; what heals by that is answered and
 * closed by itself, for the rest the acknowledgement says when a person answers.
 *
 * @param ticket  filled on SP_DONE
 * @return SP_REFUSED  code: bad_email, bad_message; ctx->say is fit to show beside that
 *                     field
 *         SP_FAILED   code database: nothing is stored, say so
 */
sp_outcome_t sp_ticket_write(sp_ctx_t *ctx, const sp_message_in_t *message,
                             sp_ticket_t *ticket);

/** By when a person answers what is written now; 0 when nobody knows. */
apr_time_t sp_ticket_answer_by(sp_ctx_t *ctx);

#endif

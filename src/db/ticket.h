/*
 * ticket.h - the SQL calls around what customers write to us.
 *
 * Room: db. As db.h.
 */
#ifndef SUBPAY_DB_TICKET_H
#define SUBPAY_DB_TICKET_H

#include "db/db.h"

/* A customer's message. */
typedef struct sp_letter_in_t {
    const char *form_key;
    const char *email;
    const char *body;
    const char *charged; /* yes, no, unsure: do they see the charge; or NULL */
    const char *reference;
    const unsigned char *token_hash; /* of the order this browser made; 32 bytes */
} sp_letter_in_t;

typedef struct sp_ticket_t {
    const char *reference; /* T-1001 */
    apr_time_t answers_at; /* a person answers by then */
} sp_ticket_t;

/** Make a ticket, and a search for the payment that it is about. The same form twice
 * is one ticket. */
sp_outcome_t sp_db_ticket_write(sp_ctx_t *ctx, const sp_letter_in_t *letter,
                                sp_ticket_t *ticket);

/** By when a person would answer what is written now. */
sp_outcome_t sp_db_support_turn(sp_ctx_t *ctx, apr_time_t *answers_at);

/** Close the tickets whose orders have been completed meanwhile. */
sp_outcome_t sp_db_tickets_heal(sp_ctx_t *ctx, int *healed);

#endif

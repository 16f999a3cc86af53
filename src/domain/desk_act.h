/*
 * desk_act.h - what the people in support do, each with one press.
 *
 * Room: domain.
 *
 * Effect and audit row are one transaction (sql/functions/desk_*.sql). No provider is
 * called while one is open: recovering asks first and settles then, and a refund is
 * made by the worker.
 */
#ifndef SUBPAY_DOMAIN_DESK_ACT_H
#define SUBPAY_DOMAIN_DESK_ACT_H

#include <jansson.h>

#include "model/ctx.h"

/* As typed; NULL for what was left out. ctx->actor is who. */
typedef struct sp_desk_ask_t {
    const char *action;    /* as in addresses: "refund-duplicate" */
    const char *reference; /* the order, or */
    const char *ticket;    /* the ticket it is about */
    const char *form_key;
    const char *seen;
    const char *reason;
    const char *payment; /* recover: of an order that only the provider knows;
                            refund: which; NULL: the newest that is not refunded */
    const char *amount;  /* refund: "100.00"; NULL: all that is left */
    const char *days;
    const char *email;
    const char *subject;    /* write */
    const char *text;       /* note, reply, evidence, duty */
    const char *owner;      /* assign, duty: who, instead of the actor */
    const char *owner_seen; /* as the page of the ticket had it */
} sp_desk_ask_t;

typedef struct sp_desk_action_t {
    const char *name;   /* as in addresses */
    const char *button; /* what it says on the button */
    const char *what; /* the word in templates, and in the audit behind "support." */
    int needs_input;  /* more than a press: the page of the action asks for it */
} sp_desk_action_t;

/** All that can be done to an order, in the order of the page; ended by a NULL name. */
extern const sp_desk_action_t sp_desk_actions[];

/** The one of this name, or NULL. */
const sp_desk_action_t *sp_desk_action(const char *name);

/** What a verdict means for the person who pressed, or NULL. */
const char *sp_desk_say(const char *verdict);

/**
 * Do it.
 *
 * @param answer  {"verdict", "say", and what belongs to it}; set on SP_DONE and SP_REFUSED
 * @return SP_DONE     done, or done already
 *         SP_REFUSED  ctx->code is the verdict, ctx->say says why
 *         SP_UNKNOWN  the provider did not answer; nothing was changed
 *         SP_FAILED   code database
 */
sp_outcome_t sp_desk_act(sp_ctx_t *ctx, const sp_desk_ask_t *ask, json_t **answer);

#endif

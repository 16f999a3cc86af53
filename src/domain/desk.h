/*
 * desk.h - what the people in support look at: search, and one customer's case.
 *
 * Room: domain.
 *
 * Both look into the database and ask the provider, with bounded patience, and let
 * nothing in: what they find is shown, and a person presses the button.
 */
#ifndef SUBPAY_DOMAIN_DESK_H
#define SUBPAY_DOMAIN_DESK_H

#include <jansson.h>

#include "model/ctx.h"

/* What is the matter, in words, and the one thing to do about it. */
typedef struct sp_diagnosis_t {
    const char *code;
    const char *text;
    const char *action; /* the last word of its address, or NULL: nothing to do */
    const char *button;
} sp_diagnosis_t;

/** The words for a code; never NULL. */
const sp_diagnosis_t *sp_desk_diagnosis(const char *code);

/**
 * Find whatever somebody typed: an address, a reference (also as the bank prints it),
 * any of the provider's ids, a ticket, or "249.00 2026-11-20 4242".
 *
 * @param answer  {query, results: [{reference, email, state, diagnosis: {code, text,
 *                action, button}, ...}], did_you_mean: [reference], provider: {name,
 *                asked, silent}}; one result with the code not_found where there is none
 * @return SP_DONE, or SP_FAILED with code database
 */
sp_outcome_t sp_desk_search(sp_ctx_t *ctx, const char *q, json_t **answer);

/**
 * Everything about one order, with the diagnosis in words.
 *
 * @param answer  as desk_case.sql has it, "diagnosis" replaced by {code, text, action,
 *                button}, "provider" added: {name, asked, silent, says, ...}; NULL: there
 *                is no such order here
 */
sp_outcome_t sp_desk_case(sp_ctx_t *ctx, const char *reference, json_t **answer);

#endif

/*
 * find.h - somebody has been charged and has no access: find their payment.
 *
 * Room: domain.
 *
 * Asking writes a row and no more, so the page says the same words with the same speed
 * whatever there is to find. The worker looks, in our rows and at every provider, lets
 * in what it finds, and the answer goes to the address the payment was made with.
 */
#ifndef SUBPAY_DOMAIN_FIND_H
#define SUBPAY_DOMAIN_FIND_H

#include "db/search.h"
#include "domain/pulse.h"
#include "model/ctx.h"

/* As typed; NULL for what was left out. */
typedef struct sp_find_ask_t {
    const char *form_key;
    const char *email;
    const char *reference;
    const char *amount;
    const char *day;
    const char *last4;
    const char *token; /* of the order that this browser made, or NULL */
} sp_find_ask_t;

/**
 * Somebody wants a payment looked for.
 *
 * @return SP_DONE     it will be, within seconds
 *         SP_REFUSED  code: bad_email, bad_reference, bad_amount, bad_day, bad_last4;
 *                     ctx->say is fit to show beside that field
 *         SP_FAILED   code database
 */
sp_outcome_t sp_find_ask(sp_ctx_t *ctx, const sp_find_ask_t *ask);

/**
 * Do what was asked for longest: look, settle, tell.
 *
 * A search without a clear answer comes again, ever later; after ten minutes whoever
 * asked hears that a person takes over.
 *
 * @param worker  uuid, for the one it claims
 * @param more    set when there may be another one due
 * @return SP_DONE, or SP_FAILED (database)
 */
sp_outcome_t sp_find_work(sp_ctx_t *ctx, const char *worker, const sp_pulse_t *pulse,
                          int *more);

/** Tell customers who came back from paying, and whom the provider left without a
 * clear answer for ten minutes, how it stands; and close tickets that have healed. */
sp_outcome_t sp_find_follow_up(sp_ctx_t *ctx, const sp_pulse_t *pulse);

/**
 * A customer came back and the provider did not answer: they are told within ten
 * minutes how it stands.
 *
 * @return 0, or the moment by which a person, who has taken it over, writes to them
 */
apr_time_t sp_find_note_checking(sp_ctx_t *ctx, const sp_order_t *order);

#endif

/*
 * dispute.h - answer a bank, as somebody decided; and see how disputes go on.
 *
 * Room: domain. The decision is a row of the outbox (desk_dispute.sql); the worker gets
 * here with it, as often as it takes.
 */
#ifndef SUBPAY_DOMAIN_DISPUTE_H
#define SUBPAY_DOMAIN_DISPUTE_H

#include <jansson.h>

#include "db/jobs.h"
#include "model/ctx.h"

/**
 * Send the evidence, or agree with the bank; then settle what the provider says.
 *
 * Evidence goes to a bank once, so the dispute is looked at before each try: one that
 * does not wait for an answer any more is not answered again.
 *
 * @param say  what support reads when it did not work; holds no address
 * @return SP_DONE     the bank has it, and our books say so
 *         SP_REFUSED  it has not, and will not: answered elsewhere, closed, refused
 *         SP_UNKNOWN, SP_FAILED  come again later
 */
sp_outcome_t sp_dispute_answer(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                               const char **say);

/** Ask how a few open disputes stand, each once an hour: banks decide weeks later, and a
 * lost event would leave a customer without access that was won back. *more: some are
 * left. Stops at the first that cannot be asked; those taken are due again in a minute. */
sp_outcome_t sp_disputes_look(sp_ctx_t *ctx, int *more);

/**
 * What a bank asks for about a disputed order, with the words on refunds that the
 * configuration has; *found NULL: not disputed, or no such order.
 */
sp_outcome_t sp_dispute_evidence(sp_ctx_t *ctx, const char *reference,
                                 json_t **found);

#endif

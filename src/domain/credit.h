/*
 * credit.h - what the application behind us asks for: credits and entitlements.
 *
 * Room: domain. Accounts are named by their e-mail address.
 */
#ifndef SUBPAY_DOMAIN_CREDIT_H
#define SUBPAY_DOMAIN_CREDIT_H

#include "db/credit.h"
#include "model/ctx.h"

/* What a JSON number carries exactly in every language. */
#define SP_CREDIT_MOST INT64_C(9007199254740991)

/**
 * Take credits that a customer has used; never more than there are.
 *
 * The same key again changes nothing and has the first answer. A refusal books nothing
 * and does not use the key up.
 *
 * @param credit  filled on SP_DONE, and its balance with code insufficient_credits
 * @return SP_DONE     booked, now or the first time
 *         SP_REFUSED  code: bad_account, bad_amount, bad_reason, bad_key,
 *                     no_such_account, insufficient_credits, idempotency_key_reused;
 *                     ctx->say is fit for the application's log
 *         SP_FAILED   code database; send the same again
 */
sp_outcome_t sp_credit_deduct(sp_ctx_t *ctx, const sp_credit_ask_t *ask,
                              sp_credit_t *credit);

/** Give credits back; as sp_credit_deduct(), with too_many_credits for a balance that
 * would exceed SP_CREDIT_MOST. */
sp_outcome_t sp_credit_refund(sp_ctx_t *ctx, const sp_credit_ask_t *ask,
                              sp_credit_t *credit);

/** A balance and its last entries. SP_REFUSED: bad_account, no_such_account. */
sp_outcome_t sp_credits_get(sp_ctx_t *ctx, const char *account,
                            sp_credits_t **credits);

/** What a customer may use. SP_REFUSED: bad_account, no_such_account. */
sp_outcome_t sp_entitlements_get(sp_ctx_t *ctx, const char *account,
                                 sp_entitlements_t **entitlements);

#endif

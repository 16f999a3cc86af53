/*
 * credit.c - what the application behind us asks for: credits and entitlements.
 *
 * Room: domain.
 */
#include "domain/credit.h"

#include <apr_strings.h>
#include <string.h>

#include "util/text.h"

#define ENTRIES 20
#define LONGEST_ADDRESS 254
#define LONGEST_REASON 200
#define LONGEST_KEY 255

static int is_line(const char *text, apr_size_t longest)
{
    apr_size_t len = text ? strlen(text) : 0;

    return len > 0 && len <= longest && sp_text_is_clean(text, len);
}

static sp_outcome_t check_account(sp_ctx_t *ctx, const char *account)
{
    return is_line(account, LONGEST_ADDRESS)
               ? SP_DONE
               : sp_end(ctx, SP_REFUSED, "bad_account",
                        "account must be the customer's e-mail address.");
}

static sp_outcome_t check(sp_ctx_t *ctx, const sp_credit_ask_t *ask)
{
    if (!is_line(ask->key, LONGEST_KEY)) {
        return sp_end(ctx, SP_REFUSED, "bad_key",
                      "Send an Idempotency-Key header of 1 to 255 bytes, one for "
                      "each request and the same when it is sent again.");
    }
    if (ask->amount <= 0 || ask->amount > SP_CREDIT_MOST) {
        return sp_end(ctx, SP_REFUSED, "bad_amount",
                      "amount must be a whole number of credits above 0, written as "
                      "a JSON integer.");
    }
    if (!is_line(ask->reason, LONGEST_REASON)) {
        return sp_end(ctx, SP_REFUSED, "bad_reason",
                      "reason must be one line of at most 200 bytes.");
    }
    return check_account(ctx, ask->account);
}

static sp_outcome_t no_account(sp_ctx_t *ctx)
{
    return sp_end(ctx, SP_REFUSED, "no_such_account",
                  "There is no account with this address.");
}

static sp_outcome_t answer(sp_ctx_t *ctx, const sp_credit_t *credit)
{
    static const struct {
        const char *verdict, *code, *say;
    } refusals[] = {
        { "key_used", "idempotency_key_reused",
          "This Idempotency-Key has been used for another request." },
        { "too_much", "too_many_credits",
          "No balance may become as large as that." },
        { "no_account", "no_such_account",
          "There is no account with this address." },
    };
    size_t i;

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (strcmp(credit->verdict, refusals[i].verdict) == 0) {
            return sp_end(ctx, SP_REFUSED, refusals[i].code, refusals[i].say);
        }
    }
    if (strcmp(credit->verdict, "insufficient") == 0) {
        return sp_end(ctx, SP_REFUSED, "insufficient_credits",
                      apr_psprintf(ctx->pool,
                                   "The balance is %" APR_INT64_T_FMT " credits.",
                                   credit->balance));
    }
    return SP_DONE;
}

typedef sp_outcome_t (*book_fn)(sp_ctx_t *ctx, const sp_credit_ask_t *ask,
                                sp_credit_t *credit);

static sp_outcome_t book(sp_ctx_t *ctx, const sp_credit_ask_t *ask,
                         sp_credit_t *credit, book_fn call)
{
    sp_outcome_t out = check(ctx, ask);

    if (out == SP_DONE) {
        out = call(ctx, ask, credit);
    }
    return out == SP_DONE ? answer(ctx, credit) : out;
}

sp_outcome_t sp_credit_deduct(sp_ctx_t *ctx, const sp_credit_ask_t *ask,
                              sp_credit_t *credit)
{
    return book(ctx, ask, credit, sp_db_credit_deduct);
}

sp_outcome_t sp_credit_refund(sp_ctx_t *ctx, const sp_credit_ask_t *ask,
                              sp_credit_t *credit)
{
    return book(ctx, ask, credit, sp_db_credit_refund);
}

sp_outcome_t sp_credits_get(sp_ctx_t *ctx, const char *account,
                            sp_credits_t **credits)
{
    sp_outcome_t out = check_account(ctx, account);

    if (out == SP_DONE) {
        out = sp_db_credits_get(ctx, account, ENTRIES, credits);
    }
    return out == SP_DONE && !*credits ? no_account(ctx) : out;
}

sp_outcome_t sp_entitlements_get(sp_ctx_t *ctx, const char *account,
                                 sp_entitlements_t **entitlements)
{
    sp_outcome_t out = check_account(ctx, account);

    if (out == SP_DONE) {
        out = sp_db_entitlements_get(ctx, account, entitlements);
    }
    return out == SP_DONE && !*entitlements ? no_account(ctx) : out;
}

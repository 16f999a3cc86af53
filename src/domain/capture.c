/*
 * capture.c - take the money that is held, once access is there.
 *
 * Room: domain.
 */
#include "domain/capture.h"

#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/desk.h"
#include "domain/order.h"
#include "provider/provider.h"
#include "util/json.h"
#include "util/log.h"

/* For each question; the worker has mails to send as well. */
#define PATIENCE apr_time_from_sec(8)

/* An answer that was stored under a key, a 500 too, would come again and again. From
 * this try on each has a key of its own, which is safe: what is held can be taken once
 * only, and each try asks first. */
#define KEY_TRIES 3

/* Money that is held, as the row has it. */
typedef struct held_t {
    const sp_account_t *account;
    sp_hold_ask_t ask;
} held_t;

static int read_row(sp_ctx_t *ctx, const sp_outbox_row_t *row, held_t *held)
{
    json_t *json = sp_json_own(ctx->pool, json_loads(row->payload, 0, NULL));
    const char *provider = sp_json_text(json, "provider");
    const char *currency = sp_json_text(json, "currency");

    memset(held, 0, sizeof(*held));
    if (!provider || !currency) {
        return 0;
    }
    held->account = sp_settings_account(ctx->settings, provider);
    held->ask.key = row->attempts > KEY_TRIES
                        ? apr_psprintf(ctx->pool, "capture-%s-%d", row->message_id,
                                       row->attempts)
                        : apr_psprintf(ctx->pool, "capture-%s", row->message_id);
    held->ask.payment_id = sp_json_text(json, "payment_id");
    held->ask.amount.minor = json_integer_value(json_object_get(json, "amount"));
    apr_cpystrn(held->ask.amount.currency, currency,
                sizeof(held->ask.amount.currency));
    return held->account && held->ask.payment_id &&
           held->account->provider->payment_capture;
}

static sp_outcome_t settle(sp_ctx_t *ctx, sp_fact_t *fact, const char **say)
{
    sp_settled_t settled = { 0 };

    if (sp_fact_settle(ctx, fact, &settled) != SP_DONE) {
        *say = "our books could not take the provider's answer";
        return SP_UNKNOWN;
    }
    return SP_DONE;
}

/* Ask what has become of it; SP_DONE with *waits when it is held still. What is held no
 * longer and was not taken ends, as it is settled, what was given for it. */
static sp_outcome_t look(sp_ctx_t *ctx, const held_t *held, int *waits,
                         const char **say)
{
    sp_fact_t *fact;
    sp_outcome_t out;

    *waits = 0;
    ctx->patience = PATIENCE;
    out = held->account->provider->payment_fetch(ctx, held->account,
                                                 held->ask.payment_id, &fact);
    if (out != SP_DONE) {
        *say = "the provider did not answer clearly";
        return out == SP_REFUSED ? SP_UNKNOWN : out;
    }
    if (fact->kind == SP_FACT_PAYMENT_AUTHORISED) {
        *waits = 1;
        return SP_DONE;
    }
    if (fact->kind != SP_FACT_PAYMENT_SUCCEEDED) {
        sp_log(
            ctx->log, SP_LOG_WARN, 313,
            "payment %s is no longer held and was not taken: the access given for "
            "it has ended",
            held->ask.payment_id);
    }
    return settle(ctx, fact, say);
}

static sp_outcome_t take(sp_ctx_t *ctx, const held_t *held, const char **say)
{
    sp_fact_t *fact;
    sp_outcome_t out;

    ctx->patience = PATIENCE;
    out = held->account->provider->payment_capture(ctx, held->account, &held->ask,
                                                   &fact);
    if (out == SP_DONE) {
        return settle(ctx, fact, say);
    }
    if (out == SP_REFUSED) {
        /* It is taken already, or there is nothing to take: the next try asks which. */
        *say = "the provider refused to take it";
        return SP_FAILED;
    }
    *say = "no clear answer: it may or may not have been taken";
    return out;
}

sp_outcome_t sp_capture_make(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                             const char **say)
{
    sp_ctx_t own = *ctx;
    held_t held;
    sp_outcome_t out;
    int allowed, waits = 1;

    *say = "it cannot be read";
    if (!read_row(ctx, row, &held)) {
        return SP_REFUSED;
    }
    *say = "the database does not answer";
    out = sp_db_capture_allowed(&own, held.account->provider->name,
                                held.ask.payment_id, &allowed);
    if (out == SP_DONE && (!allowed || row->attempts > 1)) {
        out = look(&own, &held, &waits, say);
    }
    if (out != SP_DONE || !waits) {
        return out;
    }
    if (!allowed) {
        *say = "it is to be given back, or access is not there yet";
        return SP_FAILED;
    }
    return take(&own, &held, say);
}

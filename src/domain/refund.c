/*
 * refund.c - make a refund that somebody decided on.
 *
 * Room: domain.
 */
#include "domain/refund.h"

#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "domain/order.h"
#include "provider/provider.h"
#include "util/json.h"
#include "util/log.h"

/* For each question; the worker has mails to send as well. */
#define PATIENCE apr_time_from_sec(8)

/* The decision, read from the row. */
typedef struct decision_t {
    const sp_account_t *account;
    const char *payment_id;
    const char *by;
    sp_money_t amount;
    apr_time_t asked_at;
    int64_t
        refunded_then; /* what had gone back, or was on its way, at the decision */
    int duplicate;
    int unasked; /* the machine decided it */
    int asked;   /* the provider was asked for it before: it may have been made */
} decision_t;

static int read_row(sp_ctx_t *ctx, const sp_outbox_row_t *row, decision_t *decision)
{
    json_t *json = sp_json_own(ctx->pool, json_loads(row->payload, 0, NULL));
    const char *provider = sp_json_text(json, "provider");
    const char *currency = sp_json_text(json, "currency");

    memset(decision, 0, sizeof(*decision));
    decision->account =
        provider ? sp_settings_account(ctx->settings, provider) : NULL;
    decision->payment_id = sp_json_text(json, "payment_id");
    decision->by = sp_json_text(json, "by");
    decision->amount.minor = json_integer_value(json_object_get(json, "amount"));
    decision->refunded_then =
        json_integer_value(json_object_get(json, "refunded_then"));
    decision->asked_at =
        apr_time_from_sec(json_integer_value(json_object_get(json, "asked_at")));
    decision->duplicate = json_is_true(json_object_get(json, "duplicate"));
    decision->unasked = sp_json_text(json, "why") != NULL;
    decision->asked = json_is_true(json_object_get(json, "asked"));
    if (!decision->account || !decision->payment_id || !currency) {
        return 0;
    }
    apr_cpystrn(decision->amount.currency, currency,
                sizeof(decision->amount.currency));
    return 1;
}

static sp_outcome_t disputed(const char **say)
{
    *say = "the payment is disputed: a refund would go out twice";
    return SP_REFUSED;
}

/* Once disputed, a payment is marked for ever; whether it is still in a bank's hands
 * say its disputes, which may be news here. */
static sp_outcome_t learn_disputes(sp_ctx_t *ctx, const decision_t *decision,
                                   const char **say)
{
    const sp_list_ask_t ask = { .payment_id = decision->payment_id };
    sp_settled_t settled = { 0 };
    sp_page_t page = { 0 };
    sp_outcome_t out;
    int i;

    if (!decision->account->provider->disputes_list) {
        return disputed(say);
    }
    out = decision->account->provider->disputes_list(ctx, decision->account, &ask,
                                                     &page);
    *say = "the provider did not answer clearly";
    for (i = 0; out == SP_DONE && i < page.facts->nelts; i++) {
        out =
            sp_fact_settle(ctx, APR_ARRAY_IDX(page.facts, i, sp_fact_t *), &settled);
    }
    return out == SP_DONE && (page.facts->nelts == 0 || page.next) ? disputed(say)
                                                                   : out;
}

/* The last word before the provider is asked: SP_REFUSED when a dispute forbids it. */
static sp_outcome_t ready(sp_ctx_t *ctx, const sp_outbox_row_t *row, int *moot,
                          const char **say)
{
    const char *verdict;
    sp_outcome_t out = sp_db_refund_ready(ctx, row->id, &verdict);

    *moot = 0;
    if (out != SP_DONE) {
        *say = "the database does not answer";
        return out;
    }
    if (strcmp(verdict, "disputed") == 0) {
        return disputed(say);
    }
    *moot = strcmp(verdict, "moot") == 0;
    return SP_DONE;
}

/* The money as the provider sees it now: a dispute is learned here, for ready() to judge,
 * and what has gone back already shows that an earlier try was one that worked. */
static sp_outcome_t look(sp_ctx_t *ctx, const decision_t *decision, const char **say,
                         sp_fact_t **fact)
{
    sp_settled_t settled = { 0 };
    sp_outcome_t out = decision->account->provider->payment_fetch(
        ctx, decision->account, decision->payment_id, fact);

    if (out == SP_REFUSED) {
        *say = "the provider does not know this payment";
        return SP_REFUSED;
    }
    if (out != SP_DONE) {
        *say = "the provider did not answer clearly";
        return out;
    }
    if (!(*fact)->disputed) {
        return SP_DONE;
    }
    sp_fact_settle(ctx, *fact, &settled);
    return learn_disputes(ctx, decision, say);
}

/* Where refunds carry no name the sum has to tell, to the cent: when more has gone back,
 * somebody else's refund is in it, and whether this one is as well it does not say. */
static int sum_tells(const decision_t *decision, const sp_fact_t *fact)
{
    return fact->amount_refunded == decision->refunded_then + decision->amount.minor;
}

static sp_outcome_t settle(sp_ctx_t *ctx, sp_fact_t *fact, const char **say)
{
    sp_settled_t settled = { 0 };
    sp_outcome_t out = sp_fact_settle(ctx, fact, &settled);

    if (out != SP_DONE) {
        *say = "made, but our books could not take it";
        return SP_UNKNOWN;
    }
    return SP_DONE;
}

static int key_is_old(const decision_t *decision)
{
    return apr_time_now() - decision->asked_at > SP_PROVIDER_KEY_LIFE;
}

static sp_refund_ask_t refund_of(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                                 const decision_t *decision)
{
    const sp_refund_ask_t refund = {
        .key = apr_psprintf(ctx->pool, "refund-%s", row->message_id),
        .decision = row->message_id,
        .payment_id = decision->payment_id,
        .amount = decision->amount,
        .reason = decision->duplicate ? "duplicate" : "requested_by_customer",
        .order_id = row->order_id,
        .decided_at = decision->asked_at,
    };

    return refund;
}

/* Whether an earlier try was one that worked: *made is then the refund, or the payment with
 * it. Until the key may be forgotten, who names no refunds finds it by the repeat. */
static sp_outcome_t find_made(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                              const decision_t *decision, sp_fact_t *payment,
                              sp_fact_t **made, const char **say)
{
    const sp_provider_t *provider = decision->account->provider;
    const sp_refund_ask_t refund = refund_of(ctx, row, decision);

    *made = NULL;
    if (!decision->asked) {
        return SP_DONE;
    }
    if (!provider->refund_find) {
        *made =
            key_is_old(decision) && sum_tells(decision, payment) ? payment : NULL;
        return SP_DONE;
    }
    ctx->patience = PATIENCE;
    *say = "the provider did not answer clearly";
    return provider->refund_find(ctx, decision->account, &refund, made) == SP_DONE
               ? SP_DONE
               : SP_UNKNOWN;
}

static sp_outcome_t ask(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                        const decision_t *decision, const char **say)
{
    const sp_refund_ask_t refund = refund_of(ctx, row, decision);
    sp_fact_t *fact;
    sp_outcome_t out;

    ctx->patience = PATIENCE;
    out =
        decision->account->provider->refund(ctx, decision->account, &refund, &fact);
    if (out == SP_REFUSED) {
        *say = "the provider refused it";
        return SP_REFUSED;
    }
    if (out != SP_DONE) {
        *say = "no clear answer: it may or may not have been made";
        return out;
    }
    return settle(ctx, fact, say);
}

/* Money that the bank only holds is let go; a part of it has to be taken first. */
static sp_outcome_t release(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                            const decision_t *decision, const sp_fact_t *held,
                            const char **say)
{
    const sp_hold_ask_t hold = { .key = apr_psprintf(ctx->pool, "release-%s-%d",
                                                     row->message_id, row->attempts),
                                 .payment_id = held->payment_id,
                                 .amount = held->amount };
    const sp_provider_t *provider = decision->account->provider;
    sp_fact_t *fact;
    sp_outcome_t out;

    if (decision->amount.minor < held->amount.minor || !provider->payment_release) {
        *say = "the money is not taken yet";
        return SP_FAILED;
    }
    ctx->patience = PATIENCE;
    out = provider->payment_release(ctx, decision->account, &hold, &fact);
    if (out == SP_DONE) {
        return settle(ctx, fact, say);
    }
    /* Refused: it was taken or released this moment. The next try sees which. */
    *say = "no clear answer: it may or may not have been released";
    return out == SP_REFUSED ? SP_UNKNOWN : out;
}

/* A sum went back since the decision that is none of this one's: whether it still holds
 * a person has to say. While the provider keeps the key, it says that itself. */
static int is_overtaken(const decision_t *decision, const sp_fact_t *payment)
{
    return decision->asked && key_is_old(decision) &&
           payment->amount_refunded != decision->refunded_then;
}

/* Nothing is under way, and nothing forbids it. */
static sp_outcome_t make(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                         const decision_t *decision, sp_fact_t *payment,
                         const char **say)
{
    sp_outcome_t out;

    if (payment->kind == SP_FACT_PAYMENT_AUTHORISED) {
        return release(ctx, row, decision, payment, say);
    }
    if (payment->kind == SP_FACT_PAYMENT_VOID) {
        return settle(ctx, payment, say); /* released before */
    }
    if (is_overtaken(decision, payment)) {
        *say = "part of the money went back another way: look at the provider, then "
               "decide anew";
        return SP_REFUSED;
    }
    out = ask(ctx, row, decision, say);
    if (out == SP_REFUSED && decision->asked &&
        !decision->account->provider->refund_find &&
        look(ctx, decision, say, &payment) == SP_DONE &&
        sum_tells(decision, payment)) {
        return settle(ctx, payment, say); /* refused because it is there already */
    }
    return out;
}

sp_outcome_t sp_refund_make(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                            const char **say)
{
    sp_ctx_t own = *ctx;
    decision_t decision;
    sp_fact_t *payment, *made = NULL;
    sp_outcome_t out;
    int moot;

    *say = "it cannot be read";
    if (!read_row(ctx, row, &decision) || !decision.account->provider->refund) {
        return SP_REFUSED;
    }
    own.via = decision.unasked ? "reconcile" : "support";
    own.actor = decision.by ? decision.by : ctx->actor;
    own.patience = PATIENCE;
    out = look(&own, &decision, say, &payment);
    if (out == SP_DONE) {
        out = find_made(&own, row, &decision, payment, &made, say);
    }
    if (out == SP_DONE && made) {
        return settle(&own, made, say);
    }
    /* The provider's word may take seconds; what we know is judged after it, with
     * nothing but the request itself between. */
    if (out == SP_DONE) {
        out = ready(&own, row, &moot, say);
    }
    if (out != SP_DONE) {
        return out;
    }
    if (moot) {
        sp_log(ctx->log, SP_LOG_INFO, 319,
               "order %s: a refund that was decided is not needed any more",
               row->order_id);
        return SP_DONE;
    }
    return make(&own, row, &decision, payment, say);
}

sp_outcome_t sp_refunds_decide(sp_ctx_t *ctx)
{
    apr_int64_t decided = 0;
    sp_outcome_t out = sp_db_refunds_decide(ctx, &decided);

    if (out == SP_DONE && decided > 0) {
        sp_log(ctx->log, SP_LOG_NOTICE, 320,
               "%" APR_INT64_T_FMT " payments without access, or one too many: sent "
               "back, or put before a person",
               decided);
    }
    return out;
}

/*
 * dispute.c - answer a bank, as somebody decided; and see how disputes go on.
 *
 * Room: domain.
 */
#include "domain/dispute.h"

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

/* So many disputes are asked about in one turn. */
#define AT_ONCE 5

/* The decision, read from the row. */
typedef struct decision_t {
    const sp_account_t *account;
    const char *by;
    int accept;
    sp_evidence_t evidence;
} decision_t;

static int read_row(sp_ctx_t *ctx, const sp_outbox_row_t *row, decision_t *decision)
{
    json_t *json = sp_json_own(ctx->pool, json_loads(row->payload, 0, NULL));
    const json_t *said = json_object_get(json, "evidence");
    const char *provider = sp_json_text(json, "provider");
    const char *what = sp_json_text(json, "what");
    sp_evidence_t *evidence = &decision->evidence;

    memset(decision, 0, sizeof(*decision));
    decision->account =
        provider ? sp_settings_account(ctx->settings, provider) : NULL;
    decision->by = sp_json_text(json, "by");
    decision->accept = what && strcmp(what, "accept") == 0;
    evidence->key = apr_psprintf(ctx->pool, "dispute-%s", row->message_id);
    evidence->dispute_id = sp_json_text(json, "dispute_id");
    evidence->customer_email = sp_json_text(said, "customer_email");
    evidence->customer_name = sp_json_text(said, "customer_name");
    evidence->product = sp_json_text(said, "product");
    evidence->service_date = sp_json_text(said, "service_date");
    evidence->log = sp_json_text(said, "log");
    evidence->policy = sp_json_text(said, "policy");
    evidence->text = sp_json_text(said, "text");
    return decision->account && what && evidence->dispute_id &&
           decision->account->provider->dispute_fetch &&
           decision->account->provider->dispute_answer &&
           decision->account->provider->dispute_accept;
}

static sp_outcome_t settle(sp_ctx_t *ctx, sp_fact_t *fact, const char **say)
{
    sp_settled_t settled = { 0 };

    if (sp_fact_settle(ctx, fact, &settled) != SP_DONE) {
        *say = "done, but our books could not take it";
        return SP_UNKNOWN;
    }
    return SP_DONE;
}

/* The dispute as it stands: what waits no more was answered, by an earlier try of
 * ours whose reply was lost, or by somebody at the provider. */
static sp_outcome_t look(sp_ctx_t *ctx, const decision_t *decision, int tried,
                         int *done, const char **say)
{
    sp_fact_t *fact;
    sp_outcome_t out = decision->account->provider->dispute_fetch(
        ctx, decision->account, decision->evidence.dispute_id, &fact);

    *done = 0;
    if (out != SP_DONE) {
        *say = out == SP_REFUSED ? "the provider does not know this dispute"
                                 : "the provider did not answer clearly";
        return out;
    }
    if (fact->waits) {
        return SP_DONE;
    }
    out = settle(ctx, fact, say);
    if (out != SP_DONE) {
        return out;
    }
    *done = tried && (!decision->accept || strcmp(fact->status, "lost") == 0);
    *say = "the bank does not wait for an answer any more: it has one, or the case "
           "is closed";
    return *done ? SP_DONE : SP_REFUSED;
}

static sp_outcome_t submit(sp_ctx_t *ctx, const decision_t *decision,
                           const char **say)
{
    const sp_provider_t *provider = decision->account->provider;
    const sp_evidence_t *evidence = &decision->evidence;
    sp_fact_t *fact;
    sp_outcome_t out;

    ctx->patience = PATIENCE;
    out = decision->accept
              ? provider->dispute_accept(ctx, decision->account, evidence->key,
                                         evidence->dispute_id, &fact)
              : provider->dispute_answer(ctx, decision->account, evidence, &fact);
    if (out == SP_REFUSED) {
        *say = "the provider refused it";
        return SP_REFUSED;
    }
    if (out != SP_DONE) {
        *say = "no clear answer: the bank may or may not have it";
        return out;
    }
    return settle(ctx, fact, say);
}

sp_outcome_t sp_dispute_answer(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                               const char **say)
{
    sp_ctx_t own = *ctx;
    decision_t decision;
    sp_outcome_t out;
    int done;

    *say = "it cannot be read, or this provider takes no answers";
    if (!read_row(ctx, row, &decision)) {
        return SP_REFUSED;
    }
    own.via = "support";
    own.actor = decision.by ? decision.by : ctx->actor;
    own.patience = PATIENCE;
    out = look(&own, &decision, row->attempts > 1, &done, say);
    if (out != SP_DONE || done) {
        return out;
    }
    out = submit(&own, &decision, say);
    if (out == SP_DONE) {
        sp_log(ctx->log, SP_LOG_NOTICE, 321, "order %s: dispute %s was %s",
               row->order_id, decision.evidence.dispute_id,
               decision.accept ? "agreed to" : "answered with evidence");
    }
    return out;
}

static sp_outcome_t ask(sp_ctx_t *ctx, const sp_dispute_key_t *key)
{
    const sp_account_t *account = sp_settings_account(ctx->settings, key->provider);
    const char *say;
    sp_fact_t *fact;
    sp_outcome_t out = SP_REFUSED;

    if (account && account->provider->dispute_fetch) {
        ctx->patience = PATIENCE;
        out = account->provider->dispute_fetch(ctx, account, key->dispute_id, &fact);
        out = out == SP_DONE ? settle(ctx, fact, &say) : out;
    }
    return out == SP_DONE || out == SP_REFUSED ? sp_db_dispute_asked(ctx, key) : out;
}

sp_outcome_t sp_disputes_look(sp_ctx_t *ctx, int *more)
{
    sp_ctx_t own = *ctx;
    apr_array_header_t *disputes;
    sp_outcome_t out = sp_db_disputes_due(ctx, AT_ONCE, &disputes);
    int i;

    own.via = "reconcile";
    *more = out == SP_DONE && disputes->nelts == AT_ONCE;
    for (i = 0; out == SP_DONE && i < disputes->nelts; i++) {
        out = ask(&own, &APR_ARRAY_IDX(disputes, i, sp_dispute_key_t));
    }
    return out;
}

sp_outcome_t sp_dispute_evidence(sp_ctx_t *ctx, const char *reference,
                                 json_t **found)
{
    sp_outcome_t out = sp_db_desk_evidence(ctx, reference, found);

    if (out == SP_DONE && *found) {
        sp_json_set_text(*found, "policy", ctx->settings->refund_policy);
    }
    return out;
}

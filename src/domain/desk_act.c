/*
 * desk_act.c - what the people in support do, each with one press.
 *
 * Room: domain.
 */
#include "domain/desk_act.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/desk.h"
#include "domain/desk_look.h"
#include "domain/order.h"
#include "util/json.h"
#include "util/text.h"

/* The person waits for the page, and a customer perhaps on the telephone. */
#define PATIENCE apr_time_from_sec(6)

const sp_desk_action_t sp_desk_actions[] = {
    { "recover", "Recover: ask the provider and give access", "recover", 0 },
    { "resend", "Send the mail again", "resend", 0 },
    { "email", "Correct the e-mail address", "email", 1 },
    { "refund", "Send money back", "refund", 1 },
    { "refund-duplicate", "Send the second payment back", "refund_duplicate", 0 },
    { "evidence", "Gather the evidence and answer the bank", "evidence", 1 },
    { "accept", "Agree with the bank: they get the money back", "accept", 1 },
    { "extend", "Give days", "extend", 1 },
    { "grant", "Give access without payment", "grant", 1 },
    { "note", "Write a note", "note", 1 },
    { "assign", "Take the ticket", "assign", 0 },
    { "close", "Close the ticket", "close", 0 },
    { NULL, NULL, NULL, 0 }
};

const sp_desk_action_t *sp_desk_action(const char *name)
{
    const sp_desk_action_t *action;

    for (action = sp_desk_actions; action->name; action++) {
        if (strcmp(action->name, name) == 0) {
            return action;
        }
    }
    return NULL;
}

/* ---- verdicts ------------------------------------------------------------------- */

static const struct {
    const char *verdict;
    int done;
    const char *say;
} verdicts[] = {
    { "recovered", 1, "Done: access is open, and the mail is on its way." },
    { "already", 1, "That was done already; nothing was changed." },
    { "open_already", 1,
      "Access is open already: the machine, or somebody else, was quicker. Nothing was "
      "done a second time." },
    { "unpaid", 1,
      "The provider was asked just now, and says: not paid. Nothing was changed." },
    { "processing", 1,
      "The provider says: the customer has finished, the money is days away. Access "
      "opens by itself when it arrives." },
    { "review", 1,
      "The payment is here, but a detail differs from the order: decide below." },
    { "refunded", 1, "The money has been sent back before; access has ended." },
    { "resent", 1, "Done: the mail leaves within a minute." },
    { "corrected", 1,
      "Done: the address is corrected, and both addresses are told." },
    { "asked", 1,
      "Written down: the refund is being made now. The customer gets a mail as soon "
      "as it exists." },
    { "refund_asked", 1,
      "Written down. So large a refund is confirmed by a second person: the case shows "
      "it to them." },
    { "answering", 1,
      "Written down: the evidence is on its way to the bank. It goes there once; the "
      "case says when the bank has it." },
    { "accepting", 1,
      "Written down: the bank is told that we agree. Nothing else is needed, and no "
      "refund." },
    { "extended", 1, "Done: access ends later." },
    { "grant_asked", 1, "Written down. A second person has to give it." },
    { "granted", 1, "Done: access is open." },
    { "noted", 1, "Written down." },
    { "assigned", 1, "Done." },
    { "closed", 1, "Closed." },
    { "replied", 1, "Done: the reply leaves within a minute." },
    { "thanked", 1, "Closed. Both of you read it in the digest." },
    { "handed_over", 1, "Done: the week has changed hands." },
    { "test_sent", 1,
      "A test is on its way: to the first of you now, to the second if nobody presses "
      "\"I have it\"." },
    { "test_out", 1, "A test is on its way already: press \"I have it\" below." },
    { "started", 1, "The worker looks at the provider now." },
    { "stale", 0,
      "Somebody has done this while your page was open. Look at the case as it is "
      "now." },
    { "kept", 0,
      "The provider says that it is paid, and our books could not take it in. It is "
      "kept and tried again by itself; the error log and the alert say why." },
    { "no_order", 0, "There is no such order, here or at the provider." },
    { "no_access", 0,
      "This order gives no access, so there is nothing to do that to." },
    { "no_email", 0, "There is no address. Correct it first." },
    { "bad_email", 0, "Enter an e-mail address, like name@example.com" },
    { "same", 0, "That is the address it has already." },
    { "no_payment", 0, "There is no such payment to send back." },
    { "disputed", 0,
      "The bank has the case: a refund would go out twice. Nothing was done." },
    { "no_dispute", 0, "No bank has asked about this order." },
    { "dispute_over", 0,
      "The bank does not wait for an answer: it has one, or has decided." },
    { "answered", 0,
      "An answer is on its way to the bank, or there already. It goes there once." },
    { "under_way", 0, "A refund of all that is left is on its way already." },
    { "nothing_left", 0, "All of it has been sent back already." },
    { "too_much", 0, "That is more than is left of this payment." },
    { "bad_amount", 0,
      "Enter an amount as the order has it, like 100.00 for dollars or 100 for yen, or "
      "leave it empty for all." },
    { "bad_days", 0, "Enter a number of days from 1 to 366." },
    { "has_access", 0, "This order gives access already. Give days instead." },
    { "second_person", 0,
      "You asked for it, so somebody else has to give it. Nothing was done." },
    { "no_ticket", 0, "There is no open ticket." },
    { "no_text", 0, "There is nothing written." },
    { "placeholder", 0,
      "A fact is still missing: fill in what stands in [brackets?], or take it out." },
};

const char *sp_desk_say(const char *verdict)
{
    size_t i;

    for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        if (strcmp(verdicts[i].verdict, verdict) == 0) {
            return verdicts[i].say;
        }
    }
    return NULL;
}

static sp_outcome_t conclude(sp_ctx_t *ctx, json_t *answer)
{
    const char *verdict = sp_json_text(answer, "verdict");
    const char *say = sp_desk_say(verdict);
    const char *by = sp_json_text(answer, "by");
    size_t i;

    if (strcmp(verdict, "stale") == 0 && by) {
        say =
            apr_psprintf(ctx->pool,
                         "%s did this while your page was open. Nothing was done a "
                         "second time: look at the case as it is now.",
                         by);
    }
    sp_json_set_text(answer, "say", say);
    for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        if (strcmp(verdicts[i].verdict, verdict) == 0 && verdicts[i].done) {
            return SP_DONE;
        }
    }
    return sp_end(ctx, SP_REFUSED, verdict, say);
}

static sp_outcome_t refuse(sp_ctx_t *ctx, const char *verdict, json_t **answer)
{
    *answer = sp_json_object(ctx->pool);
    sp_json_set_text(*answer, "verdict", verdict);
    return conclude(ctx, *answer);
}

/* ---- what the database does -------------------------------------------------------- */

static json_t *ask_json(sp_ctx_t *ctx, const sp_desk_ask_t *ask)
{
    json_t *json = sp_json_object(ctx->pool);

    sp_json_set_text(json, "reference", ask->reference);
    sp_json_set_text(json, "ticket", ask->ticket);
    sp_json_set_text(json, "actor", ctx->actor);
    sp_json_set_text(json, "reason", ask->reason ? ask->reason : "not said");
    sp_json_set_text(json, "form_key",
                     sp_text_is_uuid(ask->form_key) ? ask->form_key : NULL);
    if (ask->seen && *ask->seen && strlen(ask->seen) < 19 &&
        strspn(ask->seen, "0123456789") == strlen(ask->seen)) {
        sp_json_set_text(json, "seen", ask->seen);
    }
    return json;
}

static sp_outcome_t act(sp_ctx_t *ctx, const char *function, const json_t *json,
                        json_t **answer)
{
    sp_outcome_t out = sp_db_desk_act(ctx, function, json, answer);

    return out == SP_DONE ? conclude(ctx, *answer) : out;
}

/* ---- recover ------------------------------------------------------------------------ */

/* What the settling of one or more facts has come to. */
typedef struct settling_t {
    const char *verdict;   /* "completed" when this very call completed it */
    const char *reference; /* of the order that they belong to */
} settling_t;

static sp_outcome_t settle(sp_ctx_t *ctx, sp_fact_t *fact, settling_t *settling)
{
    sp_settled_t settled = { 0 };
    sp_outcome_t out = sp_fact_settle(ctx, fact, &settled);

    if (out == SP_DONE && settled.verdict &&
        (!settling->verdict || strcmp(settled.verdict, "completed") == 0)) {
        settling->verdict = settled.verdict;
    }
    if (out == SP_DONE && settled.reference) {
        settling->reference = settled.reference;
    }
    return out;
}

static sp_outcome_t settle_payment(sp_ctx_t *ctx, const sp_account_t *account,
                                   const char *payment_id, settling_t *settling)
{
    sp_fact_t *fact;
    sp_outcome_t out;

    out = account->provider->payment_fetch(ctx, account, payment_id, &fact);
    if (out == SP_DONE) {
        return settle(ctx, fact, settling);
    }
    return ctx->code && strcmp(ctx->code, "not_found") == 0 ? SP_DONE : out;
}

/* An order that only the provider knows: by the payment that a search has found, else
 * by its reference in what was paid lately. */
static sp_outcome_t recover_gone(sp_ctx_t *ctx, const sp_desk_ask_t *ask,
                                 settling_t *settling)
{
    sp_desk_look_t look;
    sp_outcome_t out = SP_DONE;
    int i;

    for (i = 0; ask->payment && i < ctx->settings->accounts->nelts; i++) {
        out = settle_payment(
            ctx, APR_ARRAY_IDX(ctx->settings->accounts, i, sp_account_t *),
            ask->payment, settling);
        if (out != SP_DONE || settling->reference) {
            return out;
        }
    }
    sp_desk_look_start(ctx, &look);
    sp_desk_look_reference(ctx, &look, ask->reference);
    for (i = 0; out == SP_DONE && i < look.facts->nelts; i++) {
        out = settle(ctx, APR_ARRAY_IDX(look.facts, i, sp_fact_t *), settling);
    }
    return out == SP_DONE && look.silent && !settling->reference ? SP_UNKNOWN : out;
}

static sp_outcome_t recover_known(sp_ctx_t *ctx, const sp_order_t *order,
                                  settling_t *settling)
{
    const sp_account_t *account =
        sp_settings_account(ctx->settings, order->provider);
    sp_fact_t *fact;
    sp_outcome_t out;

    if (account && order->payment_id) {
        return settle_payment(ctx, account, order->payment_id, settling);
    }
    out = sp_order_ask(ctx, order, &fact);
    if (out == SP_DONE) {
        return settle(ctx, fact, settling);
    }
    return ctx->code && (strcmp(ctx->code, "not_found") == 0 ||
                         strcmp(ctx->code, "checkout_opening") == 0)
               ? SP_DONE
               : out;
}

static sp_outcome_t recover(sp_ctx_t *ctx, const sp_desk_ask_t *ask, json_t **answer)
{
    settling_t settling = { 0 };
    sp_order_t *order;
    json_t *json;
    sp_outcome_t out = sp_db_order_by_reference(ctx, ask->reference, &order);

    if (out != SP_DONE) {
        return out;
    }
    ctx->patience = PATIENCE;
    ctx->code = NULL;
    out = order ? recover_known(ctx, order, &settling)
                : recover_gone(ctx, ask, &settling);
    if (out != SP_DONE) {
        return ctx->code && strcmp(ctx->code, "database") == 0
                   ? out
                   : sp_end(ctx, SP_UNKNOWN, "provider_silent",
                            "The provider did not answer clearly. Nothing was "
                            "changed: try again in a moment.");
    }
    if (settling.verdict && (strcmp(settling.verdict, "failed") == 0 ||
                             strcmp(settling.verdict, "parked") == 0)) {
        return refuse(ctx, "kept", answer);
    }
    json = ask_json(ctx, ask);
    if (!order && settling.reference) {
        sp_json_set_text(json, "reference", settling.reference);
    }
    sp_json_set_text(json, "settled",
                     settling.verdict ? settling.verdict : "nothing");
    sp_json_set_text(json, "before", order ? order->state : "gone");
    out = act(ctx, "recover", json, answer);
    if (*answer && settling.reference) {
        sp_json_set_text(*answer, "reference", settling.reference);
    }
    return out;
}

/* ---- the others ----------------------------------------------------------------------- */

static sp_outcome_t correct_email(sp_ctx_t *ctx, const sp_desk_ask_t *ask,
                                  json_t **answer)
{
    json_t *json = ask_json(ctx, ask);
    const char *state;
    json_t *recovered;
    sp_outcome_t out;

    if (!ask->email || sp_text_email_problem(ask->email)) {
        return refuse(ctx, "bad_email", answer);
    }
    sp_json_set_text(json, "email", ask->email);
    sp_json_set_text(json, "masked", sp_text_email_mask(ctx->pool, ask->email));
    out = act(ctx, "email", json, answer);
    state = out == SP_DONE ? sp_json_text(*answer, "state") : NULL;
    /* An address was all that it lacked, perhaps. */
    if (state && strcmp(state, "completed") != 0 && strcmp(state, "refunded") != 0 &&
        recover(ctx, ask, &recovered) == SP_DONE) {
        sp_json_set_text(*answer, "then", sp_json_text(recovered, "verdict"));
    }
    return out;
}

static sp_outcome_t refund(sp_ctx_t *ctx, const sp_desk_ask_t *ask, int duplicate,
                           json_t **answer)
{
    json_t *json = ask_json(ctx, ask);
    sp_order_t *order;
    sp_money_t amount;
    sp_outcome_t out = sp_db_order_by_reference(ctx, ask->reference, &order);

    if (out != SP_DONE) {
        return out;
    }
    if (!order) {
        return refuse(ctx, "no_order", answer);
    }
    if (ask->amount && !duplicate) {
        if (sp_money_parse_amount(ctx->pool, ask->amount, order->price.currency,
                                  &amount) ||
            amount.minor <= 0 || amount.minor % sp_money_step(amount.currency)) {
            return refuse(ctx, "bad_amount", answer);
        }
        sp_json_set_int(json, "amount", amount.minor);
    }
    sp_json_set_text(json, "payment", ask->payment);
    sp_json_set_bool(json, "duplicate", duplicate);
    return act(ctx, "refund", json, answer);
}

static sp_outcome_t answer_dispute(sp_ctx_t *ctx, const sp_desk_ask_t *ask,
                                   json_t **answer)
{
    json_t *json = ask_json(ctx, ask);

    sp_json_set_text(json, "what", ask->action);
    sp_json_set_text(json, "text", ask->text);
    sp_json_set_text(json, "policy", ctx->settings->refund_policy);
    return act(ctx, "dispute", json, answer);
}

static sp_outcome_t give_days(sp_ctx_t *ctx, const sp_desk_ask_t *ask,
                              json_t **answer)
{
    json_t *json = ask_json(ctx, ask);

    if (ask->days && strlen(ask->days) < 5 &&
        strspn(ask->days, "0123456789") == strlen(ask->days)) {
        sp_json_set_int(json, "days", atoi(ask->days));
    }
    return act(ctx, ask->action, json, answer);
}

/* "R1 [amount?]": what a template could not fill in, and nobody has since. */
static int has_placeholder(const char *text)
{
    const char *open = text, *close;

    while (open && (open = strchr(open, '['))) {
        close = strchr(open, ']');
        if (close && close[-1] == '?' && close - open < 40) {
            return 1;
        }
        open++;
    }
    return 0;
}

static json_t *paragraphs(sp_ctx_t *ctx, const char *text)
{
    json_t *lines = json_array();
    char *rest, *line;

    for (line = apr_strtok(apr_pstrdup(ctx->pool, text), "\n", &rest); line;
         line = apr_strtok(NULL, "\n", &rest)) {
        json_array_append_new(lines, json_string(line));
    }
    return lines;
}

static sp_outcome_t write_text(sp_ctx_t *ctx, const sp_desk_ask_t *ask,
                               json_t **answer)
{
    json_t *json = ask_json(ctx, ask);

    if (!ask->text) {
        return refuse(ctx, "no_text", answer);
    }
    if (strcmp(ask->action, "note") != 0) {
        if (has_placeholder(ask->text)) {
            return refuse(ctx, "placeholder", answer);
        }
        json_object_set_new(json, "lines", paragraphs(ctx, ask->text));
    }
    sp_json_set_text(json, "text", ask->text);
    sp_json_set_text(json, "subject", ask->subject);
    sp_json_set_text(json, "email", ask->email);
    return act(ctx, ask->action, json, answer);
}

/* The address is new to us, perhaps, so it is looked at before anything is made. */
static sp_outcome_t write_first(sp_ctx_t *ctx, const sp_desk_ask_t *ask,
                                json_t **answer)
{
    return ask->email && sp_text_email_problem(ask->email)
               ? refuse(ctx, "bad_email", answer)
               : write_text(ctx, ask, answer);
}

sp_outcome_t sp_desk_act(sp_ctx_t *ctx, const sp_desk_ask_t *ask, json_t **answer)
{
    const char *action = ask->action;
    sp_ctx_t *own = apr_pmemdup(ctx->pool, ctx, sizeof(*ctx));
    json_t *json = ask_json(ctx, ask);
    sp_outcome_t out;

    *answer = NULL;
    if (strcmp(action, "recover") == 0) {
        out = recover(own, ask, answer);
    }
    else if (strcmp(action, "email") == 0) {
        out = correct_email(own, ask, answer);
    }
    else if (strncmp(action, "refund", 6) == 0) {
        out = refund(own, ask, strcmp(action, "refund") != 0, answer);
    }
    else if (strcmp(action, "extend") == 0 || strcmp(action, "grant") == 0) {
        out = give_days(own, ask, answer);
    }
    else if (strcmp(action, "evidence") == 0 || strcmp(action, "accept") == 0) {
        out = answer_dispute(own, ask, answer);
    }
    else if (strcmp(action, "write") == 0) {
        out = write_first(own, ask, answer);
    }
    else if (strcmp(action, "note") == 0 || strcmp(action, "reply") == 0) {
        out = write_text(own, ask, answer);
    }
    else {
        sp_json_set_text(json, "owner", ask->owner);
        sp_json_set_text(json, "owner_seen", ask->owner_seen);
        sp_json_set_text(json, "text", ask->text);
        out = act(own, action, json, answer);
    }
    ctx->code = own->code;
    ctx->say = own->say;
    return out;
}

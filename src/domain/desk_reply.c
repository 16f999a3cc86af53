/*
 * desk_reply.c - the queue and its tickets, with the words to say.
 *
 * Room: domain.
 */
#include "domain/desk_reply.h"

#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/desk.h"
#include "domain/desk.h"
#include "domain/order.h"
#include "domain/ticket.h"
#include "provider/provider.h"
#include "util/json.h"
#include "util/log.h"
#include "util/text.h"
#include "view/templates.h"

/* Access that came later than this came late: the mail says sorry as well. */
#define LATE_S 120

/* ---- the queue --------------------------------------------------------------------- */

static void set_diagnosis(json_t *object)
{
    const char *code = sp_json_text(object, "diagnosis_code");
    const sp_diagnosis_t *diagnosis = code ? sp_desk_diagnosis(code) : NULL;
    json_t *json;

    if (!diagnosis) {
        return;
    }
    json = json_object();
    sp_json_set_text(json, "code", diagnosis->code);
    sp_json_set_text(json, "text", diagnosis->text);
    sp_json_set_text(json, "action", diagnosis->action);
    sp_json_set_text(json, "button", diagnosis->button);
    json_object_set_new(object, "diagnosis", json);
    json_object_del(object, "diagnosis_code");
}

sp_outcome_t sp_desk_queue(sp_ctx_t *ctx, json_t **answer)
{
    sp_outcome_t out = sp_db_desk_queue(ctx, answer);
    json_t *row;
    size_t i;

    if (out == SP_DONE) {
        json_array_foreach(json_object_get(*answer, "rows"), i, row)
        {
            set_diagnosis(row);
        }
    }
    return out;
}

/* ---- replies ------------------------------------------------------------------------ */

/* Which reply fits which diagnosis is a proposal; the person chooses. */
static const struct {
    const char *name;
    const char *title;
    const char *fits; /* a diagnosis, or NULL */
} replies[] = {
    { "fixed", "Fixed: you have access", NULL },
    { "inside_window", "Paid, access is being set up", "paid_stuck" },
    { "not_found", "Not found: what I need from you", "not_found" },
    { "reservation", "Pending at the bank, not charged", "never_charged" },
    { "check_spam", "Active; look in the spam folder", "healthy" },
    { "resent", "The mail is sent again", "mail_not_sent" },
    { "paid_twice", "Paid twice, one is sent back", "duplicate" },
    { "refund_offered", "A refund, if you want one", "review" },
    { "refunded", "Refunded as asked", "refunded" },
    { "dispute", "The bank has the case", "disputed" },
    { "angry", "Second, angry message", NULL },
    { "delay", "Delay for many", NULL },
    { "not_ours", "Not our charge", NULL },
    { "next_day", "Next day: still all right?", NULL },
};

#define REPLIES (sizeof(replies) / sizeof(replies[0]))

static size_t choose(const char *wanted, const char *code)
{
    size_t i;

    for (i = 0; i < REPLIES; i++) {
        if (wanted ? strcmp(replies[i].name, wanted) == 0
                   : replies[i].fits && strcmp(replies[i].fits, code) == 0) {
            return i;
        }
    }
    return 0;
}

/* "Our server stopped" is said only where it did, and "sent again" where it was. */
static const char *told_by_facts(const json_t *about, const char *code)
{
    static const char *const roads[] = { "replay", "reconcile", "self_service",
                                         "support" };
    const json_t *order = json_object_get(about, "order");
    const char *via = sp_json_text(order, "completed_via");
    int welcomes = 0;
    const json_t *mail;
    size_t i;

    if (strcmp(code, "healthy") != 0) {
        return NULL;
    }
    json_array_foreach(json_object_get(about, "mails"), i, mail)
    {
        const char *template = sp_json_text(mail, "template");

        welcomes += template && (strcmp(template, "confirmation") == 0 ||
                                 strcmp(template, "recovered") == 0);
    }
    if (welcomes > 1) {
        return "resent";
    }
    for (i = 0; via && i < sizeof(roads) / sizeof(roads[0]); i++) {
        if (strcmp(roads[i], via) == 0) {
            return "fixed";
        }
    }
    return json_integer_value(json_object_get(order, "access_delay_s")) >= LATE_S
               ? "fixed"
               : NULL;
}

/* A fact, or a hole that nobody can overlook. */
static void set_fact(sp_ctx_t *ctx, json_t *facts, const char *name,
                     const char *value)
{
    sp_json_set_text(facts, name,
                     value && *value ? value
                                     : apr_psprintf(ctx->pool, "[%s?]", name));
}

/* The same for a time; the words of a language have their own way to write it. */
static void set_time(sp_ctx_t *ctx, json_t *facts, const char *name,
                     const json_t *moment)
{
    json_t *time = json_object();

    sp_json_set_text(time, "iso", sp_json_text(moment, "iso"));
    set_fact(ctx, time, "text", sp_json_text(moment, "text"));
    if (!moment) {
        sp_json_set_text(time, "text", apr_psprintf(ctx->pool, "[%s?]", name));
    }
    json_object_set_new(facts, name, time);
}

static const json_t *at(const json_t *object, const char *name)
{
    return json_object_get(object, name);
}

/* The last of a list, or NULL. */
static const json_t *last_of(const json_t *object, const char *list)
{
    const json_t *array = json_object_get(object, list);
    size_t count = json_array_size(array);

    return count ? json_array_get(array, count - 1) : NULL;
}

static void set_stands(sp_ctx_t *ctx, json_t *facts, const json_t *about)
{
    int open = json_is_true(at(at(about, "access"), "open"));
    int paid = json_array_size(at(about, "payments")) > 0;

    sp_json_set_bool(facts, "is_open", open && paid);
    sp_json_set_bool(facts, "is_waiting", paid && !open);
    if (!paid) {
        set_fact(ctx, facts, "where_it_stands", NULL);
    }
}

static json_t *facts_of(sp_ctx_t *ctx, const json_t *ticket, const json_t *about)
{
    const sp_account_t *account =
        sp_settings_account(ctx->settings, ctx->settings->provider);
    const json_t *order = json_object_get(about, "order");
    const json_t *access = json_object_get(about, "access");
    const json_t *refund = last_of(about, "refunds");
    const json_t *mail = last_of(about, "mails");
    const char *statement = sp_json_text(order, "statement");
    json_t *facts = sp_json_object(ctx->pool);

    set_fact(ctx, facts, "address", sp_json_text(ticket, "email"));
    set_fact(ctx, facts, "amount", sp_json_text(order, "amount_text"));
    set_time(ctx, facts, "paid_at", at(order, "paid_at"));
    set_time(ctx, facts, "access_since", at(access, "starts_at"));
    set_time(ctx, facts, "access_until", at(access, "expires_at"));
    set_fact(ctx, facts, "refund_amount", sp_json_text(refund, "amount_text"));
    set_time(ctx, facts, "refund_at", at(refund, "at"));
    set_time(ctx, facts, "mail_at", at(mail, "sent_at"));
    set_time(ctx, facts, "dispute_due", at(last_of(about, "disputes"), "due_by"));
    set_time(ctx, facts, "wrote_at", at(ticket, "created_at"));
    set_time(ctx, facts, "answer_by", at(ticket, "due_at"));
    set_stands(ctx, facts, about);
    set_fact(ctx, facts, "statement",
             statement ? statement : sp_order_statement_start(ctx));
    set_fact(ctx, facts, "provider", account->provider->title);
    set_fact(ctx, facts, "me", ctx->settings->support_names);
    return facts;
}

static json_t *list(size_t chosen)
{
    json_t *array = json_array();
    size_t i;

    for (i = 0; i < REPLIES; i++) {
        json_t *one = json_object();

        sp_json_set_text(one, "name", replies[i].name);
        sp_json_set_text(one, "title", replies[i].title);
        sp_json_set_bool(one, "chosen", i == chosen);
        json_array_append_new(array, one);
    }
    return array;
}

static void set_draft(sp_ctx_t *ctx, json_t *ticket, const json_t *about,
                      const char *wanted, const char *lang)
{
    const char *code = sp_json_text(json_object_get(ticket, "diagnosis"), "code");
    size_t chosen;
    sp_text_t text;

    code = code ? code : "not_found";
    chosen = choose(wanted ? wanted : told_by_facts(about, code), code);
    if (sp_text_render(
            ctx->pool, ctx->templates, lang,
            apr_pstrcat(ctx->pool, "replies/", replies[chosen].name, ".text", NULL),
            facts_of(ctx, ticket, about), &text) == APR_SUCCESS) {
        sp_json_set_text(ticket, "draft", text.data);
    }
    else {
        sp_log(ctx->log, SP_LOG_ERR, 381, "the reply %s cannot be filled: %s",
               replies[chosen].name, text.error ? text.error : "no such template");
    }
    json_object_set_new(ticket, "replies", list(chosen));
}

sp_outcome_t sp_desk_ticket(sp_ctx_t *ctx, const char *reference, const char *reply,
                            const char *lang, json_t **answer)
{
    json_t *about = NULL;
    const char *order;
    sp_outcome_t out = sp_db_desk_ticket(ctx, reference, answer);

    if (out != SP_DONE || !*answer) {
        return out;
    }
    set_diagnosis(*answer);
    order = sp_json_text(*answer, "reference");
    if (order) {
        out = sp_db_desk_case(ctx, order, &about);
    }
    if (out == SP_DONE) {
        set_draft(ctx, *answer, about, reply,
                  lang ? lang : sp_json_text(*answer, "customer_lang"));
    }
    return out;
}

/* What a draft knows, as a ticket would have it. */
static json_t *new_ticket(sp_ctx_t *ctx, const char *email, const char *reference,
                          const json_t *about)
{
    json_t *ticket = sp_json_object(ctx->pool);
    apr_time_t due = sp_ticket_answer_by(ctx);

    sp_json_set_text(ticket, "email", email ? email : sp_json_text(about, "email"));
    sp_json_set_text(ticket, "reference", reference);
    sp_json_set_text(ticket, "subject",
                     reference
                         ? apr_pstrcat(ctx->pool, "Your payment ", reference, NULL)
                         : "Your payment");
    sp_json_set_text(ticket, "customer_lang",
                     sp_json_text(json_object_get(about, "order"), "lang"));
    sp_json_set_text(ticket, "diagnosis_code",
                     about ? sp_json_text(about, "diagnosis") : "not_found");
    if (due) {
        json_object_set_new(ticket, "due_at",
                            json_pack("{s:s, s:s}", "iso",
                                      sp_text_time(ctx->pool, due), "text",
                                      sp_text_moment(ctx->pool, due)));
    }
    set_diagnosis(ticket);
    return ticket;
}

sp_outcome_t sp_desk_write_draft(sp_ctx_t *ctx, const char *email,
                                 const char *reference, const char *reply,
                                 const char *lang, json_t **answer)
{
    json_t *about = NULL;
    sp_outcome_t out = reference ? sp_db_desk_case(ctx, reference, &about) : SP_DONE;

    *answer = NULL;
    if (out != SP_DONE || (reference && !about)) {
        return out;
    }
    *answer = new_ticket(ctx, email, reference, about);
    set_draft(ctx, *answer, about, reply,
              lang ? lang : sp_json_text(*answer, "customer_lang"));
    return SP_DONE;
}

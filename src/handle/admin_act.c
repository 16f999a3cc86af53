/*
 * admin_act.c - the support area: what can be done to an order or a ticket.
 *
 * Room: handle. Sees httpd. The address of an action answers GET with a page that says
 * what will happen, and does it on POST only.
 */
#include <apr_strings.h>
#include <string.h>

#include "domain/desk.h"
#include "domain/desk_act.h"
#include "domain/desk_reply.h"
#include "handle/admin.h"
#include "handle/admin_act.h"
#include "handle/page.h"
#include "handle/route.h"
#include "util/json.h"
#include "util/reference.h"

static void set_action(json_t *object, const sp_desk_action_t *action)
{
    json_t *is = json_object();

    sp_json_set_bool(is, action->what, 1);
    sp_json_set_text(object, "action", action->name);
    sp_json_set_text(object, "button", action->button);
    json_object_set_new(object, "is", is);
    sp_json_set_bool(object, "needs_input", action->needs_input);
}

/* The payments of a renewal are as many as there are periods, and none too many. */
static int has_second(const json_t *value)
{
    const json_t *payment;
    size_t i;

    json_array_foreach(json_object_get(value, "payments"), i, payment)
    {
        if (json_object_get(payment, "second")) {
            return 1;
        }
    }
    return 0;
}

/* Only what makes sense for this order; the address of any other still answers. */
static int is_offered(const json_t *value, const sp_desk_action_t *action)
{
    const char *state = sp_json_text(value, "state");
    int tickets = json_array_size(json_object_get(value, "tickets")) > 0;
    int access = json_object_get(value, "access") != NULL;

    if (strcmp(action->name, "assign") == 0 || strcmp(action->name, "close") == 0) {
        return tickets;
    }
    if (strcmp(action->name, "evidence") == 0 ||
        strcmp(action->name, "accept") == 0) {
        return json_array_size(json_object_get(value, "disputes")) > 0;
    }
    if (strcmp(action->name, "grant") == 0) {
        return !access;
    }
    if (strcmp(action->name, "extend") == 0 || strcmp(action->name, "resend") == 0) {
        return access && strcmp(state, "refunded") != 0;
    }
    if (strcmp(action->name, "refund") == 0) {
        return json_array_size(json_object_get(value, "refund_choices")) > 0;
    }
    return strcmp(action->name, "refund-duplicate") != 0 || has_second(value);
}

void sp_admin_set_actions(json_t *value)
{
    const char *wanted = sp_json_text(json_object_get(value, "diagnosis"), "action");
    const sp_desk_action_t *action;
    json_t *others = json_array();

    for (action = sp_desk_actions; action->name; action++) {
        json_t *one = json_object();

        set_action(one, action);
        if (wanted && strcmp(wanted, action->name) == 0) {
            sp_json_set_text(
                one, "button",
                sp_json_text(json_object_get(value, "diagnosis"), "button"));
            json_object_set_new(value, "recommended", one);
        }
        else if (is_offered(value, action)) {
            json_array_append_new(others, one);
        }
        else {
            json_decref(one);
        }
    }
    json_object_set_new(value, "actions", others);
}

/* The payment that was chosen before, in the form or by a link, instead of the usual. */
static void set_choice(json_t *value, const char *payment_id)
{
    json_t *choices = json_object_get(value, "refund_choices");
    json_t *chosen = NULL, *one;
    size_t i;

    sp_json_set_bool(value, "has_choices", json_array_size(choices) > 0);
    json_array_foreach(choices, i, one)
    {
        if (payment_id && json_object_get(one, "open") &&
            strcmp(sp_json_text(one, "payment_id"), payment_id) == 0) {
            chosen = one;
        }
    }
    json_array_foreach(choices, i, one)
    {
        if (chosen) {
            json_object_del(one, "selected");
        }
    }
    if (chosen) {
        sp_json_set_bool(chosen, "selected", 1);
    }
}

int sp_admin_preview(request_rec *r, sp_ctx_t *ctx, int status, const char *name,
                     const char *payment_id, json_t *value)
{
    const sp_desk_action_t *action = sp_desk_action(name);

    if (!action) {
        return sp_admin_error(r, ctx, HTTP_NOT_FOUND, "not_found",
                              "There is no such action.");
    }
    set_action(value, action);
    set_choice(value, payment_id);
    return sp_admin_show(r, ctx, status, "admin_action", value);
}

static void set_changed(json_t *value, const json_t *answer)
{
    json_t *changed = json_object_get(answer, "changed");

    json_object_set(value, "changed", changed);
    sp_json_set_bool(value, "has_changed", json_array_size(changed) > 0);
}

static int show_refused(request_rec *r, sp_ctx_t *ctx, int status,
                        const json_t *answer, const char *back)
{
    json_t *value;

    if (sp_wants_json(r)) {
        return sp_json_error(r, status, ctx->code, ctx->say, NULL);
    }
    value = sp_json_object(r->pool);
    sp_json_set_text(value, "title", "This was not done");
    sp_json_set_text(value, "say", ctx->say);
    sp_json_set_text(value, "back_url", back);
    set_changed(value, answer);
    return sp_admin_show(r, ctx, status, "admin_message", value);
}

/* What was typed is to be typed differently: which field, by the verdict. */
static const char *field_of(const char *code)
{
    static const char *const fields[][2] = {
        { "bad_email", "email" },    { "same", "email" },
        { "bad_amount", "amount" },  { "too_much", "amount" },
        { "bad_days", "days" },      { "no_text", "message" },
        { "placeholder", "message" }
    };
    size_t i;

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(fields[i][0], code) == 0) {
            return fields[i][1];
        }
    }
    return NULL;
}

static int refused_status(const char *code)
{
    return strncmp(code, "no_order", 8) == 0 ? HTTP_NOT_FOUND
           : field_of(code) && strcmp(code, "too_much") != 0 &&
                   strcmp(code, "same") != 0
               ? HTTP_BAD_REQUEST
               : HTTP_CONFLICT;
}

/* Once done, the page it is about, so that a reload does nothing. */
static int answer(request_rec *r, sp_ctx_t *ctx, sp_outcome_t out,
                  const json_t *value, const char *back)
{
    switch (out) {
    case SP_DONE:
        return sp_wants_json(r)
                   ? sp_json_show(r, HTTP_OK, value)
                   : sp_page_go(r,
                                apr_pstrcat(r->pool, back, "?done=",
                                            sp_json_text(value, "verdict"), NULL));
    case SP_REFUSED:
        return show_refused(r, ctx, refused_status(ctx->code), value, back);
    case SP_UNKNOWN:
        return show_refused(r, ctx, HTTP_SERVICE_UNAVAILABLE, NULL, back);
    default:
        return sp_admin_error(
            r, ctx, HTTP_SERVICE_UNAVAILABLE, "database",
            "The database does not answer, so nobody knows whether "
            "that was done: look at the case in a moment.");
    }
}

static void read_ask(const sp_form_t *form, sp_desk_ask_t *ask)
{
    ask->form_key = sp_form_get(form, "form_key");
    ask->seen = sp_form_get(form, "seen");
    ask->reason = sp_form_get(form, "reason");
    ask->payment = sp_form_get(form, "payment");
    ask->amount = sp_form_get(form, "amount");
    ask->days = sp_form_get(form, "days");
    ask->email = sp_form_get(form, "email");
    ask->subject = sp_form_get(form, "subject");
    ask->text = sp_form_get(form, "message");
    ask->owner = sp_form_get(form, "owner");
    ask->owner_seen = sp_form_get(form, "owner_seen");
}

int sp_admin_press(request_rec *r, sp_ctx_t *ctx, const char *action,
                   const char *back)
{
    sp_desk_ask_t ask = { 0 };
    sp_form_t *form;
    json_t *value = NULL;
    int status = sp_admin_form(r, ctx, &form);
    sp_outcome_t out;

    if (status != DECLINED) {
        return status;
    }
    read_ask(form, &ask);
    ask.action = action;
    out = sp_desk_act(ctx, &ask, &value);
    return answer(r, ctx, out, value, sp_admin_url(r, back, ""));
}

/* ---- a form that comes back, with what was typed and what is wrong -------------------- */

static void set_problem(json_t *value, const sp_ctx_t *ctx, const sp_desk_ask_t *ask)
{
    const char *field = field_of(ctx->code);
    json_t *typed = json_object();

    sp_json_set_text(typed, "email", ask->email);
    sp_json_set_text(typed, "amount", ask->amount);
    sp_json_set_text(typed, "days", ask->days);
    sp_json_set_text(typed, "reason", ask->reason);
    sp_json_set_text(typed, "message", ask->text);
    json_object_set_new(value, "typed", typed);
    sp_json_set_bool(value, "has_problems", 1);
    json_object_set_new(value, "problems",
                        json_pack("[{s:s?, s:s}]", "field", field, "message",
                                  ctx->say ? ctx->say : ""));
}

static int order_form_again(request_rec *r, sp_ctx_t *ctx, const sp_desk_ask_t *ask,
                            const char *back)
{
    const sp_ctx_t said = *ctx;
    int status = refused_status(said.code);
    json_t *value;

    if (sp_desk_case(ctx, ask->reference, &value) != SP_DONE || !value) {
        return show_refused(r, ctx, status, NULL, back);
    }
    set_problem(value, &said, ask);
    return sp_admin_preview(r, ctx, status, ask->action, ask->payment, value);
}

static int ticket_form_again(request_rec *r, sp_ctx_t *ctx, const sp_desk_ask_t *ask,
                             const json_t *answer, const char *back)
{
    const sp_ctx_t said = *ctx;
    int status = refused_status(said.code);
    json_t *value;

    if (sp_desk_ticket(ctx, ask->ticket, NULL, NULL, &value) != SP_DONE || !value) {
        return show_refused(r, ctx, status, answer, back);
    }
    set_problem(value, &said, ask);
    set_changed(value, answer);
    sp_json_set_text(value, strcmp(ask->action, "note") == 0 ? "note" : "draft",
                     ask->text);
    return sp_admin_show(r, ctx, status, "admin_ticket", value);
}

/* "SP-7K3M-92QX/refund" in two. */
static const char *split(request_rec *r, const char **action)
{
    char *about = apr_pstrdup(r->pool, sp_place(r)->rest);
    char *slash = strchr(about, '/');

    *action = slash ? slash + 1 : "";
    if (slash) {
        *slash = '\0';
    }
    return about;
}

/* POST /orders/<reference>/<action> */
int sp_handle_admin_order_act(request_rec *r, sp_ctx_t *ctx)
{
    sp_desk_ask_t ask = { 0 };
    const char *about = split(r, &ask.action);
    const char *back;
    sp_form_t *form;
    json_t *value;
    sp_outcome_t out;
    int status;

    if (!sp_reference_parse(r->pool, about, &ask.reference) ||
        !sp_desk_action(ask.action)) {
        return sp_admin_error(r, ctx, HTTP_NOT_FOUND, "not_found",
                              "There is no such order or action.");
    }
    status = sp_admin_form(r, ctx, &form);
    if (status != DECLINED) {
        return status;
    }
    read_ask(form, &ask);
    out = sp_desk_act(ctx, &ask, &value);
    back = value && sp_json_text(value, "reference")
               ? sp_json_text(value, "reference")
               : ask.reference;
    back = sp_admin_url(r, "/orders/", back);
    return out == SP_REFUSED && field_of(ctx->code) && !sp_wants_json(r)
               ? order_form_again(r, ctx, &ask, back)
               : answer(r, ctx, out, value, back);
}

/* POST /tickets/<number>/<action> */
int sp_handle_admin_ticket_act(request_rec *r, sp_ctx_t *ctx)
{
    static const char *const actions[] = { "reply", "note",  "assign",
                                           "close", "thank", NULL };
    sp_desk_ask_t ask = { 0 };
    const char *back;
    sp_form_t *form;
    json_t *value;
    sp_outcome_t out;
    size_t i = 0;
    int status;

    ask.ticket = split(r, &ask.action);
    if (ask.ticket[0] != 'T') {
        ask.ticket = apr_pstrcat(r->pool, "T-", ask.ticket, NULL);
    }
    while (actions[i] && strcmp(actions[i], ask.action) != 0) {
        i++;
    }
    if (!actions[i]) {
        return sp_admin_error(r, ctx, HTTP_NOT_FOUND, "not_found",
                              "There is no such action.");
    }
    status = sp_admin_form(r, ctx, &form);
    if (status != DECLINED) {
        return status;
    }
    read_ask(form, &ask);
    out = sp_desk_act(ctx, &ask, &value);
    back = sp_admin_url(r, "/tickets/", ask.ticket);
    return out == SP_REFUSED && ask.text && !sp_wants_json(r) &&
                   (field_of(ctx->code) || strcmp(ctx->code, "stale") == 0)
               ? ticket_form_again(r, ctx, &ask, value, back)
               : answer(r, ctx, out, value, back);
}

static int write_form_again(request_rec *r, sp_ctx_t *ctx, const sp_desk_ask_t *ask)
{
    const sp_ctx_t said = *ctx;
    json_t *value;

    if (sp_desk_write_draft(ctx, ask->email, ask->reference, NULL, NULL, &value) !=
            SP_DONE ||
        !value) {
        return show_refused(r, ctx, refused_status(said.code), NULL,
                            sp_admin_url(r, "/", ""));
    }
    set_problem(value, &said, ask);
    sp_json_set_text(value, "draft", ask->text);
    sp_json_set_text(value, "subject", ask->subject);
    return sp_admin_show(r, ctx, refused_status(said.code), "admin_write", value);
}

static const char *reference_in(request_rec *r, const char *text)
{
    const char *reference;

    return text && sp_reference_parse(r->pool, text, &reference) ? reference : NULL;
}

/* GET /write?email=&r=&reply=&lang= */
int sp_handle_admin_write_form(request_rec *r, sp_ctx_t *ctx)
{
    const char *email = sp_query_get(r, "email");
    const char *reference = reference_in(r, sp_query_get(r, "r"));
    const char *lang = sp_query_get(r, "lang");
    json_t *value;

    if (sp_desk_write_draft(ctx, email && *email ? email : NULL, reference,
                            sp_query_get(r, "reply"), lang, &value) != SP_DONE) {
        return sp_admin_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, "database",
                              "The database does not answer. Nothing is lost: try "
                              "again in a moment.");
    }
    if (!value) {
        return sp_admin_error(r, ctx, HTTP_NOT_FOUND, "not_found",
                              "There is no such order here.");
    }
    sp_json_set_bool(value, "in_english", lang && strcmp(lang, "en") == 0);
    return sp_admin_show(r, ctx, HTTP_OK, "admin_write", value);
}

/* POST /write */
int sp_handle_admin_write(request_rec *r, sp_ctx_t *ctx)
{
    sp_desk_ask_t ask = { 0 };
    sp_form_t *form;
    json_t *value = NULL;
    const char *ticket;
    int status = sp_admin_form(r, ctx, &form);
    sp_outcome_t out;

    if (status != DECLINED) {
        return status;
    }
    read_ask(form, &ask);
    ask.action = "write";
    ask.reference = reference_in(r, sp_form_get(form, "r"));
    out = sp_desk_act(ctx, &ask, &value);
    if (out == SP_REFUSED && field_of(ctx->code) && !sp_wants_json(r)) {
        return write_form_again(r, ctx, &ask);
    }
    ticket = value ? sp_json_text(value, "ticket") : NULL;
    return answer(r, ctx, out, value,
                  sp_admin_url(r, "/tickets/", ticket ? ticket : ""));
}

/* POST /runs/now */
int sp_handle_admin_run(request_rec *r, sp_ctx_t *ctx)
{
    return sp_admin_press(r, ctx, "run_now", "/runs");
}

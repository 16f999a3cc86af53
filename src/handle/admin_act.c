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
    if (strncmp(action->name, "refund", 6) == 0) {
        return json_array_size(json_object_get(value, "payments")) >
               (strcmp(action->name, "refund") == 0 ? 0U : 1U);
    }
    return 1;
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

int sp_admin_preview(request_rec *r, sp_ctx_t *ctx, const char *name, json_t *value)
{
    const sp_desk_action_t *action = sp_desk_action(name);

    if (!action) {
        return sp_admin_error(r, ctx, HTTP_NOT_FOUND, "not_found",
                              "There is no such action.");
    }
    set_action(value, action);
    return sp_admin_show(r, ctx, HTTP_OK, "admin_action", value);
}

static int show_refused(request_rec *r, sp_ctx_t *ctx, int status, const char *back)
{
    json_t *value;

    if (sp_wants_json(r)) {
        return sp_json_error(r, status, ctx->code, ctx->say, NULL);
    }
    value = sp_json_object(r->pool);
    sp_json_set_text(value, "title", "This was not done");
    sp_json_set_text(value, "say", ctx->say);
    sp_json_set_text(value, "back_url", back);
    return sp_admin_show(r, ctx, status, "admin_message", value);
}

static int is_input_problem(const char *code)
{
    return strncmp(code, "bad_", 4) == 0 || strcmp(code, "no_text") == 0 ||
           strcmp(code, "placeholder") == 0;
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
        return show_refused(r, ctx,
                            is_input_problem(ctx->code) ? HTTP_BAD_REQUEST
                            : strncmp(ctx->code, "no_order", 8) == 0 ? HTTP_NOT_FOUND
                                                                     : HTTP_CONFLICT,
                            back);
    case SP_UNKNOWN:
        return show_refused(r, ctx, HTTP_SERVICE_UNAVAILABLE, back);
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
    ask->text = sp_form_get(form, "message");
    ask->owner = sp_form_get(form, "owner");
    ask->owner_seen = sp_form_get(form, "owner_seen");
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
    return answer(r, ctx, out, value, sp_admin_url(r, "/orders/", back));
}

/* POST /tickets/<number>/<action> */
int sp_handle_admin_ticket_act(request_rec *r, sp_ctx_t *ctx)
{
    static const char *const actions[] = { "reply", "note", "assign", "close" };
    sp_desk_ask_t ask = { 0 };
    sp_form_t *form;
    json_t *value;
    sp_outcome_t out;
    size_t i = 0;
    int status;

    ask.ticket = split(r, &ask.action);
    if (ask.ticket[0] != 'T') {
        ask.ticket = apr_pstrcat(r->pool, "T-", ask.ticket, NULL);
    }
    while (i < 4 && strcmp(actions[i], ask.action) != 0) {
        i++;
    }
    if (i == 4) {
        return sp_admin_error(r, ctx, HTTP_NOT_FOUND, "not_found",
                              "There is no such action.");
    }
    status = sp_admin_form(r, ctx, &form);
    if (status != DECLINED) {
        return status;
    }
    read_ask(form, &ask);
    out = sp_desk_act(ctx, &ask, &value);
    return answer(r, ctx, out, value, sp_admin_url(r, "/tickets/", ask.ticket));
}

/* POST /runs/now */
int sp_handle_admin_run(request_rec *r, sp_ctx_t *ctx)
{
    sp_desk_ask_t ask = { .action = "run_now" };
    sp_form_t *form;
    json_t *value = NULL;
    int status = sp_admin_form(r, ctx, &form);
    sp_outcome_t out;

    if (status != DECLINED) {
        return status;
    }
    out = sp_desk_act(ctx, &ask, &value);
    return answer(r, ctx, out, value, sp_admin_url(r, "/runs", ""));
}

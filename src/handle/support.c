/*
 * support.c - GET and POST /support: somebody wants a person.
 *
 * Room: handle. Sees httpd.
 */
#include <apr_strings.h>
#include <string.h>

#include "domain/ticket.h"
#include "handle/auth_form.h"
#include "handle/buyer.h"
#include "handle/cookie.h"
#include "handle/form.h"
#include "handle/model.h"
#include "handle/page.h"
#include "handle/route.h"
#include "handle/shop.h"
#include "handle/tries.h"
#include "util/json.h"
#include "util/reference.h"
#include "util/text.h"

/* So long the browser that bought may wait for the provider, to read "Found it". */
#define PATIENCE apr_time_from_sec(5)

/* Completed since somebody wrote, as far as the database's clock may differ. */
#define JUST_NOW apr_time_from_sec(2)

static json_t *form_model(sp_ctx_t *ctx, const sp_form_t *form)
{
    json_t *page = sp_auth_form_model(ctx, sp_form_get(form, "email"));
    const char *charged = sp_form_get(form, "charged");
    const char *key = sp_form_get(form, "form_key");
    const char *reference = sp_form_get(form, "r");

    if (sp_text_is_uuid(key)) {
        sp_json_set_text(page, "form_key", key);
    }
    sp_json_set_text(json_object_get(page, "fields"), "message",
                     sp_form_get(form, "message"));
    if (charged && strlen(charged) < 8) {
        sp_json_set_bool(page, apr_pstrcat(ctx->pool, "charged_", charged, NULL), 1);
    }
    if (reference && sp_reference_parse(ctx->pool, reference, &reference)) {
        sp_json_set_text(page, "reference", reference);
    }
    sp_json_set_bool(page, "show_form", 1);
    return page;
}

/* GET /support?r=SP-... - filled in from what this browser has told us before. */
int sp_handle_support_form(request_rec *r, sp_ctx_t *ctx)
{
    const char *given = sp_query_get(r, "r");
    sp_order_t *own = sp_buyer_order(r, ctx);
    const char *reference = NULL;
    json_t *page = sp_auth_form_model(ctx, own ? own->email : NULL);

    if (given && !sp_reference_parse(r->pool, given, &reference)) {
        reference = NULL;
    }
    sp_json_set_text(page, "reference",
                     reference ? reference
                     : own     ? own->reference
                               : NULL);
    if (own && (!reference || strcmp(reference, own->reference) == 0)) {
        sp_buyer_set_money(ctx, page, own);
    }
    sp_model_set_time(ctx, page, "answer_by", sp_ticket_answer_by(ctx));
    sp_json_set_bool(page, "show_form", 1);
    return sp_page_show(r, ctx, HTTP_OK, "support", page);
}

static int form_again(request_rec *r, sp_ctx_t *ctx, const sp_form_t *form,
                      const char *say)
{
    json_t *page;

    if (sp_wants_json(r)) {
        return sp_json_error(r, HTTP_BAD_REQUEST, ctx->code, say, NULL);
    }
    page = form_model(ctx, form);
    sp_auth_form_problem(page, ctx->code + strlen("bad_"), say);
    return sp_page_show(r, ctx, HTTP_BAD_REQUEST, "support", page);
}

/* People never see the field; some browsers fill it in all the same, so what was
 * written is shown again rather than dropped. */
static int trapped(request_rec *r, sp_ctx_t *ctx, const sp_form_t *form)
{
    sp_end(ctx, SP_REFUSED, "bad_message", NULL);
    return form_again(
        r, ctx, form,
        "Your browser filled in a field that is not for people. Please "
        "send it once more.");
}

static int sent(request_rec *r, sp_ctx_t *ctx, const sp_ticket_t *ticket)
{
    json_t *model;

    if (sp_wants_json(r)) {
        model = sp_json_object(r->pool);
        sp_json_set_text(model, "ticket", ticket->reference);
        sp_json_set_text(model, "answer_by",
                         sp_text_time(r->pool, ticket->answers_at));
        return sp_json_show(r, HTTP_OK, model);
    }
    model = sp_model_page(ctx);
    json_object_set_new(model, "state", json_pack("{s:b}", "sent", 1));
    sp_json_set_text(model, "ticket_reference", ticket->reference);
    sp_model_set_time(ctx, model, "answer_by", ticket->answers_at);
    return sp_page_show(r, ctx, HTTP_OK, "support", model);
}

static void read_message(request_rec *r, const sp_form_t *form,
                         sp_message_in_t *message)
{
    const char *key = sp_form_get(form, "form_key");

    message->form_key = sp_text_is_uuid(key) ? key : NULL;
    message->email = sp_form_get(form, "email");
    message->message = sp_form_get(form, "message");
    message->charged = sp_form_get(form, "charged");
    message->reference = sp_form_get(form, "r");
    message->token = sp_cookie_last(r);
}

/* Whoever had access before they wrote has another question: that is a person's. */
static sp_order_t *healed_order(request_rec *r, sp_ctx_t *ctx, apr_time_t since)
{
    sp_order_t *own = sp_wants_json(r) ? NULL : sp_buyer_paid(r, ctx, PATIENCE);

    return own && own->completed_at > since - JUST_NOW ? own : NULL;
}

int sp_handle_support(request_rec *r, sp_ctx_t *ctx)
{
    apr_time_t now = apr_time_now();
    sp_message_in_t message;
    sp_ticket_t ticket;
    sp_form_t *form;
    sp_order_t *own;
    int status = sp_auth_form_read(r, ctx, &form);
    int wait;

    if (status != DECLINED) {
        return status;
    }
    if (sp_form_get(form, "website")) {
        return trapped(r, ctx, form);
    }
    read_message(r, form, &message);
    wait = sp_tries_take(r, "support", message.email ? message.email : "",
                         ctx->settings->rate_limit.support);
    if (wait) {
        return sp_auth_too_many(r, ctx, wait);
    }
    switch (sp_ticket_write(ctx, &message, &ticket)) {
    case SP_DONE:
        own = healed_order(r, ctx, now);
        return own ? sp_buyer_show_found(r, ctx, "support", "fixed", own)
                   : sent(r, ctx, &ticket);
    case SP_REFUSED:
        return form_again(r, ctx, form, ctx->say);
    default:
        return sp_page_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, ctx->code, NULL);
    }
}

/*
 * subscribe.c - POST /subscribe: the owner's own page has asked for the card.
 *
 * Room: handle. Sees httpd.
 */
#include <string.h>

#include "domain/direct.h"
#include "handle/auth_form.h"
#include "handle/checkout.h"
#include "handle/cookie.h"
#include "handle/model.h"
#include "handle/page.h"
#include "handle/route.h"
#include "handle/tries.h"
#include "util/json.h"

static int is(const char *text, const char *word)
{
    return strcmp(text, word) == 0;
}

/* {reference, token, status, return_url}, and what the browser needs to go on. */
static int show_json(request_rec *r, sp_ctx_t *ctx, int status, const char *word,
                     const sp_order_t *order, const sp_direct_t *direct)
{
    json_t *body = sp_json_object(r->pool);

    sp_json_set_text(body, "reference", order->reference);
    sp_json_set_text(body, "token", order->token);
    sp_json_set_text(body, "status", word);
    sp_json_set_text(body, "return_url", sp_checkout_return_url(ctx, order));
    sp_json_set_text(body, "client_secret", direct->client_secret);
    return sp_json_show(r, status, body);
}

static int declined(request_rec *r, const sp_order_t *order)
{
    int closed = !is(order->state, "pending");

    return sp_json_error(
        r, HTTP_PAYMENT_REQUIRED, closed ? "closed" : "declined",
        closed
            ? "This payment is closed. You have not been charged. Begin a new one."
            : "Your bank did not approve the payment. You have not been charged.",
        order->reference);
}

/* The provider has said that this attempt, or the whole order, is closed unpaid. */
static int is_unpaid(const char *word)
{
    return is(word, "declined") || is(word, "expired") || is(word, "cancelled");
}

/* A browser without script goes where the news are. */
static int show(request_rec *r, sp_ctx_t *ctx, int status, const char *word,
                const sp_order_t *order, const sp_direct_t *direct)
{
    sp_cookie_remember(r, order->token);
    if (!sp_wants_json(r)) {
        return sp_page_go(r, direct->action_url
                                 ? direct->action_url
                                 : sp_checkout_return_url(ctx, order));
    }
    return is_unpaid(word) ? declined(r, order)
                           : show_json(r, ctx, status, word, order, direct);
}

static int refuse(request_rec *r, sp_ctx_t *ctx, const sp_form_t *form,
                  const sp_order_t *order)
{
    int status = is(ctx->code, "has_page") ? HTTP_CONFLICT : HTTP_PAYMENT_REQUIRED;

    if (!order || is(ctx->code, "not_offered")) {
        return sp_checkout_form_again(r, ctx, form);
    }
    return sp_wants_json(r)
               ? sp_json_error(r, status, ctx->code, ctx->say, order->reference)
               : sp_page_go(r, sp_checkout_return_url(ctx, order));
}

/* Nobody was asked for money, and the same request may be sent again. */
static int not_started(request_rec *r, sp_ctx_t *ctx, const sp_form_t *form,
                       const sp_order_t *order)
{
    if (!order || !sp_wants_json(r)) {
        return sp_checkout_closed(r, ctx, form);
    }
    return sp_json_error(r, HTTP_SERVICE_UNAVAILABLE, "not_started",
                         "The payment could not be started. You have not been "
                         "charged. Send the same request again.",
                         order->reference);
}

int sp_handle_subscribe(request_rec *r, sp_ctx_t *ctx)
{
    sp_form_t *form;
    sp_order_t *order = NULL;
    sp_direct_t direct;
    const sp_order_ask_t *ask;
    int wait;
    int status = sp_form_read(r, &form);

    if (status != OK) {
        return sp_page_error(r, ctx, status, NULL, form->problem);
    }
    if (!sp_form_get(form, "product")) {
        sp_end(ctx, SP_REFUSED, "no_product", "Choose a plan.");
        return sp_checkout_form_again(r, ctx, form);
    }
    ask = sp_checkout_ask(ctx, form);
    wait = sp_tries_minute(r, "checkout", ask->email,
                           ctx->settings->rate_limit.checkout);
    if (wait) {
        return sp_auth_too_many(r, ctx, wait);
    }
    switch (sp_order_subscribe(ctx, ask, sp_form_get(form, "payment_method"), &order,
                               &direct)) {
    case SP_DONE:
        return show(r, ctx, HTTP_OK,
                    direct.needs_action ? "requires_action"
                                        : sp_model_state(order, 1),
                    order, &direct);
    case SP_REFUSED:
        return is(ctx->code, "paused") ? sp_checkout_closed(r, ctx, form)
                                       : refuse(r, ctx, form, order);
    case SP_UNKNOWN:
        return show(r, ctx, HTTP_ACCEPTED, "checking", order, &direct);
    case SP_FAILED:
        break;
    }
    return not_started(r, ctx, form, order);
}

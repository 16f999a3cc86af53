/*
 * plans.c - GET /: what there is to buy.
 *
 * Room: handle. Sees httpd.
 */
#include <apr_strings.h>
#include <string.h>

#include "domain/order.h"
#include "handle/cookie.h"
#include "handle/form.h"
#include "handle/model.h"
#include "handle/page.h"
#include "handle/pause.h"
#include "handle/route.h"
#include "handle/shop.h"
#include "util/crypto.h"
#include "util/json.h"

/* Nobody waits long for a page that only sells. */
#define PATIENCE apr_time_from_msec(1500)

/* Paid for so long ago that another purchase is meant. */
static int is_history(const sp_ctx_t *ctx, const sp_order_t *order)
{
    return order->completed_at &&
           apr_time_now() - order->completed_at > ctx->settings->duplicate_window;
}

/* Whoever began to pay and sees the plans again must not pay twice: the first order
 * is offered, and a new one only when the first is closed unpaid. Returns whether the
 * form may be shown. */
static int add_first(request_rec *r, sp_ctx_t *ctx, json_t *page)
{
    const char *token = sp_cookie_last(r);
    const char *base = sp_shop()->base_path;
    sp_order_t *order = NULL;
    sp_order_money_t money;
    json_t *first;
    const char *state;
    int sure, closed;

    ctx->patience = PATIENCE;
    sure = token && sp_order_return(ctx, token, NULL, &order) == SP_DONE;
    if (!order || is_history(ctx, order)) {
        return 1;
    }
    state = sp_model_state(order, sure);
    closed = !strcmp(sp_model_money_word(state), "not_charged") ||
             !strcmp(order->state, "failed") || !strcmp(order->state, "refunded");
    first = json_object();
    sp_model_set_time(ctx, first, "started", order->created_at);
    sp_order_money(ctx, order, &money);
    sp_model_set_money(ctx, first, state, &money.said);
    sp_json_set_text(
        first, "url",
        apr_psprintf(r->pool, "%s/return?t=%s&r=%s", base, token, order->reference));
    sp_json_set_text(first, "new_url",
                     closed ? apr_pstrcat(r->pool, base, "/#email", NULL) : NULL);
    json_object_set_new(page, "first", first);
    return closed;
}

int sp_handle_plans(request_rec *r, sp_ctx_t *ctx)
{
    json_t *page;

    if (sp_pause_is_on(ctx)) {
        return sp_pause_show(r, ctx, 1, sp_cookie_last(r) != NULL);
    }
    page = sp_model_page(ctx);
    sp_json_set_bool(page, "show_form", add_first(r, ctx, page));
    sp_json_set_text(page, "form_key", sp_crypto_uuid(r->pool));
    sp_model_set_products(ctx, page, sp_query_get(r, "product"));
    return sp_page_show(r, ctx, HTTP_OK, "plans", page);
}

/*
 * buyer.c - what the browser that bought may be told at once.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/buyer.h"

#include <apr_strings.h>
#include <string.h>

#include "domain/order.h"
#include "handle/cookie.h"
#include "handle/model.h"
#include "handle/page.h"
#include "handle/shop.h"
#include "util/clock.h"
#include "util/json.h"

sp_order_t *sp_buyer_paid(request_rec *r, sp_ctx_t *ctx,
                          apr_interval_time_t patience)
{
    apr_array_header_t *tokens = sp_cookie_all(r);
    apr_time_t until = sp_clock_now() + patience;
    sp_ctx_t own = *ctx;
    sp_order_t *order;
    int i;

    for (i = 0; i < tokens->nelts; i++) {
        const char *token = APR_ARRAY_IDX(tokens, i, const char *);

        own.patience = until - sp_clock_now();
        if (own.patience <= 0) {
            break;
        }
        sp_order_return(&own, token, NULL, &order);
        if (order && sp_order_is_open(order)) {
            order->token = token;
            return order;
        }
    }
    return NULL;
}

sp_order_t *sp_buyer_order(request_rec *r, sp_ctx_t *ctx)
{
    const char *token = sp_cookie_last(r);
    sp_order_t *order = NULL;

    if (token && sp_order_look(ctx, token, &order) == SP_DONE && order) {
        order->token = token;
    }
    return order;
}

void sp_buyer_set_money(sp_ctx_t *ctx, json_t *page, const sp_order_t *order)
{
    apr_time_t last = order->completed_at ? order->completed_at : order->created_at;
    sp_order_money_t money;

    if (apr_time_now() - last > ctx->settings->duplicate_window) {
        return; /* they may well write about something else */
    }
    sp_order_money(ctx, order, &money);
    /* Nobody asks the provider here, so of what is open we know nothing for sure. */
    sp_model_set_money(ctx, page, sp_model_state(order, 0), &money.said);
}

const char *sp_buyer_reference(request_rec *r, sp_ctx_t *ctx)
{
    sp_order_t *order = sp_buyer_order(r, ctx);

    return order ? order->reference : NULL;
}

int sp_buyer_show_found(request_rec *r, sp_ctx_t *ctx, const char *page,
                        const char *state, const sp_order_t *order)
{
    json_t *model = sp_model_page(ctx);
    sp_order_money_t money;

    sp_order_money(ctx, order, &money);
    sp_model_set_order(ctx, model, order, SP_VIEW_BUYER);
    sp_model_set_money(ctx, model, sp_model_state(order, 1), &money.said);
    json_object_set_new(model, "state", json_pack("{s:b}", state, 1));
    sp_json_set_text(model, "next_url",
                     apr_psprintf(r->pool, "%s/return?t=%s&r=%s",
                                  sp_shop()->base_path, order->token,
                                  order->reference));
    return sp_page_show(r, ctx, HTTP_OK, page, model);
}

/*
 * model.c - what the templates get to see.
 *
 * Room: handle. Free of httpd.
 */
#include "handle/model.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "cfg/settings.h"
#include "domain/order.h"
#include "handle/shop.h"
#include "provider/provider.h"
#include "util/json.h"
#include "util/text.h"

json_t *sp_model_page(sp_ctx_t *ctx)
{
    const sp_settings_t *settings = ctx->settings;
    const sp_account_t *account = sp_settings_account(settings, settings->provider);
    json_t *page = sp_json_object(ctx->pool);

    sp_json_set_text(page, "app_name", settings->app_name);
    sp_json_set_text(page, "app_url", settings->app_url);
    sp_json_set_text(page, "base", sp_shop()->base_path);
    sp_json_set_text(page, "support_email", settings->support_email);
    sp_json_set_text(page, "support_names", settings->support_names);
    sp_json_set_text(page, "provider_name", account->provider->title);
    sp_json_set_bool(page, "test_mode", !strcmp(settings->mode, "test"));
    return page;
}

json_t *sp_model_time(sp_ctx_t *ctx, apr_time_t at)
{
    return at ? json_pack("{s:s, s:s}", "iso", sp_text_time(ctx->pool, at), "text",
                          sp_text_moment(ctx->pool, at))
              : NULL;
}

void sp_model_set_time(sp_ctx_t *ctx, json_t *object, const char *name,
                       apr_time_t at)
{
    if (at) {
        json_object_set_new(object, name, sp_model_time(ctx, at));
    }
}

static const char *pending_state(const sp_order_t *order, int sure)
{
    if (order->processing) {
        return "processing";
    }
    if (!sure) {
        return "checking";
    }
    return order->failure ? "declined" : "open";
}

const char *sp_model_state(const sp_order_t *order, int sure)
{
    static const struct {
        const char *state, *word;
    } words[] = { { "completed", "paid" },      { "review", "review" },
                  { "refunded", "refunded" },   { "failed", "declined" },
                  { "cancelled", "cancelled" }, { "expired", "expired" } };
    apr_size_t i;

    if (strcmp(order->state, "completed") == 0 && !sp_order_is_open(order)) {
        return order->access ? order->access : "checking";
    }
    if (sp_order_is_reserved(order)) {
        return strcmp(order->state, "review") ? "reserved" : "review_reserved";
    }
    if (sp_order_is_released(order)) {
        return "released";
    }
    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].state, order->state) == 0) {
            return words[i].word;
        }
    }
    return pending_state(order, sure);
}

const char *sp_model_money_word(const char *state)
{
    static const struct {
        const char *state, *word;
    } words[] = { { "paid", "paid" },           { "review", "paid" },
                  { "ended", "paid" },          { "suspended", "paid" },
                  { "reserved", "reserved" },   { "review_reserved", "reserved" },
                  { "released", "held" },       { "refunded", "returned" },
                  { "declined", "held" },       { "cancelled", "not_charged" },
                  { "expired", "not_charged" }, { "open", "open" } };
    apr_size_t i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].state, state) == 0) {
            return words[i].word;
        }
    }
    return "checking";
}

void sp_model_set_money(sp_ctx_t *ctx, json_t *object, const char *state,
                        const sp_money_t *price)
{
    json_t *money = json_object();
    int named = !price || price->minor > 0; /* a sum of nothing proves no payment */

    sp_json_set_bool(money, named ? sp_model_money_word(state) : "checking", 1);
    if (price && named) {
        sp_json_set_text(money, "amount", sp_money_text(ctx->pool, price));
    }
    json_object_set_new(object, "money", money);
}

/* What only the buyer's own browser shall see. */
static void set_private(sp_ctx_t *ctx, json_t *model, const sp_order_t *order)
{
    int payable = order->checkout_url && order->checkout_expires > apr_time_now();

    sp_json_set_text(model, "email_masked",
                     sp_text_email_mask(ctx->pool, order->email));
    sp_json_set_text(model, "statement", sp_order_statement(ctx, order));
    sp_json_set_text(model, "checkout_url", payable ? order->checkout_url : NULL);
    sp_model_set_time(ctx, model, "started", order->created_at);
    sp_model_set_time(ctx, model, "paid_at", order->paid_at);
    sp_model_set_time(ctx, model, "completed_at", order->completed_at);
    sp_model_set_time(ctx, model, "expires", order->expires_at);
    sp_model_set_time(ctx, model, "kept_until",
                      payable ? order->checkout_expires : 0);
}

/* Two minutes is what the machine may need; only what went beyond is our fault. */
static int delay_minutes(const sp_order_t *order)
{
    apr_interval_time_t delay = order->completed_at - order->paid_at;

    return order->paid_at && order->completed_at && delay > apr_time_from_sec(120)
               ? (int)(apr_time_sec(delay) / 60)
               : 0;
}

void sp_model_set_order(sp_ctx_t *ctx, json_t *page, const sp_order_t *order,
                        sp_view_t view)
{
    const sp_account_t *account =
        sp_settings_account(ctx->settings, order->provider);
    json_t *model = json_object();

    if (account) { /* it stays with its own, whoever takes the new ones */
        sp_json_set_text(page, "provider_name", account->provider->title);
    }
    sp_json_set_text(page, "reference", order->reference);
    sp_json_set_text(model, "title", order->title);
    sp_json_set_text(model, "amount", sp_money_text(ctx->pool, &order->price));
    if (view == SP_VIEW_BUYER) {
        set_private(ctx, model, order);
        sp_json_set_int(model, "delay_minutes", delay_minutes(order));
        sp_json_set_int(model, "bonus_days", order->bonus_days);
        sp_json_set_int(model, "credits", order->credits);
    }
    json_object_set_new(page, "order", model);
}

/* "1y" as "1 year", "3mo" as "3 months". */
static const char *period_text(apr_pool_t *pool, const char *period)
{
    static const struct {
        const char *unit, *word;
    } units[] = { { "d", "day" },
                  { "w", "week" },
                  { "mo", "month" },
                  { "y", "year" } };
    apr_size_t digits = period ? strspn(period, "0123456789") : 0;
    apr_size_t i;

    for (i = 0; digits && i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i].unit, period + digits) == 0) {
            return apr_psprintf(pool, "%.*s %s%s", (int)digits, period,
                                units[i].word,
                                digits == 1 && *period == '1' ? "" : "s");
        }
    }
    return NULL;
}

/* The day on which a period that begins now ends, by the UTC calendar. Where a month
 * has no such day it is its last one, as for PostgreSQL and the provider. */
static json_t *period_end(apr_pool_t *pool, const char *period)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int count = atoi(period);
    const char *unit = period + strspn(period, "0123456789");
    int days = *unit == 'w' ? 7 * count : *unit == 'd' ? count : 0;
    int months = *unit == 'y' ? 12 * count : *unit == 'm' ? count : 0;
    int year, last;
    apr_time_exp_t t;

    apr_time_exp_gmt(&t, apr_time_now() + days * apr_time_from_sec(86400));
    t.tm_year += (t.tm_mon + months) / 12;
    t.tm_mon = (t.tm_mon + months) % 12;
    year = t.tm_year + 1900;
    last = lengths[t.tm_mon] +
           (t.tm_mon == 1 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    t.tm_mday = t.tm_mday > last ? last : t.tm_mday;
    return json_pack(
        "{s:s, s:s}", "iso",
        apr_psprintf(pool, "%04d-%02d-%02d", year, t.tm_mon + 1, t.tm_mday), "text",
        sp_text_date(pool, &t));
}

static json_t *product_model(sp_ctx_t *ctx, const sp_product_t *product,
                             int selected)
{
    json_t *model = json_object();

    sp_json_set_text(model, "name", product->name);
    sp_json_set_text(model, "title", product->title);
    sp_json_set_text(model, "amount", sp_money_text(ctx->pool, &product->price));
    sp_json_set_text(model, "period_text", period_text(ctx->pool, product->period));
    if (product->renews) {
        sp_json_set_bool(model, "renews", 1);
        json_object_set_new(model, "renews_on",
                            period_end(ctx->pool, product->period));
    }
    sp_json_set_text(model, "statement",
                     product->renews ? ctx->settings->statement
                                     : sp_order_statement_start(ctx));
    sp_json_set_int(model, "credits", product->credits);
    sp_json_set_bool(model, "selected", selected);
    sp_json_set_bool(model, "after_access",
                     ctx->settings->capture_after_access && !product->renews);
    return model;
}

void sp_model_set_products(sp_ctx_t *ctx, json_t *page, const char *selected)
{
    const apr_array_header_t *products = ctx->settings->products;
    json_t *list = json_array();
    int i;

    for (i = 0; i < products->nelts; i++) {
        const sp_product_t *product = APR_ARRAY_IDX(products, i, sp_product_t *);

        json_array_append_new(
            list, product_model(ctx, product,
                                selected && strcmp(selected, product->name) == 0));
    }
    json_object_set_new(page, "products", list);
    sp_json_set_bool(page, "several_products", products->nelts > 1);
}

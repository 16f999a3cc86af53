/*
 * creem_checkout.c - Creem's payment pages.
 *
 * Room: provider.
 * Source: Creem API reference, "Create a new checkout session". Neither a key for
 * repeats nor a list of pages is documented: a page is opened at most once for an
 * order, and one whose answer was lost stays unknown until its money speaks.
 */
#include <apr_strings.h>
#include <string.h>

#include "provider/call.h"
#include "provider/creem.h"
#include "util/json.h"
#include "util/log.h"

/* -- Create ---------------------------------------------------------------------- */

/* What is sold under this id there must cost what it costs here: a customer shall not
 * find out on the payment page. */
static const char *compare(apr_pool_t *pool, const sp_order_t *order,
                           const sp_price_t *price)
{
    const char *ours = order->renews ? order->period : NULL;

    if (!sp_creem_same_period(price->period, ours)) {
        return apr_psprintf(pool, "it is charged %s%s there and %s%s here",
                            price->period ? "every " : "once",
                            price->period ? price->period : "",
                            ours ? "every " : "once", ours ? ours : "");
    }
    if (price->price.minor != order->price.minor ||
        strcmp(price->price.currency, order->price.currency) != 0) {
        return apr_psprintf(pool, "it costs %s there and %s here",
                            sp_money_text(pool, &price->price),
                            sp_money_text(pool, &order->price));
    }
    return NULL;
}

static sp_outcome_t misconfigured(sp_ctx_t *ctx, const sp_order_t *order,
                                  const char *why)
{
    sp_log(ctx->log, SP_LOG_ERR, 411, "SubPayProviderPrice of %s: %s",
           order->product, why);
    return sp_end(ctx, SP_FAILED, "provider_price", NULL);
}

sp_outcome_t sp_creem_price_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                  const char *id, sp_price_t *price)
{
    sp_creem_product_t product = { .id = NULL };
    sp_query_t query;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;

    sp_query_start(&query, ctx->pool);
    sp_query_add(&query, "product_id", id);
    out = sp_creem_get(ctx, account, "fetch product", "/v1/products", &query, &body);
    if (out != SP_DONE) {
        return out;
    }
    why = sp_scan_whole(ctx->pool, body.data, body.len, &sp_creem_product_shape,
                        &product);
    if (!why && !sp_money_currency(product.currency, &price->price)) {
        why = "currency is no code of three letters";
    }
    if (why) {
        return sp_call_unreadable(ctx, "fetch product", why);
    }
    price->price.minor = product.price;
    price->active = 1; /* Creem does not say */
    price->period = sp_creem_period(&product);
    return SP_DONE;
}

static sp_outcome_t check_product(sp_ctx_t *ctx, const sp_account_t *account,
                                  const sp_order_t *order, const char *product_id)
{
    sp_price_t price = { .active = 0 };
    sp_outcome_t out = sp_creem_price_fetch(ctx, account, product_id, &price);
    const char *why;

    if (out == SP_REFUSED) {
        return misconfigured(ctx, order, "Creem knows no such product");
    }
    if (out != SP_DONE) {
        /* Nothing has been opened yet, and that is certain. */
        return sp_end(ctx, SP_FAILED, ctx->code, NULL);
    }
    why = compare(ctx->pool, order, &price);
    return why ? misconfigured(ctx, order, why) : SP_DONE;
}

static const char *make_body(const sp_ctx_t *ctx, const sp_order_t *order,
                             const char *product_id, const char *success_url)
{
    sp_snapshot_pair_t pairs[SP_SNAPSHOT_PAIRS];
    json_t *body = sp_json_object(ctx->pool);
    json_t *metadata = json_object();
    json_t *customer = json_object();
    int i;

    sp_snapshot_write(ctx, order, pairs);
    for (i = 0; i < SP_SNAPSHOT_PAIRS; i++) {
        sp_json_set_text(metadata, pairs[i].key, pairs[i].value);
    }
    sp_json_set_text(customer, "email", order->email);
    sp_json_set_text(body, "product_id", product_id);
    sp_json_set_text(body, "request_id", order->id);
    sp_json_set_text(body, "success_url", success_url);
    json_object_set_new(body, "customer", customer);
    json_object_set_new(body, "metadata", metadata);
    return sp_json_dump(ctx->pool, body);
}

static sp_outcome_t open_page(sp_ctx_t *ctx, const sp_account_t *account,
                              const char *json, sp_checkout_t *made)
{
    sp_creem_checkout_t checkout = { .id = NULL };
    sp_slice_t body;
    const char *why;
    sp_outcome_t out =
        sp_creem_post(ctx, account, "create checkout", "/v1/checkouts", json, &body);

    if (out != SP_DONE) {
        /* The customer has no part in what is wrong here. */
        return out == SP_REFUSED ? sp_end(ctx, SP_FAILED, ctx->code, NULL) : out;
    }
    why = sp_scan_whole(ctx->pool, body.data, body.len, &sp_creem_checkout_shape,
                        &checkout);
    if (!why && !checkout.url) {
        why = "checkout_url is missing";
    }
    if (why) {
        return sp_call_unreadable(ctx, "create checkout", why);
    }
    made->id = checkout.id;
    made->url = checkout.url;
    made->expires = 0; /* it does not tell */
    return SP_DONE;
}

/* There is no address for those who change their mind: cancel_url stays here. */
sp_outcome_t sp_creem_checkout_create(sp_ctx_t *ctx, const sp_account_t *account,
                                      const sp_order_t *order,
                                      const char *success_url,
                                      const char *cancel_url,
                                      sp_checkout_t *checkout)
{
    const sp_product_t *product = sp_settings_product(ctx->settings, order->product);
    apr_interval_time_t patience = ctx->patience;
    apr_time_t deadline = sp_call_deadline(ctx);
    sp_outcome_t out;

    (void)cancel_url;
    if (!product || !product->provider_price) {
        return misconfigured(ctx, order, "there is none any more");
    }
    out = check_product(ctx, account, order, product->provider_price);
    if (out == SP_DONE) {
        sp_call_share_time(ctx, deadline);
        out = open_page(ctx, account,
                        make_body(ctx, order, product->provider_price, success_url),
                        checkout);
    }
    ctx->patience = patience;
    return out;
}

/* -- Fetch ------------------------------------------------------------------------- */

/* A finished page that tells nothing of its money: ask for that by itself. */
static sp_outcome_t add_money(sp_ctx_t *ctx, const sp_account_t *account,
                              sp_fact_t *fact)
{
    sp_fact_t *money;
    sp_outcome_t out =
        sp_creem_order_payment(ctx, account, fact->payment_id, &fact->price, &money);

    if (out == SP_REFUSED) {
        return SP_DONE; /* not there yet: it is on its way, as the page says */
    }
    if (out != SP_DONE) {
        return out;
    }
    if (sp_creem_is_paid(money)) {
        fact->kind = SP_FACT_PAYMENT_SUCCEEDED;
        fact->amount = money->amount;
        fact->amount_refunded = money->amount_refunded;
        fact->disputed = money->disputed;
        fact->charge_id = money->charge_id;
        fact->paid_at = money->paid_at;
        fact->period_start = money->period_start;
        fact->period_end = money->period_end;
        sp_creem_make_first(fact);
    }
    return SP_DONE;
}

static sp_outcome_t fetch(sp_ctx_t *ctx, const sp_account_t *account,
                          const char *checkout_id, sp_fact_t **fact)
{
    sp_creem_reader_t reader = sp_creem_reader(ctx);
    sp_query_t query;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;

    sp_query_start(&query, ctx->pool);
    sp_query_add(&query, "checkout_id", checkout_id);
    out =
        sp_creem_get(ctx, account, "fetch checkout", "/v1/checkouts", &query, &body);
    if (out != SP_DONE) {
        return out;
    }
    why = sp_creem_read_checkout(&reader, &body, fact);
    if (why) {
        return sp_call_unreadable(ctx, "fetch checkout", why);
    }
    /* "processing", or a word of tomorrow: neither paid nor unpaid. */
    return (*fact)->kind == SP_FACT_IGNORED
               ? sp_end(ctx, SP_UNKNOWN, "provider_processing", NULL)
               : SP_DONE;
}

sp_outcome_t sp_creem_checkout_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                     const char *checkout_id, sp_fact_t **fact)
{
    apr_interval_time_t patience = ctx->patience;
    apr_time_t deadline = sp_call_deadline(ctx);
    sp_outcome_t out;

    if (!sp_creem_is_id(checkout_id, "ch_")) {
        return sp_end(ctx, SP_REFUSED, "not_found",
                      "The payment provider does not know this payment page.");
    }
    out = fetch(ctx, account, checkout_id, fact);
    if (out == SP_DONE && (*fact)->kind == SP_FACT_PAYMENT_PROCESSING &&
        (*fact)->payment_id) {
        sp_call_share_time(ctx, deadline);
        out = add_money(ctx, account, *fact);
    }
    ctx->patience = patience;
    return out;
}

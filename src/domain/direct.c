/*
 * direct.c - paying without a payment page: the owner's own page has asked for the card.
 *
 * Room: domain.
 */
#include "domain/direct.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/db.h"
#include "domain/order.h"
#include "util/crypto.h"

/* One purchase while it is made. */
typedef struct purchase_t {
    const sp_account_t *account;
    sp_order_t **order;
    const char *method;
    sp_direct_t *direct;
    int tried; /* the same form came before, so money may have been asked for */
} purchase_t;

static const char *method_problem(const char *method)
{
    apr_size_t i;

    for (i = 0; method && method[i]; i++) {
        if (!apr_isalnum(method[i]) && method[i] != '_') {
            return "Send the id of a payment method as payment_method.";
        }
    }
    return method && i > 0 && i <= 255
               ? NULL
               : "Send the id of a payment method as payment_method.";
}

static sp_outcome_t check(sp_ctx_t *ctx, const sp_order_ask_t *ask,
                          const char *method)
{
    const sp_product_t *product = sp_settings_product(ctx->settings, ask->product);
    const sp_account_t *account =
        sp_settings_account(ctx->settings, ctx->settings->provider);
    const char *problem = method_problem(method);

    if (problem) {
        return sp_end(ctx, SP_REFUSED, "bad_method", problem);
    }
    if ((product && product->renews) ||
        (account && !account->provider->payment_begin)) {
        return sp_end(ctx, SP_REFUSED, "not_offered",
                      "This plan is paid on the payment page. Use POST /checkout.");
    }
    return SP_DONE;
}

/* The order as it stands now. */
static sp_outcome_t reread(sp_ctx_t *ctx, purchase_t *purchase)
{
    const char *token = (*purchase->order)->token;
    sp_order_t *fresh;
    sp_outcome_t out = sp_db_order_by_id(ctx, (*purchase->order)->id, &fresh);

    if (out == SP_DONE && fresh) {
        fresh->token = token;
        *purchase->order = fresh;
    }
    return out == SP_DONE ? SP_DONE : SP_UNKNOWN;
}

static sp_outcome_t settle(sp_ctx_t *ctx, purchase_t *purchase)
{
    sp_settled_t settled = { 0 };

    if (sp_fact_settle(ctx, purchase->direct->fact, &settled) != SP_DONE) {
        return SP_UNKNOWN; /* it is at the provider; every road brings it */
    }
    return reread(ctx, purchase);
}

/* How the payment stands, without asking for money. */
static sp_outcome_t look(sp_ctx_t *ctx, purchase_t *purchase)
{
    const sp_confirm_ask_t ask = { .payment_id = (*purchase->order)->checkout_id };
    sp_outcome_t out = purchase->account->provider->payment_confirm(
        ctx, purchase->account, &ask, purchase->direct);

    return out == SP_DONE ? settle(ctx, purchase) : SP_UNKNOWN;
}

/* Only what waits for a method can be tried again. */
static int is_open(const purchase_t *purchase)
{
    const sp_direct_t *direct = purchase->direct;

    return strcmp((*purchase->order)->state, "pending") == 0 &&
           !(*purchase->order)->processing && !direct->needs_action &&
           (direct->fact->kind == SP_FACT_CHECKOUT_OPEN ||
            direct->fact->kind == SP_FACT_PAYMENT_FAILED);
}

/* A first try has a key that a repeat of the request meets. A later one follows a look
 * that found the payment open; it could not succeed twice in any case. */
static const char *try_key(sp_ctx_t *ctx, const purchase_t *purchase)
{
    unsigned char hash[SP_HASH_SIZE];

    if (purchase->tried ||
        sp_crypto_sha256(purchase->method, strlen(purchase->method), hash) !=
            APR_SUCCESS) {
        return sp_crypto_uuid(ctx->pool);
    }
    return apr_pstrcat(ctx->pool, "confirm-", (*purchase->order)->id, "-",
                       sp_crypto_hex(ctx->pool, hash, 8), NULL);
}

static sp_outcome_t confirm(sp_ctx_t *ctx, purchase_t *purchase)
{
    const sp_order_t *order = *purchase->order;
    const sp_confirm_ask_t ask = {
        .key = try_key(ctx, purchase),
        .payment_id = order->checkout_id,
        .method = purchase->method,
        .return_url =
            apr_psprintf(ctx->pool, "%s/return?t=%s&r=%s", ctx->settings->base_url,
                         order->token, order->reference),
    };
    sp_outcome_t out = purchase->account->provider->payment_confirm(
        ctx, purchase->account, &ask, purchase->direct);
    const char *code = ctx->code;

    if (out == SP_DONE) {
        return settle(ctx, purchase);
    }
    if (out == SP_FAILED) {
        return sp_end(ctx, purchase->tried ? SP_UNKNOWN : SP_FAILED, "not_started",
                      NULL);
    }
    if (out != SP_REFUSED) {
        return out;
    }
    /* Declined, no such method, or paid a moment ago: the payment itself knows. */
    out = look(ctx, purchase);
    if (out == SP_DONE && is_open(purchase) && !(*purchase->order)->failure) {
        return sp_end(ctx, SP_REFUSED,
                      strcmp(code, "declined") == 0 ? code : "bad_method",
                      "The payment method was not accepted.");
    }
    return out;
}

/* The payment's id is committed before money is asked for. */
static sp_outcome_t begin(sp_ctx_t *ctx, purchase_t *purchase)
{
    sp_order_t *order = *purchase->order;
    const char *id;
    sp_outcome_t out = purchase->account->provider->payment_begin(
        ctx, purchase->account, order, &id);

    if (out == SP_DONE) {
        order->checkout_id = id;
        out = sp_db_checkout_store(ctx, order->id, id, NULL, 0);
    }
    return out == SP_DONE ? SP_DONE : sp_end(ctx, SP_FAILED, "not_started", NULL);
}

/* The same form again: what has become of the first time? */
static sp_outcome_t go_on(sp_ctx_t *ctx, purchase_t *purchase)
{
    sp_order_t *known = *purchase->order;
    sp_outcome_t out = SP_DONE;

    if (strcmp(known->state, "pending") != 0) {
        return SP_DONE;
    }
    if (known->checkout_url) {
        return sp_end(
            ctx, SP_REFUSED, "has_page",
            "This form has opened a payment page: pay there, or begin anew.");
    }
    if (!known->checkout_id &&
        apr_time_now() - known->created_at > SP_PROVIDER_KEY_LIFE) {
        out = sp_order_recover(ctx, purchase->order);
        if (out != SP_DONE || strcmp((*purchase->order)->state, "pending") != 0) {
            return out == SP_DONE ? SP_DONE : SP_UNKNOWN;
        }
    }
    if (!(*purchase->order)->checkout_id) {
        out = begin(ctx, purchase);
    }
    if (out == SP_DONE) {
        out = look(ctx, purchase);
    }
    return out == SP_DONE && is_open(purchase) ? confirm(ctx, purchase) : out;
}

sp_outcome_t sp_order_subscribe(sp_ctx_t *ctx, const sp_order_ask_t *ask,
                                const char *method, sp_order_t **order,
                                sp_direct_t *direct)
{
    purchase_t purchase = { .order = order, .method = method, .direct = direct };
    sp_outcome_t out;

    *order = NULL;
    memset(direct, 0, sizeof(*direct));
    out = check(ctx, ask, method);
    if (out == SP_DONE) {
        out = sp_order_begin(ctx, ask, order, &purchase.account, &purchase.tried);
    }
    if (out != SP_DONE) {
        return out;
    }
    if (!purchase.account->provider->payment_begin) { /* an order of another one's */
        return sp_end(ctx, SP_REFUSED, "not_offered",
                      "This order is paid on its payment page.");
    }
    if (purchase.tried) {
        return go_on(ctx, &purchase);
    }
    out = begin(ctx, &purchase);
    return out == SP_DONE ? confirm(ctx, &purchase) : out;
}

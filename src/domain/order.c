/*
 * order.c - what people do with an order: place it, come back to it, recover it.
 *
 * Room: domain.
 */
#include "domain/order.h"

#include <apr_strings.h>
#include <string.h>

#include "db/account.h"
#include "domain/account_board.h"
#include "domain/renewal.h"
#include "util/crypto.h"
#include "util/log.h"
#include "util/reference.h"
#include "util/text.h"

#define TOKEN_SIZE 16 /* bytes: 128 bits, as 32 digits in addresses */

/* While an order is younger than this, another process may be opening its page this
 * moment: that the provider knows of none proves nothing yet. */
#define OPENING_TIME apr_time_from_sec(120)

const char *sp_order_token(sp_ctx_t *ctx, const sp_order_t *order)
{
    const sp_account_t *account =
        sp_settings_account(ctx->settings, order->provider);
    unsigned char key[SP_HASH_SIZE], mac[SP_HASH_SIZE];
    struct iovec said = { (void *)order->id, strlen(order->id) };

    if (!account) {
        return NULL;
    }
    if (sp_crypto_derive(account->key, "return token", key) != APR_SUCCESS ||
        sp_crypto_hmac(key, sizeof(key), &said, 1, mac) != APR_SUCCESS) {
        sp_log(ctx->log, SP_LOG_ERR, 306,
               "OpenSSL refused HMAC-SHA256: is it installed "
               "whole?");
        return NULL;
    }
    return sp_crypto_hex(ctx->pool, mac, TOKEN_SIZE);
}

/* The 16 bytes behind a token's 32 digits, hashed as the database keeps them. */
static int hash_token(const char *token, unsigned char hash[SP_HASH_SIZE])
{
    unsigned char bytes[TOKEN_SIZE];

    if (!token || !sp_crypto_unhex(token, bytes, sizeof(bytes))) {
        return 0;
    }
    return sp_crypto_sha256(bytes, sizeof(bytes), hash) == APR_SUCCESS;
}

const char *sp_order_link_token(sp_ctx_t *ctx, const sp_order_t *order)
{
    const char *token = sp_order_token(ctx, order);
    sp_order_t *found = NULL;

    return sp_order_look(ctx, token, &found) == SP_DONE && found &&
                   strcmp(found->id, order->id) == 0
               ? token
               : NULL;
}

static sp_outcome_t check_ask(sp_ctx_t *ctx, const sp_order_ask_t *ask,
                              const sp_product_t **product)
{
    const char *problem;

    *product = sp_settings_product(ctx->settings, ask->product);
    if (!*product) {
        return sp_end(ctx, SP_REFUSED, "no_such_product",
                      "We do not sell that plan.");
    }
    problem = sp_text_email_problem(ask->email);
    if (problem) {
        return sp_end(ctx, SP_REFUSED, "bad_email", problem);
    }
    if (ask->name && !(strlen(ask->name) <= 200 &&
                       sp_text_is_clean(ask->name, strlen(ask->name)))) {
        return sp_end(ctx, SP_REFUSED, "bad_name",
                      "Enter a name of up to 200 letters, or leave it out");
    }
    return SP_DONE;
}

/* The intent, with everything about the product as it is now: a later change of the
 * price must not alter an order that somebody has already seen. */
static sp_order_t *draft(sp_ctx_t *ctx, const sp_order_ask_t *ask,
                         const sp_product_t *product)
{
    sp_order_t *order = apr_pcalloc(ctx->pool, sizeof(*order));

    order->id = sp_crypto_uuid(ctx->pool);
    order->provider = ctx->settings->provider;
    order->mode = ctx->settings->mode;
    order->email = ask->email;
    order->name = ask->name;
    order->product = product->name;
    order->title = product->title;
    order->price = product->price;
    order->period = product->period;
    order->credits = product->credits;
    order->renews = product->renews;
    return order;
}

static const sp_account_t *account_of(sp_ctx_t *ctx, const sp_order_t *order)
{
    const sp_account_t *account =
        sp_settings_account(ctx->settings, order->provider);

    if (!account) {
        sp_log(
            ctx->log, SP_LOG_ERR, 303,
            "order %s belongs to provider %s, which has no SubPayProviderKey here",
            order->reference, order->provider);
        sp_end(ctx, SP_FAILED, "provider_missing", NULL);
    }
    return account;
}

/* The second commit. Losing it is survivable, but a customer whose money we cannot
 * see come in shall not be sent to pay. */
static sp_outcome_t open_checkout(sp_ctx_t *ctx, const sp_account_t *account,
                                  sp_order_t *order)
{
    const char *base = ctx->settings->base_url;
    sp_checkout_t checkout = { 0 };
    sp_outcome_t out;

    out = account->provider->checkout_create(
        ctx, account, order,
        apr_psprintf(ctx->pool, "%s/return?t=%s&r=%s", base, order->token,
                     order->reference),
        apr_psprintf(ctx->pool, "%s/cancel?t=%s&r=%s", base, order->token,
                     order->reference),
        &checkout);
    if (out != SP_DONE) {
        return out;
    }
    order->checkout_id = checkout.id;
    order->checkout_url = checkout.url;
    order->checkout_expires = checkout.expires;
    return sp_db_checkout_store(ctx, order->id, checkout.id, checkout.url,
                                checkout.expires);
}

/* The same form, sent again, at a provider that opens a second page for a second
 * question and cannot be asked about the first. */
static sp_outcome_t page_unknown(sp_ctx_t *ctx)
{
    return sp_end(ctx, SP_REFUSED, "checkout_lost",
                  "We cannot tell whether the payment page of this form was opened. "
                  "If you have paid, access comes by itself. If not, go back to the "
                  "plans and begin again.");
}

/* The first and only try. What is unknown stays so; but nobody was sent to that page,
 * so nobody has paid there, and a new order may be begun. */
static sp_outcome_t open_once(sp_ctx_t *ctx, const sp_account_t *account,
                              sp_order_t *order)
{
    sp_outcome_t out = open_checkout(ctx, account, order);

    return out == SP_UNKNOWN ? sp_end(ctx, SP_FAILED, "checkout_lost", NULL) : out;
}

/* The same form, sent again: go on from whatever the first time left behind. */
static sp_outcome_t place_again(sp_ctx_t *ctx, const sp_account_t *account,
                                sp_order_t **order)
{
    sp_order_t *known = *order;
    apr_time_t now = apr_time_now();
    sp_outcome_t out;

    if (strcmp(known->state, "pending") != 0) {
        return SP_DONE;
    }
    if (known->checkout_url && now < known->checkout_expires) {
        return SP_DONE;
    }
    if (known->checkout_id || now - known->created_at > SP_PROVIDER_KEY_LIFE) {
        out = sp_order_recover(ctx, order);
        if (out != SP_DONE || strcmp((*order)->state, "pending") != 0 ||
            (*order)->checkout_url) {
            return out;
        }
    }
    return account->provider->checkout_find ? open_checkout(ctx, account, *order)
                                            : page_unknown(ctx);
}

sp_outcome_t sp_order_begin(sp_ctx_t *ctx, const sp_order_ask_t *ask,
                            sp_order_t **order, const sp_account_t **of, int *again)
{
    const sp_product_t *product;
    const sp_account_t *account;
    const char *token;
    unsigned char hash[SP_HASH_SIZE];
    sp_order_t *placed;
    sp_outcome_t out;

    *order = NULL;
    *again = 0;
    out = check_ask(ctx, ask, &product);
    if (out != SP_DONE) {
        return out;
    }
    placed = draft(ctx, ask, product);
    account = account_of(ctx, placed);
    if (!account) {
        return SP_FAILED;
    }
    token = placed->id ? sp_order_token(ctx, placed) : NULL;
    if (!hash_token(token, hash)) {
        return sp_end(ctx, SP_FAILED, "random", NULL);
    }
    out = sp_db_order_place(ctx, ask->form_key, hash, placed, again);
    if (out != SP_DONE) {
        return out;
    }
    /* An order from before a switch of providers stays with its own. */
    account = account_of(ctx, placed);
    placed->token = sp_order_token(ctx, placed);
    if (!account || !placed->token) {
        return SP_FAILED;
    }
    *order = placed;
    *of = account;
    return SP_DONE;
}

sp_outcome_t sp_order_place(sp_ctx_t *ctx, const sp_order_ask_t *ask,
                            sp_order_t **order)
{
    const sp_account_t *account;
    int again;
    sp_outcome_t out = sp_order_begin(ctx, ask, order, &account, &again);

    if (out != SP_DONE) {
        return out;
    }
    if (again) {
        return place_again(ctx, account, order);
    }
    return account->provider->checkout_find ? open_checkout(ctx, account, *order)
                                            : open_once(ctx, account, *order);
}

/* States that no further word of the provider is awaited for. "expired" and its
 * like are not among them: money wins, whenever it comes. */
static int is_final(const sp_order_t *order)
{
    return strcmp(order->state, "completed") == 0 ||
           strcmp(order->state, "review") == 0 ||
           strcmp(order->state, "refunded") == 0;
}

static sp_outcome_t adopt_from(sp_ctx_t *ctx, const sp_account_t *account,
                               const unsigned char hash[SP_HASH_SIZE],
                               const char *checkout_id, sp_order_t **order)
{
    sp_settled_t settled = { 0 };
    sp_fact_t *fact;
    sp_outcome_t out;

    out = account->provider->checkout_fetch(ctx, account, checkout_id, &fact);
    if (out == SP_REFUSED) {
        return SP_DONE;
    }
    if (out != SP_DONE) {
        return out;
    }
    if (!fact->ours || !fact->token_hash ||
        strcmp(fact->token_hash, sp_crypto_hex(ctx->pool, hash, SP_HASH_SIZE)) !=
            0) {
        return SP_DONE;
    }
    out = sp_fact_settle(ctx, fact, &settled);
    return out == SP_DONE ? sp_db_order_get(ctx, hash, order) : out;
}

/* The order's row is gone (a restored backup, a lost standby), but its provider,
 * whichever that was, holds all that is needed to write it again. The token proves who
 * asks. */
static sp_outcome_t adopt(sp_ctx_t *ctx, const unsigned char hash[SP_HASH_SIZE],
                          const char *checkout_id, sp_order_t **order)
{
    const apr_array_header_t *accounts = ctx->settings->accounts;
    sp_outcome_t out = SP_DONE;
    int i;

    for (i = 0; out == SP_DONE && !*order && i < accounts->nelts; i++) {
        out = adopt_from(ctx, APR_ARRAY_IDX(accounts, i, sp_account_t *), hash,
                         checkout_id, order);
    }
    return out;
}

sp_outcome_t sp_order_return(sp_ctx_t *ctx, const char *token,
                             const char *checkout_id, sp_order_t **order)
{
    unsigned char hash[SP_HASH_SIZE];
    sp_outcome_t out;

    *order = NULL;
    if (!hash_token(token, hash)) {
        return SP_DONE;
    }
    out = sp_db_order_get(ctx, hash, order);
    if (out != SP_DONE) {
        return out;
    }
    if (!*order) {
        return checkout_id ? adopt(ctx, hash, checkout_id, order) : SP_DONE;
    }
    if (is_final(*order)) {
        return SP_DONE;
    }
    if (!(*order)->checkout_id) {
        (*order)->checkout_id = checkout_id;
    }
    out = sp_order_recover(ctx, order);
    return out == SP_DONE ? SP_DONE : SP_UNKNOWN;
}

sp_outcome_t sp_order_look(sp_ctx_t *ctx, const char *token, sp_order_t **order)
{
    unsigned char hash[SP_HASH_SIZE];

    *order = NULL;
    return hash_token(token, hash) ? sp_db_order_get(ctx, hash, order) : SP_DONE;
}

static sp_outcome_t ask_provider(sp_ctx_t *ctx, const sp_account_t *account,
                                 const sp_order_t *order, sp_fact_t **fact)
{
    sp_outcome_t out;

    if (!order->checkout_id && !account->provider->checkout_find) {
        /* Its money will speak for itself, by webhook or by who comes back. */
        return sp_end(ctx, SP_UNKNOWN, "checkout_lost", NULL);
    }
    if (!order->checkout_id) {
        out = account->provider->checkout_find(ctx, account, order, fact);
    }
    else {
        out = account->provider->checkout_fetch(ctx, account, order->checkout_id,
                                                fact);
    }
    if (out != SP_DONE) {
        return out;
    }
    if ((*fact)->kind == SP_FACT_CHECKOUT_NONE) {
        (*fact)->order_id = order->id;
        return apr_time_now() - order->created_at > OPENING_TIME
                   ? SP_DONE
                   : sp_end(ctx, SP_UNKNOWN, "checkout_opening", NULL);
    }
    if (!(*fact)->order_id || strcmp((*fact)->order_id, order->id) != 0) {
        sp_log(
            ctx->log, SP_LOG_ERR, 304,
            "the payment page known for order %s names another order at %s: leave "
            "it to a person",
            order->reference, order->provider);
        return sp_end(ctx, SP_FAILED, "provider_mismatch", NULL);
    }
    return SP_DONE;
}

sp_outcome_t sp_order_ask(sp_ctx_t *ctx, const sp_order_t *order, sp_fact_t **fact)
{
    const sp_account_t *account = account_of(ctx, order);

    return account ? ask_provider(ctx, account, order, fact) : SP_FAILED;
}

/* A payment without a page never closes by itself, and would be asked about for ever:
 * when its time is over it is closed there, and the provider says how it stands then. */
static sp_outcome_t close_late(sp_ctx_t *ctx, const sp_account_t *account,
                               const sp_order_t *order, sp_fact_t **fact)
{
    int waits = (*fact)->kind == SP_FACT_CHECKOUT_OPEN ||
                (*fact)->kind == SP_FACT_PAYMENT_FAILED;
    const char *id = (*fact)->checkout_id;
    sp_outcome_t out;

    if (!waits || !id || !(*fact)->payment_id ||
        strcmp(id, (*fact)->payment_id) != 0 || !order->checkout_expires ||
        apr_time_now() < order->checkout_expires ||
        !account->provider->checkout_expire) {
        return SP_DONE;
    }
    out = account->provider->checkout_expire(ctx, account, id);
    return out == SP_DONE || out == SP_REFUSED
               ? account->provider->checkout_fetch(ctx, account, id, fact)
               : out;
}

sp_outcome_t sp_order_recover(sp_ctx_t *ctx, sp_order_t **order)
{
    const sp_account_t *account = account_of(ctx, *order);
    const char *token = (*order)->token;
    sp_settled_t settled = { 0 };
    sp_fact_t *fact;
    sp_order_t *fresh;
    sp_outcome_t out;

    if (!account) {
        return SP_FAILED;
    }
    out = ask_provider(ctx, account, *order, &fact);
    if (out == SP_DONE) {
        out = close_late(ctx, account, *order, &fact);
    }
    if (out != SP_DONE) {
        return out;
    }
    out = sp_fact_settle(ctx, fact, &settled);
    if (out != SP_DONE) {
        return out;
    }
    if (settled.reason && strcmp(settled.reason, "payment_unknown") == 0) {
        /* Paid, and which payment it was could not be asked: never "nothing came". */
        return sp_end(ctx, SP_UNKNOWN, "payment_unknown", NULL);
    }
    out = sp_db_order_by_id(ctx, (*order)->id, &fresh);
    if (out == SP_DONE && fresh) {
        fresh->token = token;
        *order = fresh;
    }
    return out;
}

sp_outcome_t sp_payment_recover(sp_ctx_t *ctx, const sp_account_t *account,
                                const char *payment_id, sp_settled_t *settled)
{
    sp_fact_t *fact;
    sp_outcome_t out;

    out = account->provider->payment_fetch(ctx, account, payment_id, &fact);
    return out == SP_DONE ? sp_fact_settle(ctx, fact, settled) : out;
}

static void log_settled(sp_ctx_t *ctx, const sp_fact_t *fact,
                        const sp_settled_t *settled)
{
    if (strcmp(settled->verdict, "completed") == 0) {
        sp_log(ctx->log, SP_LOG_NOTICE, 301,
               "order %s completed by %s, %d s after payment", settled->reference,
               ctx->via, settled->delay_s);
    }
    else if (settled->reason && strcmp(settled->reason, "extended") == 0) {
        sp_log(ctx->log, SP_LOG_NOTICE, 307, "order %s renewed by %s",
               settled->reference, ctx->via);
    }
    else if (strcmp(settled->verdict, "review") == 0) {
        sp_log(ctx->log, SP_LOG_NOTICE, 302,
               "order %s waits for a person: %s; see its ticket", settled->reference,
               settled->reason);
    }
    else if (strcmp(settled->verdict, "failed") == 0 ||
             strcmp(settled->verdict, "parked") == 0) {
        sp_log(ctx->log, SP_LOG_ERR, 305,
               "%s %s could not be applied and is kept for a retry; see "
               "subpay.provider_events",
               fact->provider, fact->event_id ? fact->event_id : fact->payment_id);
    }
}

/* Where money went back, or was never taken, access may have ended. Other nodes hear of it from PostgreSQL;
 * at the gates of this one it counts with the next request. */
static void tell_gates(sp_ctx_t *ctx, const sp_fact_t *fact,
                       const sp_settled_t *settled)
{
    sp_order_account_t *owner = NULL;

    if (fact->kind != SP_FACT_REFUND && fact->kind != SP_FACT_DISPUTE &&
        fact->kind != SP_FACT_PAYMENT_VOID && fact->amount_refunded == 0 &&
        !fact->disputed) {
        return;
    }
    if (settled->order_id &&
        sp_db_account_by_order(ctx, NULL, settled->order_id, &owner) == SP_DONE &&
        owner) {
        sp_board_change(owner->id, 0);
    }
    else {
        sp_board_change_all();
    }
}

sp_outcome_t sp_fact_settle(sp_ctx_t *ctx, sp_fact_t *fact, sp_settled_t *settled)
{
    const sp_product_t *product;
    sp_outcome_t out;

    if (fact->kind == SP_FACT_IGNORED) {
        settled->verdict = "ignored";
        settled->reason = "no_interest";
        return SP_DONE;
    }
    /* A test payment must never open anything that real money pays for. */
    if (strcmp(fact->mode, ctx->settings->mode) != 0) {
        settled->verdict = "ignored";
        settled->reason = "mode";
        return SP_DONE;
    }
    product =
        fact->product ? sp_settings_product(ctx->settings, fact->product) : NULL;
    fact->title = product ? product->title : fact->product;
    sp_period_complete(ctx, fact);
    out = sp_db_settle(ctx, fact, settled);
    if (out == SP_DONE) {
        log_settled(ctx, fact, settled);
        tell_gates(ctx, fact, settled);
    }
    return out;
}

/* Who is on the bank statement in our place, or NULL. */
static const char *seller(const sp_settings_t *settings, const char *provider)
{
    const sp_account_t *account = sp_settings_account(settings, provider);

    return account && account->provider->is_seller ? account->provider->title : NULL;
}

/* The account's prefix with what follows it. */
static const char *behind(apr_pool_t *pool, const char *prefix, const char *suffix)
{
    return apr_pstrcat(pool, prefix, prefix[strlen(prefix) - 1] == '*' ? " " : "* ",
                       suffix, NULL);
}

const char *sp_order_statement_start(sp_ctx_t *ctx)
{
    const sp_settings_t *settings = ctx->settings;
    const char *name = seller(settings, settings->provider);

    return name                  ? name
           : settings->statement ? behind(ctx->pool, settings->statement, "SP…")
                                 : NULL;
}

const char *sp_order_statement(sp_ctx_t *ctx, const sp_order_t *order)
{
    const char *name = seller(ctx->settings, order->provider);
    const char *prefix = ctx->settings->statement;
    const char *suffix;

    if (order->statement) {
        return order->statement;
    }
    if (name) {
        return name;
    }
    if (order->renews) {
        return prefix; /* each invoice makes a payment of its own, without our words */
    }
    suffix = sp_reference_statement(ctx->pool, order->reference);
    return prefix ? behind(ctx->pool, prefix, suffix) : suffix;
}

void sp_order_money(sp_ctx_t *ctx, const sp_order_t *order, sp_order_money_t *money)
{
    const sp_money_t *said;
    sp_moved_t moved;

    memset(money, 0, sizeof(*money));
    money->said = order->price;
    if (strcmp(order->state, "review") == 0) {
        money->said.minor = 0; /* what came is just what differs, perhaps */
    }
    if (!is_final(order) || sp_db_order_money(ctx, order->id, &moved) != SP_DONE) {
        return;
    }
    said = strcmp(order->state, "refunded") == 0 ? &moved.returned : &moved.paid;
    if (said->minor > 0 || strcmp(order->state, "review") == 0) {
        money->said = *said;
    }
    money->receipt_url = moved.receipt_url;
    money->review_by = moved.review_by;
}

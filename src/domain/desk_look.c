/*
 * desk_look.c - asking the provider on behalf of people who look something up.
 *
 * Room: domain.
 */
#include "domain/desk_look.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#include "cfg/settings.h"
#include "domain/order.h"
#include "provider/provider.h"
#include "util/clock.h"
#include "util/reference.h"
#include "util/text.h"

/* Somebody waits for the page, with a customer on the telephone. */
#define PATIENCE apr_time_from_sec(3)

/* How far back an order is looked for that only the provider knows. */
#define LATELY apr_time_from_sec(7 * 86400)

/* ---- reading what was typed ---------------------------------------------------- */

static int all_digits(const char *text, apr_size_t len)
{
    return strlen(text) == len && strspn(text, "0123456789") == len;
}

static int read_day(const char *text, apr_time_t *day)
{
    apr_time_exp_t t = { 0 };
    char rest;

    if (strlen(text) != 10 || sscanf(text, "%4d-%2d-%2d%c", &t.tm_year, &t.tm_mon,
                                     &t.tm_mday, &rest) != 3) {
        return 0;
    }
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    return t.tm_year > 100 && t.tm_mon >= 0 && t.tm_mon < 12 && t.tm_mday >= 1 &&
           t.tm_mday <= 31 && apr_time_exp_get(day, &t) == APR_SUCCESS;
}

/* "249", "249.00", "$249,00": digits and one separator. */
static int read_amount(sp_ctx_t *ctx, const char *text, const char *currency,
                       sp_money_t *amount)
{
    char *number = apr_pstrdup(ctx->pool, text);
    char *to = number;

    for (; *text; text++) {
        if (strchr("0123456789.,", *text)) {
            *to++ = *text == ',' ? '.' : *text;
        }
    }
    *to = '\0';
    return *number && !sp_money_parse_amount(ctx->pool, number, currency, amount) &&
           amount->minor > 0;
}

static int is_currency(const char *word)
{
    return strlen(word) == 3 && apr_isupper(word[0]) && apr_isupper(word[1]) &&
           apr_isupper(word[2]);
}

/* "249.00 2026-11-20 4242", in any order, "USD" and a sign in front being welcome. */
static void read_card(sp_ctx_t *ctx, sp_desk_query_t *query)
{
    const apr_array_header_t *products = ctx->settings->products;
    const char *currency =
        products->nelts ? APR_ARRAY_IDX(products, 0, sp_product_t *)->price.currency
                        : "USD";
    const char *amount = NULL, *last4 = NULL, *day = NULL;
    char *rest, *word;

    for (word = apr_strtok(apr_pstrdup(ctx->pool, query->text), " ", &rest); word;
         word = apr_strtok(NULL, " ", &rest)) {
        if (!day && read_day(word, &query->day)) {
            day = word;
        }
        else if (is_currency(word)) {
            currency = word;
        }
        else if (all_digits(word, 4)) {
            amount = last4 && !amount ? last4 : amount; /* "2490 ... 4242" */
            last4 = word;
        }
        else if (!amount) {
            amount = word;
        }
    }
    if (day && last4 && amount &&
        read_amount(ctx, amount, currency, &query->amount)) {
        query->last4 = last4;
        query->day_text = day;
    }
}

/* "<ana@example.com>," out of a pasted line. */
static const char *address_in(apr_pool_t *pool, const char *text)
{
    static const char around[] = " <>,;()\"'";
    const char *at = strchr(text, '@');
    const char *from = at, *to = at;

    while (from && from > text && !strchr(around, from[-1])) {
        from--;
    }
    while (to && *to && !strchr(around, *to)) {
        to++;
    }
    return at ? apr_pstrmemdup(pool, from, (apr_size_t)(to - from)) : NULL;
}

void sp_desk_read_query(sp_ctx_t *ctx, const char *q, sp_desk_query_t *query)
{
    memset(query, 0, sizeof(*query));
    query->text = sp_text_trim(ctx->pool, q ? q : "");
    query->email = address_in(ctx->pool, query->text);
    if (query->email || !*query->text) {
        return;
    }
    if (strchr(query->text, '_')) {
        query->id = query->text;
        return;
    }
    query->reference_wrong =
        !sp_reference_parse(ctx->pool, query->text, &query->reference) &&
        query->reference;
    if (!query->reference) {
        read_card(ctx, query);
    }
}

/* ---- asking ---------------------------------------------------------------------- */

void sp_desk_look_start(sp_ctx_t *ctx, sp_desk_look_t *look)
{
    memset(look, 0, sizeof(*look));
    look->until = sp_clock_now() + PATIENCE;
    look->facts = apr_array_make(ctx->pool, 4, sizeof(sp_fact_t *));
}

/* May another question be asked? Sets how long its answer may take. */
static int has_time(sp_ctx_t *ctx, sp_desk_look_t *look)
{
    apr_interval_time_t left = look->until - sp_clock_now();

    if (left <= apr_time_from_msec(50)) {
        look->silent = 1;
        return 0;
    }
    look->asked = 1;
    ctx->patience = left;
    ctx->code = NULL;
    return 1;
}

static void keep(sp_ctx_t *ctx, sp_desk_look_t *look, sp_fact_t *fact)
{
    int i;

    /* Test money is nobody's payment in production. */
    if (!fact->payment_id || strcmp(fact->mode, ctx->settings->mode) != 0) {
        return;
    }
    for (i = 0; i < look->facts->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(look->facts, i, sp_fact_t *)->payment_id,
                   fact->payment_id) == 0) {
            return;
        }
    }
    APR_ARRAY_PUSH(look->facts, sp_fact_t *) = fact;
}

static void find(sp_ctx_t *ctx, sp_desk_look_t *look, const sp_account_t *account,
                 const sp_find_t *what)
{
    apr_array_header_t *facts;
    int i;

    if (!account->provider->payments_find || !has_time(ctx, look)) {
        return;
    }
    if (account->provider->payments_find(ctx, account, what, &facts) != SP_DONE) {
        look->silent = 1;
        return;
    }
    for (i = 0; i < facts->nelts; i++) {
        keep(ctx, look, APR_ARRAY_IDX(facts, i, sp_fact_t *));
    }
}

void sp_desk_look_query(sp_ctx_t *ctx, sp_desk_look_t *look,
                        const sp_desk_query_t *query)
{
    const sp_find_t what = { .email = query->email,
                             .payment_id = query->id,
                             .amount = query->amount,
                             .day = query->day,
                             .last4 = query->last4 };
    int i;

    for (i = 0; i < ctx->settings->accounts->nelts; i++) {
        if (what.email || what.payment_id || what.last4) {
            find(ctx, look,
                 APR_ARRAY_IDX(ctx->settings->accounts, i, sp_account_t *), &what);
        }
    }
}

/* One page after the other, until it is there, or time or payments are at an end. */
static void walk(sp_ctx_t *ctx, sp_desk_look_t *look, const sp_account_t *account,
                 const char *reference)
{
    sp_list_ask_t ask = { .since = apr_time_now() - LATELY, .limit = 100 };
    sp_page_t page = { 0 };
    int i, found = 0;

    if (!account->provider->payments_list) {
        look->silent = 1; /* nothing to look through, so nothing is ruled out */
        return;
    }
    do {
        if (!has_time(ctx, look)) {
            return;
        }
        if (account->provider->payments_list(ctx, account, &ask, &page) != SP_DONE) {
            look->silent = 1;
            return;
        }
        for (i = 0; i < page.facts->nelts; i++) {
            sp_fact_t *fact = APR_ARRAY_IDX(page.facts, i, sp_fact_t *);

            if (fact->reference && strcmp(fact->reference, reference) == 0 &&
                fact->kind == SP_FACT_PAYMENT_SUCCEEDED) {
                keep(ctx, look, fact);
                found = 1;
            }
        }
        ask.after = page.next;
    } while (page.next && !found);
}

void sp_desk_look_reference(sp_ctx_t *ctx, sp_desk_look_t *look,
                            const char *reference)
{
    int i;

    for (i = 0; i < ctx->settings->accounts->nelts; i++) {
        walk(ctx, look, APR_ARRAY_IDX(ctx->settings->accounts, i, sp_account_t *),
             reference);
    }
}

static int is_final(const sp_order_t *order)
{
    return strcmp(order->state, "completed") == 0 ||
           strcmp(order->state, "review") == 0 ||
           strcmp(order->state, "refunded") == 0;
}

sp_fact_t *sp_desk_look_order(sp_ctx_t *ctx, sp_desk_look_t *look,
                              const sp_order_t *order, int *missing)
{
    const sp_account_t *account =
        sp_settings_account(ctx->settings, order->provider);
    sp_fact_t *fact = NULL;
    sp_outcome_t out;

    *missing = 0;
    if (!account || (is_final(order) && !order->payment_id) ||
        !has_time(ctx, look)) {
        return NULL;
    }
    out = is_final(order) ? account->provider->payment_fetch(
                                ctx, account, order->payment_id, &fact)
                          : sp_order_ask(ctx, order, &fact);
    if (out == SP_DONE) {
        return fact;
    }
    *missing = ctx->code && strcmp(ctx->code, "not_found") == 0;
    /* "opening" is an order so young that its page may be on its way. */
    if (!*missing && !(ctx->code && strcmp(ctx->code, "checkout_opening") == 0)) {
        look->silent = 1;
    }
    return NULL;
}

/* ---- judging ----------------------------------------------------------------------- */

/* The provider says that money moved. */
static const char *judge_money(const sp_order_t *order, const char *code,
                               const sp_fact_t *fact)
{
    int gone;

    if (strcmp(order->state, "refunded") == 0 ||
        strcmp(order->state, "review") == 0) {
        return code;
    }
    gone = fact->amount_refunded > 0 && fact->amount_refunded >= fact->amount.minor;
    if (order->payment_id && strcmp(order->payment_id, fact->payment_id) != 0) {
        return gone ? code : "duplicate";
    }
    if (gone) {
        return "refunded";
    }
    if (strcmp(order->state, "completed") != 0) {
        return "paid_stuck";
    }
    return fact->disputed && strcmp(code, "healthy") == 0 ? "disputed" : code;
}

const char *sp_desk_judge(const sp_order_t *order, const char *code,
                          const sp_fact_t *fact, int missing)
{
    if (missing && strcmp(order->state, "completed") == 0) {
        return "order_without_payment";
    }
    if (!fact) {
        return code;
    }
    if (fact->kind == SP_FACT_PAYMENT_SUCCEEDED) {
        return judge_money(order, code, fact);
    }
    return fact->kind == SP_FACT_CHECKOUT_EXPIRED &&
                   strcmp(code, "never_charged") == 0
               ? "expired"
               : code;
}

/*
 * find.c - somebody has been charged and has no access: find their payment.
 *
 * Room: domain.
 */
#include "domain/find.h"

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/ticket.h"
#include "domain/account.h"
#include "domain/order.h"
#include "provider/provider.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/reference.h"
#include "util/text.h"

/* All questions of one search together; then it gives way and comes again. */
#define LOOK_TIME apr_time_from_sec(12)
#define ONE_ANSWER apr_time_from_sec(5)
#define LEASE_S 45
#define DAY apr_time_from_sec(86400)
#define FOLLOW_UPS 5

/* A call that began within LOOK_TIME, and what the database may need besides. */
#define ALIVE_WITHIN apr_time_from_sec(25)

/* ---- asking ------------------------------------------------------------------- */

static sp_outcome_t check_reference(sp_ctx_t *ctx, const char *text,
                                    sp_search_t *search)
{
    if (!text || sp_reference_parse(ctx->pool, text, &search->reference)) {
        return SP_DONE;
    }
    return sp_end(ctx, SP_REFUSED, "bad_reference",
                  search->reference
                      ? "One symbol of this reference is not right. Compare it with "
                        "our page, our e-mail or your bank statement."
                      : "Enter a reference like SP-7K3M-92QX, or leave it out.");
}

/* "249", "249.00 USD", "$ 249,00": the currency that our plans have, unless named. */
static int read_amount(sp_ctx_t *ctx, const char *text, sp_money_t *amount)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const apr_array_header_t *products = ctx->settings->products;
    char *number = apr_pstrdup(ctx->pool, text);
    const char *currency =
        products->nelts ? APR_ARRAY_IDX(products, 0, sp_product_t *)->price.currency
                        : "USD";
    apr_size_t at = strcspn(text, letters);
    char *to = number;

    if (strspn(text + at, letters) == 3) {
        currency = apr_pstrndup(ctx->pool, text + at, 3);
    }
    for (; *text; text++) {
        if (strchr("0123456789.", *text)) {
            *to++ = *text;
        }
        else if (*text == ',') {
            *to++ = '.';
        }
    }
    *to = '\0';
    return !sp_money_parse_amount(ctx->pool, number, currency, amount) &&
           amount->minor > 0;
}

/* "2026-11-21", as <input type=date> sends it, and not in the future. */
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
           t.tm_mday <= 31 && apr_time_exp_get(day, &t) == APR_SUCCESS &&
           *day < apr_time_now() + DAY;
}

/* All of the three or none: less fits too many strangers. */
static sp_outcome_t check_card(sp_ctx_t *ctx, const sp_find_ask_t *ask,
                               sp_search_t *search)
{
    if (!ask->amount && !ask->day && !ask->last4) {
        return SP_DONE;
    }
    if (!ask->amount || !read_amount(ctx, ask->amount, &search->amount)) {
        return sp_end(ctx, SP_REFUSED, "bad_amount",
                      "Enter the amount as your bank shows it, like 249.00.");
    }
    if (!ask->day || !read_day(ask->day, &search->day)) {
        return sp_end(ctx, SP_REFUSED, "bad_day",
                      "Enter the day of the charge, like 2026-11-21.");
    }
    if (!ask->last4 || strlen(ask->last4) != 4 ||
        strspn(ask->last4, "0123456789") != 4) {
        return sp_end(ctx, SP_REFUSED, "bad_last4",
                      "Enter the last four digits of the card, and no more.");
    }
    search->last4 = ask->last4;
    return SP_DONE;
}

static sp_outcome_t check_ask(sp_ctx_t *ctx, const sp_find_ask_t *ask,
                              sp_search_t *search)
{
    const char *problem = ask->email ? sp_text_email_problem(ask->email) : NULL;
    sp_outcome_t out;

    if (problem || (!ask->email && !ask->reference && !ask->amount && !ask->day &&
                    !ask->last4)) {
        return sp_end(ctx, SP_REFUSED, "bad_email",
                      problem ? problem
                              : "Enter an e-mail address, like name@example.com.");
    }
    search->email = ask->email;
    out = check_reference(ctx, ask->reference, search);
    return out == SP_DONE ? check_card(ctx, ask, search) : out;
}

sp_outcome_t sp_find_ask(sp_ctx_t *ctx, const sp_find_ask_t *ask)
{
    unsigned char hash[SP_HASH_SIZE];
    sp_search_t search = { .form_key = ask->form_key };
    sp_outcome_t out = check_ask(ctx, ask, &search);

    if (out != SP_DONE) {
        return out;
    }
    if (ask->token && sp_account_hash(ask->token, hash)) {
        search.token_hash = hash;
    }
    return sp_db_search_add(ctx, &search);
}

/* ---- looking ------------------------------------------------------------------ */

/* One search being done. */
typedef struct look_t {
    const sp_search_t *search;
    const sp_pulse_t *pulse;
    apr_time_t until;
    apr_array_header_t *orders; /* ids that fit, of const char * */
    int clear;                  /* every question has been answered so far */
} look_t;

static void add_order(look_t *look, const char *id)
{
    int i;

    for (i = 0; id && i < look->orders->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(look->orders, i, const char *), id) == 0) {
            return;
        }
    }
    if (id) {
        APR_ARRAY_PUSH(look->orders, const char *) = id;
    }
}

static apr_interval_time_t one_answer(const sp_ctx_t *ctx)
{
    return ctx->settings->provider_timeout < ONE_ANSWER
               ? ctx->settings->provider_timeout
               : ONE_ANSWER;
}

/* May another question be asked? Sets how long its answer may take. */
static int has_time(sp_ctx_t *ctx, look_t *look)
{
    apr_interval_time_t left = look->until - sp_clock_now();

    if (left <= 0) {
        look->clear = 0;
        return 0;
    }
    ctx->patience = left < one_answer(ctx) ? left : one_answer(ctx);
    sp_pulse_beat(look->pulse, ALIVE_WITHIN);
    return 1;
}

/* "opening" is an order so young that another process may be at it; it is not what
 * somebody has already been charged for. */
static int is_clear(const sp_ctx_t *ctx, sp_outcome_t out)
{
    return out == SP_DONE ||
           (ctx->code && (strcmp(ctx->code, "not_found") == 0 ||
                          strcmp(ctx->code, "checkout_opening") == 0));
}

static int is_over(const sp_order_t *order)
{
    return strcmp(order->state, "completed") == 0 ||
           strcmp(order->state, "review") == 0 ||
           strcmp(order->state, "refunded") == 0;
}

/* The orders that our own rows know, each open one asked about. */
static sp_outcome_t look_here(sp_ctx_t *ctx, look_t *look)
{
    apr_array_header_t *orders;
    sp_outcome_t out = sp_db_search_orders(ctx, look->search->id, &orders);
    int i;

    for (i = 0; out == SP_DONE && i < orders->nelts; i++) {
        sp_order_t *order = &APR_ARRAY_IDX(orders, i, sp_order_t);

        add_order(look, order->id);
        if (!is_over(order) && has_time(ctx, look)) {
            ctx->code = NULL;
            look->clear &= is_clear(ctx, sp_order_recover(ctx, &order));
        }
    }
    return out;
}

static void settle_all(sp_ctx_t *ctx, look_t *look, const apr_array_header_t *facts)
{
    sp_settled_t settled;
    int i;

    for (i = 0; i < facts->nelts; i++) {
        sp_pulse_beat(look->pulse, ALIVE_WITHIN);
        memset(&settled, 0, sizeof(settled));
        if (sp_fact_settle(ctx, APR_ARRAY_IDX(facts, i, sp_fact_t *), &settled) !=
            SP_DONE) {
            look->clear = 0;
        }
        else {
            add_order(look, settled.order_id);
        }
    }
}

/* What one provider knows to fit this description. */
static void look_there(sp_ctx_t *ctx, look_t *look, const sp_account_t *account,
                       const sp_find_t *what)
{
    apr_array_header_t *facts;

    if (!account->provider->payments_find || !has_time(ctx, look)) {
        return;
    }
    if (account->provider->payments_find(ctx, account, what, &facts) != SP_DONE) {
        look->clear = 0;
        return;
    }
    settle_all(ctx, look, facts);
}

static void look_everywhere(sp_ctx_t *ctx, look_t *look)
{
    const sp_search_t *search = look->search;
    const sp_find_t by_email = { .email = search->email };
    const sp_find_t by_card = { .amount = search->amount,
                                .day = search->day,
                                .last4 = search->last4 };
    int i;

    for (i = 0; i < ctx->settings->accounts->nelts; i++) {
        const sp_account_t *account =
            APR_ARRAY_IDX(ctx->settings->accounts, i, sp_account_t *);

        if (search->email) {
            look_there(ctx, look, account, &by_email);
        }
        if (search->last4) {
            look_there(ctx, look, account, &by_card);
        }
    }
}

sp_outcome_t sp_find_work(sp_ctx_t *ctx, const char *worker, const sp_pulse_t *pulse,
                          int *more)
{
    sp_ctx_t own = *ctx;
    look_t look = { .pulse = pulse,
                    .until = sp_clock_now() + LOOK_TIME,
                    .clear = 1 };
    sp_search_t *search;
    const char *verdict;
    sp_outcome_t out;

    own.via = "self_service";
    own.actor = "customer";
    out = sp_db_search_claim(&own, worker, LEASE_S, &search);
    *more = out == SP_DONE && search;
    if (!*more) {
        return out;
    }
    look.search = search;
    look.orders = apr_array_make(own.pool, 4, sizeof(const char *));
    out = look_here(&own, &look);
    if (out != SP_DONE) {
        return out; /* the database; the lease brings it back */
    }
    look_everywhere(&own, &look);
    out = sp_db_search_done(&own, search, look.orders, look.clear, &verdict);
    if (out == SP_DONE) {
        sp_log(ctx->log, SP_LOG_INFO, 370, "search %s: %s, %d orders fit",
               search->id, verdict, look.orders->nelts);
    }
    return out;
}

/* ---- following up --------------------------------------------------------------- */

apr_time_t sp_find_note_checking(sp_ctx_t *ctx, const sp_order_t *order)
{
    apr_time_t answers_at = 0;

    sp_db_checking_note(ctx, order->id, &answers_at);
    return answers_at;
}

sp_outcome_t sp_find_follow_up(sp_ctx_t *ctx, const sp_pulse_t *pulse)
{
    sp_ctx_t own = *ctx;
    apr_array_header_t *orders;
    sp_outcome_t out;
    int i, healed;

    out = sp_db_checkings_due(&own, FOLLOW_UPS, &orders);
    for (i = 0; out == SP_DONE && i < orders->nelts; i++) {
        sp_order_t *order = &APR_ARRAY_IDX(orders, i, sp_order_t);
        const char *id = order->id;
        int clear;

        sp_pulse_beat(pulse, ALIVE_WITHIN);
        own.patience = one_answer(&own);
        own.code = NULL;
        clear = is_over(order) || is_clear(&own, sp_order_recover(&own, &order));
        out = sp_db_checking_done(&own, id, clear);
    }
    return out == SP_DONE ? sp_db_tickets_heal(&own, &healed) : out;
}

/*
 * stripe_find.c - a payment, by what people know of it.
 *
 * Room: provider.
 * Source: Stripe API reference. Its search is left alone: the index lags behind, by
 * an hour at bad times, and somebody who was told "nothing found" pays again.
 */
#include "provider/stripe.h"

#include <apr_strings.h>
#include <string.h>

#include "provider/call.h"
#include "provider/stripe_shape.h"
#include "util/text.h"

#define DAY apr_time_from_sec(86400)

sp_outcome_t sp_stripe_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                             const char *what, const char *path, const char *expand,
                             sp_stripe_take_fn take, sp_fact_t **fact)
{
    sp_stripe_reader_t reader = sp_stripe_reader(ctx);
    sp_stripe_call_t call;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;

    sp_stripe_call_start(&call, ctx->pool, what, "GET", path);
    sp_query_add(&call.params, "expand[]", expand);
    out = sp_stripe_send(ctx, account, &call, &body);
    if (out != SP_DONE) {
        return out;
    }
    why = sp_stripe_read(&reader, &body, take, fact);
    return why ? sp_call_unreadable(ctx, call.what, why) : SP_DONE;
}

sp_outcome_t sp_stripe_intent_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                    const char *id, sp_fact_t **fact)
{
    return sp_stripe_fetch(ctx, account, "fetch payment",
                           apr_pstrcat(ctx->pool, "/v1/payment_intents/", id, NULL),
                           "latest_charge", sp_stripe_take_intent, fact);
}

static sp_outcome_t fetch_bare(sp_ctx_t *ctx, const sp_account_t *account,
                               const char *payment_id, sp_fact_t **fact)
{
    if (sp_stripe_is_id(payment_id, "pi_")) {
        return sp_stripe_intent_fetch(ctx, account, payment_id, fact);
    }
    if (sp_stripe_is_id(payment_id, "ch_") || sp_stripe_is_id(payment_id, "py_")) {
        return sp_stripe_fetch(
            ctx, account, "fetch charge",
            apr_pstrcat(ctx->pool, "/v1/charges/", payment_id, NULL), NULL,
            sp_stripe_take_charge, fact);
    }
    return sp_end(ctx, SP_REFUSED, "not_found",
                  "The payment provider does not know this payment.");
}

/* Payments of renewals have a customer and no mark of ours. */
static int may_be_a_period(const sp_fact_t *fact)
{
    return fact->kind == SP_FACT_PAYMENT_SUCCEEDED && !fact->order_id &&
           fact->customer_id && sp_stripe_is_id(fact->payment_id, "pi_");
}

sp_outcome_t sp_stripe_payment_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                     const char *payment_id, sp_fact_t **fact)
{
    sp_outcome_t out;

    if (sp_stripe_is_id(payment_id, "cs_")) {
        return sp_stripe_checkout_fetch(ctx, account, payment_id, fact);
    }
    out = fetch_bare(ctx, account, payment_id, fact);
    return out == SP_DONE && may_be_a_period(*fact)
               ? sp_stripe_period_of(ctx, account, fact)
               : out;
}

/* -- By description --------------------------------------------------------------- */

/* What fits so far. */
typedef struct finds_t {
    const sp_find_t *find;
    apr_time_t deadline;           /* for all lists together */
    apr_array_header_t *facts;     /* of sp_fact_t * */
    apr_array_header_t *customers; /* of const char * */
    apr_array_header_t *periods; /* of sp_fact_t *: their payment is not told yet */
} finds_t;

static int is_payment(const sp_fact_t *fact)
{
    return fact->payment_id && (fact->kind == SP_FACT_PAYMENT_SUCCEEDED ||
                                fact->kind == SP_FACT_PAYMENT_AUTHORISED ||
                                fact->kind == SP_FACT_PERIOD_PAID ||
                                fact->kind == SP_FACT_PAYMENT_PROCESSING);
}

static void add_payment(apr_array_header_t *facts, sp_fact_t *fact)
{
    int i;

    for (i = 0; i < facts->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(facts, i, sp_fact_t *)->payment_id,
                   fact->payment_id) == 0) {
            return;
        }
    }
    APR_ARRAY_PUSH(facts, sp_fact_t *) = fact;
}

/* A description by card fits amount, currency and last digits; one by e-mail was
 * narrowed down by Stripe. */
static int fits(const sp_find_t *find, const sp_fact_t *fact)
{
    if (find->email) {
        return 1;
    }
    return fact->amount.minor == find->amount.minor &&
           strcmp(fact->amount.currency, find->amount.currency) == 0 &&
           fact->card_last4 && strcmp(fact->card_last4, find->last4) == 0;
}

static int keep_fitting(void *baton, const sp_page_t *page)
{
    finds_t *finds = baton;
    sp_fact_t *fact;
    int i;

    for (i = 0; i < page->facts->nelts; i++) {
        fact = APR_ARRAY_IDX(page->facts, i, sp_fact_t *);
        if (is_payment(fact) && fits(finds->find, fact)) {
            add_payment(finds->facts, fact);
        }
        else if (fact->kind == SP_FACT_PERIOD_PAID && finds->find->email) {
            APR_ARRAY_PUSH(finds->periods, sp_fact_t *) = fact;
        }
    }
    return 1;
}

static const char *take_customer(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                 sp_fact_t **fact)
{
    *fact = apr_pcalloc(reader->pool, sizeof(**fact));
    return sp_scan_read(scan, &sp_stripe_customer_id_shape, *fact) ? NULL
                                                                   : scan->error;
}

static int keep_customers(void *baton, const sp_page_t *page)
{
    finds_t *finds = baton;
    int i;

    for (i = 0; i < page->facts->nelts; i++) {
        APR_ARRAY_PUSH(finds->customers, const char *) =
            APR_ARRAY_IDX(page->facts, i, sp_fact_t *)->customer_id;
    }
    return 1;
}

static sp_outcome_t walk(sp_ctx_t *ctx, const sp_account_t *account,
                         sp_stripe_list_t *list,
                         int (*visit)(void *baton, const sp_page_t *page),
                         finds_t *finds)
{
    sp_call_share_time(ctx, finds->deadline);
    return sp_stripe_walk(ctx, account, list, visit, finds);
}

/* Guests have no customer, so their pages are asked; others may have paid on roads
 * without a page of ours, so their customers are. */
static sp_outcome_t find_spelling(sp_ctx_t *ctx, const sp_account_t *account,
                                  const char *email, finds_t *finds)
{
    sp_stripe_list_t pages = { .what = "find checkouts by e-mail",
                               .path = "/v1/checkout/sessions",
                               .take = sp_stripe_take_session,
                               .params = { "customer_details[email]", email,
                                           "expand[]",
                                           "data.payment_intent.latest_charge" } };
    sp_stripe_list_t customers = { .what = "find customers by e-mail",
                                   .path = "/v1/customers",
                                   .take = take_customer,
                                   .params = { "email", email } };
    sp_outcome_t out = walk(ctx, account, &pages, keep_fitting, finds);

    return out == SP_DONE ? walk(ctx, account, &customers, keep_customers, finds)
                          : out;
}

/* Before the charges: those say the same, and not whose they are. */
static sp_outcome_t complete_periods(sp_ctx_t *ctx, const sp_account_t *account,
                                     finds_t *finds)
{
    sp_outcome_t out = SP_DONE;
    sp_fact_t *fact;
    int i;

    for (i = 0; out == SP_DONE && i < finds->periods->nelts; i++) {
        fact = APR_ARRAY_IDX(finds->periods, i, sp_fact_t *);
        sp_call_share_time(ctx, finds->deadline);
        out = sp_stripe_period_complete(ctx, account, fact);
        if (out == SP_DONE) {
            add_payment(finds->facts, fact);
        }
    }
    return out;
}

static sp_outcome_t find_charges(sp_ctx_t *ctx, const sp_account_t *account,
                                 finds_t *finds)
{
    sp_outcome_t out = SP_DONE;
    int i;

    for (i = 0; out == SP_DONE && i < finds->customers->nelts; i++) {
        sp_stripe_list_t charges = { .what = "find payments of a customer",
                                     .path = "/v1/charges",
                                     .take = sp_stripe_take_charge,
                                     .params = { "customer",
                                                 APR_ARRAY_IDX(finds->customers, i,
                                                               const char *) } };

        out = walk(ctx, account, &charges, keep_fitting, finds);
    }
    return out;
}

/* Stripe compares addresses letter by letter. Asked as typed, all in small letters,
 * and with a capital first, as phones write it. */
static sp_outcome_t find_by_email(sp_ctx_t *ctx, const sp_account_t *account,
                                  finds_t *finds)
{
    const char *email = finds->find->email;
    const char *folded = sp_text_fold(ctx->pool, email);
    char *capital = apr_pstrdup(ctx->pool, folded);
    const char *const spellings[] = { email, folded, capital };
    sp_outcome_t out = SP_DONE;
    int i;

    if (*capital >= 'a' && *capital <= 'z') {
        *capital -= 'a' - 'A';
    }
    for (i = 0; out == SP_DONE && i < 3; i++) {
        if (i == 0 || (strcmp(spellings[i], email) != 0 &&
                       strcmp(spellings[i], spellings[i - 1]) != 0)) {
            out = find_spelling(ctx, account, spellings[i], finds);
        }
    }
    if (out == SP_DONE) {
        out = complete_periods(ctx, account, finds);
    }
    return out == SP_DONE ? find_charges(ctx, account, finds) : out;
}

static sp_outcome_t find_by_card(sp_ctx_t *ctx, const sp_account_t *account,
                                 finds_t *finds)
{
    sp_stripe_list_t list = { .what = "find payments of a day",
                              .path = "/v1/charges",
                              .take = sp_stripe_take_charge };

    if (!finds->find->last4) {
        return SP_DONE;
    }
    /* One day to each side: banks and customers have other midnights. */
    list.ask.since = finds->find->day - DAY;
    list.ask.until = finds->find->day + 2 * DAY;
    return walk(ctx, account, &list, keep_fitting, finds);
}

static sp_outcome_t find_by_id(sp_ctx_t *ctx, const sp_account_t *account,
                               finds_t *finds)
{
    sp_fact_t *fact;
    sp_outcome_t out =
        sp_stripe_payment_fetch(ctx, account, finds->find->payment_id, &fact);

    if (out == SP_REFUSED && strcmp(ctx->code, "not_found") == 0) {
        return SP_DONE;
    }
    if (out == SP_DONE && is_payment(fact)) {
        add_payment(finds->facts, fact);
    }
    return out;
}

sp_outcome_t sp_stripe_payments_find(sp_ctx_t *ctx, const sp_account_t *account,
                                     const sp_find_t *find,
                                     apr_array_header_t **facts)
{
    apr_interval_time_t patience = ctx->patience;
    finds_t finds = { .find = find };
    sp_outcome_t out;

    finds.deadline = sp_call_deadline(ctx);
    finds.facts = apr_array_make(ctx->pool, 4, sizeof(sp_fact_t *));
    finds.customers = apr_array_make(ctx->pool, 4, sizeof(const char *));
    finds.periods = apr_array_make(ctx->pool, 1, sizeof(sp_fact_t *));
    out = find->payment_id ? find_by_id(ctx, account, &finds)
          : find->email    ? find_by_email(ctx, account, &finds)
                           : find_by_card(ctx, account, &finds);
    ctx->patience = patience;
    *facts = finds.facts;
    return out;
}

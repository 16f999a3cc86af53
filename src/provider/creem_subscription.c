/*
 * creem_subscription.c - Creem's subscriptions: their periods, and will it charge again.
 *
 * Room: provider.
 * Source: Creem API reference, "Subscriptions", its webhook samples. A period is its
 * transaction: the subscription names the latest one and the time that it paid for,
 * the transaction the sums. Periods are listed nowhere, so each renewal is asked for.
 */
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "provider/call.h"
#include "provider/creem.h"
#include "util/json.h"
#include "util/text.h"

#define DAY apr_time_from_sec(86400)

static int is(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

/* -- How often ----------------------------------------------------------------------- */

static const struct {
    const char *theirs, *ours;
    int months;
} periods[] = { { "every-month", "1mo", 1 },
                { "every-three-months", "3mo", 3 },
                { "every-six-months", "6mo", 6 },
                { "every-year", "1y", 12 } };

/* 0 for a period that is not counted in months. */
static int months_of(const char *period)
{
    apr_size_t digits = period ? strspn(period, "0123456789") : 0;

    if (!digits || digits > 4) {
        return 0;
    }
    return is(period + digits, "mo")  ? atoi(period)
           : is(period + digits, "y") ? 12 * atoi(period)
                                      : 0;
}

int sp_creem_same_period(const char *one, const char *other)
{
    return one == other ||
           (one && other &&
            (strcmp(one, other) == 0 ||
             (months_of(one) && months_of(one) == months_of(other))));
}

const char *sp_creem_period(const sp_creem_product_t *product)
{
    size_t i;

    for (i = 0; i < sizeof(periods) / sizeof(*periods); i++) {
        if (is(product->every, periods[i].theirs)) {
            return periods[i].ours;
        }
    }
    if (product->every && strcmp(product->every, "once") != 0) {
        return product->every;
    }
    return product->billing && strcmp(product->billing, "onetime") != 0
               ? product->billing
               : NULL;
}

const char *sp_creem_period_problem(const sp_product_t *product)
{
    size_t i;

    for (i = 0; product->renews && i < sizeof(periods) / sizeof(*periods); i++) {
        if (months_of(product->period) == periods[i].months) {
            return NULL;
        }
    }
    return product->renews ? "SubPayPeriod: Creem renews every 1mo, 3mo, 6mo or 1y; "
                             "write one of them, or SubPayRenews off"
                           : NULL;
}

/* -- Into facts ------------------------------------------------------------------------ */

/* The words that events end in as well. Paused or unpaid is no stop: it may be charged
 * again, and what is expired is tried on until it is cancelled. */
static const struct {
    const char *word, *state;
    int is_unpaid;
} words[] = {
    { "active", "active", 0 },
    { "trialing", "active", 0 },
    { "paused", "active", 0 },
    { "past_due", "active", 1 },
    { "unpaid", "active", 1 },
    { "expired", "active", 1 },
    { "canceled", "ended", 0 },
    { "cancelled", "ended", 0 },
    { "scheduled_cancel", "stopping", 0 },
};

/* Its place in words; -1 for one that we do not know: then nothing follows. */
static int find_word(const char *word)
{
    size_t i;

    for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (is(word, words[i].word)) {
            return (int)i;
        }
    }
    return -1;
}

/* What the event is called comes first: it says what happened, and its object may still
 * say what was before. */
static int word_of(const char *type, const char *status)
{
    int word = type ? find_word(type + strlen("subscription.")) : -1;

    return word >= 0 ? word : find_word(status);
}

static void set_span(const sp_creem_subscription_t *subscription, sp_fact_t *fact)
{
    const apr_time_t starts = sp_creem_time(&subscription->starts);
    const apr_time_t ends = sp_creem_time(&subscription->ends);

    if (starts && ends > starts) {
        fact->period_start = starts;
        fact->period_end = ends;
    }
}

/* What a period costs: as the product does there, else as it was sold. */
static void set_price(const sp_creem_product_t *product, sp_fact_t *fact)
{
    if (product->currency && product->price >= 0 &&
        sp_money_currency(product->currency, &fact->amount)) {
        fact->amount.minor = product->price;
    }
    else {
        fact->amount = fact->price;
    }
}

static const char *make_fact(const sp_creem_reader_t *reader,
                             const sp_creem_subscription_t *subscription,
                             sp_fact_t *fact)
{
    sp_creem_product_t product = { .id = NULL };
    sp_creem_customer_t customer = { .id = NULL };
    const char *why =
        sp_creem_read_linked(reader, &subscription->product, &sp_creem_product_shape,
                             &product, &product.id);

    if (!why) {
        why =
            sp_creem_read_linked(reader, &subscription->customer,
                                 &sp_creem_customer_shape, &customer, &customer.id);
    }
    if (!why && !sp_creem_is_id(subscription->id, "")) {
        why = "id is unreadable";
    }
    fact->renewal_id = subscription->id;
    fact->customer_id = customer.id;
    fact->email = sp_text_email_problem(customer.email) ? NULL : customer.email;
    fact->name = sp_text_one_line(reader->pool, customer.name);
    sp_snapshot_read(reader->pool, reader->settings, &subscription->metadata, fact);
    set_price(&product, fact);
    set_span(subscription, fact);
    return why;
}

/* The sums and the order are the transaction's: period_complete asks for them. */
static const char *make_paid(const sp_creem_subscription_t *subscription,
                             sp_fact_t *fact)
{
    fact->kind = SP_FACT_PERIOD_PAID;
    fact->invoice_id = subscription->last;
    return sp_creem_is_id(fact->invoice_id, "") ? NULL
                                                : "it names no last transaction";
}

/* Whether the present period has moved on to the one that is not paid is not written
 * anywhere; either way that one begins where the paid one ends. One that is up within a
 * day is the paid one: charging may begin a little early. How long it would be
 * is not needed: a day is surely less than what will be paid. Nor is it promised when
 * the card is tried again, so nobody is told. */
static void make_failed(const sp_creem_reader_t *reader, sp_fact_t *fact)
{
    fact->kind = SP_FACT_PERIOD_FAILED;
    if (fact->period_end <= fact->at + DAY) {
        fact->period_start = fact->period_end;
    }
    fact->period_end = fact->period_start + DAY;
    fact->tries = 1;
    fact->invoice_id =
        apr_psprintf(reader->pool, "%s:%" APR_TIME_T_FMT, fact->renewal_id,
                     (apr_time_t)(fact->period_start / DAY));
}

static void make_state(int word, sp_fact_t *fact)
{
    fact->status = word < 0 ? NULL : words[word].state;
    fact->kind = fact->status ? SP_FACT_RENEWAL : SP_FACT_IGNORED;
}

static const char *read_whole(const sp_creem_reader_t *reader,
                              const sp_slice_t *bytes,
                              sp_creem_subscription_t *subscription,
                              sp_fact_t **fact)
{
    const char *why = sp_scan_whole(reader->pool, bytes->data, bytes->len,
                                    &sp_creem_subscription_shape, subscription);

    if (why) {
        return why;
    }
    *fact = sp_creem_new_fact(reader, subscription->mode);
    return make_fact(reader, subscription, *fact);
}

const char *sp_creem_read_subscription(const sp_creem_reader_t *reader,
                                       const char *type, const sp_slice_t *bytes,
                                       sp_fact_t **fact)
{
    sp_creem_subscription_t subscription = { .id = NULL };
    const char *why = read_whole(reader, bytes, &subscription, fact);
    int word;

    if (why) {
        return why;
    }
    if (is(type, "subscription.paid")) {
        return make_paid(&subscription, *fact);
    }
    word = word_of(type, subscription.status);
    if (type && word >= 0 && words[word].is_unpaid && (*fact)->period_end) {
        make_failed(reader, *fact);
    }
    else {
        make_state(word, *fact);
    }
    return NULL;
}

/* One that names its money and its time is complete; else nobody shall take it for so. */
void sp_creem_make_first(sp_fact_t *fact)
{
    if (!fact->renewal_id || fact->kind != SP_FACT_PAYMENT_SUCCEEDED) {
        return;
    }
    fact->kind = fact->charge_id ? SP_FACT_PERIOD_PAID : SP_FACT_PAYMENT_PROCESSING;
    fact->is_first = 1;
    fact->invoice_id = fact->charge_id;
    if (fact->charge_id) {
        fact->charge_id = fact->period_end ? fact->charge_id : NULL;
        fact->payment_id = fact->charge_id;
    }
}

const char *sp_creem_first_period(const sp_creem_reader_t *reader,
                                  const sp_slice_t *subscription, sp_fact_t *fact)
{
    sp_creem_subscription_t begun = { .id = NULL };
    const char *why = sp_creem_read_linked(
        reader, subscription, &sp_creem_subscription_shape, &begun, &begun.id);

    if (why) {
        return why;
    }
    fact->renewal_id = begun.id;
    if (!begun.last || is(fact->charge_id, begun.last)) {
        set_span(&begun, fact);
    }
    sp_creem_make_first(fact);
    return NULL;
}

/* -- Calls ------------------------------------------------------------------------------ */

static sp_outcome_t no_such_renewal(sp_ctx_t *ctx)
{
    return sp_end(ctx, SP_REFUSED, "not_found",
                  "The payment provider does not know this renewal.");
}

static sp_outcome_t fetch(sp_ctx_t *ctx, const sp_account_t *account, const char *id,
                          sp_creem_subscription_t *subscription, sp_fact_t **fact)
{
    sp_creem_reader_t reader = sp_creem_reader(ctx);
    sp_query_t query;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;

    if (!sp_creem_is_id(id, "sub_")) {
        return no_such_renewal(ctx);
    }
    sp_query_start(&query, ctx->pool);
    sp_query_add(&query, "subscription_id", id);
    out = sp_creem_get(ctx, account, "fetch subscription", "/v1/subscriptions",
                       &query, &body);
    if (out != SP_DONE) {
        return out;
    }
    why = read_whole(&reader, &body, subscription, fact);
    if (!why && strcmp(subscription->id, id) != 0) {
        why = "it is another one";
    }
    return why ? sp_call_unreadable(ctx, "fetch subscription", why) : SP_DONE;
}

/* What the transaction knows and the subscription does not. */
static void add_payment(sp_fact_t *fact, const sp_fact_t *payment)
{
    fact->payment_id = payment->charge_id;
    fact->charge_id = payment->charge_id;
    fact->amount = payment->amount;
    fact->amount_refunded = payment->amount_refunded;
    fact->disputed = payment->disputed;
    if (!fact->paid_at) {
        fact->paid_at = payment->paid_at;
    }
    if (payment->kind == SP_FACT_PERIOD_PAID) {
        fact->period_start = payment->period_start;
        fact->period_end = payment->period_end;
    }
}

/* Which time the first period is for, where its page only named the subscription. One
 * that has moved on since cannot tell: then it is as it was sold. */
static sp_outcome_t add_span(sp_ctx_t *ctx, const sp_account_t *account,
                             sp_fact_t *fact)
{
    sp_creem_subscription_t subscription = { .id = NULL };
    sp_fact_t *state;
    sp_outcome_t out = fetch(ctx, account, fact->renewal_id, &subscription, &state);

    if (out != SP_DONE) {
        return out;
    }
    if (is(subscription.last, fact->invoice_id)) {
        set_span(&subscription, fact);
    }
    if (!fact->period_end && sp_period_days(fact->period) && fact->paid_at) {
        fact->period_start = fact->paid_at;
        fact->period_end = fact->paid_at + sp_period_days(fact->period) * DAY;
    }
    return fact->period_end ? SP_DONE
                            : sp_end(ctx, SP_UNKNOWN, "payment_unknown", NULL);
}

sp_outcome_t sp_creem_period_complete(sp_ctx_t *ctx, const sp_account_t *account,
                                      sp_fact_t *fact)
{
    apr_interval_time_t patience = ctx->patience;
    apr_time_t deadline = sp_call_deadline(ctx);
    sp_fact_t full = *fact;
    sp_fact_t *payment;
    sp_outcome_t out = sp_creem_transaction(ctx, account, fact->invoice_id,
                                            &fact->amount, &payment);

    if (out == SP_DONE && !sp_creem_is_paid(payment)) {
        out = sp_end(ctx, SP_UNKNOWN, "payment_unknown", NULL);
    }
    if (out == SP_DONE) {
        add_payment(&full, payment);
    }
    if (out == SP_DONE && !full.period_end) {
        sp_call_share_time(ctx, deadline);
        out = add_span(ctx, account, &full);
    }
    if (out == SP_DONE) {
        *fact = full;
    }
    ctx->patience = patience;
    return out;
}

/* -- All about one ------------------------------------------------------------------------ */

/* Those of the customer's transactions that are this renewal's periods. One that names
 * no time is told by the subscription, if it is the latest. */
static int keep_periods(const sp_creem_subscription_t *subscription,
                        const sp_fact_t *state, const apr_array_header_t *all,
                        apr_array_header_t *facts)
{
    int has_last = 0;
    int i;

    for (i = 0; i < all->nelts; i++) {
        sp_fact_t *fact = APR_ARRAY_IDX(all, i, sp_fact_t *);
        const int is_last = is(subscription->last, fact->charge_id);

        if (!sp_creem_is_paid(fact) ||
            !(fact->renewal_id ? is(fact->renewal_id, subscription->id) : is_last)) {
            continue;
        }
        if (fact->kind != SP_FACT_PERIOD_PAID && is_last && state->period_end) {
            fact->kind = SP_FACT_PERIOD_PAID;
            fact->renewal_id = subscription->id;
            fact->payment_id = fact->invoice_id = fact->charge_id;
            fact->period_start = state->period_start;
            fact->period_end = state->period_end;
        }
        if (fact->kind == SP_FACT_PERIOD_PAID) {
            APR_ARRAY_PUSH(facts, sp_fact_t *) = fact;
            has_last |= is_last;
        }
    }
    return has_last;
}

/* The latest period, where the list lags behind the subscription or there is none. A
 * transaction that was declined is no period. */
static sp_outcome_t add_last(sp_ctx_t *ctx, const sp_account_t *account,
                             const sp_creem_subscription_t *subscription,
                             const sp_fact_t *state, apr_array_header_t *facts)
{
    sp_fact_t *fact = apr_pmemdup(ctx->pool, state, sizeof(*state));
    sp_outcome_t out;

    if (make_paid(subscription, fact)) {
        return SP_DONE;
    }
    out = sp_creem_period_complete(ctx, account, fact);
    if (out == SP_DONE) {
        APR_ARRAY_PUSH(facts, sp_fact_t *) = fact;
    }
    return out == SP_DONE || is(ctx->code, "payment_unknown") ||
                   is(ctx->code, "not_found")
               ? SP_DONE
               : out;
}

static sp_outcome_t find_periods(sp_ctx_t *ctx, const sp_account_t *account,
                                 const sp_creem_subscription_t *subscription,
                                 const sp_fact_t *state, apr_array_header_t *facts)
{
    apr_array_header_t *all = apr_array_make(ctx->pool, 8, sizeof(sp_fact_t *));
    sp_outcome_t out = SP_DONE;

    if (state->customer_id) {
        out = sp_creem_transactions(ctx, account, "customer_id", state->customer_id,
                                    &state->amount, all);
    }
    if (out != SP_DONE || keep_periods(subscription, state, all, facts)) {
        return out;
    }
    return add_last(ctx, account, subscription, state, facts);
}

sp_outcome_t sp_creem_renewal_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                    const char *renewal_id,
                                    apr_array_header_t **facts)
{
    sp_creem_reader_t reader = sp_creem_reader(ctx);
    sp_creem_subscription_t subscription = { .id = NULL };
    apr_interval_time_t patience = ctx->patience;
    apr_time_t deadline = sp_call_deadline(ctx);
    sp_fact_t *state, *failed;
    sp_outcome_t out = fetch(ctx, account, renewal_id, &subscription, &state);
    int word;

    *facts = apr_array_make(ctx->pool, 8, sizeof(sp_fact_t *));
    if (out == SP_DONE) {
        sp_call_share_time(ctx, deadline);
        out = find_periods(ctx, account, &subscription, state, *facts);
    }
    ctx->patience = patience;
    if (out != SP_DONE) {
        return out;
    }
    word = word_of(NULL, subscription.status);
    if (word >= 0 && words[word].is_unpaid && state->period_end) {
        failed = apr_pmemdup(ctx->pool, state, sizeof(*state));
        make_failed(&reader, failed);
        APR_ARRAY_PUSH(*facts, sp_fact_t *) = failed;
    }
    make_state(word, state);
    APR_ARRAY_PUSH(*facts, sp_fact_t *) = state;
    return SP_DONE;
}

/* -- Stop, and go on ------------------------------------------------------------------------ */

static sp_outcome_t fetch_state(sp_ctx_t *ctx, const sp_account_t *account,
                                const char *id, sp_fact_t **fact)
{
    sp_creem_subscription_t subscription = { .id = NULL };
    sp_outcome_t out = fetch(ctx, account, id, &subscription, fact);

    if (out == SP_DONE) {
        make_state(word_of(NULL, subscription.status), *fact);
    }
    return out == SP_DONE && !(*fact)->status
               ? sp_call_unreadable(ctx, "fetch subscription", "status is unknown")
               : out;
}

static sp_outcome_t send_stop(sp_ctx_t *ctx, const sp_account_t *account,
                              const char *id, int stop)
{
    sp_slice_t body;

    return sp_creem_post(ctx, account, stop ? "stop renewal" : "resume renewal",
                         apr_pstrcat(ctx->pool, "/v1/subscriptions/", id,
                                     stop ? "/cancel" : "/resume", NULL),
                         stop ? "{\"mode\":\"scheduled\"}" : "{}", &body);
}

/* No keys for repeats: look first, and do only what is still to be done. What became of
 * it the subscription tells, whatever the answer was. */
sp_outcome_t sp_creem_renewal_stop(sp_ctx_t *ctx, const sp_account_t *account,
                                   const char *renewal_id, int stop,
                                   sp_fact_t **fact)
{
    apr_interval_time_t patience = ctx->patience;
    apr_time_t deadline = sp_call_deadline(ctx);
    sp_outcome_t out = fetch_state(ctx, account, renewal_id, fact);

    if (out == SP_DONE && !stop && is((*fact)->status, "ended")) {
        return sp_end(ctx, SP_REFUSED, "provider_refused", NULL);
    }
    if (out == SP_DONE && is((*fact)->status, stop ? "active" : "stopping")) {
        sp_call_share_time(ctx, deadline);
        out = send_stop(ctx, account, renewal_id, stop);
        if (out == SP_DONE) {
            sp_call_share_time(ctx, deadline);
            out = fetch_state(ctx, account, renewal_id, fact);
        }
    }
    ctx->patience = patience;
    return out;
}

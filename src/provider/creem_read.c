/*
 * creem_read.c - Creem's objects and events, turned into facts.
 *
 * Room: provider.
 * Source: Creem API reference, v1; its webhook samples. Enums are open: a word we do
 * not know never counts as money moved.
 */
#include <apr_lib.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider/creem.h"
#include "util/text.h"

static int is(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

sp_creem_reader_t sp_creem_reader(const sp_ctx_t *ctx)
{
    sp_creem_reader_t reader = { ctx->pool, ctx->settings, apr_time_now() };

    return reader;
}

sp_fact_t *sp_creem_new_fact(const sp_creem_reader_t *reader, const char *mode)
{
    sp_fact_t *fact = apr_pcalloc(reader->pool, sizeof(*fact));

    fact->provider = "creem";
    fact->mode = !mode ? reader->settings->mode : is(mode, "prod") ? "live" : "test";
    fact->at = reader->now;
    return fact;
}

static const char *set_currency(sp_money_t *money, const char *currency)
{
    return sp_money_currency(currency, money)
               ? NULL
               : "currency is no code of three letters";
}

apr_time_t sp_creem_time(const sp_slice_t *bytes)
{
    apr_time_exp_t at = { 0 };
    apr_time_t time = 0;
    char text[32];
    apr_size_t len = bytes->len < sizeof(text) - 1 ? bytes->len : sizeof(text) - 1;

    if (!bytes->data) {
        return 0;
    }
    memcpy(text, bytes->data, len);
    text[len] = '\0';
    if (apr_isdigit(*text)) {
        return len <= 15 ? apr_time_from_msec(apr_atoi64(text)) : 0;
    }
    if (sscanf(text, "\"%4d-%2d-%2dT%2d:%2d:%2d", &at.tm_year, &at.tm_mon,
               &at.tm_mday, &at.tm_hour, &at.tm_min, &at.tm_sec) != 6) {
        return 0;
    }
    at.tm_year -= 1900;
    at.tm_mon -= 1;
    return at.tm_year >= 70 && at.tm_mon >= 0 && at.tm_mon < 12 &&
                   apr_time_exp_gmt_get(&time, &at) == APR_SUCCESS
               ? time
               : 0;
}

const char *sp_creem_read_linked(const sp_creem_reader_t *reader,
                                 const sp_slice_t *linked,
                                 const sp_scan_shape_t *shape, void *into,
                                 const char **id)
{
    if (!linked->data) {
        return NULL;
    }
    if (*linked->data == '{') {
        return sp_scan_whole(reader->pool, linked->data, linked->len, shape, into);
    }
    if (linked->len < 3 || *linked->data != '"') {
        return "an id is no text";
    }
    *id = apr_pstrmemdup(reader->pool, linked->data + 1, linked->len - 2);
    return sp_creem_is_id(*id, "") ? NULL : "an id is unreadable";
}

/* -- Checkout ------------------------------------------------------------------------ */

/* What a finished checkout holds. */
typedef struct parts_t {
    sp_creem_order_t order;
    sp_creem_product_t product;
    sp_creem_customer_t customer;
} parts_t;

static const char *read_parts(const sp_creem_reader_t *reader,
                              const sp_creem_checkout_t *checkout, parts_t *parts)
{
    const char *why =
        sp_creem_read_linked(reader, &checkout->order, &sp_creem_order_shape,
                             &parts->order, &parts->order.id);

    if (!why) {
        why =
            sp_creem_read_linked(reader, &checkout->product, &sp_creem_product_shape,
                                 &parts->product, &parts->product.id);
    }
    return why ? why
               : sp_creem_read_linked(reader, &checkout->customer,
                                      &sp_creem_customer_shape, &parts->customer,
                                      &parts->customer.id);
}

static sp_fact_kind_t checkout_kind(const sp_creem_checkout_t *checkout,
                                    const sp_creem_order_t *order)
{
    if (is(checkout->status, "completed")) {
        /* Without the order's own word somebody has to ask for the money. */
        return is(order->status, "paid") && order->currency
                   ? SP_FACT_PAYMENT_SUCCEEDED
                   : SP_FACT_PAYMENT_PROCESSING;
    }
    if (is(checkout->status, "pending")) {
        return SP_FACT_CHECKOUT_OPEN;
    }
    return is(checkout->status, "expired") ? SP_FACT_CHECKOUT_EXPIRED
                                           : SP_FACT_IGNORED;
}

/* Our price, and the product's as it is there; each where its currency is the one. */
static void list_prices(const sp_fact_t *fact, const sp_creem_product_t *product,
                        int64_t lists[2])
{
    const char *currency = fact->amount.currency;

    lists[0] = product->currency && !strcasecmp(product->currency, currency)
                   ? product->price
                   : 0;
    lists[1] = strcmp(fact->price.currency, currency) ? 0 : fact->price.minor;
}

static const char *set_checkout_payment(sp_fact_t *fact, const parts_t *parts)
{
    const sp_creem_order_t *order = &parts->order;
    int64_t lists[2];
    const char *why;

    fact->payment_id = order->id;
    fact->charge_id = order->transaction;
    if (fact->kind != SP_FACT_PAYMENT_SUCCEEDED) {
        return NULL;
    }
    why = set_currency(&fact->amount, order->currency);
    list_prices(fact, &parts->product, lists);
    fact->amount.minor = sp_creem_sum_net(&order->sums, lists);
    fact->paid_at = sp_creem_time(&order->updated);
    if (fact->paid_at > fact->at) {
        fact->paid_at = fact->at;
    }
    return why ? why : fact->amount.minor < 0 ? "an amount is negative" : NULL;
}

static const char *checkout_fact(const sp_creem_reader_t *reader,
                                 const sp_creem_checkout_t *checkout,
                                 sp_fact_t **made)
{
    parts_t parts = { .order = { .sums = SP_CREEM_NO_SUMS } };
    const char *why = read_parts(reader, checkout, &parts);
    sp_fact_t *fact = sp_creem_new_fact(reader, checkout->mode);

    if (why) {
        return why;
    }
    fact->kind = checkout_kind(checkout, &parts.order);
    fact->checkout_id = checkout->id;
    if (fact->kind == SP_FACT_CHECKOUT_OPEN) {
        fact->checkout_url = checkout->url;
    }
    fact->customer_id = parts.customer.id;
    fact->email =
        sp_text_email_problem(parts.customer.email) ? NULL : parts.customer.email;
    fact->name = sp_text_one_line(reader->pool, parts.customer.name);
    sp_snapshot_read(reader->pool, reader->settings, &checkout->metadata, fact);
    if (!fact->order_id && sp_text_is_uuid(checkout->request)) {
        fact->order_id = checkout->request;
    }
    *made = fact;
    why = set_checkout_payment(fact, &parts);
    return why ? why : sp_creem_first_period(reader, &checkout->subscription, fact);
}

const char *sp_creem_read_checkout(const sp_creem_reader_t *reader,
                                   const sp_slice_t *bytes, sp_fact_t **fact)
{
    sp_creem_checkout_t checkout = { .id = NULL };
    const char *why = sp_scan_whole(reader->pool, bytes->data, bytes->len,
                                    &sp_creem_checkout_shape, &checkout);

    return why ? why : checkout_fact(reader, &checkout, fact);
}

/* -- Transaction ---------------------------------------------------------------------- */

static int is_charged_back(const char *status)
{
    return is(status, "chargedBack") || is(status, "chargeback");
}

static sp_fact_kind_t payment_kind(const char *status)
{
    if (is(status, "paid") || is(status, "refunded") ||
        is(status, "partialRefund") || is_charged_back(status)) {
        return SP_FACT_PAYMENT_SUCCEEDED;
    }
    if (is(status, "pending")) {
        return SP_FACT_PAYMENT_PROCESSING;
    }
    if (is(status, "declined")) {
        return SP_FACT_PAYMENT_FAILED;
    }
    return is(status, "void") || is(status, "uncollectible") ? SP_FACT_PAYMENT_VOID
                                                             : SP_FACT_IGNORED;
}

int sp_creem_is_paid(const sp_fact_t *fact)
{
    return fact->kind == SP_FACT_PAYMENT_SUCCEEDED ||
           fact->kind == SP_FACT_PERIOD_PAID;
}

/* Whether periods share one order of Creem's is not written anywhere, so each is known
 * by its own transaction. */
static void set_period(const sp_creem_transaction_t *transaction, sp_fact_t *fact)
{
    fact->renewal_id = transaction->subscription;
    fact->payment_id = transaction->id;
    fact->invoice_id = transaction->id;
    fact->period_start = sp_creem_time(&transaction->starts);
    fact->period_end = sp_creem_time(&transaction->ends);
    if (fact->kind == SP_FACT_PAYMENT_SUCCEEDED &&
        fact->period_end > fact->period_start && fact->period_start) {
        fact->kind = SP_FACT_PERIOD_PAID;
    }
}

const char *sp_creem_make_payment(const sp_creem_reader_t *reader,
                                  const sp_creem_transaction_t *transaction,
                                  const sp_money_t *list, sp_fact_t **made)
{
    sp_fact_t *fact = sp_creem_new_fact(reader, transaction->mode);
    const char *why = set_currency(&fact->amount, transaction->currency);
    int64_t lists[2] = { 0, 0 };

    if (why) {
        return why;
    }
    if (strcmp(list->currency, fact->amount.currency) == 0) {
        lists[0] = list->minor;
    }
    fact->kind = payment_kind(transaction->status);
    fact->payment_id = transaction->order ? transaction->order : transaction->id;
    fact->charge_id = transaction->id;
    fact->customer_id = transaction->customer;
    fact->amount.minor = sp_creem_sum_net(&transaction->sums, lists);
    fact->amount_refunded = sp_creem_sum_share(
        &transaction->sums, fact->amount.minor, transaction->sums.refunded);
    fact->disputed = is_charged_back(transaction->status);
    fact->created = sp_creem_time(&transaction->created);
    if (fact->kind == SP_FACT_PAYMENT_SUCCEEDED) {
        fact->paid_at = fact->created;
    }
    else if (fact->kind != SP_FACT_PAYMENT_PROCESSING) {
        fact->failure = transaction->status;
    }
    if (transaction->subscription) {
        set_period(transaction, fact);
    }
    *made = fact;
    return fact->amount.minor < 0 ? "an amount is negative" : NULL;
}

/* -- Refund and dispute ----------------------------------------------------------------- */

static const char *refund_status(const char *status)
{
    if (is(status, "succeeded") || is(status, "failed")) {
        return status;
    }
    return is(status, "canceled") || is(status, "cancelled") ? "cancelled"
                                                             : "pending";
}

/* Which order a refund or dispute belongs to, and what its goods had cost. */
static const char *set_origin(const sp_creem_reader_t *reader,
                              const sp_creem_return_t *back, sp_fact_t *fact)
{
    sp_creem_transaction_t transaction = { .sums = SP_CREEM_NO_SUMS };
    sp_creem_order_t order = { .sums = SP_CREEM_NO_SUMS };
    sp_creem_checkout_t checkout = { .id = NULL };
    int64_t lists[2] = { 0, 0 };
    const char *why =
        sp_creem_read_linked(reader, &back->transaction, &sp_creem_transaction_shape,
                             &transaction, &transaction.id);

    if (!why) {
        why = sp_creem_read_linked(reader, &back->order, &sp_creem_order_shape,
                                   &order, &order.id);
    }
    if (!why && !transaction.currency) {
        why = "the transaction is only named";
    }
    if (why || (why = set_currency(&fact->amount, transaction.currency)) != NULL) {
        return why;
    }
    /* The metadata is a help, not a need: what is wrong with it is no harm. */
    if (!sp_creem_read_linked(reader, &back->checkout, &sp_creem_checkout_shape,
                              &checkout, &checkout.id)) {
        sp_snapshot_read(reader->pool, reader->settings, &checkout.metadata, fact);
        fact->checkout_id = checkout.id;
    }
    if (strcmp(fact->price.currency, fact->amount.currency) == 0) {
        lists[0] = fact->price.minor;
    }
    fact->payment_id = transaction.subscription || back->subscription
                           ? transaction.id
                       : order.id          ? order.id
                       : transaction.order ? transaction.order
                                           : transaction.id;
    fact->charge_id = transaction.id;
    fact->amount.minor = sp_creem_sum_share(
        &transaction.sums, sp_creem_sum_net(&transaction.sums, lists), back->amount);
    return fact->amount.minor > 0 ? NULL : "it is about no money";
}

static const char *read_return(const sp_creem_reader_t *reader,
                               const sp_slice_t *bytes, const sp_scan_shape_t *shape,
                               sp_creem_return_t *back, sp_fact_t **fact)
{
    const char *why =
        sp_scan_whole(reader->pool, bytes->data, bytes->len, shape, back);

    if (why) {
        return why;
    }
    *fact = sp_creem_new_fact(reader, back->mode);
    (*fact)->reason = back->reason;
    return set_origin(reader, back, *fact);
}

const char *sp_creem_read_refund(const sp_creem_reader_t *reader,
                                 const sp_slice_t *bytes, sp_fact_t **fact)
{
    sp_creem_return_t refund = { .id = NULL };
    const char *why =
        read_return(reader, bytes, &sp_creem_refund_shape, &refund, fact);

    if (why) {
        return why;
    }
    (*fact)->kind = SP_FACT_REFUND;
    (*fact)->refund_id = refund.id;
    (*fact)->status = refund_status(refund.status);
    return NULL;
}

const char *sp_creem_read_dispute(const sp_creem_reader_t *reader,
                                  const sp_slice_t *bytes, sp_fact_t **fact)
{
    sp_creem_return_t dispute = { .id = NULL };
    const char *why =
        read_return(reader, bytes, &sp_creem_dispute_shape, &dispute, fact);

    if (why) {
        return why;
    }
    (*fact)->kind = SP_FACT_DISPUTE;
    (*fact)->disputed = 1;
    (*fact)->dispute_id = dispute.id;
    (*fact)->status = "open";
    return NULL;
}

/* -- Events ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *(*read)(const sp_creem_reader_t *reader, const sp_slice_t *bytes,
                        sp_fact_t **fact);
} types[] = {
    { "checkout.completed", sp_creem_read_checkout },
    { "refund.created", sp_creem_read_refund },
    { "dispute.created", sp_creem_read_dispute },
};

static const char *read_inside(const sp_creem_reader_t *reader,
                               const sp_creem_event_t *event, sp_fact_t **fact)
{
    const char *why = NULL;
    apr_size_t i;

    if (strncmp(event->type, "subscription.", 13) == 0) {
        why = event->object.data ? sp_creem_read_subscription(reader, event->type,
                                                              &event->object, fact)
                                 : "object is missing";
    }
    for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (strcmp(types[i].name, event->type) == 0) {
            why = event->object.data ? types[i].read(reader, &event->object, fact)
                                     : "object is missing";
        }
    }
    return why ? apr_psprintf(reader->pool, "%s: %s", event->type, why) : NULL;
}

const char *sp_creem_read_event(const sp_creem_reader_t *reader,
                                const sp_slice_t *bytes, sp_fact_t **fact)
{
    sp_creem_event_t event = { .id = NULL };
    const char *why = sp_scan_whole(reader->pool, bytes->data, bytes->len,
                                    &sp_creem_event_shape, &event);
    apr_time_t at;

    *fact = NULL;
    if (!why) {
        why = read_inside(reader, &event, fact);
    }
    if (why) {
        return why;
    }
    if (!*fact) {
        *fact = sp_creem_new_fact(reader, NULL);
    }
    at = sp_creem_time(&event.created);
    (*fact)->event_id = event.id;
    (*fact)->event_type = event.type;
    if (at) {
        (*fact)->at = at;
        (*fact)->created = at;
    }
    if (sp_creem_is_paid(*fact)) {
        (*fact)->paid_at = (*fact)->at;
    }
    return NULL;
}

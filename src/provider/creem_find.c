/*
 * creem_find.c - a payment, by what people know of it; and sending it back.
 *
 * Room: provider.
 * Source: Creem API reference, "Get transactions", "Retrieve a customer", "Refunds".
 * A transaction knows no metadata, so what is found here tells nothing of whose order
 * it is, except to a database that has met the payment before.
 */
#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "provider/call.h"
#include "provider/creem.h"
#include "util/json.h"

#define PAGES 30
#define PAGE "50"

/* -- Lists of transactions -------------------------------------------------------- */

/* One page of them. */
typedef struct page_t {
    sp_creem_reader_t reader;
    const sp_money_t *list;
    apr_array_header_t *facts; /* of sp_fact_t * */
    const char *bad;           /* why one of them could not be read */
    sp_slice_t next;
} page_t;

static const char *take(void *into, sp_scan_t *scan)
{
    page_t *page = into;
    sp_creem_transaction_t transaction = { .sums = SP_CREEM_NO_SUMS };
    sp_fact_t *fact;
    const char *why;

    if (!sp_scan_read(scan, &sp_creem_transaction_shape, &transaction)) {
        return scan->error;
    }
    why = sp_creem_make_payment(&page->reader, &transaction, page->list, &fact);
    if (!why) {
        APR_ARRAY_PUSH(page->facts, sp_fact_t *) = fact;
    }
    return why;
}

static void refuse(void *into, const sp_slice_t *bytes, const char *why)
{
    (void)bytes;
    ((page_t *)into)->bad = why;
}

static const sp_scan_list_t list_of_transactions = { take, refuse };
static const sp_scan_field_t place_rows[] = {
    { "next_page", 9, SP_SCAN_RAW, 0, offsetof(page_t, next), NULL, NULL },
};
static const sp_scan_shape_t place_shape = { place_rows, 1 };
static const sp_scan_field_t page_rows[] = {
    { "items", 5, SP_SCAN_LIST, 1, 0, NULL, &list_of_transactions },
    { "pagination", 10, SP_SCAN_OBJECT, 0, 0, &place_shape, NULL },
};
static const sp_scan_shape_t page_shape = { page_rows, 2 };

static sp_outcome_t read_page(sp_ctx_t *ctx, const sp_account_t *account,
                              const char *name, const char *value, int number,
                              page_t *page)
{
    sp_query_t query;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;

    sp_query_start(&query, ctx->pool);
    sp_query_add(&query, name, value);
    sp_query_add_int(&query, "page_number", number);
    sp_query_add(&query, "page_size", PAGE);
    out = sp_creem_get(ctx, account, "find transactions", "/v1/transactions/search",
                       &query, &body);
    if (out != SP_DONE) {
        return out;
    }
    page->next.data = NULL;
    why = sp_scan_whole(ctx->pool, body.data, body.len, &page_shape, page);
    why = why ? why : page->bad;
    return why ? sp_call_unreadable(ctx, "find transactions", why) : SP_DONE;
}

sp_outcome_t sp_creem_transactions(sp_ctx_t *ctx, const sp_account_t *account,
                                   const char *name, const char *value,
                                   const sp_money_t *list, apr_array_header_t *facts)
{
    page_t page = { .reader = sp_creem_reader(ctx), .list = list, .facts = facts };
    apr_interval_time_t patience = ctx->patience;
    apr_time_t deadline = sp_call_deadline(ctx);
    sp_outcome_t out;
    int number = 1;

    do {
        out = read_page(ctx, account, name, value, number, &page);
        sp_call_share_time(ctx, deadline);
    } while (out == SP_DONE && page.next.data && ++number <= PAGES);
    ctx->patience = patience;
    if (out == SP_DONE && page.next.data) {
        return sp_end(ctx, SP_UNKNOWN, "provider_limit", NULL);
    }
    return out;
}

/* -- One payment -------------------------------------------------------------------- */

static sp_outcome_t not_found(sp_ctx_t *ctx)
{
    return sp_end(ctx, SP_REFUSED, "not_found",
                  "The payment provider does not know this payment.");
}

/* An order can have been tried with several cards: the money counts, else the last. */
sp_outcome_t sp_creem_order_payment(sp_ctx_t *ctx, const sp_account_t *account,
                                    const char *order_id, const sp_money_t *list,
                                    sp_fact_t **fact)
{
    apr_array_header_t *facts = apr_array_make(ctx->pool, 2, sizeof(sp_fact_t *));
    sp_outcome_t out =
        sp_creem_transactions(ctx, account, "order_id", order_id, list, facts);
    int i;

    if (out != SP_DONE) {
        return out;
    }
    if (facts->nelts == 0) {
        return not_found(ctx);
    }
    *fact = APR_ARRAY_IDX(facts, 0, sp_fact_t *);
    for (i = 1; i < facts->nelts; i++) {
        sp_fact_t *other = APR_ARRAY_IDX(facts, i, sp_fact_t *);

        if (!sp_creem_is_paid(*fact) &&
            (sp_creem_is_paid(other) || other->created > (*fact)->created)) {
            *fact = other;
        }
    }
    if (!(*fact)->renewal_id) {
        (*fact)->payment_id = order_id;
    }
    return SP_DONE;
}

sp_outcome_t sp_creem_transaction(sp_ctx_t *ctx, const sp_account_t *account,
                                  const char *id, const sp_money_t *list,
                                  sp_fact_t **fact)
{
    sp_creem_transaction_t transaction = { .sums = SP_CREEM_NO_SUMS };
    sp_creem_reader_t reader = sp_creem_reader(ctx);
    sp_query_t query;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;

    sp_query_start(&query, ctx->pool);
    sp_query_add(&query, "transaction_id", id);
    out = sp_creem_get(ctx, account, "fetch transaction", "/v1/transactions", &query,
                       &body);
    if (out != SP_DONE) {
        return out;
    }
    why = sp_scan_whole(ctx->pool, body.data, body.len, &sp_creem_transaction_shape,
                        &transaction);
    why = why ? why : sp_creem_make_payment(&reader, &transaction, list, fact);
    return why ? sp_call_unreadable(ctx, "fetch transaction", why) : SP_DONE;
}

sp_outcome_t sp_creem_payment_fetch(sp_ctx_t *ctx, const sp_account_t *account,
                                    const char *payment_id, sp_fact_t **fact)
{
    static const sp_money_t any = { 0, "" };

    if (sp_creem_is_id(payment_id, "ch_")) {
        return sp_creem_checkout_fetch(ctx, account, payment_id, fact);
    }
    if (sp_creem_is_id(payment_id, "ord_")) {
        return sp_creem_order_payment(ctx, account, payment_id, &any, fact);
    }
    return sp_creem_is_id(payment_id, "tran_")
               ? sp_creem_transaction(ctx, account, payment_id, &any, fact)
               : not_found(ctx);
}

/* -- By description ------------------------------------------------------------------- */

static int is_payment(const sp_fact_t *fact)
{
    return sp_creem_is_paid(fact) || fact->kind == SP_FACT_PAYMENT_PROCESSING;
}

static sp_outcome_t find_by_email(sp_ctx_t *ctx, const sp_account_t *account,
                                  const char *email, apr_array_header_t *facts)
{
    static const sp_money_t any = { 0, "" };
    sp_creem_customer_t customer = { .id = NULL };
    apr_array_header_t *all = apr_array_make(ctx->pool, 4, sizeof(sp_fact_t *));
    sp_query_t query;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;
    int i;

    sp_query_start(&query, ctx->pool);
    sp_query_add(&query, "email", email);
    out =
        sp_creem_get(ctx, account, "find customer", "/v1/customers", &query, &body);
    if (out != SP_DONE) {
        return out == SP_REFUSED && !strcmp(ctx->code, "not_found") ? SP_DONE : out;
    }
    why = sp_scan_whole(ctx->pool, body.data, body.len, &sp_creem_customer_shape,
                        &customer);
    if (why) {
        return sp_call_unreadable(ctx, "find customer", why);
    }
    out = sp_creem_transactions(ctx, account, "customer_id", customer.id, &any, all);
    for (i = 0; out == SP_DONE && i < all->nelts; i++) {
        sp_fact_t *fact = APR_ARRAY_IDX(all, i, sp_fact_t *);

        if (is_payment(fact)) {
            fact->email = email;
            APR_ARRAY_PUSH(facts, sp_fact_t *) = fact;
        }
    }
    return out;
}

static sp_outcome_t find_by_id(sp_ctx_t *ctx, const sp_account_t *account,
                               const char *id, apr_array_header_t *facts)
{
    sp_fact_t *fact;
    sp_outcome_t out = sp_creem_payment_fetch(ctx, account, id, &fact);

    if (out == SP_REFUSED && strcmp(ctx->code, "not_found") == 0) {
        return SP_DONE;
    }
    if (out == SP_DONE && fact->payment_id && is_payment(fact)) {
        APR_ARRAY_PUSH(facts, sp_fact_t *) = fact;
    }
    return out;
}

sp_outcome_t sp_creem_payments_find(sp_ctx_t *ctx, const sp_account_t *account,
                                    const sp_find_t *find,
                                    apr_array_header_t **facts)
{
    apr_interval_time_t patience = ctx->patience;
    sp_outcome_t out;

    *facts = apr_array_make(ctx->pool, 4, sizeof(sp_fact_t *));
    if (find->payment_id) {
        out = find_by_id(ctx, account, find->payment_id, *facts);
    }
    else if (find->email) {
        out = find_by_email(ctx, account, find->email, *facts);
    }
    else {
        /* It tells nobody which card was used, so "there is none" would be a guess. */
        out = sp_end(ctx, SP_UNKNOWN, "provider_cannot", NULL);
    }
    ctx->patience = patience;
    return out;
}

/* -- Refund ---------------------------------------------------------------------------- */

static const char *read_made(const sp_ctx_t *ctx, const sp_refund_ask_t *ask,
                             const sp_fact_t *payment, const sp_slice_t *body,
                             sp_fact_t **fact)
{
    static const sp_scan_field_t rows[] = {
        { "id", 2, SP_SCAN_TEXT, 1, offsetof(sp_fact_t, refund_id), NULL, NULL },
        { "status", 6, SP_SCAN_TEXT, 0, offsetof(sp_fact_t, status), NULL, NULL },
    };
    static const sp_scan_shape_t shape = { rows, 2 };
    sp_fact_t *made = apr_pcalloc(ctx->pool, sizeof(*made));
    const char *why = sp_scan_whole(ctx->pool, body->data, body->len, &shape, made);

    made->kind = SP_FACT_REFUND;
    made->provider = payment->provider;
    made->mode = payment->mode;
    made->at = apr_time_now();
    made->payment_id = ask->payment_id;
    made->charge_id = payment->charge_id;
    made->order_id = ask->order_id;
    made->amount = ask->amount;
    made->reason = ask->reason;
    if (!made->status || strcmp(made->status, "succeeded") != 0) {
        made->status = "pending"; /* until refund.created says more */
    }
    *fact = made;
    return why;
}

/* All that remains goes back, or nothing: asked again, there is nothing left to give,
 * so a lost answer cannot become a second refund. */
sp_outcome_t sp_creem_refund(sp_ctx_t *ctx, const sp_account_t *account,
                             const sp_refund_ask_t *ask, sp_fact_t **fact)
{
    apr_interval_time_t patience = ctx->patience;
    apr_time_t deadline = sp_call_deadline(ctx);
    json_t *json = sp_json_object(ctx->pool);
    sp_fact_t *payment;
    sp_slice_t body;
    sp_outcome_t out;
    const char *why;

    out = sp_creem_payment_fetch(ctx, account, ask->payment_id, &payment);
    if (out != SP_DONE) {
        return out;
    }
    if (!payment->charge_id || !sp_creem_is_paid(payment) ||
        payment->amount.minor - payment->amount_refunded != ask->amount.minor) {
        return sp_end(ctx, SP_REFUSED, "provider_refused",
                      "Creem gives back the whole remaining amount only.");
    }
    sp_json_set_text(json, "transaction_id", payment->charge_id);
    sp_call_share_time(ctx, deadline);
    out = sp_creem_post(ctx, account, "refund", "/v1/refunds",
                        sp_json_dump(ctx->pool, json), &body);
    ctx->patience = patience;
    if (out != SP_DONE) {
        return out;
    }
    why = read_made(ctx, ask, payment, &body, fact);
    return why ? sp_call_unreadable(ctx, "refund", why) : SP_DONE;
}

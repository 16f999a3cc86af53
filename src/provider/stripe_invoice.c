/*
 * stripe_invoice.c - Stripe's invoices: the periods of plans that renew.
 *
 * Room: provider.
 * Source: Stripe API reference, "Invoices", "Invoice payments", version
 * 2026-07-29.dahlia. Since 2025-03-31.basil an invoice names its subscription in
 * parent.subscription_details, and its payments only where they are asked for; an
 * endpoint that is pinned to an older version still writes the older members.
 */
#include "provider/stripe.h"

#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "provider/call.h"
#include "provider/snapshot.h"
#include "util/text.h"

typedef struct invoice_t {
    sp_snapshot_t metadata; /* of the subscription; first: one shape reads it */
    const char *id;
    const char *status;
    const char *reason;
    const char *currency;
    const char *customer;
    const char *email;
    const char *name;
    const char *url;
    const char *subscription;
    const char *subscription_before_basil;
    const char *intent; /* of the payment that counts */
    int64_t amount_paid;
    int64_t amount_due;
    int64_t created;
    int64_t paid_at;
    int64_t attempts;
    int64_t next_attempt;
    int64_t period_start;
    int64_t period_end;
    int has_payments; /* the list of payments was there */
    int livemode;
} invoice_t;

#define ROW(type, text, KIND, must, member)                                         \
    {                                                                               \
        text, sizeof(text) - 1, SP_SCAN_##KIND, must, offsetof(type, member), NULL, \
            NULL                                                                    \
    }
#define NEST(text, shape)                                            \
    {                                                                \
        text, sizeof(text) - 1, SP_SCAN_OBJECT, 0, 0, &(shape), NULL \
    }
#define EACH(text, list)                                          \
    {                                                             \
        text, sizeof(text) - 1, SP_SCAN_LIST, 0, 0, NULL, &(list) \
    }
#define ALL(rows)                            \
    {                                        \
        rows, sizeof(rows) / sizeof(*(rows)) \
    }

/* -- Lines: which time was paid for ------------------------------------------------ */

typedef struct line_t {
    int64_t start;
    int64_t end;
} line_t;

static const sp_scan_field_t span_rows[] = {
    ROW(line_t, "end", SECONDS, 0, end),
    ROW(line_t, "start", SECONDS, 0, start),
};
static const sp_scan_shape_t span_shape = ALL(span_rows);

static const sp_scan_field_t line_rows[] = {
    NEST("period", span_shape),
};
static const sp_scan_shape_t line_shape = ALL(line_rows);

/* The one that reaches furthest: others of the same invoice settle what was before. */
static const char *take_line(void *into, sp_scan_t *scan)
{
    invoice_t *invoice = into;
    line_t line = { 0, 0 };

    if (!sp_scan_read(scan, &line_shape, &line)) {
        return scan->error;
    }
    if (line.end > invoice->period_end && line.end > line.start) {
        invoice->period_start = line.start;
        invoice->period_end = line.end;
    }
    return NULL;
}

static void pass_over(void *into, const sp_slice_t *bytes, const char *why)
{
    (void)into;
    (void)bytes;
    (void)why;
}

static const sp_scan_list_t line_list = { take_line, pass_over };

static const sp_scan_field_t lines_rows[] = {
    EACH("data", line_list),
};
static const sp_scan_shape_t lines_shape = ALL(lines_rows);

/* -- Payments ------------------------------------------------------------------------ */

typedef struct payment_t {
    const char *status;
    const char *intent;
} payment_t;

static const sp_scan_field_t paid_by_rows[] = {
    ROW(payment_t, "payment_intent", ID, 0, intent),
};
static const sp_scan_shape_t paid_by_shape = ALL(paid_by_rows);

static const sp_scan_field_t payment_rows[] = {
    NEST("payment", paid_by_shape),
    ROW(payment_t, "status", TEXT, 0, status),
};
static const sp_scan_shape_t payment_shape = ALL(payment_rows);

static const char *take_payment(void *into, sp_scan_t *scan)
{
    invoice_t *invoice = into;
    payment_t payment = { NULL, NULL };

    if (!sp_scan_read(scan, &payment_shape, &payment)) {
        return scan->error;
    }
    if (payment.status && strcmp(payment.status, "paid") == 0 && payment.intent) {
        invoice->intent = payment.intent;
    }
    return NULL;
}

static const sp_scan_list_t payment_list = { take_payment, pass_over };

static const sp_scan_field_t payments_rows[] = {
    EACH("data", payment_list),
    ROW(invoice_t, "has_more", BOOL, 0, has_payments),
};
static const sp_scan_shape_t payments_shape = ALL(payments_rows);

/* -- The invoice ---------------------------------------------------------------------- */

static const sp_scan_field_t details_rows[] = {
    NEST("metadata", sp_snapshot_shape),
    ROW(invoice_t, "subscription", ID, 0, subscription),
};
static const sp_scan_shape_t details_shape = ALL(details_rows);

static const sp_scan_field_t parent_rows[] = {
    NEST("subscription_details", details_shape),
};
static const sp_scan_shape_t parent_shape = ALL(parent_rows);

static const sp_scan_field_t before_basil_rows[] = {
    NEST("metadata", sp_snapshot_shape),
};
static const sp_scan_shape_t before_basil_shape = ALL(before_basil_rows);

static const sp_scan_field_t moments_rows[] = {
    ROW(invoice_t, "paid_at", SECONDS, 0, paid_at),
};
static const sp_scan_shape_t moments_shape = ALL(moments_rows);

static const sp_scan_field_t invoice_rows[] = {
    ROW(invoice_t, "id", TEXT, 1, id),
    ROW(invoice_t, "amount_due", INT, 1, amount_due),
    ROW(invoice_t, "amount_paid", INT, 1, amount_paid),
    ROW(invoice_t, "attempt_count", INT, 0, attempts),
    ROW(invoice_t, "billing_reason", TEXT, 0, reason),
    ROW(invoice_t, "created", SECONDS, 1, created),
    ROW(invoice_t, "currency", TEXT, 1, currency),
    ROW(invoice_t, "customer", ID, 0, customer),
    ROW(invoice_t, "customer_email", TEXT, 0, email),
    ROW(invoice_t, "customer_name", TEXT, 0, name),
    ROW(invoice_t, "hosted_invoice_url", TEXT, 0, url),
    NEST("lines", lines_shape),
    ROW(invoice_t, "livemode", BOOL, 1, livemode),
    ROW(invoice_t, "next_payment_attempt", SECONDS, 0, next_attempt),
    NEST("parent", parent_shape),
    NEST("payments", payments_shape),
    ROW(invoice_t, "status", TEXT, 0, status),
    NEST("status_transitions", moments_shape),
    ROW(invoice_t, "subscription", ID, 0, subscription_before_basil),
    NEST("subscription_details", before_basil_shape),
};
static const sp_scan_shape_t invoice_shape = ALL(invoice_rows);

static int is(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

/* The first period is paid for on the payment page, which tells of its own declines;
 * and an invoice that nobody has tried to collect yet is no news. */
static sp_fact_kind_t invoice_kind(const invoice_t *invoice, const sp_fact_t *fact)
{
    if (!fact->renewal_id) {
        return SP_FACT_IGNORED; /* written by hand, or for something else */
    }
    if (is(invoice->status, "paid")) {
        return SP_FACT_PERIOD_PAID;
    }
    return is(invoice->status, "open") && invoice->attempts > 0 && !fact->is_first
               ? SP_FACT_PERIOD_FAILED
               : SP_FACT_IGNORED;
}

/* Where nothing was due, or it was paid in another way, the invoice itself stands for
 * the payment. */
static const char *payment_of(const invoice_t *invoice)
{
    return invoice->intent                                       ? invoice->intent
           : invoice->has_payments == 0 || !invoice->amount_paid ? invoice->id
                                                                 : NULL;
}

static void set_period(const sp_stripe_reader_t *reader, const invoice_t *invoice,
                       sp_fact_t *fact)
{
    fact->invoice_id = invoice->id;
    fact->renewal_id = invoice->subscription ? invoice->subscription
                                             : invoice->subscription_before_basil;
    fact->is_first = is(invoice->reason, "subscription_create");
    fact->period_start = apr_time_from_sec(invoice->period_start);
    fact->period_end = apr_time_from_sec(invoice->period_end);
    fact->tries = invoice->attempts;
    fact->next_try = apr_time_from_sec(invoice->next_attempt);
    fact->customer_id = invoice->customer;
    fact->email = sp_text_email_problem(invoice->email) ? NULL : invoice->email;
    fact->name = sp_text_one_line(reader->pool, invoice->name);
}

const char *sp_stripe_take_invoice(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                   sp_fact_t **made)
{
    invoice_t invoice = { .has_payments = -1 };
    sp_fact_t *fact;

    if (!sp_scan_read(scan, &invoice_shape, &invoice)) {
        return scan->error;
    }
    fact = sp_stripe_new_fact(reader, invoice.livemode);
    set_period(reader, &invoice, fact);
    fact->created = apr_time_from_sec(invoice.created);
    fact->kind = invoice_kind(&invoice, fact);
    if (fact->kind == SP_FACT_PERIOD_PAID) {
        fact->paid_at = apr_time_from_sec(invoice.paid_at);
        fact->payment_id = payment_of(&invoice);
    }
    if (fact->kind == SP_FACT_PERIOD_FAILED) {
        fact->pay_url = invoice.url;
    }
    sp_snapshot_read(reader->pool, reader->settings, &invoice.metadata, fact);
    *made = fact;
    if (fact->kind != SP_FACT_IGNORED && !invoice.period_end) {
        return "no line of it says which time it is for";
    }
    return sp_stripe_money(&fact->amount,
                           fact->kind == SP_FACT_PERIOD_PAID ? invoice.amount_paid
                                                             : invoice.amount_due,
                           invoice.currency);
}

/* -- Complete -------------------------------------------------------------------------- */

/* What the payment knows and an invoice does not. */
static void add_payment(sp_fact_t *fact, const sp_fact_t *payment)
{
    fact->charge_id = payment->charge_id;
    fact->amount_refunded = payment->amount_refunded;
    fact->disputed = payment->disputed;
    fact->card_brand = payment->card_brand;
    fact->card_last4 = payment->card_last4;
    fact->statement = payment->statement;
    fact->receipt_url = payment->receipt_url;
    if (!fact->email) {
        fact->email = payment->email;
    }
    if (!fact->name) {
        fact->name = payment->name;
    }
}

/* The invoice's own words about the period; the envelope stays. */
static void add_invoice(sp_fact_t *fact, const sp_fact_t *invoice)
{
    fact->payment_id = invoice->payment_id;
    fact->amount = invoice->amount;
    fact->period_start = invoice->period_start;
    fact->period_end = invoice->period_end;
    fact->is_first = invoice->is_first;
    fact->renewal_id = invoice->renewal_id;
    fact->customer_id = invoice->customer_id;
    if (!fact->paid_at) {
        fact->paid_at = invoice->paid_at;
    }
}

static sp_outcome_t fetch_invoice(sp_ctx_t *ctx, const sp_account_t *account,
                                  const char *invoice_id, sp_fact_t **invoice)
{
    if (!sp_stripe_is_id(invoice_id, "in_")) {
        return sp_end(ctx, SP_REFUSED, "not_found", NULL);
    }
    return sp_stripe_fetch(ctx, account, "fetch invoice",
                           apr_pstrcat(ctx->pool, "/v1/invoices/", invoice_id, NULL),
                           "payments", sp_stripe_take_invoice, invoice);
}

static const sp_scan_field_t link_rows[] = {
    ROW(sp_fact_t, "id", TEXT, 1, charge_id), /* what the list goes by */
    ROW(sp_fact_t, "invoice", ID, 0, invoice_id),
};
static const sp_scan_shape_t link_shape = ALL(link_rows);

static const char *take_link(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                             sp_fact_t **fact)
{
    *fact = apr_pcalloc(reader->pool, sizeof(**fact));
    return sp_scan_read(scan, &link_shape, *fact) ? NULL : scan->error;
}

sp_outcome_t sp_stripe_period_of(sp_ctx_t *ctx, const sp_account_t *account,
                                 sp_fact_t **payment)
{
    const sp_stripe_list_t links = { .what = "find invoice of a payment",
                                     .path = "/v1/invoice_payments",
                                     .take = take_link,
                                     .ask = { .limit = 1 },
                                     .params = { "payment[type]", "payment_intent",
                                                 "payment[payment_intent]",
                                                 (*payment)->payment_id } };
    sp_fact_t *period;
    sp_page_t page;
    sp_outcome_t out = sp_stripe_page(ctx, account, &links, &page);

    if (out != SP_DONE || page.facts->nelts == 0) {
        return out;
    }
    out = fetch_invoice(ctx, account,
                        APR_ARRAY_IDX(page.facts, 0, sp_fact_t *)->invoice_id,
                        &period);
    if (out == SP_DONE && period->kind == SP_FACT_PERIOD_PAID) {
        add_payment(period, *payment);
        *payment = period;
    }
    return out;
}

sp_outcome_t sp_stripe_period_complete(sp_ctx_t *ctx, const sp_account_t *account,
                                       sp_fact_t *fact)
{
    sp_fact_t *invoice, *payment;
    sp_outcome_t out;

    if (!fact->payment_id) {
        out = fetch_invoice(ctx, account, fact->invoice_id, &invoice);
        if (out != SP_DONE) {
            return out;
        }
        if (invoice->kind != SP_FACT_PERIOD_PAID || !invoice->payment_id) {
            return sp_end(ctx, SP_UNKNOWN, "payment_unknown", NULL);
        }
        add_invoice(fact, invoice);
    }
    if (!fact->charge_id && sp_stripe_is_id(fact->payment_id, "pi_") &&
        sp_stripe_intent_fetch(ctx, account, fact->payment_id, &payment) ==
            SP_DONE) {
        add_payment(fact, payment);
    }
    return SP_DONE;
}

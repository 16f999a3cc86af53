/*
 * stripe_read.c - Stripe's objects, turned into facts.
 *
 * Room: provider.
 * Source: Stripe API reference, version 2026-07-29.dahlia. Enums are open: a word we
 * do not know never counts as money moved.
 */
#include "provider/stripe.h"

#include <apr_strings.h>
#include <string.h>

#include "provider/snapshot.h"
#include "provider/stripe_shape.h"
#include "util/text.h"

/* A word of Stripe's, and what it is to us. */
typedef struct word_t {
    const char *theirs;
    const char *ours;
} word_t;

static int is(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

static const char *translate(const word_t *words, const char *theirs,
                             const char *otherwise)
{
    for (; words->theirs; words++) {
        if (is(theirs, words->theirs)) {
            return words->ours;
        }
    }
    return otherwise;
}

sp_stripe_reader_t sp_stripe_reader(const sp_ctx_t *ctx)
{
    sp_stripe_reader_t reader = { ctx->pool, ctx->settings, apr_time_now() };

    return reader;
}

sp_fact_t *sp_stripe_new_fact(const sp_stripe_reader_t *reader, int livemode)
{
    sp_fact_t *fact = apr_pcalloc(reader->pool, sizeof(*fact));

    fact->provider = "stripe";
    fact->mode = livemode ? "live" : "test";
    fact->at = reader->now;
    return fact;
}

const char *sp_stripe_money(sp_money_t *money, int64_t minor, const char *currency)
{
    int i;

    for (i = 0; i < 3 && currency[i] >= 'a' && currency[i] <= 'z'; i++) {
        money->currency[i] = (char)(currency[i] - 'a' + 'A');
    }
    if (i != 3 || currency[3]) {
        return "currency is no code of three letters";
    }
    if (minor < 0) {
        return "an amount is negative";
    }
    money->minor = minor;
    return NULL;
}

/* An address that no mail could be sent to is as good as none: the order has one. */
static const char *usable_email(const char *email)
{
    return sp_text_email_problem(email) ? NULL : email;
}

/* -- Charge --------------------------------------------------------------------- */

static sp_fact_kind_t charge_kind(const sp_stripe_charge_t *charge)
{
    if (is(charge->status, "succeeded") && charge->captured) {
        return SP_FACT_PAYMENT_SUCCEEDED;
    }
    if (is(charge->status, "succeeded")) {
        /* The card was only asked whether it would. A reservation that was let go, or
         * whose time is over, counts as refunded. Whether one is waiting to be taken by
         * us, or will be by Stripe in a moment, only the PaymentIntent knows. */
        return charge->refunded ? SP_FACT_PAYMENT_VOID : SP_FACT_PAYMENT_PROCESSING;
    }
    if (is(charge->status, "pending")) {
        return SP_FACT_PAYMENT_PROCESSING;
    }
    return is(charge->status, "failed") ? SP_FACT_PAYMENT_FAILED : SP_FACT_IGNORED;
}

/* When the money moved. A card is charged when its charge is made; a bank debit is
 * made days before it succeeds, and the charge does not tell when that was. */
static apr_time_t charge_time(const sp_stripe_charge_t *charge)
{
    if (charge->method && !is(charge->method, "card") &&
        !is(charge->method, "link")) {
        return 0;
    }
    return apr_time_from_sec(charge->created);
}

static void set_payer(const sp_stripe_reader_t *reader, sp_fact_t *fact,
                      const sp_stripe_charge_t *charge)
{
    fact->email = usable_email(charge->email);
    if (!fact->email) {
        fact->email = usable_email(charge->receipt_email);
    }
    fact->name = sp_text_one_line(reader->pool, charge->name);
    fact->card_brand = sp_text_one_line(reader->pool, charge->brand);
    fact->card_last4 = sp_text_one_line(reader->pool, charge->last4);
    fact->statement = sp_text_one_line(reader->pool, charge->statement);
}

/* What went back of the money that was taken: where less was taken than reserved, Stripe
 * counts the rest as refunded. */
static int64_t charge_refunded(const sp_stripe_charge_t *charge)
{
    int64_t never_taken =
        charge->captured ? charge->amount - charge->amount_captured : charge->amount;

    return charge->amount_refunded > never_taken
               ? charge->amount_refunded - never_taken
               : 0;
}

static const char *charge_fact(const sp_stripe_reader_t *reader,
                               const sp_stripe_charge_t *charge, sp_fact_t **made)
{
    sp_fact_t *fact = sp_stripe_new_fact(reader, charge->livemode);
    const char *why = sp_stripe_money(
        &fact->amount, charge->captured ? charge->amount_captured : charge->amount,
        charge->currency);

    if (why || charge->amount_refunded < 0) {
        return why ? why : "amount_refunded is negative";
    }
    fact->kind = charge_kind(charge);
    fact->payment_id = charge->payment_intent ? charge->payment_intent : charge->id;
    fact->charge_id = charge->id;
    fact->customer_id = charge->customer;
    fact->amount_refunded = charge_refunded(charge);
    fact->disputed = charge->disputed;
    fact->failure = charge->failure;
    fact->receipt_url = charge->receipt_url;
    fact->created = apr_time_from_sec(charge->created);
    if (fact->kind == SP_FACT_PAYMENT_SUCCEEDED) {
        fact->paid_at = charge_time(charge);
    }
    fact->hold_until = apr_time_from_sec(charge->capture_before);
    set_payer(reader, fact, charge);
    sp_snapshot_read(reader->pool, reader->settings, &charge->metadata, fact);
    *made = fact;
    return NULL;
}

const char *sp_stripe_take_charge(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                  sp_fact_t **fact)
{
    sp_stripe_charge_t charge = { .amount_captured = INT64_MIN };

    if (!sp_scan_read(scan, &sp_stripe_charge_shape, &charge)) {
        return scan->error;
    }
    if (charge.amount_captured == INT64_MIN) {
        charge.amount_captured = charge.amount;
    }
    return charge_fact(reader, &charge, fact);
}

/* -- PaymentIntent ---------------------------------------------------------------- */

static sp_fact_kind_t intent_kind(const sp_stripe_intent_t *intent)
{
    if (is(intent->status, "succeeded")) {
        return SP_FACT_PAYMENT_SUCCEEDED;
    }
    if (is(intent->status, "requires_capture")) {
        return SP_FACT_PAYMENT_AUTHORISED;
    }
    if (is(intent->status, "processing")) {
        return SP_FACT_PAYMENT_PROCESSING;
    }
    if (is(intent->status, "canceled")) {
        /* Given up as a payment page is that expires; see stripe_checkout.c. */
        return is(intent->cancelled_for, "abandoned") ? SP_FACT_CHECKOUT_EXPIRED
                                                      : SP_FACT_PAYMENT_VOID;
    }
    if (is(intent->status, "requires_payment_method") && intent->error_type) {
        return SP_FACT_PAYMENT_FAILED;
    }
    /* requires_action and the like: a customer may sit in 3-D Secure for an hour. */
    return SP_FACT_CHECKOUT_OPEN;
}

/* A member that is an id, or the whole object where it was expanded. */
static const char *read_linked(const sp_stripe_reader_t *reader,
                               const sp_slice_t *linked, sp_stripe_take_fn take,
                               const char **id, sp_fact_t **fact)
{
    if (!linked->data) {
        return NULL;
    }
    if (*linked->data == '{') {
        return sp_stripe_read(reader, linked, take, fact);
    }
    /* Ids are plain: what is not in quotes, or has escapes inside, is none. */
    if (linked->len < 3 || *linked->data != '"') {
        return "an id is no text";
    }
    *id = apr_pstrmemdup(reader->pool, linked->data + 1, linked->len - 2);
    return sp_stripe_is_id(*id, "") ? NULL : "an id is unreadable";
}

static const char *intent_failure(const sp_stripe_intent_t *intent)
{
    return intent->decline_code ? intent->decline_code
           : intent->error_code ? intent->error_code
                                : intent->error_type;
}

static const char *intent_fact(const sp_stripe_reader_t *reader,
                               const sp_stripe_intent_t *intent, sp_fact_t **made)
{
    sp_fact_t *fact = NULL;
    const char *charge_id = NULL;
    const char *why = read_linked(reader, &intent->charge, sp_stripe_take_charge,
                                  &charge_id, &fact);

    if (why) {
        return why;
    }
    if (!fact) {
        fact = sp_stripe_new_fact(reader, intent->livemode);
        fact->charge_id = charge_id;
    }
    fact->kind = intent_kind(intent);
    why = sp_stripe_money(&fact->amount,
                          fact->kind == SP_FACT_PAYMENT_SUCCEEDED
                              ? intent->amount_received
                              : intent->amount,
                          intent->currency);
    if (why) {
        return why;
    }
    fact->payment_id = intent->id;
    if (fact->kind == SP_FACT_PAYMENT_AUTHORISED) {
        fact->paid_at = fact->created; /* of its charge, where that came along */
    }
    if (intent->customer) {
        fact->customer_id = intent->customer;
    }
    if (fact->kind == SP_FACT_PAYMENT_FAILED || fact->kind == SP_FACT_PAYMENT_VOID) {
        fact->failure = intent_failure(intent);
    }
    sp_snapshot_read(reader->pool, reader->settings, &intent->metadata, fact);
    *made = fact;
    return NULL;
}

const char *sp_stripe_take_intent(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                  sp_fact_t **fact)
{
    sp_stripe_intent_t intent = { .amount_received = -1 };

    if (!sp_scan_read(scan, &sp_stripe_intent_shape, &intent)) {
        return scan->error;
    }
    return intent_fact(reader, &intent, fact);
}

/* -- Checkout Session --------------------------------------------------------------- */

/* What has become of the page; payment is its PaymentIntent's fact, or NULL. */
static sp_fact_kind_t session_kind(const sp_stripe_session_t *session,
                                   const sp_fact_t *payment)
{
    int complete = is(session->status, "complete");

    if (is(session->payment_status, "paid") ||
        (complete && is(session->payment_status, "no_payment_required"))) {
        return SP_FACT_PAYMENT_SUCCEEDED;
    }
    if (is(session->status, "expired")) {
        return SP_FACT_CHECKOUT_EXPIRED;
    }
    if (!complete) {
        return SP_FACT_CHECKOUT_OPEN;
    }
    /* Finished and unpaid: the money is only held, or a slow method is on its way, or
     * has failed for good. */
    if (payment && (payment->kind == SP_FACT_PAYMENT_VOID ||
                    payment->kind == SP_FACT_PAYMENT_FAILED)) {
        return SP_FACT_PAYMENT_VOID;
    }
    return payment && payment->kind == SP_FACT_PAYMENT_AUTHORISED
               ? SP_FACT_PAYMENT_AUTHORISED
               : SP_FACT_PAYMENT_PROCESSING;
}

/* Who typed what on the page; customer_email is only what we filled in. */
static void set_customer(const sp_stripe_reader_t *reader, sp_fact_t *fact,
                         const sp_stripe_session_t *session)
{
    const char *email = usable_email(session->email);

    if (!email) {
        email = usable_email(session->customer_email);
    }
    if (email) {
        fact->email = email;
    }
    if (session->name) {
        fact->name = sp_text_one_line(reader->pool, session->name);
    }
    if (session->customer) {
        fact->customer_id = session->customer;
    }
}

static const char *set_session_payment(sp_fact_t *fact,
                                       const sp_stripe_session_t *session,
                                       const char *intent_id)
{
    const char *why = NULL;

    if (!fact->payment_id) {
        fact->payment_id = intent_id;
    }
    if (session->currency) {
        why =
            sp_stripe_money(&fact->amount, session->amount_total, session->currency);
    }
    if (why || fact->kind != SP_FACT_PAYMENT_SUCCEEDED) {
        return why;
    }
    if (!fact->amount.currency[0]) {
        return "paid, but without an amount";
    }
    if (is(session->payment_status, "no_payment_required")) {
        /* A full discount: nothing moved, so the page stands for the payment. */
        fact->payment_id = session->id;
    }
    return fact->payment_id ? NULL : "paid, but without a payment";
}

/* The money is a period's, and the page does not tell which payment it was. */
static void make_period(sp_fact_t *fact, const sp_stripe_session_t *session)
{
    fact->renewal_id = session->subscription;
    if (fact->kind == SP_FACT_PAYMENT_SUCCEEDED) {
        fact->kind = SP_FACT_PERIOD_PAID;
        fact->invoice_id = session->invoice;
        fact->is_first = 1;
    }
}

static const char *session_fact(const sp_stripe_reader_t *reader,
                                const sp_stripe_session_t *session, sp_fact_t **made)
{
    sp_fact_t *fact = NULL;
    const char *intent_id = NULL;
    const char *why = read_linked(reader, &session->intent, sp_stripe_take_intent,
                                  &intent_id, &fact);
    sp_fact_kind_t kind;

    if (why) {
        return why;
    }
    kind = session_kind(session, fact);
    if (!fact) {
        fact = sp_stripe_new_fact(reader, session->livemode);
    }
    fact->kind = kind;
    fact->checkout_id = session->id;
    if (fact->kind == SP_FACT_CHECKOUT_OPEN) {
        fact->checkout_url = session->url;
    }
    fact->checkout_expires = apr_time_from_sec(session->expires_at);
    set_customer(reader, fact, session);
    sp_snapshot_read(reader->pool, reader->settings, &session->metadata, fact);
    if (!fact->order_id && sp_text_is_uuid(session->client_reference)) {
        fact->order_id = session->client_reference;
    }
    *made = fact;
    if (is(session->mode, "subscription")) {
        make_period(fact, session);
    }
    return set_session_payment(fact, session, intent_id);
}

const char *sp_stripe_take_session(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                   sp_fact_t **fact)
{
    sp_stripe_session_t session = { .amount_total = -1 };

    if (!sp_scan_read(scan, &sp_stripe_session_shape, &session)) {
        return scan->error;
    }
    if (!is(session.mode, "payment") &&
        !(is(session.mode, "subscription") &&
          sp_text_is_uuid(session.client_reference))) {
        /* Subscriptions and saved cards of some other program in this account. */
        *fact = sp_stripe_new_fact(reader, session.livemode);
        (*fact)->checkout_id = session.id;
        return NULL;
    }
    return session_fact(reader, &session, fact);
}

/* -- Refund and dispute -------------------------------------------------------------- */

const char *sp_stripe_take_refund(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                  sp_fact_t **made)
{
    static const word_t words[] = { { "succeeded", "succeeded" },
                                    { "failed", "failed" },
                                    { "canceled", "cancelled" },
                                    { NULL, NULL } };
    sp_stripe_refund_t refund = { .id = NULL };
    sp_fact_t *fact;

    if (!sp_scan_read(scan, &sp_stripe_refund_shape, &refund)) {
        return scan->error;
    }
    /* A refund does not tell its mode; whoever asked for it knows. */
    fact = sp_stripe_new_fact(reader, is(reader->settings->mode, "live"));
    fact->kind = SP_FACT_REFUND;
    fact->refund_id = refund.id;
    fact->payment_id = refund.payment_intent ? refund.payment_intent : refund.charge;
    fact->charge_id = refund.charge;
    fact->status = translate(words, refund.status, "pending");
    fact->reason = refund.reason;
    fact->bank_reference = refund.bank_reference;
    fact->failure = refund.failure;
    fact->created = apr_time_from_sec(refund.created);
    sp_snapshot_read(reader->pool, reader->settings, &refund.metadata, fact);
    fact->decision = refund.metadata.refund;
    *made = fact;
    return sp_stripe_money(&fact->amount, refund.amount, refund.currency);
}

const char *sp_stripe_take_dispute(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                   sp_fact_t **made)
{
    static const word_t words[] = { { "under_review", "under_review" },
                                    { "appeal_under_review", "under_review" },
                                    { "won", "won" },
                                    { "lost", "lost" },
                                    { "warning_needs_response", "warning" },
                                    { "warning_under_review", "warning" },
                                    { "warning_closed", "closed" },
                                    { "prevented", "closed" },
                                    { NULL, NULL } };
    sp_stripe_dispute_t dispute = { .id = NULL };
    sp_fact_t *fact;

    if (!sp_scan_read(scan, &sp_stripe_dispute_shape, &dispute)) {
        return scan->error;
    }
    fact = sp_stripe_new_fact(reader, dispute.livemode);
    fact->kind = SP_FACT_DISPUTE;
    fact->disputed = 1;
    fact->dispute_id = dispute.id;
    fact->payment_id =
        dispute.payment_intent ? dispute.payment_intent : dispute.charge;
    fact->charge_id = dispute.charge;
    fact->status = translate(words, dispute.status, "open");
    fact->waits = is(dispute.status, "needs_response") ||
                  is(dispute.status, "warning_needs_response") ||
                  is(dispute.status, "appeal_needs_response");
    fact->reason = dispute.reason;
    fact->due_by = apr_time_from_sec(dispute.due_by);
    fact->created = apr_time_from_sec(dispute.created);
    *made = fact;
    return sp_stripe_money(&fact->amount, dispute.amount, dispute.currency);
}

const char *sp_stripe_take_warning(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                   sp_fact_t **made)
{
    sp_stripe_warning_t warning = { .id = NULL };
    sp_fact_t *fact;

    if (!sp_scan_read(scan, &sp_stripe_warning_shape, &warning)) {
        return scan->error;
    }
    fact = sp_stripe_new_fact(reader, warning.livemode);
    fact->kind = SP_FACT_WARNING;
    fact->dispute_id = warning.id;
    fact->payment_id =
        warning.payment_intent ? warning.payment_intent : warning.charge;
    fact->charge_id = warning.charge;
    fact->status = warning.actionable ? "actionable" : "closed";
    fact->reason = warning.fraud_type;
    *made = fact;
    return NULL;
}

/* -- Whole bodies ------------------------------------------------------------------------ */

const char *sp_stripe_read(const sp_stripe_reader_t *reader, const sp_slice_t *body,
                           sp_stripe_take_fn take, sp_fact_t **fact)
{
    sp_scan_t scan;
    const char *why;

    sp_scan_start(&scan, reader->pool, body->data, body->len);
    why = take(reader, &scan, fact);
    return why ? why : sp_scan_finish(&scan);
}

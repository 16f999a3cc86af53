/*
 * stripe_shape.c - where each member of Stripe's objects goes.
 *
 * Room: provider.
 */
#include "provider/stripe_shape.h"

#include <stddef.h>

#include "model/fact.h"

#define ROW(type, text, KIND, must, member)                                         \
    {                                                                               \
        text, sizeof(text) - 1, SP_SCAN_##KIND, must, offsetof(type, member), NULL, \
            NULL                                                                    \
    }
/* An object inside: its rows count from the same struct. */
#define NEST(text, shape)                                            \
    {                                                                \
        text, sizeof(text) - 1, SP_SCAN_OBJECT, 0, 0, &(shape), NULL \
    }
#define ALL(rows)                            \
    {                                        \
        rows, sizeof(rows) / sizeof(*(rows)) \
    }

static const sp_scan_field_t billing_rows[] = {
    ROW(sp_stripe_charge_t, "email", TEXT, 0, email),
    ROW(sp_stripe_charge_t, "name", TEXT, 0, name),
};
static const sp_scan_shape_t billing_shape = ALL(billing_rows);

static const sp_scan_field_t card_rows[] = {
    ROW(sp_stripe_charge_t, "brand", TEXT, 0, brand),
    ROW(sp_stripe_charge_t, "capture_before", SECONDS, 0, capture_before),
    ROW(sp_stripe_charge_t, "last4", TEXT, 0, last4),
};
static const sp_scan_shape_t card_shape = ALL(card_rows);

static const sp_scan_field_t method_rows[] = {
    ROW(sp_stripe_charge_t, "type", TEXT, 0, method),
    NEST("card", card_shape),
};
static const sp_scan_shape_t method_shape = ALL(method_rows);

static const sp_scan_field_t charge_rows[] = {
    ROW(sp_stripe_charge_t, "id", TEXT, 1, id),
    ROW(sp_stripe_charge_t, "amount", INT, 1, amount),
    ROW(sp_stripe_charge_t, "amount_captured", INT, 0, amount_captured),
    ROW(sp_stripe_charge_t, "amount_refunded", INT, 1, amount_refunded),
    NEST("billing_details", billing_shape),
    ROW(sp_stripe_charge_t, "calculated_statement_descriptor", TEXT, 0, statement),
    ROW(sp_stripe_charge_t, "captured", BOOL, 1, captured),
    ROW(sp_stripe_charge_t, "created", SECONDS, 1, created),
    ROW(sp_stripe_charge_t, "currency", TEXT, 1, currency),
    ROW(sp_stripe_charge_t, "customer", ID, 0, customer),
    ROW(sp_stripe_charge_t, "disputed", BOOL, 0, disputed),
    ROW(sp_stripe_charge_t, "failure_code", TEXT, 0, failure),
    ROW(sp_stripe_charge_t, "livemode", BOOL, 1, livemode),
    NEST("metadata", sp_snapshot_shape),
    ROW(sp_stripe_charge_t, "payment_intent", ID, 0, payment_intent),
    NEST("payment_method_details", method_shape),
    ROW(sp_stripe_charge_t, "receipt_email", TEXT, 0, receipt_email),
    ROW(sp_stripe_charge_t, "receipt_url", TEXT, 0, receipt_url),
    ROW(sp_stripe_charge_t, "refunded", BOOL, 0, refunded),
    ROW(sp_stripe_charge_t, "status", TEXT, 1, status),
};
const sp_scan_shape_t sp_stripe_charge_shape = ALL(charge_rows);

static const sp_scan_field_t intent_error_rows[] = {
    ROW(sp_stripe_intent_t, "type", TEXT, 0, error_type),
    ROW(sp_stripe_intent_t, "code", TEXT, 0, error_code),
    ROW(sp_stripe_intent_t, "decline_code", TEXT, 0, decline_code),
};
static const sp_scan_shape_t intent_error_shape = ALL(intent_error_rows);

static const sp_scan_field_t redirect_rows[] = {
    ROW(sp_stripe_intent_t, "url", TEXT, 0, action_url),
};
static const sp_scan_shape_t redirect_shape = ALL(redirect_rows);

static const sp_scan_field_t action_rows[] = {
    NEST("redirect_to_url", redirect_shape),
};
static const sp_scan_shape_t action_shape = ALL(action_rows);

static const sp_scan_field_t intent_rows[] = {
    ROW(sp_stripe_intent_t, "id", TEXT, 1, id),
    ROW(sp_stripe_intent_t, "amount", INT, 1, amount),
    ROW(sp_stripe_intent_t, "amount_received", INT, 0, amount_received),
    ROW(sp_stripe_intent_t, "cancellation_reason", TEXT, 0, cancelled_for),
    ROW(sp_stripe_intent_t, "client_secret", TEXT, 0, client_secret),
    ROW(sp_stripe_intent_t, "currency", TEXT, 1, currency),
    ROW(sp_stripe_intent_t, "customer", ID, 0, customer),
    NEST("last_payment_error", intent_error_shape),
    ROW(sp_stripe_intent_t, "latest_charge", RAW, 0, charge),
    ROW(sp_stripe_intent_t, "livemode", BOOL, 1, livemode),
    NEST("metadata", sp_snapshot_shape),
    NEST("next_action", action_shape),
    ROW(sp_stripe_intent_t, "status", TEXT, 1, status),
};
const sp_scan_shape_t sp_stripe_intent_shape = ALL(intent_rows);

static const sp_scan_field_t customer_rows[] = {
    ROW(sp_stripe_session_t, "email", TEXT, 0, email),
    ROW(sp_stripe_session_t, "name", TEXT, 0, name),
};
static const sp_scan_shape_t customer_shape = ALL(customer_rows);

static const sp_scan_field_t session_rows[] = {
    ROW(sp_stripe_session_t, "id", TEXT, 1, id),
    ROW(sp_stripe_session_t, "amount_total", INT, 0, amount_total),
    ROW(sp_stripe_session_t, "client_reference_id", TEXT, 0, client_reference),
    ROW(sp_stripe_session_t, "currency", TEXT, 0, currency),
    ROW(sp_stripe_session_t, "customer", ID, 0, customer),
    NEST("customer_details", customer_shape),
    ROW(sp_stripe_session_t, "customer_email", TEXT, 0, customer_email),
    ROW(sp_stripe_session_t, "expires_at", SECONDS, 0, expires_at),
    ROW(sp_stripe_session_t, "invoice", ID, 0, invoice),
    ROW(sp_stripe_session_t, "livemode", BOOL, 1, livemode),
    NEST("metadata", sp_snapshot_shape),
    ROW(sp_stripe_session_t, "mode", TEXT, 1, mode),
    ROW(sp_stripe_session_t, "payment_intent", RAW, 0, intent),
    ROW(sp_stripe_session_t, "payment_status", TEXT, 1, payment_status),
    ROW(sp_stripe_session_t, "status", TEXT, 0, status),
    ROW(sp_stripe_session_t, "subscription", ID, 0, subscription),
    ROW(sp_stripe_session_t, "url", TEXT, 0, url),
};
const sp_scan_shape_t sp_stripe_session_shape = ALL(session_rows);

static const sp_scan_field_t refund_card_rows[] = {
    ROW(sp_stripe_refund_t, "reference", TEXT, 0, bank_reference),
};
static const sp_scan_shape_t refund_card_shape = ALL(refund_card_rows);

static const sp_scan_field_t destination_rows[] = {
    NEST("card", refund_card_shape),
};
static const sp_scan_shape_t destination_shape = ALL(destination_rows);

static const sp_scan_field_t refund_rows[] = {
    ROW(sp_stripe_refund_t, "id", TEXT, 1, id),
    ROW(sp_stripe_refund_t, "amount", INT, 1, amount),
    ROW(sp_stripe_refund_t, "charge", ID, 0, charge),
    ROW(sp_stripe_refund_t, "created", INT, 0, created),
    ROW(sp_stripe_refund_t, "currency", TEXT, 1, currency),
    NEST("destination_details", destination_shape),
    ROW(sp_stripe_refund_t, "failure_reason", TEXT, 0, failure),
    NEST("metadata", sp_snapshot_shape),
    ROW(sp_stripe_refund_t, "payment_intent", ID, 0, payment_intent),
    ROW(sp_stripe_refund_t, "reason", TEXT, 0, reason),
    ROW(sp_stripe_refund_t, "status", TEXT, 0, status),
};
const sp_scan_shape_t sp_stripe_refund_shape = ALL(refund_rows);

static const sp_scan_field_t evidence_rows[] = {
    ROW(sp_stripe_dispute_t, "due_by", SECONDS, 0, due_by),
};
static const sp_scan_shape_t evidence_shape = ALL(evidence_rows);

static const sp_scan_field_t dispute_rows[] = {
    ROW(sp_stripe_dispute_t, "id", TEXT, 1, id),
    ROW(sp_stripe_dispute_t, "amount", INT, 1, amount),
    ROW(sp_stripe_dispute_t, "charge", ID, 0, charge),
    ROW(sp_stripe_dispute_t, "created", INT, 0, created),
    ROW(sp_stripe_dispute_t, "currency", TEXT, 1, currency),
    NEST("evidence_details", evidence_shape),
    ROW(sp_stripe_dispute_t, "livemode", BOOL, 1, livemode),
    ROW(sp_stripe_dispute_t, "payment_intent", ID, 0, payment_intent),
    ROW(sp_stripe_dispute_t, "reason", TEXT, 0, reason),
    ROW(sp_stripe_dispute_t, "status", TEXT, 1, status),
};
const sp_scan_shape_t sp_stripe_dispute_shape = ALL(dispute_rows);

static const sp_scan_field_t warning_rows[] = {
    ROW(sp_stripe_warning_t, "id", TEXT, 1, id),
    ROW(sp_stripe_warning_t, "actionable", BOOL, 0, actionable),
    ROW(sp_stripe_warning_t, "charge", ID, 1, charge),
    ROW(sp_stripe_warning_t, "fraud_type", TEXT, 0, fraud_type),
    ROW(sp_stripe_warning_t, "livemode", BOOL, 1, livemode),
    ROW(sp_stripe_warning_t, "payment_intent", ID, 0, payment_intent),
};
const sp_scan_shape_t sp_stripe_warning_shape = ALL(warning_rows);

static const sp_scan_field_t data_rows[] = {
    ROW(sp_stripe_event_t, "object", RAW, 1, body),
};
static const sp_scan_shape_t data_shape = ALL(data_rows);

static const sp_scan_field_t event_rows[] = {
    ROW(sp_stripe_event_t, "id", TEXT, 1, id),
    ROW(sp_stripe_event_t, "created", SECONDS, 1, created),
    NEST("data", data_shape),
    ROW(sp_stripe_event_t, "livemode", BOOL, 1, livemode),
    ROW(sp_stripe_event_t, "object", TEXT, 1, object),
    ROW(sp_stripe_event_t, "type", TEXT, 1, type),
};
const sp_scan_shape_t sp_stripe_event_shape = ALL(event_rows);

static const sp_scan_field_t event_head_rows[] = {
    ROW(sp_stripe_event_t, "id", TEXT, 0, id),
    ROW(sp_stripe_event_t, "object", TEXT, 1, object),
    ROW(sp_stripe_event_t, "type", TEXT, 0, type),
};
const sp_scan_shape_t sp_stripe_event_head_shape = ALL(event_head_rows);

static const sp_scan_field_t id_rows[] = {
    ROW(sp_stripe_event_t, "id", TEXT, 1, id),
};
const sp_scan_shape_t sp_stripe_id_shape = ALL(id_rows);

static const sp_scan_field_t customer_id_rows[] = {
    ROW(sp_fact_t, "id", TEXT, 1, customer_id),
};
const sp_scan_shape_t sp_stripe_customer_id_shape = ALL(customer_id_rows);

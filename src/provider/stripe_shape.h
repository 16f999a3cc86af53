/*
 * stripe_shape.h - Stripe's objects as structs: of each, the part we want.
 *
 * Room: provider. For stripe_read.c and stripe_event.c.
 * Source: Stripe API reference, version 2026-07-29.dahlia.
 *
 * Absent and null are NULL and 0. A struct is zeroed before it is read.
 */
#ifndef SUBPAY_PROVIDER_STRIPE_SHAPE_H
#define SUBPAY_PROVIDER_STRIPE_SHAPE_H

#include "provider/snapshot.h"
#include "util/scan.h"

typedef struct sp_stripe_charge_t {
    sp_snapshot_t metadata; /* first: one shape reads it in every object */
    const char *id;
    const char *status;
    const char *currency;
    const char *payment_intent;
    const char *customer;
    const char *email;
    const char *receipt_email;
    const char *name;
    const char *method;
    const char *brand;
    const char *last4;
    const char *statement;
    const char *failure;
    const char *receipt_url;
    int64_t amount;
    int64_t amount_captured;
    int64_t amount_refunded;
    int64_t capture_before;
    int64_t created;
    int captured;
    int refunded;
    int disputed;
    int livemode;
} sp_stripe_charge_t;

typedef struct sp_stripe_intent_t {
    sp_snapshot_t metadata;
    const char *id;
    const char *status;
    const char *currency;
    const char *customer;
    const char *error_type;
    const char *error_code;
    const char *decline_code;
    const char *client_secret;
    const char *action_url;
    const char *cancelled_for;
    int64_t amount;
    int64_t amount_received;
    sp_slice_t charge; /* an id, or the whole charge where expanded */
    int livemode;
} sp_stripe_intent_t;

typedef struct sp_stripe_session_t {
    sp_snapshot_t metadata;
    const char *id;
    const char *mode;
    const char *status;
    const char *payment_status;
    const char *url;
    const char *client_reference;
    const char *customer;
    const char *customer_email;
    const char *email;
    const char *name;
    const char *currency;
    const char *subscription;
    const char *invoice;
    int64_t amount_total;
    int64_t expires_at;
    sp_slice_t intent; /* an id, or the whole PaymentIntent where expanded */
    int livemode;
} sp_stripe_session_t;

typedef struct sp_stripe_refund_t {
    sp_snapshot_t metadata;
    const char *id;
    const char *status;
    const char *currency;
    const char *charge;
    const char *payment_intent;
    const char *reason;
    const char *failure;
    const char *bank_reference;
    int64_t amount;
    int64_t created;
} sp_stripe_refund_t;

typedef struct sp_stripe_dispute_t {
    const char *id;
    const char *status;
    const char *currency;
    const char *charge;
    const char *payment_intent;
    const char *reason;
    int64_t amount;
    int64_t created;
    int64_t due_by;
    int livemode;
} sp_stripe_dispute_t;

/* radar.early_fraud_warning */
typedef struct sp_stripe_warning_t {
    const char *id;
    const char *charge;
    const char *payment_intent;
    const char *fraud_type;
    int actionable;
    int livemode;
} sp_stripe_warning_t;

typedef struct sp_stripe_event_t {
    const char *id;
    const char *object;
    const char *type;
    sp_slice_t body;
    int64_t created;
    int livemode;
} sp_stripe_event_t;

extern const sp_scan_shape_t sp_stripe_charge_shape;
extern const sp_scan_shape_t sp_stripe_intent_shape;
extern const sp_scan_shape_t sp_stripe_session_shape;
extern const sp_scan_shape_t sp_stripe_refund_shape;
extern const sp_scan_shape_t sp_stripe_dispute_shape;
extern const sp_scan_shape_t sp_stripe_warning_shape;
extern const sp_scan_shape_t sp_stripe_event_shape;

/* Only what tells one sort of event from another. */
extern const sp_scan_shape_t sp_stripe_event_head_shape;

/* Only the id, of whatever it is, into sp_stripe_event_t; a customer's into a fact. */
extern const sp_scan_shape_t sp_stripe_id_shape;
extern const sp_scan_shape_t sp_stripe_customer_id_shape;

#endif

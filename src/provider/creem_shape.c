/*
 * creem_shape.c - where each member of Creem's objects goes.
 *
 * Room: provider.
 */
#include <stddef.h>

#include "provider/creem.h"

#define ROW(type, text, KIND, must, member)                                         \
    {                                                                               \
        text, sizeof(text) - 1, SP_SCAN_##KIND, must, offsetof(type, member), NULL, \
            NULL                                                                    \
    }
#define ALL(rows)                            \
    {                                        \
        rows, sizeof(rows) / sizeof(*(rows)) \
    }
/* The members of sp_creem_sums_t, which stands first in its owner. */
#define SUMS                                                       \
    ROW(sp_creem_sums_t, "amount", INT, 1, amount),                \
        ROW(sp_creem_sums_t, "sub_total", INT, 0, sub_total),      \
        ROW(sp_creem_sums_t, "tax_amount", INT, 0, tax),           \
        ROW(sp_creem_sums_t, "discount_amount", INT, 0, discount), \
        ROW(sp_creem_sums_t, "amount_paid", INT, 0, paid),         \
        ROW(sp_creem_sums_t, "refunded_amount", INT, 0, refunded)

static const sp_scan_field_t product_rows[] = {
    ROW(sp_creem_product_t, "id", TEXT, 1, id),
    ROW(sp_creem_product_t, "billing_period", TEXT, 0, every),
    ROW(sp_creem_product_t, "billing_type", TEXT, 0, billing),
    ROW(sp_creem_product_t, "currency", TEXT, 1, currency),
    ROW(sp_creem_product_t, "price", INT, 1, price),
};
const sp_scan_shape_t sp_creem_product_shape = ALL(product_rows);

static const sp_scan_field_t customer_rows[] = {
    ROW(sp_creem_customer_t, "id", TEXT, 1, id),
    ROW(sp_creem_customer_t, "email", TEXT, 0, email),
    ROW(sp_creem_customer_t, "name", TEXT, 0, name),
};
const sp_scan_shape_t sp_creem_customer_shape = ALL(customer_rows);

static const sp_scan_field_t order_rows[] = {
    SUMS,
    ROW(sp_creem_order_t, "id", TEXT, 1, id),
    ROW(sp_creem_order_t, "currency", TEXT, 1, currency),
    ROW(sp_creem_order_t, "status", TEXT, 0, status),
    ROW(sp_creem_order_t, "transaction", ID, 0, transaction),
    ROW(sp_creem_order_t, "updated_at", RAW, 0, updated),
};
const sp_scan_shape_t sp_creem_order_shape = ALL(order_rows);

static const sp_scan_field_t transaction_rows[] = {
    SUMS,
    ROW(sp_creem_transaction_t, "id", TEXT, 1, id),
    ROW(sp_creem_transaction_t, "created_at", RAW, 0, created),
    ROW(sp_creem_transaction_t, "currency", TEXT, 1, currency),
    ROW(sp_creem_transaction_t, "customer", ID, 0, customer),
    ROW(sp_creem_transaction_t, "mode", TEXT, 0, mode),
    ROW(sp_creem_transaction_t, "order", ID, 0, order),
    ROW(sp_creem_transaction_t, "period_end", RAW, 0, ends),
    ROW(sp_creem_transaction_t, "period_start", RAW, 0, starts),
    ROW(sp_creem_transaction_t, "status", TEXT, 0, status),
    ROW(sp_creem_transaction_t, "subscription", ID, 0, subscription),
};
const sp_scan_shape_t sp_creem_transaction_shape = ALL(transaction_rows);

static const sp_scan_field_t checkout_rows[] = {
    ROW(sp_creem_checkout_t, "id", TEXT, 1, id),
    ROW(sp_creem_checkout_t, "checkout_url", TEXT, 0, url),
    ROW(sp_creem_checkout_t, "customer", RAW, 0, customer),
    { "metadata", 8, SP_SCAN_OBJECT, 0, 0, &sp_snapshot_shape, NULL },
    ROW(sp_creem_checkout_t, "mode", TEXT, 0, mode),
    ROW(sp_creem_checkout_t, "order", RAW, 0, order),
    ROW(sp_creem_checkout_t, "product", RAW, 0, product),
    ROW(sp_creem_checkout_t, "request_id", TEXT, 0, request),
    ROW(sp_creem_checkout_t, "status", TEXT, 0, status),
    ROW(sp_creem_checkout_t, "subscription", RAW, 0, subscription),
};
const sp_scan_shape_t sp_creem_checkout_shape = ALL(checkout_rows);

static const sp_scan_field_t subscription_rows[] = {
    ROW(sp_creem_subscription_t, "id", TEXT, 1, id),
    ROW(sp_creem_subscription_t, "current_period_end_date", RAW, 0, ends),
    ROW(sp_creem_subscription_t, "current_period_start_date", RAW, 0, starts),
    ROW(sp_creem_subscription_t, "customer", RAW, 0, customer),
    ROW(sp_creem_subscription_t, "last_transaction", ID, 0, last),
    ROW(sp_creem_subscription_t, "last_transaction_id", TEXT, 0, last),
    { "metadata", 8, SP_SCAN_OBJECT, 0, 0, &sp_snapshot_shape, NULL },
    ROW(sp_creem_subscription_t, "mode", TEXT, 0, mode),
    ROW(sp_creem_subscription_t, "product", RAW, 0, product),
    ROW(sp_creem_subscription_t, "status", TEXT, 0, status),
};
const sp_scan_shape_t sp_creem_subscription_shape = ALL(subscription_rows);

static const sp_scan_field_t refund_rows[] = {
    ROW(sp_creem_return_t, "id", TEXT, 1, id),
    ROW(sp_creem_return_t, "checkout", RAW, 0, checkout),
    ROW(sp_creem_return_t, "mode", TEXT, 0, mode),
    ROW(sp_creem_return_t, "order", RAW, 0, order),
    ROW(sp_creem_return_t, "reason", TEXT, 0, reason),
    ROW(sp_creem_return_t, "refund_amount", INT, 1, amount),
    ROW(sp_creem_return_t, "status", TEXT, 0, status),
    ROW(sp_creem_return_t, "subscription", ID, 0, subscription),
    ROW(sp_creem_return_t, "transaction", RAW, 1, transaction),
};
const sp_scan_shape_t sp_creem_refund_shape = ALL(refund_rows);

static const sp_scan_field_t dispute_rows[] = {
    ROW(sp_creem_return_t, "id", TEXT, 1, id),
    ROW(sp_creem_return_t, "amount", INT, 1, amount),
    ROW(sp_creem_return_t, "checkout", RAW, 0, checkout),
    ROW(sp_creem_return_t, "mode", TEXT, 0, mode),
    ROW(sp_creem_return_t, "order", RAW, 0, order),
    ROW(sp_creem_return_t, "reason", TEXT, 0, reason),
    ROW(sp_creem_return_t, "subscription", ID, 0, subscription),
    ROW(sp_creem_return_t, "transaction", RAW, 1, transaction),
};
const sp_scan_shape_t sp_creem_dispute_shape = ALL(dispute_rows);

static const sp_scan_field_t event_rows[] = {
    ROW(sp_creem_event_t, "id", TEXT, 1, id),
    ROW(sp_creem_event_t, "created_at", RAW, 0, created),
    ROW(sp_creem_event_t, "eventType", TEXT, 1, type),
    ROW(sp_creem_event_t, "object", RAW, 0, object),
};
const sp_scan_shape_t sp_creem_event_shape = ALL(event_rows);

/*
 * fact.c - a fact as the JSON document that subpay.settle() takes.
 *
 * Room: db.
 * Written straight from a table rather than through Jansson: each webhook passes
 * here, the object is flat, and building a tree first would cost as much as the
 * rest of the request's work in this process.
 */
#include "db/fact.h"

#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "model/order.h"

typedef enum type_t { TEXT, TIME, NUMBER, BOOLEAN } type_t;

static const struct {
    const char *key;
    type_t type;
    size_t at;
} members[] = {
    { "provider", TEXT, offsetof(sp_fact_t, provider) },
    { "mode", TEXT, offsetof(sp_fact_t, mode) },
    { "event_id", TEXT, offsetof(sp_fact_t, event_id) },
    { "event_type", TEXT, offsetof(sp_fact_t, event_type) },
    { "at", TIME, offsetof(sp_fact_t, at) },
    { "order_id", TEXT, offsetof(sp_fact_t, order_id) },
    { "checkout_id", TEXT, offsetof(sp_fact_t, checkout_id) },
    { "checkout_url", TEXT, offsetof(sp_fact_t, checkout_url) },
    { "checkout_expires", TIME, offsetof(sp_fact_t, checkout_expires) },
    { "payment_id", TEXT, offsetof(sp_fact_t, payment_id) },
    { "charge_id", TEXT, offsetof(sp_fact_t, charge_id) },
    { "customer_id", TEXT, offsetof(sp_fact_t, customer_id) },
    { "amount_refunded", NUMBER, offsetof(sp_fact_t, amount_refunded) },
    { "disputed", BOOLEAN, offsetof(sp_fact_t, disputed) },
    { "paid_at", TIME, offsetof(sp_fact_t, paid_at) },
    { "hold_until", TIME, offsetof(sp_fact_t, hold_until) },
    { "email", TEXT, offsetof(sp_fact_t, email) },
    { "name", TEXT, offsetof(sp_fact_t, name) },
    { "card_brand", TEXT, offsetof(sp_fact_t, card_brand) },
    { "card_last4", TEXT, offsetof(sp_fact_t, card_last4) },
    { "statement", TEXT, offsetof(sp_fact_t, statement) },
    { "failure", TEXT, offsetof(sp_fact_t, failure) },
    { "receipt_url", TEXT, offsetof(sp_fact_t, receipt_url) },
    { "refund_id", TEXT, offsetof(sp_fact_t, refund_id) },
    { "bank_reference", TEXT, offsetof(sp_fact_t, bank_reference) },
    { "dispute_id", TEXT, offsetof(sp_fact_t, dispute_id) },
    { "status", TEXT, offsetof(sp_fact_t, status) },
    { "reason", TEXT, offsetof(sp_fact_t, reason) },
    { "due_by", TIME, offsetof(sp_fact_t, due_by) },
    { "renewal_id", TEXT, offsetof(sp_fact_t, renewal_id) },
    { "invoice_id", TEXT, offsetof(sp_fact_t, invoice_id) },
    { "period_start", TIME, offsetof(sp_fact_t, period_start) },
    { "period_end", TIME, offsetof(sp_fact_t, period_end) },
    { "is_first", BOOLEAN, offsetof(sp_fact_t, is_first) },
    { "tries", NUMBER, offsetof(sp_fact_t, tries) },
    { "next_try", TIME, offsetof(sp_fact_t, next_try) },
    { "pay_url", TEXT, offsetof(sp_fact_t, pay_url) },
    { "ours", BOOLEAN, offsetof(sp_fact_t, ours) },
    { "reference", TEXT, offsetof(sp_fact_t, reference) },
    { "order_email", TEXT, offsetof(sp_fact_t, order_email) },
    { "product", TEXT, offsetof(sp_fact_t, product) },
    { "title", TEXT, offsetof(sp_fact_t, title) },
    { "period", TEXT, offsetof(sp_fact_t, period) },
    { "credits", NUMBER, offsetof(sp_fact_t, credits) },
    { "token_hash", TEXT, offsetof(sp_fact_t, token_hash) },
    { "site", TEXT, offsetof(sp_fact_t, site) },
};

typedef struct buffer_t {
    char *at;
} buffer_t;

static void put(buffer_t *out, const char *text, size_t len)
{
    memcpy(out->at, text, len);
    out->at += len;
}

/* Text has been checked for UTF-8 where it came in; only JSON's own bytes are
 * left, and control characters, which cannot be here but must never break it. */
static void put_string(buffer_t *out, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *p;

    *out->at++ = '"';
    for (p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\') {
            *out->at++ = '\\';
            *out->at++ = (char)*p;
        }
        else if (*p < 0x20) {
            put(out, "\\u00", 4);
            *out->at++ = hex[*p >> 4];
            *out->at++ = hex[*p & 15];
        }
        else {
            *out->at++ = (char)*p;
        }
    }
    *out->at++ = '"';
}

static void put_key(buffer_t *out, const char *key)
{
    if (out->at[-1] != '{') {
        *out->at++ = ',';
    }
    *out->at++ = '"';
    put(out, key, strlen(key));
    put(out, "\":", 2);
}

static void put_number(buffer_t *out, const char *key, apr_int64_t value)
{
    put_key(out, key);
    out->at += apr_snprintf(out->at, 24, "%" APR_INT64_T_FMT, value);
}

static void put_text(buffer_t *out, const char *key, const char *value)
{
    if (value) {
        put_key(out, key);
        put_string(out, value);
    }
}

static void put_member(buffer_t *out, const char *key, type_t type, const char *at)
{
    switch (type) {
    case TEXT:
        put_text(out, key, *(const char *const *)at);
        break;
    case TIME:
        if (*(const apr_time_t *)at) {
            put_number(out, key, apr_time_sec(*(const apr_time_t *)at));
        }
        break;
    case NUMBER:
        put_number(out, key, *(const int64_t *)at);
        break;
    case BOOLEAN:
        put_key(out, key);
        put(out, *(const int *)at ? "true " : "false", 5);
        break;
    }
}

static void put_money(buffer_t *out, const char *key, const char *currency_key,
                      const sp_money_t *money)
{
    if (money->currency[0]) {
        put_number(out, key, money->minor);
        put_text(out, currency_key, money->currency);
    }
}

/* Room for the longest case: each byte of text escaped to six. */
static size_t space_needed(const sp_fact_t *fact)
{
    size_t i, total = 256;
    const char *text;

    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        total += strlen(members[i].key) + 32;
        if (members[i].type == TEXT) {
            text = *(const char *const *)((const char *)fact + members[i].at);
            total += text ? 6 * strlen(text) : 0;
        }
    }
    return total;
}

const char *sp_fact_json(apr_pool_t *pool, const sp_fact_t *fact)
{
    buffer_t out = { apr_palloc(pool, space_needed(fact)) };
    char *start = out.at;
    size_t i;

    *out.at++ = '{';
    put_text(&out, "kind", sp_fact_kind_word(fact->kind));
    put_money(&out, "amount", "currency", &fact->amount);
    put_money(&out, "price", "price_currency", &fact->price);
    put_text(&out, "period_iso", sp_period_iso(pool, fact->period));
    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        put_member(&out, members[i].key, members[i].type,
                   (const char *)fact + members[i].at);
    }
    put(&out, "}", 2);
    return start;
}

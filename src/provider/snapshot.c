/*
 * snapshot.c - the order as it travels in a provider's metadata, out and home again.
 *
 * Room: provider.
 */
#include "provider/snapshot.h"

#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "util/crypto.h"
#include "util/reference.h"
#include "util/text.h"

#define ROW(text, member)                                                         \
    {                                                                             \
        text, sizeof(text) - 1, SP_SCAN_TEXT, 0, offsetof(sp_snapshot_t, member), \
            NULL, NULL                                                            \
    }

static const sp_scan_field_t rows[] = {
    ROW("subpay_order", order),     ROW("subpay_reference", reference),
    ROW("subpay_email", email),     ROW("subpay_product", product),
    ROW("subpay_amount", amount),   ROW("subpay_period", period),
    ROW("subpay_credits", credits), ROW("subpay_token", token),
    ROW("subpay_site", site),       ROW("subpay_refund", refund),
};
const sp_scan_shape_t sp_snapshot_shape = { rows, sizeof(rows) / sizeof(*rows) };

/* Only the hash of the return token travels: the token opens a personal page. */
static const char *token_hash(apr_pool_t *pool, const char *token)
{
    unsigned char bytes[16];
    unsigned char hash[SP_HASH_SIZE];

    if (!token || !sp_crypto_unhex(token, bytes, sizeof(bytes)) ||
        sp_crypto_sha256(bytes, sizeof(bytes), hash) != APR_SUCCESS) {
        return NULL;
    }
    return sp_crypto_hex(pool, hash, sizeof(hash));
}

void sp_snapshot_write(const sp_ctx_t *ctx, const sp_order_t *order,
                       sp_snapshot_pair_t pairs[SP_SNAPSHOT_PAIRS])
{
    apr_pool_t *pool = ctx->pool;
    const sp_snapshot_pair_t all[SP_SNAPSHOT_PAIRS] = {
        { "subpay_order", order->id },
        { "subpay_reference", order->reference },
        { "subpay_email", order->email },
        { "subpay_product", order->product },
        { "subpay_amount", apr_psprintf(pool, "%" APR_INT64_T_FMT " %s",
                                        order->price.minor, order->price.currency) },
        { "subpay_period", order->period },
        { "subpay_credits",
          apr_psprintf(pool, "%" APR_INT64_T_FMT, order->credits) },
        { "subpay_token", token_hash(pool, order->token) },
        { "subpay_site", ctx->settings->base_url },
    };

    memcpy(pairs, all, sizeof(all));
}

/* Whole digits, nothing else; up to 15 of them. Behind them, or NULL. */
static const char *read_digits(const char *text, int64_t *value)
{
    int digits;

    for (digits = 0; text[digits] >= '0' && text[digits] <= '9'; digits++) {
        if (digits == 15) {
            return NULL;
        }
        *value = *value * 10 + (text[digits] - '0');
    }
    return digits ? text + digits : NULL;
}

/* "24900 USD", as we wrote it. */
int sp_snapshot_price(const sp_snapshot_t *snapshot, sp_money_t *price)
{
    sp_money_t money = { 0, "" };
    const char *rest =
        snapshot->amount ? read_digits(snapshot->amount, &money.minor) : NULL;
    int i;

    if (!rest || *rest++ != ' ') {
        return 0;
    }
    for (i = 0; i < 3 && rest[i] >= 'A' && rest[i] <= 'Z'; i++) {
        money.currency[i] = rest[i];
    }
    if (i != 3 || rest[3]) {
        return 0;
    }
    *price = money;
    return 1;
}

static const char *read_hash(const char *text)
{
    unsigned char bytes[SP_HASH_SIZE];

    return text && sp_crypto_unhex(text, bytes, sizeof(bytes)) ? text : NULL;
}

void sp_snapshot_read(apr_pool_t *pool, const sp_settings_t *settings,
                      const sp_snapshot_t *snapshot, sp_fact_t *fact)
{
    const char *rest;
    int64_t credits = 0;

    if (!sp_text_is_uuid(snapshot->order)) {
        return;
    }
    fact->order_id = snapshot->order;
    fact->ours = snapshot->site && strcmp(snapshot->site, settings->base_url) == 0;
    if (!snapshot->reference ||
        !sp_reference_parse(pool, snapshot->reference, &fact->reference)) {
        fact->reference = NULL;
    }
    fact->order_email = snapshot->email && !sp_text_email_problem(snapshot->email)
                            ? snapshot->email
                            : NULL;
    fact->product =
        snapshot->product && *snapshot->product ? snapshot->product : NULL;
    fact->period = snapshot->period && *snapshot->period ? snapshot->period : NULL;
    rest = snapshot->credits ? read_digits(snapshot->credits, &credits) : NULL;
    fact->credits = rest && !*rest ? credits : 0;
    fact->token_hash = read_hash(snapshot->token);
    sp_snapshot_price(snapshot, &fact->price);
}

/*
 * fuzz_text.c - small readers: money, periods, uuids, secrets, UTF-8.
 *
 * Room: tests.
 */
#include "fuzz.h"

#include <apr_strings.h>
#include <string.h>

#include "model/money.h"
#include "model/order.h"
#include "util/crypto.h"
#include "util/json.h"
#include "util/query.h"
#include "util/signing.h"
#include "util/text.h"

static void check_money(apr_pool_t *pool, const char *text)
{
    sp_money_t money, again;

    if (!sp_money_parse(pool, text, &money)) {
        MUST(money.minor >= 0);
        MUST(!sp_money_parse(pool, sp_money_text(pool, &money), &again));
        MUST(money.minor == again.minor &&
             strcmp(money.currency, again.currency) == 0);
    }
}

/* Jansson is the second opinion. */
static void check_utf8(const char *text, apr_size_t len)
{
    json_t *value = json_stringn(text, len);

    MUST(!value == !sp_text_is_utf8(text, len));
    json_decref(value);
}

static void check_signing(apr_pool_t *pool, const char *text)
{
    if (!sp_signing_problem(pool, text)) {
        MUST(sp_signing_sign(pool, text, "msg_1", apr_time_from_sec(1), "{}"));
    }
}

void fuzz(apr_pool_t *pool, const char *text, apr_size_t len)
{
    unsigned char bytes[16];
    const char *trimmed = sp_text_trim(pool, text);
    const char *iso = sp_period_iso(pool, text);
    sp_query_t query;

    check_money(pool, text);
    check_utf8(text, len);
    check_signing(pool, text);
    MUST(strlen(trimmed) <= len &&
         strcmp(trimmed, sp_text_trim(pool, trimmed)) == 0);
    MUST(!iso || *iso == 'P');
    MUST(!sp_text_is_uuid(text) || strlen(text) == 36);
    MUST(!sp_crypto_unhex(text, bytes, sizeof(bytes)) || strlen(text) == 32);
    if (sp_text_is_utf8(text, strlen(text))) {
        MUST(fuzz_is_line(sp_text_one_line(pool, text)));
    }
    sp_query_start(&query, pool);
    sp_query_add(&query, "v", text);
    MUST(strspn(query.text + 2,
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                "0123456789-_.~%+*") == strlen(query.text + 2));
}

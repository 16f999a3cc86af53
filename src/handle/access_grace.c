/*
 * access_grace.c - what a gate remembers of a customer, as text, and signed.
 *
 * Room: handle. Sees httpd.
 *
 * The text: id, e-mail, credits, then product:end for each active plan, with spaces
 * between; none of these can hold a space. The cookie: moment in hex, text in base64,
 * HMAC in hex, with dots between.
 */
#include "handle/access_grace.h"

#include <apr_base64.h>
#include <apr_strings.h>
#include <stdlib.h>

#include "domain/account_board.h"
#include "handle/auth_cookie.h"
#include "handle/shop.h"
#include "util/crypto.h"

/* Browsers keep 4,096 bytes a cookie. */
#define MOST_COOKIE 3500

const char *sp_grace_text(request_rec *r, const sp_customer_t *customer)
{
    const char *text = apr_psprintf(r->pool, "%s %s %" APR_INT64_T_FMT, customer->id,
                                    customer->email, (apr_int64_t)customer->credits);
    int i;

    for (i = 0; i < customer->plans->nelts; i++) {
        const sp_plan_t *plan = &APR_ARRAY_IDX(customer->plans, i, const sp_plan_t);

        if (plan->active && !ap_strchr_c(plan->product, ' ')) {
            text = apr_psprintf(r->pool, "%s %s:%" APR_TIME_T_FMT, text,
                                plan->product, plan->expires_at);
        }
    }
    return text;
}

static void read_plan(sp_customer_t *customer, char *word)
{
    char *end = strrchr(word, ':');
    sp_plan_t *plan;

    if (end) {
        *end++ = '\0';
        plan = apr_array_push(customer->plans);
        memset(plan, 0, sizeof(*plan));
        plan->product = plan->title = word;
        plan->expires_at = apr_atoi64(end);
        plan->active = !plan->expires_at || plan->expires_at > apr_time_now();
    }
}

sp_customer_t *sp_grace_read(request_rec *r, const char *text)
{
    sp_customer_t *customer = apr_pcalloc(r->pool, sizeof(*customer));
    char *state, *word;

    customer->id = apr_strtok(apr_pstrdup(r->pool, text), " ", &state);
    customer->email = customer->id ? apr_strtok(NULL, " ", &state) : NULL;
    word = customer->email ? apr_strtok(NULL, " ", &state) : NULL;
    if (!word) {
        return NULL;
    }
    customer->credits = apr_atoi64(word);
    customer->has_password = 1;
    customer->plans = apr_array_make(r->pool, 2, sizeof(sp_plan_t));
    while ((word = apr_strtok(NULL, " ", &state)) != NULL) {
        read_plan(customer, word);
    }
    return customer;
}

/* Over the session's token too: without that cookie this one is worth nothing. */
static int sign(const char *token, const char *when, const char *text,
                unsigned char mac[SP_HASH_SIZE])
{
    const sp_settings_t *settings = sp_shop()->settings;
    const sp_account_t *account = sp_settings_account(settings, settings->provider);
    struct iovec parts[] = { { (void *)token, strlen(token) + 1 },
                             { (void *)when, strlen(when) + 1 },
                             { (void *)text, strlen(text) } };
    unsigned char key[SP_HASH_SIZE];

    return account && account->key &&
           sp_crypto_derive(account->key, "grace", key) == APR_SUCCESS &&
           sp_crypto_hmac(key, sizeof(key), parts, 3, mac) == APR_SUCCESS;
}

/* The cookie's three parts, whole or not at all. */
static int split(request_rec *r, char **when, char **text, char **mac)
{
    const char *value = sp_auth_cookie(r, SP_COOKIE_GRACE);
    char *state;

    if (!value || strlen(value) > MOST_COOKIE) {
        return 0;
    }
    *when = apr_strtok(apr_pstrdup(r->pool, value), ".", &state);
    *text = *when ? apr_strtok(NULL, ".", &state) : NULL;
    *mac = *text ? apr_strtok(NULL, ".", &state) : NULL;
    return *mac != NULL;
}

const char *sp_grace_take(request_rec *r, const char *token,
                          apr_time_t *confirmed_at)
{
    unsigned char expected[SP_HASH_SIZE], given[SP_HASH_SIZE];
    apr_interval_time_t age;
    char *when, *encoded, *mac;
    char *text;

    if (!split(r, &when, &encoded, &mac)) {
        return NULL;
    }
    if (strlen(mac) != 2 * SP_HASH_SIZE ||
        !sp_crypto_unhex(mac, given, sizeof(given)) ||
        !sign(token, when, encoded, expected) ||
        !sp_crypto_equal(given, expected, sizeof(given))) {
        return NULL;
    }
    *confirmed_at = apr_strtoi64(when, NULL, 16);
    age = apr_time_now() - *confirmed_at;
    /* Nodes' clocks may differ by a little. */
    if (age > sp_shop()->settings->grace || age < -apr_time_from_sec(60)) {
        return NULL;
    }
    text = apr_palloc(r->pool, apr_base64_decode_len(encoded) + 1);
    text[apr_base64_decode(text, encoded)] = '\0';
    return text;
}

/* Says the browser's own one the same, is it young enough, and not void? */
static int is_good(request_rec *r, const char *token, const char *account,
                   const char *text)
{
    apr_time_t confirmed_at;
    const char *known = sp_grace_take(r, token, &confirmed_at);

    return known && strcmp(known, text) == 0 &&
           confirmed_at > sp_board_changed_at(account) &&
           apr_time_now() - confirmed_at < sp_shop()->settings->grace / 8;
}

void sp_grace_give(request_rec *r, const char *token, const char *account,
                   const char *text)
{
    apr_interval_time_t grace = sp_shop()->settings->grace;
    unsigned char mac[SP_HASH_SIZE];
    const char *when, *value;
    char *encoded;

    if (grace <= 0 || is_good(r, token, account, text)) {
        return;
    }
    when = apr_psprintf(r->pool, "%" APR_UINT64_T_HEX_FMT,
                        (apr_uint64_t)apr_time_now());
    encoded = apr_palloc(r->pool, apr_base64_encode_len((int)strlen(text)));
    apr_base64_encode(encoded, text, (int)strlen(text));
    if (!sign(token, when, encoded, mac)) {
        return;
    }
    value = apr_pstrcat(r->pool, when, ".", encoded, ".",
                        sp_crypto_hex(r->pool, mac, sizeof(mac)), NULL);
    if (strlen(value) <= MOST_COOKIE) {
        sp_auth_cookie_set(r, SP_COOKIE_GRACE, value, (int)apr_time_sec(grace));
    }
}

void sp_grace_end(request_rec *r)
{
    if (sp_auth_cookie(r, SP_COOKIE_GRACE)) {
        sp_auth_cookie_set(r, SP_COOKIE_GRACE, "", 0);
    }
}

/*
 * cookie.c - which orders this very browser made.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/cookie.h"

#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "handle/shop.h"
#include "util/crypto.h"

#define NAME "subpay_order"
#define TOKEN_DIGITS 32
#define MOST_ORDERS 3
/* 30 days: as long as people come back to a confirmation as to a receipt. */
#define MAX_AGE "2592000"

/* The cookie's value, "" when there is none. */
static const char *value_of(request_rec *r)
{
    const char *cookies = apr_table_get(r->headers_in, "Cookie");
    const char *found;

    for (found = cookies; found && (found = ap_strstr_c(found, NAME "=")) != NULL;
         found++) {
        if (found == cookies || found[-1] == ' ' || found[-1] == ';') {
            found += sizeof(NAME);
            return apr_pstrmemdup(r->pool, found, strcspn(found, "; "));
        }
    }
    return "";
}

/* The next token of a value, NULL at its end or where it is no token. */
static const char *next_token(request_rec *r, const char **value)
{
    apr_size_t len = strspn(*value, "0123456789abcdef");
    const char *token = *value;

    if (len != TOKEN_DIGITS || (token[len] && token[len] != '.')) {
        return NULL;
    }
    *value += len + (token[len] == '.');
    return apr_pstrmemdup(r->pool, token, len);
}

int sp_cookie_has(request_rec *r, const char *token)
{
    const char *value = value_of(r);
    const char *known;
    int has = 0;

    if (!token || strlen(token) != TOKEN_DIGITS) {
        return 0;
    }
    while ((known = next_token(r, &value)) != NULL) {
        has |= sp_crypto_equal(known, token, TOKEN_DIGITS);
    }
    return has;
}

apr_array_header_t *sp_cookie_all(request_rec *r)
{
    apr_array_header_t *all = apr_array_make(r->pool, MOST_ORDERS, sizeof(char *));
    const char *value = value_of(r);
    const char *token;

    while (all->nelts < MOST_ORDERS && (token = next_token(r, &value)) != NULL) {
        APR_ARRAY_PUSH(all, const char *) = token;
    }
    return all;
}

const char *sp_cookie_last(request_rec *r)
{
    const char *value = value_of(r);

    return next_token(r, &value);
}

void sp_cookie_remember(request_rec *r, const char *token)
{
    const char *value = value_of(r);
    const char *all = token;
    const char *known;
    int count = 1;

    while (count < MOST_ORDERS && (known = next_token(r, &value)) != NULL) {
        if (strcmp(known, token) != 0) {
            all = apr_pstrcat(r->pool, all, ".", known, NULL);
            count++;
        }
    }
    apr_table_addn(r->err_headers_out, "Set-Cookie",
                   apr_pstrcat(r->pool, NAME "=", all, "; Path=",
                               *sp_shop()->base_path ? sp_shop()->base_path : "/",
                               "; Max-Age=" MAX_AGE "; HttpOnly; SameSite=Lax",
                               sp_shop()->secure ? "; Secure" : "", NULL));
}

/*
 * money.c - reading and writing amounts without a floating point in sight.
 *
 * Room: model.
 */
#include "model/money.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

int sp_money_exponent(const char *currency)
{
    static const char none[] =
        "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF";
    static const char three[] = "BHD JOD KWD OMR TND";

    if (strlen(currency) != 3) {
        return 2;
    }
    if (strstr(none, currency)) {
        return 0;
    }
    return strstr(three, currency) ? 3 : 2;
}

/* Whole digits of text into *value; NULL at the first byte that is no digit,
 * or when 15 digits are not enough (no currency needs more). */
static const char *read_digits(const char *text, int *digits, int64_t *value)
{
    for (*digits = 0; apr_isdigit(*text); text++, (*digits)++) {
        if (*digits == 15) {
            return NULL;
        }
        *value = *value * 10 + (*text - '0');
    }
    return text;
}

const char *sp_money_parse_amount(apr_pool_t *pool, const char *amount,
                                  const char *currency, sp_money_t *money)
{
    int exponent = sp_money_exponent(currency);
    int whole, decimals = 0, i;
    int64_t value = 0;
    const char *rest = read_digits(amount, &whole, &value);

    if (rest && *rest == '.' && exponent > 0) {
        rest = read_digits(rest + 1, &decimals, &value);
        if (rest && decimals != exponent) {
            rest = NULL;
        }
    }
    if (!rest || *rest || whole == 0 || whole + decimals > 15) {
        return apr_psprintf(pool, "\"%s\" is not an amount of %s: write %s", amount,
                            currency,
                            exponent == 0   ? "whole units, like 249"
                            : exponent == 3 ? "three decimals, like 249.000"
                                            : "two decimals, like 249.00");
    }
    for (i = decimals; i < exponent; i++) {
        value *= 10;
    }
    money->minor = value;
    apr_cpystrn(money->currency, currency, sizeof(money->currency));
    return NULL;
}

const char *sp_money_parse(apr_pool_t *pool, const char *text, sp_money_t *money)
{
    const char *gap = strchr(text, ' ');
    const char *currency = gap ? gap + 1 : "";

    if (strlen(currency) != 3 ||
        strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3) {
        return apr_psprintf(
            pool,
            "\"%s\" names no currency: write the amount, a space and "
            "the ISO code in capitals, like 249.00 USD",
            text);
    }
    return sp_money_parse_amount(pool, apr_pstrmemdup(pool, text, gap - text),
                                 currency, money);
}

const char *sp_money_text(apr_pool_t *pool, const sp_money_t *money)
{
    int exponent = sp_money_exponent(money->currency);
    int64_t scale = 1;
    int i;

    for (i = 0; i < exponent; i++) {
        scale *= 10;
    }
    if (exponent == 0) {
        return apr_psprintf(pool, "%" APR_INT64_T_FMT " %s", money->minor,
                            money->currency);
    }
    return apr_psprintf(pool, "%" APR_INT64_T_FMT ".%0*" APR_INT64_T_FMT " %s",
                        money->minor / scale, exponent, money->minor % scale,
                        money->currency);
}

int sp_money_currency(const char *code, sp_money_t *money)
{
    int i;

    for (i = 0; i < 3 && apr_isalpha(code[i]); i++) {
        money->currency[i] = (char)apr_toupper(code[i]);
    }
    money->currency[i] = '\0';
    return i == 3 && !code[3];
}

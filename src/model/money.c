/*
 * money.c - reading and writing amounts without a floating point in sight.
 *
 * Room: model.
 */
#include "model/money.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

/* How one currency is counted and written; see currency.def. */
typedef struct rule_t {
    const char *code;
    int digits;
    int shown;
    int step;
} rule_t;

static const rule_t *rule_of(const char *currency)
{
    static const rule_t rules[] = {
#define SP_CURRENCY(code, digits, shown, step) { code, digits, shown, step },
#include "model/currency.def"
#undef SP_CURRENCY
        { "", 2, 2, 1 } /* all the others */
    };
    const rule_t *rule = rules;

    while (*rule->code && strcmp(rule->code, currency) != 0) {
        rule++;
    }
    return rule;
}

int sp_money_exponent(const char *currency)
{
    return rule_of(currency)->digits;
}

int sp_money_step(const char *currency)
{
    return rule_of(currency)->step;
}

/* Digits in all, decimals included: no currency needs more. */
#define MOST_DIGITS 15

/* Add the digits of text to *value; where they end, or NULL when there are more than
 * most of them. */
static const char *read_digits(const char *text, int most, int *digits,
                               int64_t *value)
{
    for (*digits = 0; apr_isdigit(*text); text++, (*digits)++) {
        if (*digits == most) {
            return NULL;
        }
        *value = *value * 10 + (*text - '0');
    }
    return text;
}

const char *sp_money_parse_amount(apr_pool_t *pool, const char *amount,
                                  const char *currency, sp_money_t *money)
{
    const rule_t *rule = rule_of(currency);
    int exponent = rule->digits;
    int whole, decimals = 0, i;
    int64_t value = 0;
    const char *rest = read_digits(amount, MOST_DIGITS, &whole, &value);

    if (rest && *rest == '.' && exponent > 0) {
        rest = read_digits(rest + 1, exponent, &decimals, &value);
        if (rest && decimals != exponent) {
            rest = NULL;
        }
    }
    if (!rest || *rest || whole == 0 || whole + exponent > MOST_DIGITS) {
        return apr_psprintf(pool, "\"%s\" is not an amount of %s: write %s", amount,
                            currency,
                            rule->shown == 0 ? "whole units, like 249"
                            : exponent == 3  ? "three decimals, like 249.000"
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
    const rule_t *rule = rule_of(money->currency);
    int64_t scale = 1;
    int i;

    for (i = 0; i < rule->digits; i++) {
        scale *= 10;
    }
    /* What nobody writes is left out, unless something would be lost by it. */
    if (rule->digits == 0 || (rule->shown == 0 && money->minor % scale == 0)) {
        return apr_psprintf(pool, "%" APR_INT64_T_FMT " %s", money->minor / scale,
                            money->currency);
    }
    return apr_psprintf(pool, "%" APR_INT64_T_FMT ".%0*" APR_INT64_T_FMT " %s",
                        money->minor / scale, rule->digits, money->minor % scale,
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

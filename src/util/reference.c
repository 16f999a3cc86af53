/*
 * reference.c - base 32, and a check symbol that catches every single slip.
 *
 * Room: util.
 *
 * check = sum of alpha^(i+1) * d_i over the seven symbols, in GF(32) with
 * x^5 + x^2 + 1 and alpha = 2. The weights differ from each other and from the
 * check's own (1), so no single error and no swap leaves the sum as it was.
 */
#include "util/reference.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#define SYMBOLS 8

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static int double_it(int a)
{
    a <<= 1;
    return a & 32 ? a ^ 37 : a; /* 37: x^5 + x^2 + 1 */
}

static int multiply(int a, int b)
{
    int product = 0;

    for (; b; b >>= 1, a = double_it(a)) {
        product ^= b & 1 ? a : 0;
    }
    return product;
}

/* The weight of symbol i; the check symbol itself weighs 1. */
static int weight(int i)
{
    int w = 1;
    int k;

    for (k = 0; i < SYMBOLS - 1 && k <= i; k++) {
        w = double_it(w);
    }
    return w;
}

static int inverse(int a)
{
    int b = 1;

    while (multiply(a, b) != 1) {
        b++;
    }
    return b;
}

static int value_of(char symbol)
{
    const char *at = symbol ? strchr(alphabet, symbol) : NULL;

    return at ? (int)(at - alphabet) : -1;
}

char sp_reference_check(const char symbols[7])
{
    int sum = 0;
    int i, value;

    for (i = 0; i < SYMBOLS - 1; i++) {
        value = value_of(symbols[i]);
        if (value < 0) {
            return 0;
        }
        sum ^= multiply(weight(i), value);
    }
    return alphabet[sum];
}

/* What people put between and around symbols: spaces, dashes and the six that
 * word processors make of dashes (U+2010 to U+2015). Its length, or 0. */
static int gap_length(const char *at)
{
    if (*at == '-' || apr_isspace(*at)) {
        return 1;
    }
    return memcmp(at, "\xe2\x80", 2) == 0 && at[2] >= '\x90' && at[2] <= '\x95' ? 3
                                                                                : 0;
}

static char read_symbol(char c)
{
    if (c >= 'a' && c <= 'z') {
        c -= 'a' - 'A'; /* toupper() asks the locale, and Turkish has its own i */
    }
    if (c == 'O') {
        return '0';
    }
    if (c == 'I' || c == 'L') {
        return '1';
    }
    return value_of(c) >= 0 ? c : 0;
}

/* The symbols of text without what stands between them; how many, or -1. */
static int read_symbols(const char *text, char *symbols, int room)
{
    int count = 0;
    int gap;

    while (*text) {
        gap = gap_length(text);
        if (gap) {
            text += gap;
            continue;
        }
        if (count == room || !(symbols[count] = read_symbol(*text))) {
            return -1;
        }
        count++;
        text++;
    }
    return count;
}

static const char *write_reference(apr_pool_t *pool, const char symbols[SYMBOLS])
{
    return apr_psprintf(pool, "SP-%.4s-%.4s", symbols, symbols + 4);
}

int sp_reference_parse(apr_pool_t *pool, const char *text, const char **reference)
{
    const char *star = strrchr(text, '*');
    char symbols[SYMBOLS + 2];
    const char *eight = symbols;
    int count = read_symbols(star ? star + 1 : text, symbols, sizeof(symbols));

    *reference = NULL;
    if (count == SYMBOLS + 2 && memcmp(symbols, "SP", 2) == 0) {
        eight = symbols + 2;
    }
    else if (count != SYMBOLS) {
        return 0;
    }
    *reference = write_reference(pool, eight);
    return sp_reference_check(eight) == eight[SYMBOLS - 1];
}

/* All weighted symbols and the check together: 0 for a right reference. */
static int syndrome(const char symbols[SYMBOLS])
{
    return value_of(sp_reference_check(symbols)) ^ value_of(symbols[SYMBOLS - 1]);
}

static void add_near(apr_array_header_t *list, const char symbols[SYMBOLS])
{
    APR_ARRAY_PUSH(list, const char *) = write_reference(list->pool, symbols);
}

apr_array_header_t *sp_reference_near(apr_pool_t *pool, const char *reference)
{
    apr_array_header_t *list = apr_array_make(pool, 15, sizeof(const char *));
    char symbols[SYMBOLS];
    char kept;
    int wrong, i;

    memcpy(symbols, reference + 3, 4);
    memcpy(symbols + 4, reference + 8, 4);
    wrong = syndrome(symbols);
    for (i = 0; wrong && i < SYMBOLS - 1; i++) {
        char left = symbols[i], right = symbols[i + 1];

        symbols[i] = right;
        symbols[i + 1] = left;
        if (syndrome(symbols) == 0) {
            add_near(list, symbols);
        }
        symbols[i] = left;
        symbols[i + 1] = right;
    }
    for (i = 0; wrong && i < SYMBOLS; i++) {
        kept = symbols[i];
        symbols[i] = alphabet[value_of(kept) ^ multiply(wrong, inverse(weight(i)))];
        add_near(list, symbols);
        symbols[i] = kept;
    }
    return list;
}

const char *sp_reference_statement(apr_pool_t *pool, const char *reference)
{
    return apr_psprintf(pool, "SP%.4s%.4s", reference + 3, reference + 8);
}

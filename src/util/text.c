/*
 * text.c - what the edge checks, so that nothing behind it has to.
 *
 * Room: util.
 * Source: RFC 3629 for UTF-8; RFC 5321 and 5322 for addresses.
 */
#include "util/text.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

/* The code point at text, *size its bytes; -1 when it is none. */
static long next_point(const unsigned char *text, apr_size_t len, int *size)
{
    static const long smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    long point;
    int i;

    if (*text < 0x80) {
        *size = 1;
        return *text;
    }
    *size = *text >= 0xf0 ? 4 : *text >= 0xe0 ? 3 : 2;
    if (*text < 0xc2 || *text > 0xf4 || (apr_size_t)*size > len) {
        return -1;
    }
    point = *text & (0x7f >> *size);
    for (i = 1; i < *size; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return -1;
        }
        point = point << 6 | (text[i] & 0x3f);
    }
    if (point < smallest[*size] || point > 0x10ffff ||
        (point >= 0xd800 && point <= 0xdfff)) {
        return -1;
    }
    return point;
}

int sp_text_is_utf8(const char *text, apr_size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + len;
    int size;

    for (; at < end; at += size) {
        size = 1;
        if (*at >= 0x80 && next_point(at, (apr_size_t)(end - at), &size) < 0) {
            return 0;
        }
    }
    return 1;
}

static int is_control(long point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f);
}

int sp_text_is_clean(const char *text, apr_size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + len;
    int size;

    for (; at < end; at += size) {
        /* -1, for what is no character at all, counts as a control here. */
        if (is_control(next_point(at, (apr_size_t)(end - at), &size))) {
            return 0;
        }
    }
    return 1;
}

/* Letters, digits and hyphens between dots, at least two parts. */
static int is_domain(const char *domain)
{
    const char *part = domain;
    const char *at;
    int dots = 0;

    for (at = domain; *at; at++) {
        if (*at == '.') {
            if (at == part || at[-1] == '-' || at - part > 63) {
                return 0;
            }
            part = at + 1;
            dots++;
        }
        else if (!apr_isalnum(*at) && (*at != '-' || at == part)) {
            return 0;
        }
    }
    return dots > 0 && at - part >= 2 && at - part <= 63 && at[-1] != '-';
}

/* A dot-atom; quoted local parts exist in the standard and nowhere else. */
static int is_local(const char *text, const char *at)
{
    const char *c;

    if (at == text || at - text > 64 || *text == '.' || at[-1] == '.') {
        return 0;
    }
    for (c = text; c < at; c++) {
        if (!apr_isalnum(*c) && !strchr("!#$%&'*+-/=?^_`{|}~.", *c)) {
            return 0;
        }
        if (*c == '.' && c[1] == '.') {
            return 0;
        }
    }
    return 1;
}

const char *sp_text_email_problem(const char *text)
{
    static const char like[] = "Enter an e-mail address, like name@example.com.";
    const char *at;
    const char *c;

    if (!text || !*text) {
        return like;
    }
    if (strlen(text) > 254) {
        return "This e-mail address is too long: 254 characters at most.";
    }
    for (c = text; *c; c++) {
        if ((unsigned char)*c >= 0x80) {
            return "This e-mail address holds a letter we cannot send mail to: use "
                   "plain letters, like name@example.com.";
        }
    }
    at = strchr(text, '@');
    return at && is_local(text, at) && is_domain(at + 1) ? NULL : like;
}

const char *sp_text_email_mask(apr_pool_t *pool, const char *email)
{
    const char *at = strrchr(email, '@');

    if (!at || at == email) {
        return "\xe2\x80\xa6";
    }
    return apr_psprintf(pool, "%c\xe2\x80\xa6%s", *email, at);
}

char *sp_text_fold(apr_pool_t *pool, const char *text)
{
    char *copy = apr_pstrdup(pool, text);
    char *c;

    for (c = copy; *c; c++) {
        if (*c >= 'A' && *c <= 'Z') {
            *c += 'a' - 'A';
        }
    }
    return copy;
}

char *sp_text_trim(apr_pool_t *pool, const char *text)
{
    const char *end = text + strlen(text);

    while (apr_isspace(*text)) {
        text++;
    }
    while (end > text && apr_isspace(end[-1])) {
        end--;
    }
    return apr_pstrmemdup(pool, text, (apr_size_t)(end - text));
}

const char *sp_text_one_line(apr_pool_t *pool, const char *text)
{
    unsigned char *copy;
    unsigned char *c;

    if (!text || sp_text_is_clean(text, strlen(text))) {
        return text;
    }
    copy = (unsigned char *)apr_pstrdup(pool, text);
    for (c = copy; *c; c++) {
        if (*c < 0x20 || *c == 0x7f) {
            *c = ' ';
        }
        else if (*c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f) {
            *c = c[1] = ' '; /* U+0080 to U+009F, two bytes each */
        }
    }
    return (const char *)copy;
}

int sp_text_is_uuid(const char *text)
{
    int i;

    for (i = 0; text && i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-') {
                return 0;
            }
        }
        else if (!apr_isdigit(text[i]) && (text[i] < 'a' || text[i] > 'f')) {
            return 0;
        }
    }
    return text && !text[36];
}

const char *sp_text_date(apr_pool_t *pool, const apr_time_exp_t *day)
{
    static const char *const months[] = { "January", "February", "March",
                                          "April",   "May",      "June",
                                          "July",    "August",   "September",
                                          "October", "November", "December" };

    return apr_psprintf(pool, "%d %s %d", day->tm_mday, months[day->tm_mon],
                        day->tm_year + 1900);
}

const char *sp_text_moment(apr_pool_t *pool, apr_time_t at)
{
    apr_time_exp_t t;

    apr_time_exp_gmt(&t, at);
    return apr_psprintf(pool, "%s, %02d:%02d UTC", sp_text_date(pool, &t), t.tm_hour,
                        t.tm_min);
}

const char *sp_text_time(apr_pool_t *pool, apr_time_t at)
{
    apr_time_exp_t t;

    apr_time_exp_gmt(&t, at);
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900,
                        t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

/*
 * slip.c - addresses that look mistyped.
 *
 * Room: handle. Free of httpd.
 */
#include "handle/slip.h"

#include <apr_strings.h>
#include <string.h>

#include "util/text.h"

/* Where most people have their mail; no short names, which have too many honest
 * neighbours. */
static const char *const common[] = { "gmail.com",
                                      "googlemail.com",
                                      "yahoo.com",
                                      "hotmail.com",
                                      "hotmail.co.uk",
                                      "outlook.com",
                                      "icloud.com",
                                      "hotmail.fr",
                                      "yahoo.co.uk",
                                      "comcast.net",
                                      "protonmail.com",
                                      "fastmail.com",
                                      "yahoo.fr",
                                      "t-online.de",
                                      "freenet.de",
                                      "orange.fr",
                                      NULL };

/* These only look like a slip. */
static const char *const real[] = { "mail.com", "email.com", "ymail.com", NULL };

static int is_one_of(const char *text, const char *const *list)
{
    while (*list && strcmp(*list, text) != 0) {
        list++;
    }
    return *list != NULL;
}

/* One letter more, less, or other, or two neighbours swapped. */
static int is_one_slip(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);

    while (*a && *a == *b) {
        a++;
        b++;
    }
    if (n == m) {
        return strcmp(a + (*a != 0), b + (*b != 0)) == 0 ||
               (a[0] && a[0] == b[1] && a[1] == b[0] && strcmp(a + 2, b + 2) == 0);
    }
    return (n == m + 1 && strcmp(a + 1, b) == 0) ||
           (m == n + 1 && strcmp(a, b + 1) == 0);
}

const char *sp_slip_suggest(apr_pool_t *pool, const char *email)
{
    const char *at = strrchr(email, '@');
    const char *const *known = common;
    const char *domain;

    if (!at) {
        return NULL;
    }
    domain = sp_text_fold(pool, at + 1);
    if (is_one_of(domain, common) || is_one_of(domain, real)) {
        return NULL;
    }
    while (*known && !is_one_slip(domain, *known)) {
        known++;
    }
    return *known ? apr_pstrcat(pool, apr_pstrmemdup(pool, email, at + 1 - email),
                                *known, NULL)
                  : NULL;
}

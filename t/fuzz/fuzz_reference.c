/*
 * fuzz_reference.c - a reference as people write it.
 *
 * Room: tests.
 */
#include "fuzz.h"

#include <string.h>

#include "util/reference.h"

static void check_near(apr_pool_t *pool, const char *reference)
{
    apr_array_header_t *near = sp_reference_near(pool, reference);
    const char *again;
    int i;

    MUST(near->nelts <= 15);
    for (i = 0; i < near->nelts; i++) {
        const char *one = APR_ARRAY_IDX(near, i, const char *);

        MUST(sp_reference_parse(pool, one, &again) && strcmp(one, again) == 0);
    }
}

void fuzz(apr_pool_t *pool, const char *text, apr_size_t len)
{
    const char *reference = NULL, *again = NULL;
    int right = sp_reference_parse(pool, text, &reference);

    (void)len;
    MUST(!right || reference);
    if (!reference) {
        return;
    }
    MUST(strlen(reference) == 12 && strncmp(reference, "SP-", 3) == 0);
    MUST(sp_reference_parse(pool, reference, &again) == right);
    MUST(strcmp(reference, again) == 0);
    MUST(strlen(sp_reference_statement(pool, reference)) == 10);
    if (!right) {
        check_near(pool, reference);
    }
}

/*
 * fuzz_settings.c - a configuration file, read without httpd.
 *
 * Room: tests. Nothing here opens another file: lines with Include are left out.
 */
#include "fuzz.h"

#include <apr_strings.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cfg/settings.h"
#include "cfg/settings_read.h"

static void check(const sp_settings_t *settings)
{
    int i;

    MUST(settings->mode && settings->environment);
    for (i = 0; i < settings->products->nelts; i++) {
        const sp_product_t *product =
            APR_ARRAY_IDX(settings->products, i, sp_product_t *);

        MUST(product->name && product->title && product->price.currency[0]);
        MUST(product->price.minor >= 0 && product->credits >= 0);
    }
}

void fuzz(apr_pool_t *pool, const char *text, apr_size_t len)
{
    int file = memfd_create("settings", 0);
    sp_settings_t *settings;
    const char *error = NULL;

    if (file >= 0 && !strcasestr(text, "nclude") &&
        !strcasestr(text, "serverroot") && write(file, text, len) == (ssize_t)len) {
        apr_status_t rv = sp_settings_read_file(
            pool, apr_psprintf(pool, "/proc/self/fd/%d", file), &settings, &error);

        MUST((rv == APR_SUCCESS) == !error);
        if (!error) {
            check(settings);
        }
        else {
            MUST(*error && !strpbrk(error, "\r\n"));
        }
    }
    if (file >= 0) {
        close(file);
    }
    MUST(strlen(sp_words_join(pool, text)) <= len);
}

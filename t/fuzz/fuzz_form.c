/*
 * fuzz_form.c - what comes out of a form is clean, whatever went in.
 *
 * Room: tests. The first byte: f for pairs, j for JSON. httpd takes a form apart; here a
 * few lines stand in its place, and everything behind them is ours.
 */
#include "fuzz.h"

#include <apr_buckets.h>
#include <apr_strings.h>
#include <httpd.h>
#include <string.h>
#include <util_script.h>

#include "handle/body.h"
#include "handle/form.h"
#include "util/text.h"

static const char *input;
static apr_size_t input_len;

int ap_parse_form_data(request_rec *r, struct ap_filter_t *f,
                       apr_array_header_t **pairs, apr_size_t most,
                       apr_size_t largest)
{
    apr_bucket_alloc_t *alloc = apr_bucket_alloc_create(r->pool);
    const char *at = input, *end = input + input_len, *stop, *is;

    (void)f;
    if (input_len > largest) {
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
    *pairs = apr_array_make(r->pool, 8, sizeof(ap_form_pair_t));
    for (; at < end; at = stop + 1) {
        ap_form_pair_t *pair = apr_array_push(*pairs);

        stop = memchr(at, '&', (apr_size_t)(end - at));
        stop = stop ? stop : end;
        is = memchr(at, '=', (apr_size_t)(stop - at));
        is = is ? is : stop;
        pair->name = apr_pstrmemdup(r->pool, at, (apr_size_t)(is - at));
        pair->value = apr_brigade_create(r->pool, alloc);
        if (is < stop) {
            apr_brigade_write(pair->value, NULL, NULL, is + 1,
                              (apr_size_t)(stop - is - 1));
        }
        if ((apr_size_t)(*pairs)->nelts > most) {
            return HTTP_REQUEST_ENTITY_TOO_LARGE;
        }
    }
    return OK;
}

void ap_args_to_table(request_rec *r, apr_table_t **table)
{
    *table = apr_table_make(r->pool, 1);
    apr_table_set(*table, "q", input);
}

int sp_body_read(request_rec *r, apr_size_t largest, char **body, apr_size_t *len)
{
    *len = input_len;
    *body = apr_pstrmemdup(r->pool, input, input_len);
    return input_len > largest ? HTTP_REQUEST_ENTITY_TOO_LARGE : OK;
}

apr_off_t sp_body_promised(request_rec *r)
{
    (void)r;
    return -1;
}

int sp_body_is(request_rec *r, const char *type)
{
    return strcmp(apr_table_get(r->headers_in, "Content-Type"), type) == 0;
}

static int is_clean(void *pool, const char *name, const char *value)
{
    char *lines = apr_pstrdup(pool, value);
    char *at;

    MUST(*value && strcmp(value, sp_text_trim(pool, value)) == 0);
    MUST(fuzz_is_line(name));
    if (strcmp(name, "message") == 0) {
        for (at = lines; *at; at++) {
            *at = *at == '\n' || *at == '\t' ? ' ' : *at;
        }
    }
    MUST(fuzz_is_line(lines));
    return 1;
}

void fuzz(apr_pool_t *pool, const char *text, apr_size_t len)
{
    request_rec *r = apr_pcalloc(pool, sizeof(*r));
    sp_form_t *form = NULL;
    const char *query;
    int status;

    if (len == 0) {
        return;
    }
    input = text + 1;
    input_len = len - 1;
    r->pool = pool;
    r->headers_in = apr_table_make(pool, 1);
    apr_table_set(r->headers_in, "Content-Type",
                  *text == 'j' ? "application/json"
                               : "application/x-www-form-urlencoded");
    status = sp_form_read(r, &form);
    MUST(form);
    if (status == OK) {
        apr_table_do(is_clean, pool, form->fields, NULL);
    }
    else {
        MUST(form->problem && status >= 400);
    }
    query = sp_query_get(r, "q");
    MUST(!query || (*query && fuzz_is_line(query)));
}

/*
 * form.c - what somebody typed, from a form or from JSON.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/form.h"

#include <apr_buckets.h>
#include <apr_strings.h>
#include <jansson.h>
#include <util_script.h>

#include "handle/body.h"
#include "util/json.h"
#include "util/text.h"

/* Our largest form is a message to support. */
#define MAX_FIELDS 32
#define MAX_BYTES 32768

/* The one field that may have several lines. */
#define MESSAGE "message"

static int refuse(sp_form_t *form, int status, const char *problem)
{
    form->problem = problem;
    return status;
}

/* A message may have lines; browsers end them with CR LF. *len shrinks with them. */
static int is_clean_message(char *text, apr_size_t *len)
{
    const char *from;
    char *to = text;
    apr_size_t line;

    if (strlen(text) != *len) {
        return 0;
    }
    for (from = text; *from; from++) {
        if (from[0] != '\r' || from[1] != '\n') {
            *to++ = *from;
        }
    }
    *to = '\0';
    *len = (apr_size_t)(to - text);
    for (from = text; *from; from += line + (from[line] != '\0')) {
        line = strcspn(from, "\n\t");
        if (!sp_text_is_clean(from, line)) {
            return 0;
        }
    }
    return 1;
}

static int is_clean_value(const char *name, char *value, apr_size_t *len)
{
    return strcmp(name, MESSAGE) == 0 ? is_clean_message(value, len)
                                      : sp_text_is_clean(value, *len);
}

static int add(sp_form_t *form, const char *name, const char *given, apr_size_t len)
{
    char *value = apr_pstrmemdup(form->r->pool, given, len);
    const char *text;

    if (!sp_text_is_clean(name, strlen(name)) ||
        !is_clean_value(name, value, &len)) {
        return refuse(form, HTTP_BAD_REQUEST,
                      "The form holds characters that are no text.");
    }
    if (apr_table_get(form->fields, name)) {
        return refuse(form, HTTP_BAD_REQUEST, "The form says one thing twice.");
    }
    text = sp_text_trim(form->r->pool, value);
    if (*text) {
        apr_table_setn(form->fields, name, text);
    }
    return OK;
}

static int read_pairs(sp_form_t *form, const apr_array_header_t *pairs)
{
    int status = OK;
    int i;

    for (i = 0; i < pairs->nelts && status == OK; i++) {
        const ap_form_pair_t *pair = &APR_ARRAY_IDX(pairs, i, ap_form_pair_t);
        char *value;
        apr_size_t len;

        if (apr_brigade_pflatten(pair->value, &value, &len, form->r->pool) !=
            APR_SUCCESS) {
            return refuse(form, HTTP_BAD_REQUEST, "The form did not arrive whole.");
        }
        status = add(form, pair->name, value, len);
    }
    return status;
}

static int read_urlencoded(sp_form_t *form)
{
    apr_array_header_t *pairs = NULL;
    int status =
        sp_body_promised(form->r) > MAX_BYTES
            ? HTTP_REQUEST_ENTITY_TOO_LARGE
            : ap_parse_form_data(form->r, NULL, &pairs, MAX_FIELDS, MAX_BYTES);

    if (status != OK) {
        return refuse(form, status,
                      status == HTTP_REQUEST_ENTITY_TOO_LARGE
                          ? "That is more than this form takes."
                          : "The form did not arrive whole.");
    }
    return pairs ? read_pairs(form, pairs) : OK;
}

static int read_members(sp_form_t *form, json_t *object)
{
    const char *name;
    json_t *value;
    int status = OK;

    json_object_foreach(object, name, value)
    {
        if (json_is_string(value)) {
            status =
                add(form, name, json_string_value(value), json_string_length(value));
        }
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

static int read_json(sp_form_t *form)
{
    char *body;
    apr_size_t len;
    json_t *object;
    int status = sp_body_read(form->r, MAX_BYTES, &body, &len);

    if (status != OK) {
        return refuse(form, status,
                      "The body did not arrive whole, or is too large.");
    }
    object = sp_json_own(form->r->pool,
                         json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL));
    if (!json_is_object(object)) {
        return refuse(form, HTTP_BAD_REQUEST,
                      "The body is not one JSON object with each name once.");
    }
    return read_members(form, object);
}

int sp_form_read(request_rec *r, sp_form_t **form)
{
    sp_form_t *made = apr_pcalloc(r->pool, sizeof(*made));

    made->r = r;
    made->fields = apr_table_make(r->pool, 8);
    *form = made;
    if (apr_table_get(r->headers_in, "Content-Encoding")) {
        return refuse(made, HTTP_UNSUPPORTED_MEDIA_TYPE, "Send the body unpacked.");
    }
    if (sp_body_is(r, "application/x-www-form-urlencoded")) {
        return read_urlencoded(made);
    }
    if (sp_body_is(r, "application/json")) {
        return read_json(made);
    }
    return refuse(made, HTTP_UNSUPPORTED_MEDIA_TYPE,
                  "Send application/x-www-form-urlencoded or application/json.");
}

const char *sp_form_get(const sp_form_t *form, const char *name)
{
    return apr_table_get(form->fields, name);
}

const char *sp_query_get(request_rec *r, const char *name)
{
    apr_table_t *args;
    const char *value;

    ap_args_to_table(r, &args);
    value = apr_table_get(args, name);
    return value && *value && sp_text_is_clean(value, strlen(value)) ? value : NULL;
}

/*
 * body.c - a request's body, whole or not at all.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/body.h"

#include <apr_buckets.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <util_filter.h>

typedef struct reading_t {
    request_rec *r;
    char *bytes;
    apr_size_t len;
    apr_size_t room;
    apr_size_t largest;
    int done;
} reading_t;

static int append(reading_t *in, const char *data, apr_size_t len)
{
    if (len > in->largest - in->len) {
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
    if (len > in->room - in->len) {
        apr_size_t room = (in->len + len) * 2;
        char *bytes = apr_palloc(in->r->pool, room + 1);

        memcpy(bytes, in->bytes, in->len);
        in->bytes = bytes;
        in->room = room;
    }
    memcpy(in->bytes + in->len, data, len);
    in->len += len;
    return OK;
}

static int take(reading_t *in, apr_bucket_brigade *brigade)
{
    apr_bucket *b;
    const char *data;
    apr_size_t len;
    apr_status_t rv;
    int status = OK;

    for (b = APR_BRIGADE_FIRST(brigade);
         b != APR_BRIGADE_SENTINEL(brigade) && status == OK;
         b = APR_BUCKET_NEXT(b)) {
        if (APR_BUCKET_IS_EOS(b)) {
            in->done = 1;
            return OK;
        }
        if (APR_BUCKET_IS_METADATA(b)) {
            continue;
        }
        rv = apr_bucket_read(b, &data, &len, APR_BLOCK_READ);
        status = rv == APR_SUCCESS ? append(in, data, len)
                                   : ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
    }
    return status;
}

static int read_all(reading_t *in)
{
    request_rec *r = in->r;
    apr_bucket_brigade *brigade =
        apr_brigade_create(r->pool, r->connection->bucket_alloc);
    int status = OK;

    while (!in->done && status == OK) {
        apr_status_t rv = ap_get_brigade(r->input_filters, brigade,
                                         AP_MODE_READBYTES, APR_BLOCK_READ, 8192);

        status = rv == APR_SUCCESS ? take(in, brigade)
                                   : ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
        apr_brigade_cleanup(brigade);
    }
    apr_brigade_destroy(brigade);
    return status;
}

apr_off_t sp_body_promised(request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    char *end;
    apr_off_t bytes;

    if (!length || apr_strtoff(&bytes, length, &end, 10) != APR_SUCCESS || *end) {
        return -1;
    }
    return bytes;
}

int sp_body_read(request_rec *r, apr_size_t largest, char **body, apr_size_t *len)
{
    apr_off_t expected = sp_body_promised(r);
    reading_t in = { .r = r, .largest = largest };
    int status;

    if (expected > (apr_off_t)largest) {
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
    in.room = expected >= 0 ? (apr_size_t)expected : 8192;
    in.bytes = apr_palloc(r->pool, in.room + 1);
    status = read_all(&in);
    if (status == OK && expected >= 0 && in.len < (apr_size_t)expected) {
        status = HTTP_BAD_REQUEST;
    }
    in.bytes[in.len] = '\0';
    *body = in.bytes;
    *len = in.len;
    return status;
}

int sp_body_is(request_rec *r, const char *type)
{
    const char *given = apr_table_get(r->headers_in, "Content-Type");
    apr_size_t len = strlen(type);

    return given && strncasecmp(given, type, len) == 0 &&
           (!given[len] || given[len] == ';' || apr_isspace(given[len]));
}

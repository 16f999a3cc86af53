/*
 * asset.c - GET /assets/<file> and /sw.js: style, script and pictures.
 *
 * Room: handle. Sees httpd.
 * Served here rather than through an Alias, because a <Location> with SetHandler
 * covers what lies below it: so the shop is one line to configure.
 */
#include <apr_buckets.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include "cfg/settings.h"
#include "handle/page.h"
#include "handle/route.h"

#define NAME_CHARACTERS \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/* NULL for what is none of ours. */
static const char *type_of(const char *name)
{
    static const struct {
        const char *end, *type;
    } types[] = { { ".css", "text/css; charset=utf-8" },
                  { ".js", "text/javascript; charset=utf-8" },
                  { ".svg", "image/svg+xml" },
                  { ".png", "image/png" },
                  { ".ico", "image/x-icon" },
                  { ".html", "text/html; charset=utf-8" },
                  { ".webmanifest", "application/manifest+json" } };
    const char *end = ap_strrchr_c(name, '.');
    apr_size_t i;

    if (!end || *name == '.' || strspn(name, NAME_CHARACTERS) != strlen(name)) {
        return NULL;
    }
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].end, end) == 0) {
            return types[i].type;
        }
    }
    return NULL;
}

static int send_file(request_rec *r, apr_file_t *file)
{
    apr_bucket_brigade *brigade;
    int status;

    r->mtime = r->finfo.mtime;
    ap_set_last_modified(r);
    ap_set_etag(r);
    ap_set_content_length(r, r->finfo.size);
    status = ap_meets_conditions(r);
    if (status != OK || r->header_only) {
        apr_file_close(file);
        return status;
    }
    brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_brigade_insert_file(brigade, file, 0, r->finfo.size, r->pool);
    APR_BRIGADE_INSERT_TAIL(brigade,
                            apr_bucket_eos_create(r->connection->bucket_alloc));
    /* Whether it all arrived is between the connection and its log line. */
    ap_pass_brigade(r->output_filters, brigade);
    return OK;
}

static int send_named(request_rec *r, sp_ctx_t *ctx, const char *folder,
                      const char *name, const char *caching)
{
    const char *type = type_of(name);
    const char *path =
        apr_pstrcat(r->pool, ctx->settings->share, "/htdocs/", folder, name, NULL);
    apr_file_t *file;

    if (!type ||
        apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_SENDFILE_ENABLED, 0,
                      r->pool) != APR_SUCCESS) {
        return sp_page_error(r, ctx, HTTP_NOT_FOUND, NULL, NULL);
    }
    if (apr_file_info_get(&r->finfo, APR_FINFO_NORM, file) != APR_SUCCESS ||
        r->finfo.filetype != APR_REG) {
        apr_file_close(file);
        return sp_page_error(r, ctx, HTTP_NOT_FOUND, NULL, NULL);
    }
    ap_set_content_type(r, type);
    apr_table_setn(r->err_headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->err_headers_out, "Cache-Control", caching);
    return send_file(r, file);
}

int sp_handle_asset(request_rec *r, sp_ctx_t *ctx)
{
    return send_named(r, ctx, "assets/", sp_place(r)->rest, "public, max-age=3600");
}

/* A worker that cannot be withdrawn at once would outlive its own bugs. */
int sp_handle_service_worker(request_rec *r, sp_ctx_t *ctx)
{
    return send_named(r, ctx, "", "sw.js", "no-cache");
}

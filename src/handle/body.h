/*
 * body.h - a request's body, whole or not at all.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_BODY_H
#define SUBPAY_HANDLE_BODY_H

#include <httpd.h>

/**
 * Read the body as it came, up to largest bytes.
 *
 * A body that breaks off is an error, never a shorter body.
 *
 * @param body  in r->pool, ended by a NUL that is not counted
 * @return OK, or the status to answer with: 400 cut short, 408 too slow, 413 too
 *         large; or AP_FILTER_ERROR when it has been answered: return that as it is
 */
int sp_body_read(request_rec *r, apr_size_t largest, char **body, apr_size_t *len);

/** What Content-Length promises; -1 where nothing does. */
apr_off_t sp_body_promised(request_rec *r);

/** Is this the request's content type, parameters aside? */
int sp_body_is(request_rec *r, const char *type);

#endif

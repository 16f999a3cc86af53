/*
 * page.h - sending an answer: a page, JSON, or the way to another place.
 *
 * Room: handle. Sees httpd. Every answer leaves through here, with the same security
 * headers. What a page says is in view/ and htdocs/; what goes in, in model.h.
 */
#ifndef SUBPAY_HANDLE_PAGE_H
#define SUBPAY_HANDLE_PAGE_H

#include <httpd.h>
#include <jansson.h>

#include "model/ctx.h"

/** Does whoever asks want JSON: by Accept, or by having sent some? */
int sp_wants_json(request_rec *r);

/** Draw a page (htdocs/templates/README.md) and send it. */
int sp_page_show(request_rec *r, sp_ctx_t *ctx, int status, const char *page,
                 json_t *model);

/** Send a value as JSON. */
int sp_json_show(request_rec *r, int status, const json_t *value);

/** Send {"error": {code, message, reference}}; reference may be NULL. */
int sp_json_error(request_rec *r, int status, const char *code, const char *message,
                  const char *reference);

/** Send 303 to another address. */
int sp_page_go(request_rec *r, const char *url);

/**
 * Say that it cannot be done, as a page or as JSON.
 *
 * @param say  fit to show, or NULL for the status's own words
 */
int sp_page_error(request_rec *r, sp_ctx_t *ctx, int status, const char *code,
                  const char *say);

/** Send bytes with the headers that every answer has. */
int sp_answer(request_rec *r, int status, const char *type, const char *body,
              apr_size_t len);

#endif

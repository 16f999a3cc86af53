/*
 * auth_form.h - what the forms about accounts have in common.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_AUTH_FORM_H
#define SUBPAY_HANDLE_AUTH_FORM_H

#include <httpd.h>
#include <jansson.h>

#include "handle/form.h"
#include "model/ctx.h"

/** Read a form that comes from our own pages. DECLINED: go on with it; any other
 * value is what the handler returns, for it has been answered. */
int sp_auth_form_read(request_rec *r, sp_ctx_t *ctx, sp_form_t **form);

/** The model of a page with a form; email is what was typed, or NULL. */
json_t *sp_auth_form_model(sp_ctx_t *ctx, const char *email);

/** Say what is wrong, above the form and beside the field. */
void sp_auth_form_problem(json_t *page, const char *field, const char *message);

/** 429: come back in so many seconds. Says nothing about any account. */
int sp_auth_too_many(request_rec *r, sp_ctx_t *ctx, int wait_s);

#endif

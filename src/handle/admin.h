/*
 * admin.h - what all pages of the support area have in common.
 *
 * Room: handle. Sees httpd. Whoever gets here has been let in by httpd: r->user is set.
 */
#ifndef SUBPAY_HANDLE_ADMIN_H
#define SUBPAY_HANDLE_ADMIN_H

#include <httpd.h>
#include <jansson.h>

#include "handle/form.h"
#include "model/ctx.h"

/**
 * Show a value: as a page, or as the JSON it is, by Accept.
 *
 * A page sees the value's members, what every page has, and "admin" (the area's own
 * prefix), "user", "csrf" and "form_key"; JSON carries "csrf" as well.
 */
int sp_admin_show(request_rec *r, sp_ctx_t *ctx, int status, const char *page,
                  json_t *value);

/** Say that it cannot be done. */
int sp_admin_error(request_rec *r, sp_ctx_t *ctx, int status, const char *code,
                   const char *say);

/**
 * Read a form of this area: sent from our own pages, by the person who was given it.
 *
 * @return DECLINED: go on with it; any other value is what the handler returns
 */
int sp_admin_form(request_rec *r, sp_ctx_t *ctx, sp_form_t **form);

/** Note who looks at this order or ticket, and set "here": who else does. Programs that
 * ask for JSON leave no trace. */
void sp_admin_set_here(request_rec *r, sp_ctx_t *ctx, const char *place,
                       json_t *value);

/** An address of this area: "/orders/" and a reference, say. */
const char *sp_admin_url(request_rec *r, const char *path, const char *about);

#endif

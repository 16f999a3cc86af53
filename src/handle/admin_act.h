/*
 * admin_act.h - what the page of a case offers, and what an action will do.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_ADMIN_ACT_H
#define SUBPAY_HANDLE_ADMIN_ACT_H

#include <httpd.h>
#include <jansson.h>

#include "model/ctx.h"

/** Set "recommended" and "actions" from a case's diagnosis and facts. */
void sp_admin_set_actions(json_t *value);

/**
 * Show what an action will do to this case.
 *
 * @param payment_id  refund: the payment that is chosen already; NULL for the usual one
 */
int sp_admin_preview(request_rec *r, sp_ctx_t *ctx, int status, const char *name,
                     const char *payment_id, json_t *value);

/** A button that is about no order and no ticket was pressed: do it, and go back to the
 * page at this path of the area. */
int sp_admin_press(request_rec *r, sp_ctx_t *ctx, const char *action,
                   const char *back);

#endif

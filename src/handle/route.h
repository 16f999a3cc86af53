/*
 * route.h - which function answers which address.
 *
 * Room: handle. Sees httpd.
 *
 * A row of the table is a handler's name as in SetHandler, a path below its
 * <Location>, a method, and a function: one for each thing that somebody asks for.
 */
#ifndef SUBPAY_HANDLE_ROUTE_H
#define SUBPAY_HANDLE_ROUTE_H

#include <httpd.h>

#include "model/ctx.h"

/* Where a request came in. */
typedef struct sp_place_t {
    const char *handler; /* "subpay" */
    const char *prefix;  /* of its <Location>, no slash at the end: "" or "/pay" */
    const char *path;    /* below it: "/", "/checkout" */
    const char *rest;    /* what the * of the row stands for */
} sp_place_t;

/** Where this request came in. */
const sp_place_t *sp_place(request_rec *r);

/* One function for each row; they return what a handler returns. */
int sp_handle_plans(request_rec *r, sp_ctx_t *ctx);
int sp_handle_checkout(request_rec *r, sp_ctx_t *ctx);
int sp_handle_subscribe(request_rec *r, sp_ctx_t *ctx);
int sp_handle_return(request_rec *r, sp_ctx_t *ctx);
int sp_handle_cancel(request_rec *r, sp_ctx_t *ctx);
int sp_handle_status(request_rec *r, sp_ctx_t *ctx);
int sp_handle_problem(request_rec *r, sp_ctx_t *ctx);
int sp_handle_offline(request_rec *r, sp_ctx_t *ctx);
int sp_handle_login_form(request_rec *r, sp_ctx_t *ctx);
int sp_handle_login(request_rec *r, sp_ctx_t *ctx);
int sp_handle_logout(request_rec *r, sp_ctx_t *ctx);
int sp_handle_password_form(request_rec *r, sp_ctx_t *ctx);
int sp_handle_password(request_rec *r, sp_ctx_t *ctx);
int sp_handle_account(request_rec *r, sp_ctx_t *ctx);
int sp_handle_renewal(request_rec *r, sp_ctx_t *ctx);
int sp_handle_renewal_pay(request_rec *r, sp_ctx_t *ctx);
int sp_handle_email(request_rec *r, sp_ctx_t *ctx);
int sp_handle_find_form(request_rec *r, sp_ctx_t *ctx);
int sp_handle_find(request_rec *r, sp_ctx_t *ctx);
int sp_handle_support_form(request_rec *r, sp_ctx_t *ctx);
int sp_handle_support(request_rec *r, sp_ctx_t *ctx);
int sp_handle_notify(request_rec *r, sp_ctx_t *ctx);
int sp_handle_asset(request_rec *r, sp_ctx_t *ctx);
int sp_handle_service_worker(request_rec *r, sp_ctx_t *ctx);
int sp_handle_webhook(request_rec *r, sp_ctx_t *ctx);
int sp_handle_api_entitlements(request_rec *r, sp_ctx_t *ctx);
int sp_handle_api_credits(request_rec *r, sp_ctx_t *ctx);
int sp_handle_api_deduct(request_rec *r, sp_ctx_t *ctx);
int sp_handle_api_refund(request_rec *r, sp_ctx_t *ctx);
int sp_handle_health(request_rec *r, sp_ctx_t *ctx);
int sp_handle_metrics(request_rec *r, sp_ctx_t *ctx);
int sp_handle_health_live(request_rec *r, sp_ctx_t *ctx);
int sp_handle_health_ready(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_alerts(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_alert_take(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_pause(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_search(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_order(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_order_act(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_queue(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_ticket(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_ticket_act(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_pictures(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_runs(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_run(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_write_form(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_write(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_duty(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_duty_take(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_alert_test(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_ledger(request_rec *r, sp_ctx_t *ctx);
int sp_handle_admin_playbook(request_rec *r, sp_ctx_t *ctx);

#endif

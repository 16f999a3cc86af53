/*
 * route.c - which function answers which address.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/route.h"

#include <ap_expr.h>
#include <apr_fnmatch.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_protocol.h>

#include "handle/handle.h"
#include "handle/page.h"
#include "handle/shop.h"
#include "util/log.h"
#include "util/text.h"

extern module AP_MODULE_DECLARE_DATA subpay_module;

typedef struct route_t {
    const char *handler;
    int method; /* GET answers HEAD too */
    const char *path;
    int (*answer)(request_rec *r, sp_ctx_t *ctx);
    const char *via;
    const char *actor; /* NULL: whoever is logged in */
    int urgent;        /* may take the last database connections */
} route_t;

static const route_t routes[] = {
    { "subpay", M_GET, "/", sp_handle_plans, "return", "customer", 0 },
    { "subpay", M_POST, "/checkout", sp_handle_checkout, "return", "customer", 0 },
    { "subpay", M_POST, "/subscribe", sp_handle_subscribe, "return", "customer", 0 },
    { "subpay", M_GET, "/return", sp_handle_return, "return", "customer", 0 },
    { "subpay", M_GET, "/cancel", sp_handle_cancel, "return", "customer", 0 },
    { "subpay", M_GET, "/status", sp_handle_status, "return", "customer", 0 },
    { "subpay", M_GET, "/problem", sp_handle_problem, "return", "customer", 0 },
    { "subpay", M_GET, "/offline", sp_handle_offline, "return", "customer", 0 },
    { "subpay", M_GET, "/sw.js", sp_handle_service_worker, "return", "customer", 0 },
    { "subpay", M_GET, "/login", sp_handle_login_form, "self_service", "customer",
      0 },
    { "subpay", M_POST, "/login", sp_handle_login, "self_service", "customer", 0 },
    { "subpay", M_POST, "/logout", sp_handle_logout, "self_service", "customer", 0 },
    { "subpay", M_GET, "/password", sp_handle_password_form, "self_service",
      "customer", 0 },
    { "subpay", M_POST, "/password", sp_handle_password, "self_service", "customer",
      0 },
    { "subpay", M_GET, "/account", sp_handle_account, "self_service", "customer",
      0 },
    { "subpay", M_POST, "/account/renewal", sp_handle_renewal, "self_service",
      "customer", 0 },
    { "subpay", M_GET, "/renewal", sp_handle_renewal_pay, "self_service", "customer",
      0 },
    { "subpay", M_POST, "/email", sp_handle_email, "self_service", "customer", 0 },
    { "subpay", M_GET, "/find", sp_handle_find_form, "self_service", "customer", 0 },
    { "subpay", M_POST, "/find", sp_handle_find, "self_service", "customer", 0 },
    { "subpay", M_GET, "/support", sp_handle_support_form, "self_service",
      "customer", 0 },
    { "subpay", M_POST, "/support", sp_handle_support, "self_service", "customer",
      0 },
    { "subpay", M_POST, "/notify", sp_handle_notify, "self_service", "customer", 0 },
    { "subpay", M_GET, "/assets/*", sp_handle_asset, "return", "customer", 0 },
    { "subpay-webhook", M_POST, "/*", sp_handle_webhook, "webhook", "provider", 1 },
    { "subpay-api", M_GET, "/entitlements", sp_handle_api_entitlements,
      "self_service", "application", 0 },
    { "subpay-api", M_GET, "/credits", sp_handle_api_credits, "self_service",
      "application", 0 },
    { "subpay-api", M_POST, "/credits/deduct", sp_handle_api_deduct, "self_service",
      "application", 0 },
    { "subpay-api", M_POST, "/credits/refund", sp_handle_api_refund, "self_service",
      "application", 0 },
    { "subpay-admin", M_GET, "/", sp_handle_admin_queue, "support", NULL, 0 },
    { "subpay-admin", M_GET, "/search", sp_handle_admin_search, "support", NULL, 0 },
    { "subpay-admin", M_GET, "/orders/**", sp_handle_admin_order, "support", NULL,
      0 },
    { "subpay-admin", M_POST, "/orders/**", sp_handle_admin_order_act, "support",
      NULL, 0 },
    { "subpay-admin", M_GET, "/tickets/*", sp_handle_admin_ticket, "support", NULL,
      0 },
    { "subpay-admin", M_POST, "/tickets/**", sp_handle_admin_ticket_act, "support",
      NULL, 0 },
    { "subpay-admin", M_GET, "/pictures", sp_handle_admin_pictures, "support", NULL,
      0 },
    { "subpay-admin", M_GET, "/runs", sp_handle_admin_runs, "support", NULL, 0 },
    { "subpay-admin", M_POST, "/runs/now", sp_handle_admin_run, "support", NULL, 0 },
    { "subpay-admin", M_GET, "/ledger", sp_handle_admin_ledger, "support", NULL, 0 },
    { "subpay-admin", M_GET, "/write", sp_handle_admin_write_form, "support", NULL,
      0 },
    { "subpay-admin", M_POST, "/write", sp_handle_admin_write, "support", NULL, 0 },
    { "subpay-admin", M_GET, "/duty", sp_handle_admin_duty, "support", NULL, 0 },
    { "subpay-admin", M_POST, "/duty", sp_handle_admin_duty_take, "support", NULL,
      0 },
    { "subpay-admin", M_GET, "/playbook", sp_handle_admin_playbook, "support", NULL,
      0 },
    { "subpay-admin", M_GET, "/alerts", sp_handle_admin_alerts, "support", NULL, 0 },
    { "subpay-admin", M_POST, "/alerts/test", sp_handle_admin_alert_test, "support",
      NULL, 0 },
    { "subpay-admin", M_POST, "/alerts/**", sp_handle_admin_alert_take, "support",
      NULL, 0 },
    { "subpay-admin", M_POST, "/pause", sp_handle_admin_pause, "support", NULL, 0 },
    { "subpay-status", M_GET, "/health", sp_handle_health, "return", "customer", 0 },
    { "subpay-status", M_GET, "/health/live", sp_handle_health_live, "return",
      "customer", 0 },
    { "subpay-status", M_GET, "/health/ready", sp_handle_health_ready, "return",
      "customer", 0 },
    { "subpay-status", M_GET, "/metrics", sp_handle_metrics, "return", "customer",
      0 },
    { NULL, 0, NULL, NULL, NULL, NULL, 0 }
};

const sp_place_t *sp_place(request_rec *r)
{
    return ap_get_module_config(r->request_config, &subpay_module);
}

/* As httpd itself matches a <Location>: whole segments, or a pattern. */
static int location_matches(const core_dir_config *location, const char *uri)
{
    apr_size_t len = strlen(location->d);

    if (location->r) {
        return ap_regexec(location->r, uri, 0, NULL, 0) == 0;
    }
    if (location->d_is_fnmatch) {
        return apr_fnmatch(location->d, uri, APR_FNM_PATHNAME) == APR_SUCCESS;
    }
    return strncmp(location->d, uri, len) == 0 &&
           (len == 0 || location->d[len - 1] == '/' || !uri[len] || uri[len] == '/');
}

static const char *prefix_of(apr_pool_t *pool, const core_dir_config *location)
{
    apr_size_t len = strlen(location->d);

    if (location->r || location->d_is_fnmatch) {
        return "";
    }
    while (len > 0 && location->d[len - 1] == '/') {
        len--;
    }
    return apr_pstrmemdup(pool, location->d, len);
}

/* The <Location> whose SetHandler counts for this address: the last that matches, as
 * in httpd. r->path_info knows nothing of addresses that are no files. */
static const core_dir_config *find_location(request_rec *r)
{
    const core_server_config *core =
        ap_get_core_module_config(r->server->module_config);
    const core_dir_config *found = NULL;
    int i;

    for (i = 0; i < core->sec_url->nelts; i++) {
        const core_dir_config *location = ap_get_core_module_config(
            APR_ARRAY_IDX(core->sec_url, i, ap_conf_vector_t *));

        if (location->expr_handler && location_matches(location, r->uri)) {
            found = location;
        }
    }
    return found;
}

/* What its SetHandler says, as httpd will read it in a moment; NULL when not ours. */
static const char *handler_of(request_rec *r, const core_dir_config *location)
{
    const char *error = NULL;
    const char *name = ap_expr_str_exec(r, location->expr_handler, &error);

    return !error && name && strncasecmp(name, "subpay", 6) == 0
               ? sp_text_fold(r->pool, name)
               : NULL;
}

static sp_place_t *place_make(request_rec *r, const char *handler,
                              const char *prefix)
{
    sp_place_t *place = apr_pcalloc(r->pool, sizeof(*place));

    place->handler = handler;
    place->prefix = prefix;
    place->path = r->uri + strlen(prefix);
    place->path = *place->path ? place->path : "/";
    place->rest = "";
    ap_set_module_config(r->request_config, &subpay_module, place);
    return place;
}

int sp_handle_map(request_rec *r)
{
    const core_dir_config *location = sp_shop() ? find_location(r) : NULL;
    const char *handler = location ? handler_of(r, location) : NULL;

    if (!handler) {
        return DECLINED;
    }
    place_make(r, handler, prefix_of(r->pool, location));
    return OK;
}

/* Does the row's path fit? "/assets/" followed by * takes one more segment, by ** any
 * number of them. */
static int path_fits(const char *pattern, sp_place_t *place)
{
    apr_size_t len = strcspn(pattern, "*");

    if (!pattern[len]) {
        return strcmp(pattern, place->path) == 0;
    }
    if (strncmp(pattern, place->path, len) != 0 || !place->path[len] ||
        (!pattern[len + 1] && ap_strchr_c(place->path + len, '/'))) {
        return 0;
    }
    place->rest = place->path + len;
    return 1;
}

/* Allow names every method that the address takes: who sent DELETE to a form may both
 * look at it and send it. */
static int wrong_method(request_rec *r, sp_ctx_t *ctx, apr_int64_t methods)
{
    int get = (methods & (AP_METHOD_BIT << M_GET)) != 0;
    int post = (methods & (AP_METHOD_BIT << M_POST)) != 0;

    apr_table_setn(r->err_headers_out, "Allow",
                   get && post ? "GET, HEAD, POST"
                   : get       ? "GET, HEAD"
                               : "POST");
    return sp_page_error(r, ctx, HTTP_METHOD_NOT_ALLOWED, NULL, NULL);
}

static int no_such_page(request_rec *r)
{
    return sp_page_error(r, sp_shop_ctx(r, "return", "customer", 0), HTTP_NOT_FOUND,
                         NULL, NULL);
}

static int dispatch(request_rec *r, sp_place_t *place)
{
    apr_int64_t methods = 0; /* of the rows whose address fits */
    const route_t *route;

    for (route = routes; route->handler; route++) {
        if (strcmp(route->handler, place->handler) != 0 ||
            !path_fits(route->path, place)) {
            continue;
        }
        if (route->method == r->method_number) {
            return route->answer(
                r, sp_shop_ctx(r, route->via, route->actor ? route->actor : r->user,
                               route->urgent));
        }
        methods |= AP_METHOD_BIT << route->method;
    }
    return methods
               ? wrong_method(r, sp_shop_ctx(r, "return", "customer", 0), methods)
               : no_such_page(r);
}

/* Where support and the application come in, somebody must have said who they are:
 * a forgotten AuthType would open every customer to everybody. */
static int refuse_strangers(request_rec *r, const sp_place_t *place)
{
    sp_ctx_t *ctx;

    if (r->user || (strcmp(place->handler, "subpay-admin") != 0 &&
                    strcmp(place->handler, "subpay-api") != 0)) {
        return DECLINED;
    }
    ctx = sp_shop_ctx(r, "support", "nobody", 0);
    sp_log(
        ctx->log, SP_LOG_ERR, 202,
        "%s answers nobody whom httpd does not know: give its <Location \"%s/\"> an "
        "AuthType and Require valid-user",
        place->handler, place->prefix);
    return sp_page_error(r, ctx, HTTP_FORBIDDEN, NULL, NULL);
}

int sp_handle_request(request_rec *r)
{
    sp_place_t *place;
    int status;

    if (!r->handler || strncmp(r->handler, "subpay", 6) != 0 || !sp_shop()) {
        return DECLINED;
    }
    place = ap_get_module_config(r->request_config, &subpay_module);
    if (!place || strcmp(place->handler, r->handler) != 0) {
        place = place_make(r, r->handler, place ? place->prefix : "");
    }
    status = refuse_strangers(r, place);
    return status == DECLINED ? dispatch(r, place) : status;
}

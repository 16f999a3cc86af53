/*
 * auth.c - who is asking: AuthType SubPay.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/auth.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_request.h>

#include "handle/auth_cookie.h"
#include "handle/page.h"
#include "handle/shop.h"
#include "util/text.h"

APLOG_USE_MODULE(subpay);

#define ACCESS_KEY "subpay-access"
#define LONGEST_PATH 2000

sp_access_t *sp_auth_access(request_rec *r)
{
    void *known = NULL;

    /* An internal redirect has its first request's pool; a subrequest has its own. */
    for (; r && !known; r = r->main) {
        apr_pool_userdata_get(&known, ACCESS_KEY, r->pool);
    }
    return known;
}

void sp_auth_note(request_rec *r, const sp_access_t *access)
{
    apr_pool_userdata_setn(apr_pmemdup(r->pool, access, sizeof(*access)), ACCESS_KEY,
                           NULL, r->pool);
}

/* What an application behind httpd gets to see. Request headers become HTTP_*, so
 * nobody outside can set these; and what does not apply is taken away. */
void sp_auth_env(request_rec *r, const sp_customer_t *customer,
                 const sp_plan_t *plan)
{
    apr_table_t *env = r->subprocess_env;

    apr_table_setn(env, "SUBPAY_ACCOUNT", customer->email);
    apr_table_setn(
        env, "SUBPAY_CREDITS",
        apr_psprintf(r->pool, "%" APR_INT64_T_FMT, (apr_int64_t)customer->credits));
    apr_table_unset(env, "SUBPAY_PLAN");
    apr_table_unset(env, "SUBPAY_EXPIRES");
    if (plan) {
        apr_table_setn(env, "SUBPAY_PLAN", plan->product);
    }
    if (plan && plan->expires_at) {
        apr_table_setn(env, "SUBPAY_EXPIRES",
                       sp_text_time(r->pool, plan->expires_at));
    }
}

/* A person at a browser, who can be sent to a page; not a script, an image, an app. */
static int is_person(request_rec *r)
{
    const char *mode = apr_table_get(r->headers_in, "Sec-Fetch-Mode");

    return r->method_number == M_GET && !sp_wants_json(r) &&
           (!mode || strcmp(mode, "navigate") == 0);
}

static int ask_login(request_rec *r)
{
    if (r->main) {
        return HTTP_UNAUTHORIZED;
    }
    apr_table_setn(r->err_headers_out, "WWW-Authenticate",
                   "SubPay realm=\"account\"");
    if (!is_person(r)) {
        sp_json_error(r, HTTP_UNAUTHORIZED, "login_required", "Log in first.", NULL);
        return DONE;
    }
    apr_table_unset(r->err_headers_out, "WWW-Authenticate");
    sp_page_go(r, apr_pstrcat(r->pool, sp_shop()->settings->base_url, "/login?to=",
                              ap_escape_urlencoded(r->pool, r->unparsed_uri), NULL));
    return DONE;
}

int sp_auth_check(request_rec *r)
{
    static const apr_array_header_t any_plan;
    const char *type = ap_auth_type(r);
    sp_access_t *known, access;

    if (!type || strcasecmp(type, "SubPay") != 0) {
        return DECLINED;
    }
    if (!sp_shop()) {
        ap_log_cerror(
            APLOG_MARK, APLOG_ERR, 0, r->connection,
            "SP0256: AuthType SubPay needs a shop: write SubPayBaseURL and "
            "the directives that go with it");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    known = sp_auth_access(r);
    if (known && known->session) {
        access = *known;
    }
    else if (sp_access_by_session(r, sp_auth_cookie(r, SP_COOKIE_SESSION), 0,
                                  &access) != SP_DONE) {
        return HTTP_SERVICE_UNAVAILABLE;
    }
    if (!access.customer) {
        return ask_login(r);
    }
    /* Not the address: httpd writes r->user into its logs. */
    r->user = (char *)access.customer->id;
    r->ap_auth_type = (char *)"SubPay";
    sp_auth_note(r, &access);
    sp_auth_env(r, access.customer, sp_access_plan(access.customer, &any_plan));
    return OK;
}

/* Scheme, host and port of SubPayBaseURL: what browsers send as Origin. */
static const char *own_origin(apr_pool_t *pool)
{
    apr_uri_t uri;

    if (apr_uri_parse(pool, sp_shop()->settings->base_url, &uri) != APR_SUCCESS) {
        return "";
    }
    if (uri.port == apr_uri_port_of_scheme(uri.scheme)) {
        uri.port_str = NULL;
        uri.port = 0;
    }
    return apr_uri_unparse(pool, &uri, APR_URI_UNP_OMITPATHINFO);
}

int sp_auth_own_origin(request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(r->headers_in, "Origin");

    if (site) {
        return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
    }
    /* Our pages say "no-referrer", for which browsers send "null" even to ourselves.
     * Cookies do not come along from elsewhere: they are SameSite=Lax. */
    if (origin && strcmp(origin, "null") == 0) {
        return 1;
    }
    return !origin || strcasecmp(origin, own_origin(r->pool)) == 0;
}

/* "//host" and "/\host" are addresses of other hosts, and browsers drop tabs and line
 * breaks before they look. */
const char *sp_auth_local_path(const char *to)
{
    const char *c;

    if (!to || to[0] != '/' || to[1] == '/' || strlen(to) > LONGEST_PATH) {
        return NULL;
    }
    for (c = to; *c; c++) {
        if (*c == '\\' || apr_iscntrl(*c) || (unsigned char)*c > 126 || *c == ' ') {
            return NULL;
        }
    }
    return to;
}

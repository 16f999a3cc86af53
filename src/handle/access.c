/*
 * access.c - gates: Require subpay-plan and Require subpay-active.
 *
 * Room: handle. Sees httpd.
 *
 * mod_authz_core asks us, and turns our "no" into 401 or 403. A bare error page would
 * leave a customer whose plan has ended alone, so for such a request that answer is
 * replaced by our page, whatever address and handler it had: httpd is told to redirect
 * internally to an address that only we answer, and only after such a "no".
 */
#include "handle/access.h"

#include <ap_expr.h>
#include <ap_provider.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_auth.h>

#include "handle/access_near.h"
#include "handle/access_use.h"
#include "handle/auth.h"
#include "handle/model.h"
#include "handle/page.h"
#include "handle/shop.h"
#include "util/json.h"

APLOG_USE_MODULE(subpay);

#define LAPSED_URI "/subpay-lapsed"
#define DENIED_KEY "subpay-denied"

/* Why somebody who is logged in was refused. */
typedef struct denied_t {
    const sp_customer_t *customer;
    const apr_array_header_t *wanted;
} denied_t;

/* ---- the decision ---------------------------------------------------------- */

/* Whom an earlier check found, or whoever r->user names; fresh from the database when
 * what we have is not enough to refuse anybody. */
static sp_outcome_t find(request_rec *r, int fresh, sp_access_t *access)
{
    const sp_access_t *known = sp_auth_access(r);
    sp_outcome_t out = SP_DONE;

    if (known && (!fresh || known->from == SP_FROM_DATABASE)) {
        *access = *known;
        return SP_DONE;
    }
    out = known && known->session
              ? sp_access_by_session(r, known->session, fresh, access)
              : sp_access_by_user(r, r->user, fresh, access);
    if (out == SP_DONE) {
        sp_auth_note(r, access);
    }
    return out;
}

static authz_status deny(request_rec *r, const sp_access_t *access,
                         const apr_array_header_t *wanted)
{
    denied_t *denied = apr_palloc(r->pool, sizeof(*denied));

    denied->customer = access->customer;
    denied->wanted = wanted;
    apr_pool_userdata_setn(denied, DENIED_KEY, NULL, r->pool);
    ap_custom_response(r, HTTP_FORBIDDEN, LAPSED_URI);
    ap_custom_response(r, HTTP_UNAUTHORIZED, LAPSED_URI);
    return AUTHZ_DENIED;
}

/* Whoever is let in by a cookie sees what no shared cache may keep for others, least of
 * all with a cookie of ours on it; and their own browser asks again each time, or it
 * would go on showing the page after log-out. A proxied application says for itself
 * what is so. */
static void keep_private(request_rec *r)
{
    if (apr_table_get(r->err_headers_out, "Set-Cookie")) {
        apr_table_setn(r->err_headers_out, "Cache-Control", "private, no-cache");
    }
    else {
        apr_table_mergen(r->headers_out, "Cache-Control", "private, no-cache");
    }
}

static authz_status decide(request_rec *r, const apr_array_header_t *wanted)
{
    const sp_plan_t *plan;
    sp_access_t access;

    if (!r->user) {
        return AUTHZ_DENIED_NO_USER;
    }
    if (!sp_shop() || find(r, 0, &access) != SP_DONE) {
        return AUTHZ_GENERAL_ERROR;
    }
    plan = sp_access_plan(access.customer, wanted);
    if (!plan && access.from == SP_FROM_CACHE) {
        if (find(r, 1, &access) != SP_DONE) {
            return AUTHZ_GENERAL_ERROR;
        }
        plan = sp_access_plan(access.customer, wanted);
    }
    if (!plan) {
        return deny(r, &access, wanted);
    }
    sp_auth_env(r, access.customer, plan);
    sp_use_note(r, &access);
    keep_private(r);
    return AUTHZ_GRANTED;
}

static authz_status check_plan(request_rec *r, const char *line, const void *parsed)
{
    const ap_expr_info_t *expr = parsed;
    const char *problem = NULL;
    const char *words = ap_expr_str_exec(r, expr, &problem);
    apr_array_header_t *wanted = apr_array_make(r->pool, 2, sizeof(const char *));

    (void)line;
    if (problem) {
        ap_log_cerror(APLOG_MARK, APLOG_ERR, 0, r->connection,
                      "SP0257: Require subpay-plan: its expression failed: %s",
                      problem);
        return AUTHZ_GENERAL_ERROR;
    }
    while (words && *words) {
        APR_ARRAY_PUSH(wanted, const char *) = ap_getword_conf(r->pool, &words);
    }
    return wanted->nelts ? decide(r, wanted) : AUTHZ_DENIED;
}

static const char *parse_plan(cmd_parms *cmd, const char *line, const void **parsed)
{
    const char *problem = NULL;

    if (!*line) {
        return "Require subpay-plan: name the plans, such as Require subpay-plan annual";
    }
    *parsed =
        ap_expr_parse_cmd(cmd, line, AP_EXPR_FLAG_STRING_RESULT, &problem, NULL);
    return problem ? apr_pstrcat(cmd->pool, "Require subpay-plan: ", problem, NULL)
                   : NULL;
}

static authz_status check_active(request_rec *r, const char *line,
                                 const void *parsed)
{
    static const apr_array_header_t any_plan;

    (void)line;
    (void)parsed;
    return decide(r, &any_plan);
}

static const char *parse_active(cmd_parms *cmd, const char *line,
                                const void **parsed)
{
    (void)cmd;
    (void)parsed;
    return *line ? "Require subpay-active takes no words; Require subpay-plan does"
                 : NULL;
}

/* ---- what a lapsed customer sees ------------------------------------------- */

static const denied_t *denied_of(request_rec *r)
{
    void *denied = NULL;

    if (r->prev && sp_shop() && strcmp(r->uri, LAPSED_URI) == 0) {
        apr_pool_userdata_get(&denied, DENIED_KEY, r->pool);
    }
    return denied;
}

/* The plan that has ended, among those that would have opened the gate. */
static const sp_plan_t *ended_plan(const denied_t *denied)
{
    const apr_array_header_t *plans =
        denied->customer ? denied->customer->plans : NULL;
    int i, k;

    for (i = 0; plans && i < plans->nelts; i++) {
        const sp_plan_t *plan = &APR_ARRAY_IDX(plans, i, const sp_plan_t);

        for (k = 0; k < denied->wanted->nelts; k++) {
            if (!strcmp(APR_ARRAY_IDX(denied->wanted, k, const char *),
                        plan->product)) {
                return plan;
            }
        }
        if (denied->wanted->nelts == 0) {
            return plan;
        }
    }
    return NULL;
}

static int show_lapsed(request_rec *r, const denied_t *denied)
{
    sp_ctx_t *ctx = sp_shop_ctx(r, "self_service", "customer", 0);
    const sp_plan_t *plan = ended_plan(denied);
    json_t *page = sp_model_page(ctx);
    json_t *order = json_object();

    if (plan) {
        sp_json_set_text(order, "title", plan->title);
        sp_model_set_time(ctx, order, "expires", plan->expires_at);
        sp_json_set_text(page, "reference", plan->reference);
    }
    json_object_set_new(page, "order", order);
    json_object_set_new(page, "state", json_pack("{s:b}", "never", plan == NULL));
    if (denied->customer) {
        sp_json_set_text(page, "email", denied->customer->email);
    }
    return sp_page_show(r, ctx, HTTP_FORBIDDEN, "lapsed", page);
}

/* The handler hook, before any other: no file and no proxy is reached. */
static int answer_lapsed(request_rec *r)
{
    const denied_t *denied = denied_of(r);

    if (!denied) {
        return DECLINED;
    }
    apr_table_unset(r->err_headers_out, "WWW-Authenticate");
    if (sp_wants_json(r)) {
        return ended_plan(denied)
                   ? sp_json_error(r, HTTP_FORBIDDEN, "plan_ended",
                                   "The plan has ended.", NULL)
                   : sp_json_error(r, HTTP_FORBIDDEN, "no_plan",
                                   "This belongs to a plan that the account lacks.",
                                   NULL);
    }
    return show_lapsed(r, denied);
}

/* Whoever was refused may see why, wherever that address would lead. */
static int open_lapsed(request_rec *r)
{
    return denied_of(r) ? OK : DECLINED;
}

/* ---- hooks ------------------------------------------------------------------ */

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    (void)plog;
    (void)ptemp;
    sp_cache_pre_config(pconf);
    return OK;
}

static int check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                        server_rec *s)
{
    const char *problem =
        sp_shop() ? sp_cache_prepare(pconf, ptemp, sp_shop()->settings) : NULL;

    (void)plog;
    if (problem) {
        ap_log_error(APLOG_MARK, APLOG_EMERG | APLOG_STARTUP, 0, s, "SP0101: %s",
                     problem);
    }
    return problem ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                       server_rec *s)
{
    (void)plog;
    (void)ptemp;
    return sp_shop() &&
                   ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG
               ? sp_cache_post_config(pconf, s)
               : OK;
}

static void child_init(apr_pool_t *pool, server_rec *s)
{
    if (sp_shop()) {
        sp_cache_child_init(pool, s);
        sp_near_child_init(pool);
    }
}

void sp_access_register(apr_pool_t *pool)
{
    static const authz_provider plan = { check_plan, parse_plan };
    static const authz_provider active = { check_active, parse_active };

    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "subpay-plan",
                              AUTHZ_PROVIDER_VERSION, &plan,
                              AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "subpay-active",
                              AUTHZ_PROVIDER_VERSION, &active,
                              AP_AUTH_INTERNAL_PER_CONF);
    sp_auth_register_provider(pool);
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    /* After the shop has its settings, before the worker is forked. */
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_LAST);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_authn(sp_auth_check, NULL, NULL, APR_HOOK_MIDDLE,
                        AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_access_ex(open_lapsed, NULL, NULL, APR_HOOK_REALLY_FIRST,
                            AP_AUTH_INTERNAL_PER_CONF);
    sp_use_register();
    ap_hook_handler(answer_lapsed, NULL, NULL, APR_HOOK_REALLY_FIRST);
}

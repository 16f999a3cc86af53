/*
 * shop.c - what every request of this process shares.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/shop.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <http_config.h>
#include <http_log.h>

#include "handle/batch.h"
#include "handle/dbd.h"
#include "handle/handle.h"
#include "util/http.h"
#include "util/log.h"
#include "util/tally.h"

APLOG_USE_MODULE(subpay);

/* One httpd is one shop. Made anew by each reading of the configuration, before any
 * child exists; only http changes afterwards, once, before a child's first thread. */
static sp_shop_t *shop;

const sp_shop_t *sp_shop(void)
{
    return shop;
}

/* Without the path; that is what form-action compares. */
static const char *origin_of(apr_pool_t *pool, const char *url)
{
    apr_uri_t uri;

    if (apr_uri_parse(pool, url, &uri) != APR_SUCCESS) {
        return "";
    }
    return apr_uri_unparse(pool, &uri, APR_URI_UNP_OMITPATHINFO);
}

/* No inline code, nobody's frame. A browser applies form-action to where a form's
 * answer redirects as well, and POST /checkout redirects to the payment page: https
 * anywhere, or the sandbox that SubPayProviderURL names. */
static const char *make_csp(apr_pool_t *pool, const sp_settings_t *settings)
{
    const sp_account_t *account = sp_settings_account(settings, settings->provider);

    return apr_pstrcat(
        pool,
        "default-src 'none'; style-src 'self'; script-src 'self'; "
        "img-src 'self'; connect-src 'self'; form-action 'self' https: ",
        account->url ? origin_of(pool, account->url) : "",
        "; frame-ancestors 'none'; base-uri 'none'", NULL);
}

static const char *make_base_path(apr_pool_t *pool, const char *base_url)
{
    apr_uri_t uri;

    return apr_uri_parse(pool, base_url, &uri) == APR_SUCCESS && uri.path ? uri.path
                                                                          : "";
}

static const char *load_templates(apr_pool_t *pool, const sp_settings_t *settings,
                                  sp_templates_t **templates)
{
    const char *shipped =
        apr_pstrcat(pool, settings->share, "/htdocs/templates", NULL);
    const char *dirs[3] = { settings->templates ? settings->templates : shipped,
                            settings->templates ? shipped : NULL, NULL };
    const char *problem = NULL;

    if (sp_templates_load(pool, dirs, templates, &problem) == APR_SUCCESS) {
        return NULL;
    }
    return apr_psprintf(pool, "%s \"%s\": %s",
                        settings->templates ? "SubPayTemplates" : "SubPayShare",
                        settings->templates ? settings->templates : settings->share,
                        problem);
}

const char *sp_handle_prepare(apr_pool_t *pool, const sp_settings_t *settings)
{
    const char *problem = sp_dbd_problem();

    shop = apr_pcalloc(pool, sizeof(*shop));
    shop->settings = settings;
    shop->base_path = make_base_path(pool, settings->base_url);
    shop->csp = make_csp(pool, settings);
    shop->secure = strncmp(settings->base_url, "https:", 6) == 0;
    sp_tally_open(pool); /* without it, /metrics says less */
    return problem ? problem : load_templates(pool, settings, &shop->templates);
}

void sp_handle_child_init(apr_pool_t *pool, server_rec *s)
{
    sp_dbd_child_init(pool, s);
    sp_batch_child_init(pool);
    shop->http = sp_http_create(pool);
}

/* By connection, not by request: httpd would add the Referer, which is an address of
 * ours as often as not, and those carry tokens. */
static void write_line(void *baton, sp_level_t level, const char *line)
{
    const request_rec *r = baton;

    ap_log_cerror(APLOG_MARK, (int)level, 0, r->connection, "%s", line);
}

static sp_log_t *make_log(request_rec *r)
{
    sp_log_t *log = apr_pcalloc(r->pool, sizeof(*log));

    log->write = write_line;
    log->baton = r;
    log->level = APLOG_R_IS_LEVEL(r, APLOG_DEBUG)  ? SP_LOG_DEBUG
                 : APLOG_R_IS_LEVEL(r, APLOG_INFO) ? SP_LOG_INFO
                                                   : SP_LOG_NOTICE;
    return log;
}

sp_ctx_t *sp_shop_ctx(request_rec *r, const char *via, const char *actor, int urgent)
{
    sp_ctx_t *ctx = apr_pcalloc(r->pool, sizeof(*ctx));

    ctx->pool = r->pool;
    ctx->settings = shop->settings;
    ctx->db = sp_dbd_source(r, urgent);
    ctx->http = shop->http;
    ctx->templates = shop->templates;
    ctx->lang = sp_templates_language(
        shop->templates, apr_table_get(r->headers_in, "Accept-Language"));
    ctx->log = make_log(r);
    ctx->via = via;
    ctx->actor = actor;
    return ctx;
}

/*
 * httpd_directives.c - httpd's command table, from the rows of the .def files.
 *
 * Room: cfg. Sees httpd.
 */
#include "cfg/httpd_directives.h"

#include <ap_provider.h>
#include <apr_hash.h>
#include <apr_strings.h>

#include "provider/provider.h"

extern module AP_MODULE_DECLARE_DATA subpay_module;

/* In the configuration's pool, so that a restart begins anew. */
#define POOL_KEY "subpay-server"

typedef struct sp_server_t {
    sp_settings_t *settings;
    sp_product_t *product; /* while inside of <SubPayProduct> */
    apr_hash_t *writers;   /* directive to the server_rec that it was written in */
} sp_server_t;

static const sp_provider_t *find_provider(const char *name)
{
    return ap_lookup_provider(SP_PROVIDER_GROUP, name, SP_PROVIDER_VERSION);
}

void *sp_server_create(apr_pool_t *pool, server_rec *s)
{
    void *known = NULL;
    sp_server_t *server;

    (void)s;
    apr_pool_userdata_get(&known, POOL_KEY, pool);
    if (known) {
        return known;
    }
    server = apr_pcalloc(pool, sizeof(*server));
    server->settings = sp_settings_create(pool, find_provider);
    server->writers = apr_hash_make(pool);
    apr_pool_userdata_setn(server, POOL_KEY, apr_pool_cleanup_null, pool);
    return server;
}

static sp_server_t *server_of(server_rec *s)
{
    return ap_get_module_config(s->module_config, &subpay_module);
}

const sp_settings_t *sp_server_settings(server_rec *s)
{
    sp_server_t *server = server_of(s);

    return server && server->settings->given ? server->settings : NULL;
}

const char *sp_server_check(apr_pool_t *pool, server_rec *s)
{
    sp_settings_t *settings = server_of(s)->settings;
    const char *problem;

    if (!settings->given) {
        return NULL;
    }
    problem = sp_settings_finish(pool, settings);
    return problem ? problem : sp_settings_unlock(pool, settings);
}

/* Two virtual hosts with two values would both believe in theirs, and one be wrong. */
static const char *check_writer(cmd_parms *cmd, sp_server_t *server)
{
    const char *name = cmd->cmd->name;
    const server_rec *writer =
        apr_hash_get(server->writers, name, APR_HASH_KEY_STRING);

    if (writer && writer != cmd->server) {
        return apr_pstrcat(
            cmd->pool, name,
            ": written for another virtual host already; one httpd is "
            "one shop, so write it once",
            NULL);
    }
    apr_hash_set(server->writers, name, APR_HASH_KEY_STRING, cmd->server);
    return NULL;
}

static const char *set_directive(cmd_parms *cmd, void *dir, const char *args)
{
    sp_server_t *server = server_of(cmd->server);
    const char *problem = check_writer(cmd, server);

    (void)dir;
    if (server->product) {
        return apr_pstrcat(cmd->pool, cmd->cmd->name,
                           ": it does not belong inside of <SubPayProduct>", NULL);
    }
    return problem
               ? problem
               : sp_settings_set(cmd->pool, server->settings, cmd->cmd->name, args);
}

static const char *set_in_product(cmd_parms *cmd, void *dir, const char *args)
{
    sp_server_t *server = server_of(cmd->server);

    (void)dir;
    return server->product
               ? sp_settings_product_set(cmd->pool, server->product, cmd->cmd->name,
                                         args)
               : sp_settings_set(cmd->pool, server->settings, cmd->cmd->name, args);
}

/* "annual>" without its bracket. */
static const char *section_name(apr_pool_t *pool, const char *args)
{
    const char *end = ap_strrchr_c(args, '>');

    args = apr_pstrmemdup(pool, args, end ? (apr_size_t)(end - args) : strlen(args));
    return ap_getword_conf(pool, &args);
}

static const char *product_section(cmd_parms *cmd, void *dir, const char *args)
{
    sp_server_t *server = server_of(cmd->server);
    const char *name = section_name(cmd->pool, args);
    const char *problem;

    (void)dir;
    if (!ap_strchr_c(args, '>')) {
        return "<SubPayProduct: the closing > is missing";
    }
    if (server->product) {
        return "<SubPayProduct> does not belong inside of another";
    }
    problem = sp_settings_product_begin(cmd->pool, server->settings, name,
                                        &server->product);
    if (!problem) {
        problem = ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
    }
    if (!problem) {
        problem =
            sp_settings_product_end(cmd->pool, server->settings, server->product);
    }
    server->product = NULL;
    return problem;
}

const command_rec sp_directives[] = {
#define SP_DIRECTIVE(name, member, KIND, preset, help) \
    AP_INIT_RAW_ARGS(name, set_directive, NULL, RSRC_CONF, help),
#include "cfg/directives.def"
#undef SP_DIRECTIVE
    AP_INIT_RAW_ARGS("<SubPayProduct", product_section, NULL, RSRC_CONF,
                     "something to buy: a name, then SubPayPrice and its like"),
#define SP_DIRECTIVE(name, member, KIND, preset, help) \
    AP_INIT_RAW_ARGS(name, set_in_product, NULL, RSRC_CONF, help),
#include "cfg/product.def"
#undef SP_DIRECTIVE
    { .name = NULL }
};

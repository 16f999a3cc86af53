/*
 * webhook.c - tell the provider where its events shall go, and keep what it answers.
 *
 * Room: ctl.
 * The provider tells an endpoint's secret once. So the key of the call is on disk, beside
 * where the secret will be, before it is made: when the answer is lost, or the disk is
 * full, the same key finds the same endpoint and its secret again.
 */
#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "domain/endpoint.h"
#include "util/crypto.h"
#include "util/json.h"

#define SECRET_PERMS (APR_FPROT_UREAD | APR_FPROT_UWRITE)
#define LONGEST_KEY 64

/* One endpoint on its way. */
typedef struct making_t {
    sp_cli_t *cli;
    sp_account_t *account;
    const char *url;
    const char *path;   /* where its secret goes */
    const char *intent; /* the file with the key of the call */
    const char *key;
    const char *old; /* another endpoint with our address, or NULL */
} making_t;

static sp_ctl_status_t no_file(const char *name)
{
    return sp_ctl_complain(
        SP_CTL_USAGE,
        "first write where its secret shall go: "
        "SubPayWebhookSecret %s file:/etc/apache2/subpay/%s-webhook",
        name, name);
}

/* ---- files -------------------------------------------------------------------- */

/* Whole or not at all, and on the disk: mode 600 from its first byte. */
static apr_status_t write_file(apr_pool_t *pool, const char *path, const char *text)
{
    const char *next = apr_pstrcat(pool, path, ".tmp", NULL);
    apr_size_t len = strlen(text);
    apr_file_t *file;
    apr_status_t rv;

    apr_file_remove(next,
                    pool); /* of a run that was killed; never a link followed */
    rv = apr_file_open(&file, next,
                       APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_EXCL,
                       SECRET_PERMS, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_file_write_full(file, text, len, NULL);
    if (rv == APR_SUCCESS) {
        rv = apr_file_sync(file);
    }
    apr_file_close(file);
    if (rv == APR_SUCCESS) {
        rv = apr_file_rename(next, path, pool);
    }
    if (rv != APR_SUCCESS) {
        apr_file_remove(next, pool);
    }
    return rv;
}

/* The key of a run before, whose end nobody saw. */
static const char *earlier_key(const making_t *making)
{
    apr_pool_t *pool = making->cli->pool;
    char *key = apr_pcalloc(pool, LONGEST_KEY + 1);
    apr_size_t len = LONGEST_KEY;
    apr_finfo_t info;
    apr_file_t *file;

    if (apr_file_open(&file, making->intent, APR_FOPEN_READ, 0, pool)) {
        return NULL;
    }
    if (apr_file_info_get(&info, APR_FINFO_MTIME, file) ||
        apr_time_now() - info.mtime > SP_PROVIDER_KEY_LIFE ||
        apr_file_read(file, key, &len)) {
        len = 0;
    }
    apr_file_close(file);
    key[strcspn(key, "\n")] = '\0';
    return len > 0 && strncmp(key, "endpoint-", 9) == 0 ? key : NULL;
}

/* ---- before ------------------------------------------------------------------- */

/* Another one with our address would send all events twice, under another secret. */
static sp_ctl_status_t look_first(making_t *making)
{
    sp_ctx_t *ctx = &making->cli->ctx;
    const char *who = making->account->provider->title;
    sp_endpoint_t there = { .found = 0 };

    if (making->account->provider->endpoint_check(ctx, making->account, making->url,
                                                  &there) != SP_DONE) {
        return sp_ctl_complain(SP_CTL_AWAY, "%s does not say what is there (%s)",
                               who, ctx->code ? ctx->code : "unknown");
    }
    if (!there.found) {
        return SP_CTL_DONE;
    }
    making->old = there.id;
    if (making->cli->force) {
        return SP_CTL_DONE;
    }
    return sp_ctl_complain(
        SP_CTL_NOT_FOUND,
        "%s has one with this address already (%s), and does not tell its secret "
        "again: read it in the dashboard and put it into %s; or make another with "
        "--force",
        who, there.id, making->path);
}

static sp_ctl_status_t intend(making_t *making)
{
    apr_pool_t *pool = making->cli->pool;
    sp_ctl_status_t status;
    apr_status_t rv;

    making->key = earlier_key(making);
    if (making->key) {
        return SP_CTL_DONE;
    }
    status = look_first(making);
    if (status != SP_CTL_DONE) {
        return status;
    }
    making->key = apr_pstrcat(pool, "endpoint-", sp_crypto_uuid(pool), NULL);
    rv =
        write_file(pool, making->intent, apr_pstrcat(pool, making->key, "\n", NULL));
    return rv == APR_SUCCESS
               ? SP_CTL_DONE
               : sp_ctl_complain(SP_CTL_NOT_FOUND, "%s: %s; nothing was registered",
                                 making->intent, apr_psprintf(pool, "%pm", &rv));
}

/* ---- after -------------------------------------------------------------------- */

static sp_ctl_status_t tell(const making_t *making, const char *id)
{
    json_t *json = sp_json_object(making->cli->pool);

    sp_json_set_text(json, "endpoint", id);
    sp_json_set_text(json, "url", making->url);
    sp_json_set_text(json, "secret_file", making->path);
    sp_json_set_text(json, "old_endpoint", making->old);
    if (making->cli->json) {
        sp_ctl_print(making->cli, json);
        return SP_CTL_DONE;
    }
    printf("%s sends to %s (%s); its secret is in %s. Now restart httpd.\n",
           making->account->provider->title, making->url, id, making->path);
    if (making->old) {
        printf("Then delete the old one, %s, in the dashboard.\n", making->old);
    }
    return SP_CTL_DONE;
}

static sp_ctl_status_t keep(const making_t *making, const sp_endpoint_made_t *made)
{
    apr_pool_t *pool = making->cli->pool;
    apr_status_t rv =
        write_file(pool, making->path, apr_pstrcat(pool, made->secret, "\n", NULL));

    if (rv != APR_SUCCESS) {
        return sp_ctl_complain(
            SP_CTL_NOT_FOUND,
            "%s is registered, but its secret could not be written to %s: %s. Mend "
            "that and run the same again today: it is told again. Later, read it in "
            "the dashboard.",
            made->id, making->path, apr_psprintf(pool, "%pm", &rv));
    }
    apr_file_remove(making->intent, pool);
    return tell(making, made->id);
}

static sp_ctl_status_t make(const making_t *making)
{
    sp_ctx_t *ctx = &making->cli->ctx;
    const char *who = making->account->provider->title;
    sp_endpoint_made_t made = { .id = NULL };
    sp_outcome_t out = making->account->provider->endpoint_create(
        ctx, making->account, making->url, making->key, &made);

    if (out == SP_DONE) {
        return keep(making, &made);
    }
    if (out == SP_UNKNOWN) {
        return sp_ctl_complain(
            SP_CTL_AWAY,
            "no clear answer of %s (%s): it may be registered. Run "
            "the same again today, it makes no second one.",
            who, ctx->code);
    }
    apr_file_remove(making->intent, making->cli->pool);
    return sp_ctl_complain(out == SP_REFUSED ? SP_CTL_NOT_FOUND : SP_CTL_AWAY,
                           "%s did not register it (%s)", who, ctx->code);
}

/* ---- the command -------------------------------------------------------------- */

static sp_ctl_status_t prepare(making_t *making)
{
    sp_cli_t *cli = making->cli;
    const char *problem;

    making->account =
        (sp_account_t *)sp_settings_account(cli->settings, cli->settings->provider);
    if (!making->account) {
        return sp_ctl_complain(SP_CTL_USAGE, "no SubPayProviderKey is set");
    }
    if (!making->account->provider->endpoint_create) {
        return sp_ctl_complain(SP_CTL_NOT_FOUND,
                               "%s: make it by hand, in the dashboard",
                               making->account->provider->title);
    }
    problem = sp_settings_unlock_key(cli->pool, cli->settings, making->account);
    if (problem) {
        return sp_ctl_complain(SP_CTL_USAGE, "%s", problem);
    }
    making->url = sp_endpoint_url(&cli->ctx, making->account);
    return SP_CTL_DONE;
}

sp_ctl_status_t sp_ctl_webhook_create(sp_cli_t *cli)
{
    making_t making = { .cli = cli };
    sp_ctl_status_t status = prepare(&making);
    const char *source;

    if (status != SP_CTL_DONE) {
        return status;
    }
    if (making.account->secret_sources->nelts == 0) {
        return no_file(making.account->name);
    }
    source = APR_ARRAY_IDX(making.account->secret_sources, 0, const char *);
    if (strncmp(source, "file:", 5) != 0) {
        return no_file(making.account->name);
    }
    making.path = source + 5;
    making.intent = apr_pstrcat(cli->pool, making.path, ".key", NULL);
    if (!sp_settings_secret_problem(cli->pool, source) && !cli->force &&
        !earlier_key(&making)) {
        return sp_ctl_complain(
            SP_CTL_NOT_FOUND,
            "%s holds a secret already; \"subpayctl doctor\" says "
            "whether it is in use, --force replaces it",
            making.path);
    }
    status = intend(&making);
    return status == SP_CTL_DONE ? make(&making) : status;
}

/*
 * settings_secret.c - fetching secrets from where their directives point.
 *
 * Room: cfg, free of httpd.
 * A secret is written nowhere but in its own file, which only root can read: not
 * in the configuration, which many can, and not in a message.
 */
#include "cfg/settings.h"

#include <apr_env.h>
#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>
#include <unistd.h>

#include "provider/provider.h"
#include "util/signing.h"

/* Longest of Stripe's keys: 107 bytes. */
#define MAX_SECRET 4096
#define TOO_OPEN                                                                 \
    (APR_FPROT_GREAD | APR_FPROT_GWRITE | APR_FPROT_GEXECUTE | APR_FPROT_WREAD | \
     APR_FPROT_WWRITE | APR_FPROT_WEXECUTE)

/* NULL when the file is one that nobody else can have read or written. */
static const char *check_file(apr_pool_t *pool, const char *path,
                              const apr_finfo_t *info)
{
    if (info->filetype != APR_REG) {
        return apr_pstrcat(pool, path, " is not a regular file", NULL);
    }
    if (info->user != 0 && info->user != geteuid()) {
        return apr_psprintf(pool, "%s must belong to root: chown root %s", path,
                            path);
    }
    if (info->protection & TOO_OPEN) {
        return apr_psprintf(
            pool, "%s is open to others than its owner: chmod 600 %s", path, path);
    }
    return NULL;
}

static const char *file_error(apr_pool_t *pool, const char *path, apr_status_t rv)
{
    char words[120];

    return apr_psprintf(pool, "%s cannot be read: %s", path,
                        apr_strerror(rv, words, sizeof(words)));
}

/* Checked before it is opened, as opening a pipe would wait for its writer, and
 * after, as it may have been replaced in between. */
static const char *read_file(apr_pool_t *pool, const char *path, char **text)
{
    const apr_int32_t wanted = APR_FINFO_TYPE | APR_FINFO_OWNER | APR_FINFO_PROT;
    apr_finfo_t info;
    apr_file_t *file;
    apr_size_t len = MAX_SECRET;
    const char *problem;
    apr_status_t rv = apr_stat(&info, path, wanted, pool);

    *text = apr_pcalloc(pool, MAX_SECRET + 1);
    if (rv != APR_SUCCESS && rv != APR_INCOMPLETE) {
        return file_error(pool, path, rv);
    }
    problem = check_file(pool, path, &info);
    if (problem) {
        return problem;
    }
    rv = apr_file_open(&file, path, APR_FOPEN_READ, 0, pool);
    if (rv != APR_SUCCESS) {
        return file_error(pool, path, rv);
    }
    if (apr_file_info_get(&info, wanted, file) != APR_SUCCESS ||
        (problem = check_file(pool, path, &info)) != NULL) {
        apr_file_close(file);
        return problem ? problem : file_error(pool, path, APR_EGENERAL);
    }
    rv = apr_file_read_full(file, *text, len, &len);
    apr_file_close(file);
    return rv == APR_SUCCESS || APR_STATUS_IS_EOF(rv) ? NULL
                                                      : file_error(pool, path, rv);
}

/* One line, of characters that can be seen. */
static const char *check_text(char *text)
{
    apr_size_t len = strlen(text);
    const char *c;

    while (len > 0 && apr_isspace(text[len - 1])) {
        text[--len] = '\0';
    }
    if (len == 0) {
        return "it is empty";
    }
    for (c = text; *c; c++) {
        if (*c <= ' ' || *c > '~') {
            return "it must be one line without blanks";
        }
    }
    return len < MAX_SECRET ? NULL : "it is too long for a secret";
}

static const char *fetch(apr_pool_t *pool, const char *source, const char **secret)
{
    char *text = NULL;
    const char *problem = NULL;

    if (strncmp(source, "env:", 4) == 0) {
        apr_env_get(&text, source + 4, pool);
        if (!text) {
            return apr_psprintf(pool, "the environment has no %s", source + 4);
        }
        text = apr_pstrdup(pool, text);
    }
    else {
        problem = read_file(pool, source + 5, &text);
    }
    if (!problem && (problem = check_text(text)) != NULL) {
        problem =
            apr_psprintf(pool, "what %s holds is no secret: %s", source, problem);
    }
    *secret = problem ? NULL : text;
    return problem;
}

static const char *unlock(apr_pool_t *pool, const char *directive,
                          const char *source, const char **secret)
{
    const char *problem = fetch(pool, source, secret);

    return problem ? apr_psprintf(pool, "%s \"%s\": %s", directive, source, problem)
                   : NULL;
}

static const char *unlock_secrets(apr_pool_t *pool, sp_account_t *account)
{
    int i;

    apr_array_clear(account->secrets);
    for (i = 0; i < account->secret_sources->nelts; i++) {
        const char *source = APR_ARRAY_IDX(account->secret_sources, i, const char *);
        const char *secret = NULL;
        const char *problem = unlock(pool, "SubPayWebhookSecret", source, &secret);

        if (problem) {
            return problem;
        }
        APR_ARRAY_PUSH(account->secrets, const char *) = secret;
    }
    return NULL;
}

const char *sp_settings_secret_problem(apr_pool_t *pool, const char *source)
{
    const char *secret;

    return fetch(pool, source, &secret);
}

const char *sp_settings_unlock_key(apr_pool_t *pool, const sp_settings_t *settings,
                                   sp_account_t *account)
{
    const char *problem =
        unlock(pool, "SubPayProviderKey", account->key_source, &account->key);

    if (!problem && account->provider->key_problem) {
        problem = account->provider->key_problem(pool, account->key, settings->mode);
        if (problem) {
            account->key = NULL;
            return apr_psprintf(
                pool,
                "SubPayProviderKey \"%s %s\": %s; SubPayEnvironment is "
                "%s",
                account->name, account->key_source, problem, settings->environment);
        }
    }
    return problem;
}

static const char *unlock_account(apr_pool_t *pool, const sp_settings_t *settings,
                                  sp_account_t *account)
{
    const char *problem = sp_settings_unlock_key(pool, settings, account);

    return problem ? problem : unlock_secrets(pool, account);
}

static const char *unlock_mail(apr_pool_t *pool, sp_settings_t *settings)
{
    const char *problem = NULL;

    if (settings->mail_login_source) {
        problem = unlock(pool, "SubPayMailLogin", settings->mail_login_source,
                         &settings->mail_login);
    }
    if (!problem && settings->mail_login && !strchr(settings->mail_login, ':')) {
        settings->mail_login = NULL;
        problem = apr_psprintf(pool,
                               "SubPayMailLogin \"%s\": what it holds must be "
                               "user:password",
                               settings->mail_login_source);
    }
    return problem;
}

static const char *unlock_notify(apr_pool_t *pool, sp_settings_t *settings)
{
    const char *problem = NULL;

    if (settings->notify_secret_source) {
        problem = unlock(pool, "SubPayNotifySecret", settings->notify_secret_source,
                         &settings->notify_secret);
    }
    if (!problem && settings->notify_secret) {
        problem = sp_signing_problem(pool, settings->notify_secret);
        problem = problem ? apr_psprintf(pool, "SubPayNotifySecret \"%s\": %s",
                                         settings->notify_secret_source, problem)
                          : NULL;
    }
    return problem;
}

const char *sp_settings_unlock(apr_pool_t *pool, sp_settings_t *settings)
{
    const char *problem = unlock_mail(pool, settings);
    int i;

    problem = problem ? problem : unlock_notify(pool, settings);

    for (i = 0; i < settings->accounts->nelts && !problem; i++) {
        problem = unlock_account(
            pool, settings, APR_ARRAY_IDX(settings->accounts, i, sp_account_t *));
    }
    return problem;
}

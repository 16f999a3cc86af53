/*
 * settings.c - the rows of directives.def and product.def at work.
 *
 * Room: cfg, free of httpd.
 */
#include "cfg/settings.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "cfg/settings_read.h"
#include "provider/provider.h"

static const sp_row_t rows[] = {
#define SP_DIRECTIVE(name, member, KIND, preset, help) \
    { name, preset, offsetof(sp_settings_t, member), sp_read_##KIND },
#include "cfg/directives.def"
#undef SP_DIRECTIVE
    { NULL, NULL, 0, NULL }
};

static const sp_row_t product_rows[] = {
#define SP_DIRECTIVE(name, member, KIND, preset, help) \
    { name, preset, offsetof(sp_product_t, member), sp_read_##KIND },
#include "cfg/product.def"
#undef SP_DIRECTIVE
    { NULL, NULL, 0, NULL }
};

static const sp_row_t *row_find(const sp_row_t *row, const char *name)
{
    /* httpd takes directive names in any case. */
    while (row->name && strcasecmp(row->name, name) != 0) {
        row++;
    }
    return row->name ? row : NULL;
}

/* Somebody may have written the secret itself, where we want its place. */
static int is_secret(const sp_row_t *row)
{
    return row->read == sp_read_SECRET || row->read == sp_read_PROVIDER_KEY ||
           row->read == sp_read_PROVIDER_SECRET;
}

/* SubPayWorker "maybe": write on or off */
static const char *complain(apr_pool_t *pool, const sp_row_t *row, const char *text,
                            const char *problem)
{
    char *shown = apr_pstrdup(pool, text);
    char *c;

    if (is_secret(row)) {
        return apr_pstrcat(pool, row->name, ": ", problem, NULL);
    }
    for (c = shown; *c; c++) {
        if (apr_iscntrl(*c)) {
            *c = '?';
        }
    }
    return apr_psprintf(pool, "%s \"%s\": %s", row->name, shown, problem);
}

static const char *row_set(const sp_row_t *row, sp_value_t *value, void *base)
{
    const char *text = value->text;
    const char *problem;

    value->directive = row->name;
    value->member = (char *)base + row->offset;
    problem = row->read(value);
    return problem ? complain(value->pool, row, text, problem) : NULL;
}

static void rows_preset(const sp_row_t *row, sp_value_t *value, void *base)
{
    for (; row->name; row++) {
        if (row->preset) {
            value->text = row->preset;
            row_set(row, value, base);
        }
    }
}

sp_settings_t *sp_settings_create(apr_pool_t *pool, sp_provider_find_fn find)
{
    sp_settings_t *settings = apr_pcalloc(pool, sizeof(*settings));
    sp_value_t value = { .pool = pool, .settings = settings };

    settings->find = find;
    settings->accounts = apr_array_make(pool, 2, sizeof(sp_account_t *));
    settings->products = apr_array_make(pool, 4, sizeof(sp_product_t *));
    rows_preset(rows, &value, settings);
    return settings;
}

const char *sp_settings_set(apr_pool_t *pool, sp_settings_t *settings,
                            const char *directive, const char *args)
{
    const sp_row_t *row = row_find(rows, directive);
    sp_value_t value = { .pool = pool, .settings = settings };

    if (!row) {
        return row_find(product_rows, directive)
                   ? apr_pstrcat(pool, directive,
                                 ": write it inside of <SubPayProduct name>", NULL)
                   : apr_pstrcat(pool, directive, ": there is no such directive",
                                 NULL);
    }
    settings->given = 1;
    value.text = sp_words_join(pool, args);
    return row_set(row, &value, settings);
}

/* The name travels in forms, addresses and the provider's metadata. */
static int is_product_name(const char *name)
{
    apr_size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return len > 0 && len <= 40 && !name[len] && *name != '-';
}

const char *sp_settings_product_begin(apr_pool_t *pool,
                                      const sp_settings_t *settings,
                                      const char *name, sp_product_t **product)
{
    sp_value_t value = { .pool = pool };

    if (!is_product_name(name)) {
        return apr_psprintf(
            pool,
            "<SubPayProduct \"%s\">: write a name of at most 40 small "
            "letters, digits and dashes, such as annual",
            name);
    }
    if (sp_settings_product(settings, name)) {
        return apr_psprintf(pool,
                            "<SubPayProduct %s>: there is one of this name already; "
                            "give this one another",
                            name);
    }
    *product = apr_pcalloc(pool, sizeof(**product));
    (*product)->name = apr_pstrdup(pool, name);
    rows_preset(product_rows, &value, *product);
    return NULL;
}

const char *sp_settings_product_set(apr_pool_t *pool, sp_product_t *product,
                                    const char *directive, const char *args)
{
    const sp_row_t *row = row_find(product_rows, directive);
    sp_value_t value = { .pool = pool };

    if (!row) {
        return apr_pstrcat(pool, directive,
                           ": it does not belong inside of <SubPayProduct>", NULL);
    }
    value.text = sp_words_join(pool, args);
    return row_set(row, &value, product);
}

const char *sp_settings_product_end(apr_pool_t *pool, sp_settings_t *settings,
                                    sp_product_t *product)
{
    const char *lacks = NULL;

    if (!product->price.minor) {
        lacks = "SubPayPrice is missing; write for example SubPayPrice 249.00 USD";
    }
    else if (!product->period && !product->credits) {
        lacks = "it would give nothing; write SubPayPeriod, such as 1y, or "
                "SubPayCredits";
    }
    else if (product->renews && !product->period) {
        lacks = "SubPayRenews: a plan that renews needs SubPayPeriod, such as 1mo";
    }
    if (lacks) {
        return apr_psprintf(pool, "<SubPayProduct %s>: %s", product->name, lacks);
    }
    if (!product->title) {
        product->title = product->name;
    }
    settings->given = 1;
    APR_ARRAY_PUSH(settings->products, sp_product_t *) = product;
    return NULL;
}

const sp_product_t *sp_settings_product(const sp_settings_t *settings,
                                        const char *name)
{
    int i;

    for (i = 0; i < settings->products->nelts; i++) {
        const sp_product_t *product =
            APR_ARRAY_IDX(settings->products, i, const sp_product_t *);

        if (strcmp(product->name, name) == 0) {
            return product;
        }
    }
    return NULL;
}

const sp_account_t *sp_settings_account(const sp_settings_t *settings,
                                        const char *provider)
{
    int i;

    for (i = 0; i < settings->accounts->nelts; i++) {
        const sp_account_t *account =
            APR_ARRAY_IDX(settings->accounts, i, const sp_account_t *);

        if (strcmp(account->name, provider) == 0) {
            return account;
        }
    }
    return NULL;
}

/* What a shop cannot do without. */
static const char *check_present(apr_pool_t *pool, const sp_settings_t *settings)
{
    const sp_account_t *account = sp_settings_account(settings, settings->provider);

    if (!settings->base_url) {
        return "SubPayBaseURL is missing: write the shop's own address, such as "
               "https://shop.example.com";
    }
    if (!settings->support_email) {
        return "SubPaySupportEmail is missing: write the address that people read, "
               "such as help@shop.example.com";
    }
    if (!account || !account->key_source) {
        return apr_psprintf(
            pool,
            "SubPayProviderKey is missing: write SubPayProviderKey %s "
            "file:/path, where /path holds the secret key",
            settings->provider);
    }
    if (!settings->products->nelts) {
        return "<SubPayProduct> is missing: at least one plan is needed, with "
               "SubPayPrice and SubPayPeriod";
    }
    return NULL;
}

/* Plain http shows tokens and orders to everybody on the way. */
static const char *check_url(apr_pool_t *pool, const sp_settings_t *settings,
                             const char *directive, const char *url)
{
    if (!url || !strcmp(settings->environment, "test") ||
        !sp_url_is_plain(pool, url)) {
        return NULL;
    }
    return apr_psprintf(
        pool,
        "%s \"%s\": in production write an https address, or http to "
        "this very machine",
        directive, url);
}

static const char *check_urls(apr_pool_t *pool, const sp_settings_t *settings)
{
    const char *problem = NULL;
    const sp_row_t *row;

    for (row = rows; row->name && !problem; row++) {
        if (row->read == sp_read_URL) {
            const char *const *url =
                (const void *)((const char *)settings + row->offset);

            problem = check_url(pool, settings, row->name, *url);
        }
    }
    return problem;
}

static const char *check_account(apr_pool_t *pool, const sp_settings_t *settings,
                                 const sp_account_t *account)
{
    if (!account->key_source) {
        return apr_psprintf(pool,
                            "SubPayProviderKey is missing for %s, which other "
                            "directives name",
                            account->name);
    }
    if (!account->url) {
        return NULL;
    }
    if (strcmp(settings->environment, "production") == 0) {
        return apr_psprintf(
            pool,
            "SubPayProviderURL \"%s %s\": only for tests; remove it, or "
            "write SubPayEnvironment test",
            account->name, account->url);
    }
    if (sp_url_is_plain(pool, account->url)) {
        return apr_psprintf(
            pool,
            "SubPayProviderURL \"%s %s\": the key would be readable on "
            "its way; write an https address, or http to 127.0.0.1",
            account->name, account->url);
    }
    return NULL;
}

static const char *check_accounts(apr_pool_t *pool, const sp_settings_t *settings)
{
    const char *problem = NULL;
    int i;

    for (i = 0; i < settings->accounts->nelts && !problem; i++) {
        problem = check_account(
            pool, settings, APR_ARRAY_IDX(settings->accounts, i, sp_account_t *));
    }
    return problem;
}

/* Old orders stay with their provider, so only that of new ones has to sell these. */
static const char *check_products(apr_pool_t *pool, const sp_settings_t *settings)
{
    const sp_provider_t *provider = settings->find(settings->provider);
    const char *problem = NULL;
    int i;

    for (i = 0; provider->product_problem && i < settings->products->nelts; i++) {
        const sp_product_t *product =
            APR_ARRAY_IDX(settings->products, i, const sp_product_t *);

        problem = provider->product_problem(pool, product);
        if (problem) {
            return apr_psprintf(pool, "<SubPayProduct %s>: %s", product->name,
                                problem);
        }
    }
    return NULL;
}

static const char *check_capture(apr_pool_t *pool, const sp_settings_t *settings)
{
    const sp_provider_t *provider = settings->find(settings->provider);

    return settings->capture_after_access && !provider->payment_capture
               ? apr_psprintf(
                     pool,
                     "SubPayCapture \"after-access\": %s takes money at once "
                     "and cannot reserve it; write automatic",
                     provider->title)
               : NULL;
}

static const char *check_mail(apr_pool_t *pool, const sp_settings_t *settings)
{
    if (settings->mail_login_source && strcmp(settings->mail_tls, "never") == 0 &&
        strncmp(settings->mail_server, "smtps:", 6) != 0) {
        return apr_psprintf(pool,
                            "SubPayMailTLS \"never\": SubPayMailLogin would be sent "
                            "readable; write required");
    }
    return NULL;
}

static const char *check_notify(apr_pool_t *pool, const sp_settings_t *settings)
{
    (void)pool;
    if (settings->notify_url && !settings->notify_secret_source) {
        return "SubPayNotifySecret is missing: write SubPayNotifySecret file:/path, "
               "so that the application can tell who speaks";
    }
    return settings->notify_secret_source && !settings->notify_url
               ? "SubPayNotifyURL is missing: write the application's address that "
                 "SubPayNotifySecret is for, or remove that"
               : NULL;
}

static void fill_in(sp_settings_t *settings)
{
    settings->mode = strcmp(settings->environment, "test") ? "live" : "test";
    settings->app_url = settings->app_url ? settings->app_url : settings->base_url;
    settings->mail_from =
        settings->mail_from ? settings->mail_from : settings->support_email;
    settings->alert_to =
        settings->alert_to ? settings->alert_to : settings->support_email;
}

const char *sp_settings_finish(apr_pool_t *pool, sp_settings_t *settings)
{
    static const char *(*const checks[])(apr_pool_t *, const sp_settings_t *) = {
        check_present, check_urls, check_accounts, check_products,
        check_capture, check_mail, check_notify
    };
    apr_size_t i;

    fill_in(settings);
    for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        const char *problem = checks[i](pool, settings);

        if (problem) {
            return problem;
        }
    }
    return NULL;
}

/*
 * settings.h - everything an admin can decide, as the rows of directives.def say.
 *
 * Room: cfg, but free of httpd: the worker, the domain and subpayctl read it too.
 */
#ifndef SUBPAY_CFG_SETTINGS_H
#define SUBPAY_CFG_SETTINGS_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "model/money.h"

struct sp_provider_t;

typedef struct sp_product_t {
    const char *name; /* as in <SubPayProduct annual> */
    const char *title;
    sp_money_t price;
    const char *period; /* "1y", "3mo", "30d"; NULL for a credit pack */
    int64_t credits;
    int renews;
    const char *provider_price; /* the provider's own price id, or NULL */
} sp_product_t;

/* One payment provider as configured here. */
typedef struct sp_account_t {
    const char *name; /* "stripe" */
    const struct sp_provider_t *provider;
    const char *key;             /* never printed */
    apr_array_header_t *secrets; /* of const char *: webhook secrets, never printed */
    const char *url;             /* of the API, without a trailing slash; NULL: its own */
    const char *key_source;      /* "file:/path" or "env:NAME", for messages */
    apr_array_header_t *secret_sources;
} sp_account_t;

/* The C type behind each KIND of directives.def. */
#define SP_TYPE_ENVIRONMENT const char *
#define SP_TYPE_URL const char *
#define SP_TYPE_TEXT const char *
#define SP_TYPE_PROVIDER_NAME const char *
#define SP_TYPE_SECONDS apr_interval_time_t
#define SP_TYPE_MAIL_SERVER const char *
#define SP_TYPE_MAIL_TLS const char *
#define SP_TYPE_SECRET const char *
#define SP_TYPE_MAILBOX const char *
#define SP_TYPE_EMAIL const char *
#define SP_TYPE_COUNT int
#define SP_TYPE_FLAG int
#define SP_TYPE_PATH const char *

typedef struct sp_settings_t {
    const char *environment;   /* "test" or "production" */
    const char *mode;          /* follows from it: "test" or "live" */
    const char *base_url;      /* no trailing slash */
    const char *provider;
    apr_array_header_t *accounts; /* of sp_account_t * */
    apr_array_header_t *products; /* of sp_product_t * */
    apr_interval_time_t provider_timeout;
    const char *database;
    const char *mail_server;
    const char *mail_tls;
    const char *mail_login;
    const char *mail_from;
    const char *support_email;
    const char *support_names;
    const char *app_name;
    const char *app_url;
    const char *statement;
    apr_interval_time_t reconcile_interval;
    apr_interval_time_t reconcile_overlap;
    apr_interval_time_t deep_sweep;
    apr_interval_time_t pending_expiry;
    apr_interval_time_t duplicate_window;
    int goodwill_days;
    const char *alert_to;
    const char *alert_webhook;
    const char *heartbeat_url;
    const char *templates;
    const char *share;
    int worker;
} sp_settings_t;

/** The product of that name, or NULL. */
const sp_product_t *sp_settings_product(const sp_settings_t *settings,
                                        const char *name);

/** The account with that provider, or NULL where none is configured. */
const sp_account_t *sp_settings_account(const sp_settings_t *settings,
                                        const char *provider);

#endif

/*
 * settings.h - everything an admin can decide, as the rows of directives.def say.
 *
 * Room: cfg, but free of httpd: the worker, the domain and subpayctl read it too.
 *
 * One httpd is one shop: there is one sp_settings_t for all its virtual hosts. Set
 * values with sp_settings_set() in any order, then call sp_settings_finish() and,
 * where the provider or the mail server will be talked to, sp_settings_unlock().
 * A function that returns const char * returns NULL when all is well, else a
 * sentence that names the directive, the value and what would be right. A secret is
 * never part of it.
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
    const char *key; /* never printed; NULL before sp_settings_unlock() */
    apr_array_header_t
        *secrets;           /* of const char *: webhook secrets, never printed */
    const char *url;        /* of the API, without a trailing slash; NULL: its own */
    const char *key_source; /* "file:/path" or "env:NAME", for messages */
    apr_array_header_t *secret_sources;
} sp_account_t;

/* How many of each are taken in one window; 0: any number. */
typedef struct sp_rates_t {
    int checkout, webhook, find, support;
} sp_rates_t;

/* Money that no access came of. */
typedef struct sp_auto_refund_t {
    apr_interval_time_t after; /* 0: never */
    const char *how;           /* propose or do */
    int limit;                 /* do: so many a day */
} sp_auto_refund_t;

/* How long what is kept, as "400d"; NULL: for ever. */
typedef struct sp_retention_t {
    const char *events, *mails, *audit;
} sp_retention_t;

/* The member behind each KIND of directives.def. */
#define SP_MEMBER_ENVIRONMENT(member) const char *member;
#define SP_MEMBER_URL(member) const char *member; /* no trailing slash */
#define SP_MEMBER_TEXT(member) const char *member;
#define SP_MEMBER_PROVIDER_NAME(member) const char *member;
#define SP_MEMBER_PROVIDER_KEY(member)    /* accounts */
#define SP_MEMBER_PROVIDER_SECRET(member) /* accounts */
#define SP_MEMBER_PROVIDER_URL(member)    /* accounts */
#define SP_MEMBER_SECONDS(member) apr_interval_time_t member;
#define SP_MEMBER_MAIL_SERVER(member) const char *member;
#define SP_MEMBER_MAIL_TLS(member) const char *member;
#define SP_MEMBER_SECRET(member) const char *member, *member##_source;
#define SP_MEMBER_MAILBOX(member) const char *member;
#define SP_MEMBER_EMAIL(member) const char *member;
#define SP_MEMBER_EMAILS(member) const char *member; /* a blank between two */
#define SP_MEMBER_QUIET(member) const char *member;
#define SP_MEMBER_CLOCK(member) const char *member;
#define SP_MEMBER_COUNT(member) int member;
#define SP_MEMBER_RATES(member) sp_rates_t member;
#define SP_MEMBER_RETENTION(member) sp_retention_t member;
#define SP_MEMBER_PRICE_CHECK(member) const char *member;
#define SP_MEMBER_CHOICE(member) const char *member;
#define SP_MEMBER_AUTO_REFUND(member) sp_auto_refund_t member;
#define SP_MEMBER_SUMS(member) const char *member; /* {"USD": 50000} */
#define SP_MEMBER_HOURS(member) const char *member;
#define SP_MEMBER_FLAG(member) int member;
#define SP_MEMBER_CAPTURE(member) int member;
#define SP_MEMBER_PATH(member) const char *member;

typedef struct sp_settings_t {
#define SP_DIRECTIVE(name, member, KIND, preset, help) SP_MEMBER_##KIND(member)
#include "cfg/directives.def"
#undef SP_DIRECTIVE
    const char *mode;             /* follows from environment: "test" or "live" */
    apr_array_header_t *accounts; /* of sp_account_t * */
    apr_array_header_t *products; /* of sp_product_t * */
    int given;                    /* whether any directive was written at all */
    apr_table_t *places; /* read without httpd: "subpay-admin" to its <Location>; or
                          * NULL */
    const struct sp_provider_t *(*find)(const char *name);
} sp_settings_t;

/** Finds a provider by name; NULL when there is none. */
typedef const struct sp_provider_t *(*sp_provider_find_fn)(const char *name);

/** Settings with every default in place, in pool. find: see cfg/providers.h. */
sp_settings_t *sp_settings_create(apr_pool_t *pool, sp_provider_find_fn find);

/**
 * Take one directive as it stands in the file, without its name.
 *
 * Words are split as httpd does: blanks, "quoted words", 'quoted words'; where one
 * value is wanted, several words make one, so quotes may be left out.
 */
const char *sp_settings_set(apr_pool_t *pool, sp_settings_t *settings,
                            const char *directive, const char *args);

/** Begin a <SubPayProduct name> section. Not part of settings until it ends. */
const char *sp_settings_product_begin(apr_pool_t *pool,
                                      const sp_settings_t *settings,
                                      const char *name, sp_product_t **product);

/** Take one directive inside of it; args as in sp_settings_set(). */
const char *sp_settings_product_set(apr_pool_t *pool, sp_product_t *product,
                                    const char *directive, const char *args);

/** End it: check it as a whole and put it among the products. */
const char *sp_settings_product_end(apr_pool_t *pool, sp_settings_t *settings,
                                    sp_product_t *product);

/** Check what no single directive can know, and fill in what follows from others. */
const char *sp_settings_finish(apr_pool_t *pool, sp_settings_t *settings);

/**
 * Read the secrets from where their directives point, and check the keys.
 *
 * A file must be a regular one, owned by root or by us, closed to group and others.
 */
const char *sp_settings_unlock(apr_pool_t *pool, sp_settings_t *settings);

/** Read nothing but the key of one provider, where its webhook secret may be missing. */
const char *sp_settings_unlock_key(apr_pool_t *pool, const sp_settings_t *settings,
                                   sp_account_t *account);

/** What is wrong with the secret that a directive's source ("file:/path") holds; NULL
 * when it is one. */
const char *sp_settings_secret_problem(apr_pool_t *pool, const char *source);

/**
 * Read an Apache configuration file without Apache, for subpayctl.
 *
 * Takes SubPay directives and <SubPayProduct> wherever they stand, follows Include
 * and IncludeOptional (a pattern in the last part of the path is allowed), Define
 * and ${NAME}, notes where our handlers are; skips everything else. Ends with sp_settings_finish(), not with
 * sp_settings_unlock(): looking into the database needs no key.
 *
 * @return APR_SUCCESS, or *error says which file and line and what is wrong
 */
apr_status_t sp_settings_read_file(apr_pool_t *pool, const char *path,
                                   sp_settings_t **settings, const char **error);

/** The product of that name, or NULL. */
const sp_product_t *sp_settings_product(const sp_settings_t *settings,
                                        const char *name);

/** The account with that provider, or NULL where none is configured. */
const sp_account_t *sp_settings_account(const sp_settings_t *settings,
                                        const char *provider);

#endif

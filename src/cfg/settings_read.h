/*
 * settings_read.h - one reader for each KIND of value that a directive can take.
 *
 * Room: cfg, free of httpd.
 */
#ifndef SUBPAY_CFG_SETTINGS_READ_H
#define SUBPAY_CFG_SETTINGS_READ_H

#include "cfg/settings.h"

/* What a reader gets. */
typedef struct sp_value_t {
    apr_pool_t *pool;
    sp_settings_t *settings; /* NULL inside a product */
    const char *directive;
    const char *text; /* the words, quotes removed, one blank between them */
    void *member;     /* where the value goes */
} sp_value_t;

/** NULL, or what would be right: "write on or off". */
typedef const char *(*sp_reader_fn)(sp_value_t *value);

/* One directive: a row of directives.def or product.def. */
typedef struct sp_row_t {
    const char *name;
    const char *preset;
    apr_size_t offset;
    sp_reader_fn read;
} sp_row_t;

#define SP_READ(KIND) const char *sp_read_##KIND(sp_value_t *value)
SP_READ(ENVIRONMENT);
SP_READ(URL);
SP_READ(PRICE_CHECK);
SP_READ(TEXT);
SP_READ(PROVIDER_NAME);
SP_READ(PROVIDER_KEY);
SP_READ(PROVIDER_SECRET);
SP_READ(PROVIDER_URL);
SP_READ(SECONDS);
SP_READ(MAIL_SERVER);
SP_READ(MAIL_TLS);
SP_READ(SECRET);
SP_READ(MAILBOX);
SP_READ(EMAIL);
SP_READ(COUNT);
SP_READ(RATES);
SP_READ(CHOICE);
SP_READ(AUTO_REFUND);
SP_READ(SUMS);
SP_READ(RETENTION);
SP_READ(HOURS);
SP_READ(EMAILS);
SP_READ(QUIET);
SP_READ(CLOCK);
SP_READ(FLAG);
SP_READ(CAPTURE);
SP_READ(PATH);
SP_READ(MONEY);
SP_READ(PERIOD);
SP_READ(CREDITS);

/** args split into words as httpd does, joined by single blanks, in pool. */
const char *sp_words_join(apr_pool_t *pool, const char *args);

/** Cut the first word off *text; returns it, "" at the end. */
const char *sp_words_take(apr_pool_t *pool, const char **text);

/** Is this an http address of another machine? Such a one is readable on its way. */
int sp_url_is_plain(apr_pool_t *pool, const char *url);

#endif

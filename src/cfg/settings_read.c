/*
 * settings_read.c - reading one value, and saying what would be right.
 *
 * Room: cfg, free of httpd.
 */
#include "cfg/settings_read.h"

#include <apr_file_info.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <stdlib.h>
#include <string.h>

#include "cfg/providers.h"
#include "model/order.h"
#include "util/text.h"

/* Longest duration we take; it keeps every sum of two far from overflow. */
#define MAX_SECONDS ((apr_int64_t)10 * 365 * 86400)

/* A quoted word, quotes removed; \" and \\ are the quote and the backslash. */
static char *read_quoted(apr_pool_t *pool, const char **args)
{
    const char quote = *(*args)++;
    char *word = apr_pstrdup(pool, *args);
    char *end = word;

    while (**args && **args != quote) {
        if (**args == '\\' && ((*args)[1] == quote || (*args)[1] == '\\')) {
            (*args)++;
        }
        *end++ = *(*args)++;
    }
    *end = '\0';
    if (**args) {
        (*args)++;
    }
    return word;
}

static char *read_word(apr_pool_t *pool, const char **args)
{
    const char *start = *args;

    if (*start == '"' || *start == '\'') {
        return read_quoted(pool, args);
    }
    while (**args && !apr_isspace(**args)) {
        (*args)++;
    }
    return apr_pstrmemdup(pool, start, *args - start);
}

const char *sp_words_join(apr_pool_t *pool, const char *args)
{
    const char *text = NULL;

    for (;;) {
        const char *word;

        while (apr_isspace(*args)) {
            args++;
        }
        if (!*args) {
            return text ? text : "";
        }
        word = read_word(pool, &args);
        text = text ? apr_pstrcat(pool, text, " ", word, NULL) : word;
    }
}

const char *sp_words_take(apr_pool_t *pool, const char **text)
{
    const char *start = *text;
    apr_size_t len = strcspn(start, " ");

    *text = start + len + (start[len] == ' ');
    return apr_pstrmemdup(pool, start, len);
}

/* A number and nothing behind it but *rest; 0 when there is none, or too large. */
static int read_number(const char *text, apr_int64_t *number, const char **rest)
{
    apr_size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 15) {
        return 0;
    }
    *number = apr_atoi64(text);
    *rest = text + digits;
    return 1;
}

static int is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(text, *words) == 0) {
            return 1;
        }
    }
    return 0;
}

static void keep(sp_value_t *value, const char *text)
{
    *(const char **)value->member = text;
}

SP_READ(ENVIRONMENT)
{
    static const char *const words[] = { "test", "production", NULL };

    keep(value, value->text);
    return is_one_of(value->text, words) ? NULL : "write test or production";
}

SP_READ(MAIL_TLS)
{
    static const char *const words[] = { "required", "try", "never", NULL };

    keep(value, value->text);
    return is_one_of(value->text, words) ? NULL : "write required, try or never";
}

SP_READ(PRICE_CHECK)
{
    static const char *const words[] = { "auto", "error", "warn", NULL };

    keep(value, value->text);
    return is_one_of(value->text, words) ? NULL : "write auto, error or warn";
}

/* One of a few words, by the directive. */
SP_READ(CHOICE)
{
    static const struct {
        const char *directive;
        const char *words[3];
        const char *right;
    } choices[] = {
        { "SubPayDuplicates",
          { "refund", "ticket", NULL },
          "write refund or ticket" },
        { "SubPayRefundEnds", { "full", "any", NULL }, "write full or any" },
        { "SubPayDisputeAccess",
          { "keep", "suspend", NULL },
          "write keep or suspend" },
    };
    size_t i = 0;

    while (strcmp(choices[i].directive, value->directive) != 0) {
        i++;
    }
    keep(value, value->text);
    return is_one_of(value->text, choices[i].words) ? NULL : choices[i].right;
}

SP_READ(TEXT)
{
    keep(value, value->text);
    return *value->text ? NULL : "write some text";
}

SP_READ(FLAG)
{
    *(int *)value->member = !strcmp(value->text, "on");
    return *(int *)value->member || !strcmp(value->text, "off") ? NULL
                                                                : "write on or off";
}

SP_READ(CAPTURE)
{
    *(int *)value->member = !strcmp(value->text, "after-access");
    return *(int *)value->member || !strcmp(value->text, "automatic")
               ? NULL
               : "write automatic or after-access";
}

SP_READ(PATH)
{
    keep(value, value->text);
    return *value->text == '/' ? NULL : "write a full path, beginning with /";
}

/* Whole numbers that are days: more than a year of goodwill is a typo. */
SP_READ(COUNT)
{
    apr_int64_t number;
    const char *rest;

    if (!read_number(value->text, &number, &rest) || *rest || number > 366) {
        return "write a whole number from 0 to 366, such as 7";
    }
    *(int *)value->member = (int)number;
    return NULL;
}

/* "checkout 10", any number of such pairs; what is not named keeps its value. */
SP_READ(RATES)
{
    sp_rates_t *rates = value->member;
    const struct {
        const char *name;
        int *rate;
    } known[] = { { "checkout", &rates->checkout },
                  { "webhook", &rates->webhook },
                  { "find", &rates->find },
                  { "support", &rates->support } };
    const char *rest = value->text;
    const char *name, *end;
    apr_int64_t number;
    size_t i;

    do {
        name = sp_words_take(value->pool, &rest);
        for (i = 0; i < 4 && strcmp(known[i].name, name) != 0; i++) {
        }
        if (i == 4 ||
            !read_number(sp_words_take(value->pool, &rest), &number, &end) || *end ||
            number > 10000) {
            return "write checkout, webhook, find or support and a number from 0 to "
                   "10000, such as checkout 10";
        }
        *known[i].rate = (int)number;
    } while (*rest);
    return NULL;
}

/* "08:30" at *text, which then points behind it; its minutes, -1 for none. */
static int take_clock(const char **text)
{
    const char *t = *text;
    int hour, minute;

    if (strspn(t, "0123456789") != 2 || t[2] != ':' ||
        strspn(t + 3, "0123456789") != 2) {
        return -1;
    }
    hour = (t[0] - '0') * 10 + t[1] - '0';
    minute = (t[3] - '0') * 10 + t[4] - '0';
    *text = t + 5;
    return hour < 24 && minute < 60 ? hour * 60 + minute : -1;
}

/* One day's name at *text, which then points behind it. */
static int take_weekday(const char **text)
{
    static const char *const days[] = { "Mon", "Tue", "Wed", "Thu",
                                        "Fri", "Sat", "Sun", NULL };
    char day[4];

    apr_cpystrn(day, *text, sizeof(day));
    *text += strlen(day);
    return is_one_of(day, days);
}

/* A name of the time zone database; one misspelt would promise the wrong clock. */
static int is_zone(apr_pool_t *pool, const char *zone)
{
    apr_finfo_t info;

    if (!*zone || *zone == '/' || strstr(zone, "..")) {
        return 0;
    }
    return strcmp(zone, "UTC") == 0 ||
           (apr_stat(&info, apr_pstrcat(pool, "/usr/share/zoneinfo/", zone, NULL),
                     APR_FINFO_TYPE, pool) == APR_SUCCESS &&
            info.filetype == APR_REG);
}

SP_READ(HOURS)
{
    static const char right[] =
        "write days, hours and a time zone, such as Mon-Fri 08:30-17:30 "
        "Europe/Berlin";
    const char *text = value->text;
    int from, until;

    keep(value, text);
    if (!take_weekday(&text) || (*text == '-' && (text++, !take_weekday(&text))) ||
        *text++ != ' ') {
        return right;
    }
    from = take_clock(&text);
    if (from < 0 || *text++ != '-') {
        return right;
    }
    until = take_clock(&text);
    if (until <= from || *text++ != ' ') {
        return right;
    }
    return is_zone(value->pool, text) ? NULL : right;
}

SP_READ(CLOCK)
{
    const char *text = value->text;

    keep(value, text);
    return take_clock(&text) < 0 || *text ? "write a time, such as 08:30" : NULL;
}

SP_READ(QUIET)
{
    static const char right[] =
        "write hours and a time zone, such as 22:00-08:00 Europe/Berlin";
    const char *text = value->text;
    int from, until;

    keep(value, text);
    from = take_clock(&text);
    if (from < 0 || *text++ != '-') {
        return right;
    }
    until = take_clock(&text);
    if (until < 0 || until == from || *text++ != ' ') {
        return right;
    }
    return is_zone(value->pool, text) ? NULL : right;
}

SP_READ(CREDITS)
{
    apr_int64_t number;
    const char *rest;

    if (!read_number(value->text, &number, &rest) || *rest || number > 1000000000) {
        return "write a whole number, such as 100";
    }
    *(int64_t *)value->member = number;
    return NULL;
}

typedef struct sp_unit_t {
    const char *name;
    apr_int64_t size;
} sp_unit_t;

/* The size of the unit that text names, 0 for none. */
static apr_int64_t unit_size(const sp_unit_t *units, const char *text)
{
    for (; units->name; units++) {
        if (strcmp(text, units->name) == 0) {
            return units->size;
        }
    }
    return 0;
}

/* Where another value could not work. */
typedef struct sp_range_t {
    const char *directive;
    apr_int64_t min_s, max_s;
    const char *words;
} sp_range_t;

static const sp_range_t ranges[] = {
    { "SubPayProviderTimeout", 1, 60, "write 1s to 60s" },
    { "SubPayReconcileInterval", 1, 3600, "write 1s to 1h, such as 60s" },
    { "SubPayReconcileOverlap", 0, 7 * 86400, "write 0 to 7d, such as 10m" },
    { "SubPayDeepSweep", 3600, 90 * 86400, "write 1h to 90d, such as 72h" },
    { "SubPayPendingExpiry", 1800, 86400,
      "write 30m to 24h: the provider keeps a payment page open for no longer" },
    { "SubPayRenewalGrace", 0, 90 * 86400, "write 0 to 90d, such as 7d" },
    { "SubPayDuplicateWindow", 0, 90 * 86400, "write 0 to 90d, such as 24h" },
    { "SubPayCacheFor", 0, 60, "write 0 to 60s, such as 10s" },
    { "SubPayEscalateAfter", 10, 86400, "write 10s to 24h, such as 10m" },
    { "SubPayPauseAfter", 0, 7 * 86400, "write 0 to 7d, such as 30m" },
    { "SubPayGrace", 0, 86400, "write 0 to 24h, such as 1h" },
};

static const char *check_range(const char *directive, apr_int64_t seconds)
{
    apr_size_t i;

    for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (strcmp(ranges[i].directive, directive) == 0 &&
            (seconds < ranges[i].min_s || seconds > ranges[i].max_s)) {
            return ranges[i].words;
        }
    }
    return NULL;
}

/* ap_timeout_parameter_parse() takes "soon" for 0, so we read it ourselves. */
SP_READ(SECONDS)
{
    static const sp_unit_t units[] = { { "", 1 },     { "s", 1 },     { "m", 60 },
                                       { "h", 3600 }, { "d", 86400 }, { NULL, 0 } };
    apr_int64_t number, size;
    const char *rest;

    if (!read_number(value->text, &number, &rest) ||
        (size = unit_size(units, rest)) == 0 || number > MAX_SECONDS / size) {
        return "write seconds or a number with s, m, h or d, such as 60s";
    }
    *(apr_interval_time_t *)value->member = apr_time_from_sec(number * size);
    return check_range(value->directive, number * size);
}

/* "72h", "72h propose", "72h do 10". */
SP_READ(AUTO_REFUND)
{
    static const char right[] =
        "write a time of at least 1h, then propose, or do and how many a day: 72h do "
        "10; or 0 for never";
    sp_auto_refund_t *refund = value->member;
    const char *rest = value->text, *word, *end;
    sp_value_t time = *value;
    apr_int64_t number = 10;

    time.text = sp_words_take(value->pool, &rest);
    time.member = &refund->after;
    if (sp_read_SECONDS(&time) ||
        (refund->after != 0 && refund->after < apr_time_from_sec(3600)) ||
        refund->after > apr_time_from_sec(60 * 86400)) {
        return right;
    }
    word = *rest ? sp_words_take(value->pool, &rest) : "propose";
    if ((strcmp(word, "do") != 0 && strcmp(word, "propose") != 0) ||
        (*rest && (*word == 'p' || !read_number(rest, &number, &end) || *end ||
                   number > 10000))) {
        return right;
    }
    refund->how = word;
    refund->limit = (int)number;
    return NULL;
}

/* "500.00 USD 450.00 EUR", as the JSON object that the database keeps. */
SP_READ(SUMS)
{
    const char *rest = value->text;
    const char *json = "";
    sp_money_t money;

    do {
        const char *amount = sp_words_take(value->pool, &rest);

        amount = apr_pstrcat(value->pool, amount, " ",
                             sp_words_take(value->pool, &rest), NULL);
        if (sp_money_parse(value->pool, amount, &money)) {
            return "write amounts with their ISO codes, such as 500.00 USD 450.00 EUR";
        }
        json = apr_psprintf(value->pool, "%s%s\"%s\": %" APR_INT64_T_FMT, json,
                            *json ? ", " : "", money.currency,
                            (apr_int64_t)money.minor);
    } while (*rest);
    keep(value, apr_pstrcat(value->pool, "{", json, "}", NULL));
    return NULL;
}

/* Each has a least: a provider brings the same event again for thirty days, and what
 * somebody did is history for a year at least. */
SP_READ(RETENTION)
{
    sp_retention_t *kept = value->member;
    const struct {
        const char *name;
        const char **period;
        int least;
    } known[] = { { "events", &kept->events, 60 },
                  { "mails", &kept->mails, 30 },
                  { "audit", &kept->audit, 365 } };
    const char *rest = value->text;
    const char *name, *period;
    size_t i;

    do {
        name = sp_words_take(value->pool, &rest);
        period = sp_words_take(value->pool, &rest);
        for (i = 0; i < 3 && strcmp(known[i].name, name) != 0; i++) {
        }
        if (i == 3 || (strcmp(period, "forever") != 0 &&
                       sp_period_days(period) < known[i].least)) {
            return "write events (60d or more), mails (30d or more) or audit (1y or "
                   "more), and how long each is kept or forever, such as mails 2y";
        }
        *known[i].period = strcmp(period, "forever") ? period : NULL;
    } while (*rest);
    return NULL;
}

/* Kept as written: the database counts calendar months and years. */
SP_READ(PERIOD)
{
    if (!sp_period_days(value->text)) {
        return "write a number with d, w, mo or y, such as 1y";
    }
    keep(value, value->text);
    return NULL;
}

SP_READ(MONEY)
{
    sp_money_t *money = value->member;
    int step;
    const char *problem = sp_money_parse(value->pool, value->text, money);

    if (problem) {
        return "write the amount, a space and the ISO code, such as 249.00 USD";
    }
    if (money->minor == 0) {
        return "write a price above zero: nothing is sold for nothing here";
    }
    step = sp_money_step(money->currency);
    if (money->minor % step) {
        /* Networks charge these in whole units, or in two decimals, although ISO 4217
         * knows more; another last digit would be refused at the payment. */
        return apr_psprintf(
            value->pool,
            "cards are charged in steps of %d minor units of %s: write "
            "a price that ends in %s",
            step, money->currency, step == 10 ? "0" : "00");
    }
    return NULL;
}

/* A whole address: scheme, host, no blanks, no user name, no query. */
static int read_url(apr_pool_t *pool, const char *text, apr_uri_t *uri)
{
    const unsigned char *c;

    for (c = (const unsigned char *)text; *c; c++) {
        if (*c <= ' ' || *c >= 127 || strchr("\"'<>\\^`{|}", *c)) {
            return 0;
        }
    }
    return apr_uri_parse(pool, text, uri) == APR_SUCCESS && uri->scheme &&
           uri->hostname && *uri->hostname && !uri->user && !uri->fragment;
}

static const char *url_store(sp_value_t *value, const char *text, const char **url)
{
    apr_uri_t uri;
    apr_size_t len = strlen(text);

    if (!read_url(value->pool, text, &uri) ||
        (strcmp(uri.scheme, "https") != 0 && strcmp(uri.scheme, "http") != 0)) {
        return "write a full address, such as https://shop.example.com";
    }
    while (len > 0 && text[len - 1] == '/') {
        len--;
    }
    *url = apr_pstrmemdup(value->pool, text, len);
    return NULL;
}

/* Links are built by adding to the shop's address, so it cannot have a query; the
 * addresses that we call are used as they are, to the last slash. */
SP_READ(URL)
{
    static const char *const links[] = { "SubPayBaseURL", "SubPayAppURL", NULL };
    const char *problem;

    if (!strcmp(value->directive, "SubPayBaseURL") && strchr(value->text, '?')) {
        return "write it without a query, such as https://shop.example.com";
    }
    problem = url_store(value, value->text, value->member);
    if (!problem && !is_one_of(value->directive, links)) {
        keep(value, value->text);
    }
    return problem;
}

int sp_url_is_plain(apr_pool_t *pool, const char *url)
{
    static const char *const near[] = { "localhost", "127.0.0.1", "::1", NULL };
    apr_uri_t uri;

    if (apr_uri_parse(pool, url, &uri) != APR_SUCCESS || !uri.hostname) {
        return 1;
    }
    return strcmp(uri.scheme, "http") == 0 && !is_one_of(uri.hostname, near);
}

SP_READ(MAIL_SERVER)
{
    apr_uri_t uri;

    keep(value, value->text);
    if (!read_url(value->pool, value->text, &uri) || (uri.path && *uri.path) ||
        (strcmp(uri.scheme, "smtp") != 0 && strcmp(uri.scheme, "smtps") != 0)) {
        return "write smtp://host:port or smtps://host:port, such as "
               "smtp://127.0.0.1:25";
    }
    return NULL;
}

SP_READ(EMAIL)
{
    keep(value, value->text);
    return sp_text_email_problem(value->text)
               ? "write one address, such as help@shop.example.com"
               : NULL;
}

/* Commas are as good as blanks. */
SP_READ(EMAILS)
{
    char *text = apr_pstrdup(value->pool, value->text);
    const char *rest = text;
    const char *all = NULL;
    const char *word;

    for (; *text; text++) {
        *text = *text == ',' ? ' ' : *text;
    }
    while (*rest) {
        word = sp_words_take(value->pool, &rest);
        if (!*word) {
            continue;
        }
        if (sp_text_email_problem(word)) {
            return "write one address or several, such as ana@example.com "
                   "sam@example.com";
        }
        all = all ? apr_pstrcat(value->pool, all, " ", word, NULL) : word;
    }
    keep(value, all);
    return all ? NULL : "write one address or several";
}

SP_READ(MAILBOX)
{
    const char *text = value->text;
    const char *open = strchr(text, '<');
    const char *address = text;
    apr_size_t len = strlen(text);

    keep(value, text);
    if (open && len > 0 && text[len - 1] == '>') {
        address = apr_pstrmemdup(value->pool, open + 1, text + len - 1 - (open + 1));
    }
    return sp_text_email_problem(address) ? "write Name <address>, such as Fern "
                                            "Street Gym <pay@gym.example.com>"
                                          : NULL;
}

/* Only where a secret is found; the secret itself comes with sp_settings_unlock(). */
static const char *source_problem(const char *source)
{
    if ((strncmp(source, "file:/", 6) == 0 && source[6]) ||
        (strncmp(source, "env:", 4) == 0 && source[4])) {
        return NULL;
    }
    return "write file:/path or env:NAME, never the secret itself";
}

SP_READ(SECRET)
{
    /* SP_MEMBER_SECRET declares member and, right behind it, member_source. */
    ((const char **)value->member)[1] = value->text;
    return source_problem(value->text);
}

SP_READ(PROVIDER_NAME)
{
    keep(value, value->text);
    return value->settings->find(value->text)
               ? NULL
               : apr_pstrcat(value->pool,
                             "no provider of that name is loaded; write ",
                             sp_providers_names(value->pool), NULL);
}

static sp_account_t *account_make(sp_value_t *value, const char *name)
{
    sp_settings_t *settings = value->settings;
    sp_account_t *account = (sp_account_t *)sp_settings_account(settings, name);

    if (!account && settings->find(name)) {
        account = apr_pcalloc(value->pool, sizeof(*account));
        account->name = name;
        account->provider = settings->find(name);
        account->secrets = apr_array_make(value->pool, 2, sizeof(const char *));
        account->secret_sources =
            apr_array_make(value->pool, 2, sizeof(const char *));
        APR_ARRAY_PUSH(settings->accounts, sp_account_t *) = account;
    }
    return account;
}

/* The account that the first word names, NULL if none; *rest is what follows. */
static sp_account_t *account_read(sp_value_t *value, const char **rest)
{
    *rest = value->text;
    return account_make(value, sp_words_take(value->pool, rest));
}

static const char *no_such_provider(const sp_value_t *value)
{
    return apr_pstrcat(value->pool,
                       "the first word is no provider that is loaded; write ",
                       sp_providers_names(value->pool), NULL);
}

SP_READ(PROVIDER_KEY)
{
    sp_account_t *account = account_read(value, &value->text);

    if (!account) {
        return no_such_provider(value);
    }
    account->key_source = value->text;
    return source_problem(value->text);
}

SP_READ(PROVIDER_SECRET)
{
    sp_account_t *account = account_read(value, &value->text);

    if (!account) {
        return no_such_provider(value);
    }
    APR_ARRAY_PUSH(account->secret_sources, const char *) = value->text;
    return source_problem(value->text);
}

SP_READ(PROVIDER_URL)
{
    const char *rest;
    sp_account_t *account = account_read(value, &rest);

    return account ? url_store(value, rest, &account->url) : no_such_provider(value);
}

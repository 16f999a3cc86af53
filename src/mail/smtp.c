/*
 * smtp.c - one dialogue with the mail server, by libcurl.
 *
 * Room: mail. Sees APR, libcurl and model/outcome.h.
 *
 * curl tells how a transfer ended, not how far it had come; the difference
 * between "not taken" and "perhaps taken" is read from the dialogue itself.
 */
#include "mail/smtp.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT apr_time_from_sec(5)
#define TIMEOUT apr_time_from_sec(30)

/* How far the dialogue has come. */
typedef enum sp_phase_t {
    PHASE_CONNECT,
    PHASE_HELLO,
    PHASE_AUTH,
    PHASE_NOOP,
    PHASE_MAIL,
    PHASE_RCPT,
    PHASE_DATA,
    PHASE_BODY
} sp_phase_t;

static const char *const phase_names[] = { "connect", "hello", "AUTH", "NOOP",
                                           "MAIL",    "RCPT",  "DATA", "body" };

struct sp_smtp_t {
    CURL *curl;
    char *user;
    char *password;
    sp_smtp_stop_t stop;
    void *baton;
    sp_phase_t phase;
    int code;          /* of the last answer in this phase, 0 for none yet */
    int leaving;       /* QUIT was said: what comes now judges nothing */
    int secured;       /* STARTTLS was said; curl goes on only when it worked */
    char enhanced[12]; /* "5.1.1", or "" */
};

/* --- following the dialogue ---------------------------------------------- */

static void sent_command(sp_smtp_t *smtp, const char *line, size_t len)
{
    static const struct {
        const char *word;
        sp_phase_t phase;
    } commands[] = { { "EHLO", PHASE_HELLO },     { "HELO", PHASE_HELLO },
                     { "STARTTLS", PHASE_HELLO }, { "AUTH", PHASE_AUTH },
                     { "NOOP", PHASE_NOOP },      { "MAIL", PHASE_MAIL },
                     { "RCPT", PHASE_RCPT },      { "DATA", PHASE_DATA } };
    size_t i;

    smtp->leaving = len >= 4 && strncasecmp(line, "QUIT", 4) == 0;
    smtp->secured |= len >= 8 && strncasecmp(line, "STARTTLS", 8) == 0;
    for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        size_t n = strlen(commands[i].word);

        if (len >= n && strncasecmp(line, commands[i].word, n) == 0) {
            smtp->phase = commands[i].phase;
            smtp->code = 0;
            smtp->enhanced[0] = '\0';
            return;
        }
    }
}

/* "550 5.1.1 no such user": the code, the enhanced code, and nothing else, for
 * the rest may repeat the address. */
static void got_answer(sp_smtp_t *smtp, const char *line, size_t len)
{
    size_t i = 4;
    size_t n = 0;

    if (smtp->leaving || len < 3 || !apr_isdigit(line[0]) || !apr_isdigit(line[1]) ||
        !apr_isdigit(line[2])) {
        return;
    }
    smtp->code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
    while (i < len && n + 1 < sizeof(smtp->enhanced) &&
           (apr_isdigit(line[i]) || line[i] == '.')) {
        smtp->enhanced[n++] = line[i++];
    }
    smtp->enhanced[n >= 5 ? n : 0] = '\0';
    if (smtp->phase == PHASE_DATA && smtp->code == 354) {
        smtp->phase = PHASE_BODY;
        smtp->code = 0;
    }
}

static int on_debug(CURL *curl, curl_infotype type, char *data, size_t len,
                    void *baton)
{
    (void)curl;
    if (type == CURLINFO_HEADER_OUT) {
        sent_command(baton, data, len);
    }
    else if (type == CURLINFO_HEADER_IN) {
        got_answer(baton, data, len);
    }
    return 0;
}

static int on_progress(void *baton, curl_off_t down_total, curl_off_t down,
                       curl_off_t up_total, curl_off_t up)
{
    sp_smtp_t *smtp = baton;

    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    return smtp->stop ? smtp->stop(smtp->baton) : 0;
}

/* --- making ready --------------------------------------------------------- */

static apr_status_t close_smtp(void *baton)
{
    sp_smtp_t *smtp = baton;

    curl_easy_cleanup(smtp->curl);
    if (smtp->password) {
        memset(smtp->password, 0, strlen(smtp->password));
    }
    return APR_SUCCESS;
}

static const char *read_login(apr_pool_t *pool, sp_smtp_t *smtp, const char *login)
{
    const char *colon = login ? strchr(login, ':') : NULL;

    if (!login) {
        return NULL;
    }
    if (!colon || colon == login) {
        return "the login for the mail server looks like user:password";
    }
    smtp->user = apr_pstrmemdup(pool, login, (apr_size_t)(colon - login));
    smtp->password = apr_pstrdup(pool, colon + 1);
    smtp->password[strcspn(smtp->password, "\r\n")] = '\0';
    return NULL;
}

static long in_ms(apr_interval_time_t time, apr_interval_time_t otherwise)
{
    return (long)apr_time_as_msec(time ? time : otherwise);
}

/* "try" cannot stop somebody who sits in the line, as he would simply not offer
 * TLS; so a self-made certificate, as Debian installs it with each mail server,
 * is no reason to send nothing. A password is. */
static void set_tls(sp_smtp_t *smtp, const sp_smtp_settings_t *settings)
{
    CURL *curl = smtp->curl;
    const char *tls = settings->tls ? settings->tls : "try";
    int wrapped = strncmp(settings->server, "smtps:", 6) == 0;
    long level = CURLUSESSL_TRY;

    if (strcmp(tls, "required") == 0) {
        level = CURLUSESSL_ALL;
    }
    else if (strcmp(tls, "never") == 0) {
        level = CURLUSESSL_NONE;
    }
    if (wrapped) {
        level = CURLUSESSL_ALL;
    }
    curl_easy_setopt(curl, CURLOPT_USE_SSL, level);
    if (level == CURLUSESSL_TRY && !smtp->user) {
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (settings->ca_file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, settings->ca_file);
    }
}

static void set_options(sp_smtp_t *smtp, const sp_smtp_settings_t *settings)
{
    CURL *curl = smtp->curl;

    curl_easy_setopt(curl, CURLOPT_URL, settings->server);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"); /* a proxy is for the web */
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     in_ms(settings->connect_timeout, CONNECT_TIMEOUT));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, in_ms(settings->timeout, TIMEOUT));
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, smtp);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L); /* to on_debug, nowhere else */
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, smtp);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    if (smtp->user) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, smtp->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, smtp->password);
    }
    set_tls(smtp, settings);
}

apr_status_t sp_smtp_open(apr_pool_t *pool, const sp_smtp_settings_t *settings,
                          sp_smtp_t **smtp, const char **error)
{
    sp_smtp_t *made = apr_pcalloc(pool, sizeof(*made));

    if (!settings->server || (strncmp(settings->server, "smtp://", 7) != 0 &&
                              strncmp(settings->server, "smtps://", 8) != 0)) {
        *error = "a mail server looks like smtp://host:port or "
                 "smtps://host:port";
        return APR_EINVAL;
    }
    *error = read_login(pool, made, settings->login);
    if (*error) {
        return APR_EINVAL;
    }
    made->curl = curl_easy_init();
    if (!made->curl) {
        *error = "no memory for the mail connection";
        return APR_ENOMEM;
    }
    apr_pool_cleanup_register(pool, made, close_smtp, apr_pool_cleanup_null);
    set_options(made, settings);
    *smtp = made;
    return APR_SUCCESS;
}

void sp_smtp_on_progress(sp_smtp_t *smtp, sp_smtp_stop_t stop, void *baton)
{
    smtp->stop = stop;
    smtp->baton = baton;
}

/* --- sending --------------------------------------------------------------- */

/* What curl holds only for the length of one message. */
typedef struct sp_parts_t {
    struct curl_slist *headers;
    struct curl_slist *recipients;
    curl_mime *body;
} sp_parts_t;

static void free_parts(sp_smtp_t *smtp, sp_parts_t *parts)
{
    curl_easy_setopt(smtp->curl, CURLOPT_MIMEPOST, NULL);
    curl_easy_setopt(smtp->curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(smtp->curl, CURLOPT_MAIL_RCPT, NULL);
    curl_mime_free(parts->body);
    curl_slist_free_all(parts->headers);
    curl_slist_free_all(parts->recipients);
}

static int add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (longer) {
        *list = longer;
    }
    return longer != NULL;
}

static int make_parts(sp_smtp_t *smtp, apr_pool_t *pool, const sp_message_t *message,
                      const apr_array_header_t *lines, sp_parts_t *parts)
{
    int i;

    for (i = 0; i < lines->nelts; i++) {
        if (!add_line(&parts->headers, APR_ARRAY_IDX(lines, i, const char *))) {
            return 0;
        }
    }
    parts->body = sp_message_body(smtp->curl, pool, message);
    return parts->body && add_line(&parts->recipients, message->to);
}

/* A connection kept from the last message may be gone by now. Nothing was said
 * on it yet that the server could have acted on, so a new one is safe. */
static int was_stale(sp_smtp_t *smtp, CURLcode result)
{
    long connects = 0;

    curl_easy_getinfo(smtp->curl, CURLINFO_NUM_CONNECTS, &connects);
    return result != CURLE_OK && result != CURLE_ABORTED_BY_CALLBACK &&
           connects == 0 && smtp->phase < PHASE_DATA &&
           (smtp->code == 0 || smtp->code == 421);
}

static void begin(sp_smtp_t *smtp)
{
    smtp->phase = PHASE_CONNECT;
    smtp->code = 0;
    smtp->leaving = 0;
    smtp->enhanced[0] = '\0';
}

static CURLcode perform(sp_smtp_t *smtp)
{
    CURLcode result = curl_easy_perform(smtp->curl);

    if (was_stale(smtp, result)) {
        begin(smtp);
        curl_easy_setopt(smtp->curl, CURLOPT_FRESH_CONNECT, 1L);
        result = curl_easy_perform(smtp->curl);
        curl_easy_setopt(smtp->curl, CURLOPT_FRESH_CONNECT, 0L);
    }
    return result;
}

/* 5xx is for good only where it is about this recipient or these words: to AUTH
 * or MAIL it means our settings, which somebody is going to mend. */
static sp_outcome_t judge(const sp_smtp_t *smtp, CURLcode result)
{
    if (result == CURLE_OK) {
        return SP_DONE;
    }
    if (smtp->phase == PHASE_BODY && smtp->code == 0) {
        return SP_UNKNOWN;
    }
    if (smtp->code >= 500 &&
        (smtp->phase == PHASE_RCPT || smtp->phase == PHASE_BODY)) {
        return SP_REFUSED;
    }
    return SP_FAILED;
}

static const char *describe(const sp_smtp_t *smtp, apr_pool_t *pool, CURLcode result)
{
    const char *phase = phase_names[smtp->phase];

    if (smtp->code >= 400 || result == CURLE_OK) {
        return apr_psprintf(pool, "%s: %d%s%s", phase, smtp->code,
                            *smtp->enhanced ? " " : "", smtp->enhanced);
    }
    return apr_psprintf(pool, "%s: %s", phase, curl_easy_strerror(result));
}

sp_outcome_t sp_smtp_send(sp_smtp_t *smtp, apr_pool_t *pool,
                          const sp_message_t *message, sp_smtp_answer_t *answer)
{
    sp_parts_t parts = { NULL, NULL, NULL };
    apr_array_header_t *lines;
    sp_mailbox_t from;
    CURLcode result = CURLE_OUT_OF_MEMORY;

    answer->code = 0;
    answer->say = sp_message_headers(pool, message, &lines);
    if (answer->say) {
        return SP_REFUSED;
    }
    sp_mailbox_parse(pool, message->from, &from); /* good, or no headers */
    begin(smtp);
    if (make_parts(smtp, pool, message, lines, &parts)) {
        curl_easy_setopt(smtp->curl, CURLOPT_MAIL_FROM, from.address);
        curl_easy_setopt(smtp->curl, CURLOPT_MAIL_RCPT, parts.recipients);
        curl_easy_setopt(smtp->curl, CURLOPT_HTTPHEADER, parts.headers);
        curl_easy_setopt(smtp->curl, CURLOPT_MIMEPOST, parts.body);
        result = perform(smtp);
    }
    free_parts(smtp, &parts);
    answer->code = smtp->code;
    answer->say = describe(smtp, pool, result);
    return judge(smtp, result);
}

/* --- asking ----------------------------------------------------------------- */

sp_outcome_t sp_smtp_check(sp_smtp_t *smtp, apr_pool_t *pool, int *secured,
                           sp_smtp_answer_t *answer)
{
    const char *scheme = NULL;
    CURLcode result;

    begin(smtp);
    smtp->secured = 0;
    curl_easy_setopt(smtp->curl, CURLOPT_CUSTOMREQUEST, "NOOP");
    curl_easy_setopt(smtp->curl, CURLOPT_NOBODY, 1L);
    result = perform(smtp);
    curl_easy_setopt(smtp->curl, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(smtp->curl, CURLOPT_CUSTOMREQUEST, NULL);
    curl_easy_getinfo(smtp->curl, CURLINFO_SCHEME, &scheme);
    *secured = smtp->secured || (scheme && strcasecmp(scheme, "smtps") == 0);
    answer->code = smtp->code;
    answer->say = describe(smtp, pool, result);
    return result == CURLE_OK ? SP_DONE : SP_FAILED;
}

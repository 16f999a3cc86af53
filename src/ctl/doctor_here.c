/*
 * doctor_here.c - what can be wrong on our side: settings, database, worker, httpd, mail.
 *
 * Room: ctl.
 */
#include <apr_strings.h>
#include <libpq-fe.h>
#include <string.h>
#include <unistd.h>

#include "ctl/doctor.h"
#include "db/desk.h"
#include "db/migrate.h"
#include "mail/smtp.h"
#include "provider/provider.h"
#include "util/json.h"
#include "view/templates.h"

#define BEAT_LATE_S 30

/* By the database's owner, who is rarely the one that doctor runs as. */
#define MIGRATE                                                                      \
    "run: sudo -u postgres subpayctl --database dbname=subpay migrate && apachectl " \
    "graceful"

/* ---- settings and keys ----------------------------------------------------------- */

/* What is wrong with the settings themselves has kept us from beginning. */
void sp_doctor_settings(sp_doctor_t *doctor)
{
    const sp_settings_t *settings = doctor->cli->settings;

    if (strcmp(settings->mode, "live") != 0) {
        sp_doctor_warn(doctor, "write SubPayEnvironment production when you go live",
                       "%s: no real money is taken", settings->environment);
        return;
    }
    sp_doctor_ok(doctor, "%s, %s", settings->environment, settings->base_url);
}

void sp_doctor_keys(sp_doctor_t *doctor)
{
    sp_settings_t *settings = doctor->cli->settings;
    const char *problem = sp_settings_unlock(doctor->pool, settings);
    int i;

    if (problem) {
        sp_doctor_wrong(doctor,
                        geteuid() ? "run this as root, who alone may read keys"
                                  : "mend the file, then restart httpd",
                        "%s", problem);
    }
    for (i = 0; i < settings->accounts->nelts; i++) {
        sp_account_t *account = APR_ARRAY_IDX(settings->accounts, i, sp_account_t *);

        /* One that is wrong shall not keep the others from being looked at. */
        if (!account->key) {
            sp_settings_unlock_key(doctor->pool, settings, account);
        }
        if (account->key && !problem) {
            sp_doctor_ok(doctor, "%s: a key of %s mode, %d webhook secret%s",
                         account->name, settings->mode, account->secrets->nelts,
                         account->secrets->nelts == 1 ? "" : "s");
        }
    }
}

/* ---- database ---------------------------------------------------------------------- */

/* By hand first: libpq says best what is wrong with a conninfo. */
static int connects(sp_doctor_t *doctor)
{
    PGconn *pg = PQconnectdb(doctor->cli->database);
    int good = PQstatus(pg) == CONNECTION_OK;
    char *why;

    if (!good) {
        why = apr_pstrdup(doctor->pool, PQerrorMessage(pg));
        why[strcspn(why, "\n")] = '\0';
        sp_doctor_wrong(doctor,
                        "see SubPayDatabase; does PostgreSQL run, does pg_hba.conf "
                        "let this user become the role?",
                        "%s", why);
    }
    PQfinish(pg);
    return good;
}

static void check_role(sp_doctor_t *doctor, const json_t *look)
{
    const char *role = sp_json_text(look, "role");
    int tables = (int)json_integer_value(json_object_get(look, "tables"));
    const json_t *denied = json_object_get(look, "denied");
    const json_t *web = json_object_get(look, "web");

    if (json_array_size(denied) > 0) {
        sp_doctor_wrong(doctor, MIGRATE, "subpay_worker may not execute %s%s",
                        json_string_value(json_array_get(denied, 0)),
                        json_array_size(denied) > 1 ? " and others" : "");
    }
    if (json_is_false(json_object_get(web, "sells"))) {
        sp_doctor_wrong(doctor, MIGRATE, "subpay_web may not place orders");
    }
    if (json_is_true(json_object_get(look, "superuser")) || tables > 0) {
        sp_doctor_warn(doctor, "let SubPayDatabase say user=subpay_worker",
                       "%s can do more than call functions", role);
        return;
    }
    sp_doctor_ok(doctor, "%s may call functions and touches no table", role);
}

static void check_migrations(sp_doctor_t *doctor, const json_t *look)
{
    const json_t *applied = json_object_get(look, "migrations");
    const char *folder = apr_pstrcat(doctor->pool, doctor->cli->share, "/sql", NULL);
    const char *lacks = sp_db_migrate_lacks(doctor->pool, folder, applied);

    if (lacks) {
        sp_doctor_wrong(doctor, MIGRATE "; it works while customers buy", "%s",
                        lacks);
        return;
    }
    sp_doctor_ok(doctor, "%d migrations, as shipped",
                 (int)json_array_size(applied) - 1); /* one row: the functions */
}

void sp_doctor_database(sp_doctor_t *doctor)
{
    apr_time_t asked;

    if (!connects(doctor)) {
        return;
    }
    asked = apr_time_now();
    if (sp_db_doctor_look(&doctor->cli->ctx, &doctor->look) != SP_DONE) {
        sp_doctor_wrong(doctor, MIGRATE,
                        "the functions are not there, or not for this role");
        return;
    }
    check_role(doctor, doctor->look);
    check_migrations(doctor, doctor->look);
    sp_doctor_clock(
        doctor, "the database",
        (apr_time_t)(json_number_value(json_object_get(doctor->look, "now")) *
                     APR_USEC_PER_SEC),
        asked);
}

/* ---- the worker ------------------------------------------------------------------ */

void sp_doctor_worker(sp_doctor_t *doctor)
{
    const json_t *newest =
        json_array_get(json_object_get(doctor->look, "workers"), 0);
    const json_t *looked = json_object_get(doctor->look, "looked_s");
    int age = (int)json_integer_value(json_object_get(newest, "age_s"));

    if (!doctor->look) {
        return; /* told already: the database */
    }
    if (!newest || age > BEAT_LATE_S) {
        sp_doctor_wrong(
            doctor, "is httpd running, and SubPayWorker on for one of the nodes?",
            newest ? "no worker has given a sign of life for %d s"
                   : "no worker has ever given a sign of life",
            age);
        return;
    }
    sp_doctor_ok(doctor, "process %d on %s lives, %d s ago",
                 (int)json_integer_value(json_object_get(newest, "pid")),
                 sp_json_text(newest, "host"), age);
    if (!json_is_integer(looked)) {
        sp_doctor_warn(doctor, "see the error log",
                       "the provider has never been looked at");
    }
}

/* ---- httpd ------------------------------------------------------------------------ */

/* Through mod_dbd's own connections, which nobody else can try. */
void sp_doctor_httpd(sp_doctor_t *doctor)
{
    const char *place = sp_doctor_place(doctor, "subpay-status");
    sp_http_ask_t ask = { .method = "GET" };
    const sp_http_reply_t *reply;

    if (!place) {
        sp_doctor_warn(doctor,
                       "write one, for monitors; or let --config name the file with "
                       "all, say /etc/apache2/apache2.conf",
                       "no <Location> with SetHandler subpay-status here");
        return;
    }
    ask.url = apr_pstrcat(doctor->pool, place, "/health/ready", NULL);
    reply = sp_doctor_http(doctor, &ask);
    if (!reply) {
        return;
    }
    if (reply->status == 200) {
        sp_doctor_ok(doctor, "it serves, and reaches the database");
    }
    else if (reply->status == 503) {
        sp_doctor_wrong(doctor, "see DBDParams, and the error log",
                        "it does not reach the database");
    }
    else {
        sp_doctor_warn(doctor, "Require local, and this machine, would do",
                       "%s answers %d here", ask.url, reply->status);
    }
}

void sp_doctor_admin(sp_doctor_t *doctor)
{
    sp_http_ask_t ask = { .method = "GET" };
    const sp_http_reply_t *reply;
    const char *place = sp_doctor_place(doctor, "subpay-admin");

    if (!place) {
        sp_doctor_warn(doctor,
                       "write one; or let --config name the file with all, say "
                       "/etc/apache2/apache2.conf",
                       "no <Location> with SetHandler subpay-admin here");
        return;
    }
    ask.url = apr_pstrcat(doctor->pool, place, "/", NULL);
    reply = sp_doctor_http(doctor, &ask);
    if (!reply) {
        return;
    }
    switch (reply->status) {
    case 401:
        sp_doctor_ok(doctor, "%s asks who is there", ask.url);
        break;
    case 403:
        sp_doctor_warn(doctor,
                       "fine where certificates or addresses decide; otherwise "
                       "AuthType is missing there",
                       "%s lets nobody in, and does not ask who is there", ask.url);
        break;
    case 200:
        sp_doctor_wrong(
            doctor, "at once: let it authenticate (AuthType, Require valid-user)",
            "%s is open to everybody", ask.url);
        break;
    default:
        sp_doctor_wrong(doctor, "restart httpd; see the error log",
                        "%s answers %d, not 401", ask.url, reply->status);
    }
}

/* ---- our webhook -------------------------------------------------------------------- */

static void check_answer(sp_doctor_t *doctor, const char *url, int status)
{
    if (status == 200) {
        sp_doctor_ok(doctor, "%s took a signed message", url);
    }
    else if (status == 400) {
        sp_doctor_wrong(doctor,
                        "restart httpd: it knows another SubPayWebhookSecret",
                        "%s refused our signature", url);
    }
    else if (status == 401 || status == 403) {
        sp_doctor_wrong(doctor, "let nothing authenticate or filter there",
                        "%s answers %d: the provider has no password", url, status);
    }
    else if (status / 100 == 3) {
        sp_doctor_wrong(doctor, "let SubPayBaseURL be the address itself",
                        "%s answers %d: no provider follows that", url, status);
    }
    else {
        sp_doctor_wrong(doctor,
                        status == 404 ? "write <Location> with SetHandler "
                                        "subpay-webhook there"
                                      : "see the error log",
                        "%s answers %d", url, status);
    }
}

static void send_sample(sp_doctor_t *doctor, const sp_account_t *account,
                        const char *secret)
{
    const sp_settings_t *settings = doctor->cli->settings;
    sp_http_ask_t ask = { .method = "POST" };
    const sp_http_reply_t *reply;

    ask.headers = apr_array_make(doctor->pool, 3, sizeof(const char *));
    APR_ARRAY_PUSH(ask.headers, const char *) = "Content-Type: application/json";
    ask.url = apr_pstrcat(doctor->pool, settings->base_url, "/webhook/",
                          account->name, NULL);
    ask.body = account->provider->webhook_sample(
        doctor->pool, secret, settings->mode, apr_time_now(), ask.headers);
    ask.len = strlen(ask.body);
    reply = sp_doctor_http(doctor, &ask);
    if (reply) {
        check_answer(doctor, ask.url, reply->status);
    }
}

/* Each secret by itself: while one is rolled, two have to be good. */
void sp_doctor_webhook(sp_doctor_t *doctor)
{
    const apr_array_header_t *accounts = doctor->cli->settings->accounts;
    int i, n, sent = 0;

    for (i = 0; i < accounts->nelts; i++) {
        const sp_account_t *account = APR_ARRAY_IDX(accounts, i, sp_account_t *);

        for (n = 0; account->provider->webhook_sample && n < account->secrets->nelts;
             n++, sent++) {
            send_sample(doctor, account,
                        APR_ARRAY_IDX(account->secrets, n, const char *));
        }
    }
    if (!sent) {
        sp_doctor_wrong(doctor, "subpayctl webhook create, or SubPayWebhookSecret",
                        "there is no secret, so every webhook is refused");
    }
}

/* ---- mail, words, people ------------------------------------------------------------ */

static int is_near(const char *server)
{
    const char *host = strstr(server, "://");

    host = host ? host + 3 : server;
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 ||
           strncmp(host, "[::1]", 5) == 0;
}

void sp_doctor_mail(sp_doctor_t *doctor)
{
    const sp_settings_t *settings = doctor->cli->settings;
    sp_smtp_settings_t how = { .server = settings->mail_server,
                               .tls = settings->mail_tls,
                               .login = settings->mail_login,
                               .timeout = apr_time_from_sec(10) };
    sp_smtp_answer_t answer = { 0 };
    sp_smtp_t *smtp;
    const char *error = NULL;
    int secured = 0;

    if (!settings->mail_from) {
        sp_doctor_wrong(doctor, "write it: Name <address>",
                        "SubPayMailFrom is missing, so no mail leaves");
    }
    if (sp_smtp_open(doctor->pool, &how, &smtp, &error) != APR_SUCCESS) {
        sp_doctor_wrong(doctor, "see SubPayMailServer and SubPayMailLogin", "%s",
                        error);
        return;
    }
    if (sp_smtp_check(smtp, doctor->pool, &secured, &answer) != SP_DONE) {
        sp_doctor_wrong(doctor,
                        "see SubPayMailServer, SubPayMailTLS and SubPayMailLogin",
                        "%s: %s", settings->mail_server, answer.say);
        return;
    }
    if (!secured && !is_near(settings->mail_server)) {
        sp_doctor_warn(doctor, "SubPayMailTLS required, or a server that offers TLS",
                       "%s takes mail, but not over TLS", settings->mail_server);
        return;
    }
    sp_doctor_ok(doctor, "%s takes mail%s%s", settings->mail_server,
                 secured ? ", over TLS" : "",
                 settings->mail_login ? ", and our login" : "");
}

void sp_doctor_templates(sp_doctor_t *doctor)
{
    const sp_settings_t *settings = doctor->cli->settings;
    const char *shipped =
        apr_pstrcat(doctor->pool, settings->share, "/htdocs/templates", NULL);
    const char *dirs[] = { settings->templates ? settings->templates : shipped,
                           settings->templates ? shipped : NULL, NULL };
    sp_templates_t *set;
    const char *error = NULL;

    if (sp_templates_load(doctor->pool, dirs, &set, &error) != APR_SUCCESS) {
        sp_doctor_wrong(
            doctor,
            settings->templates
                ? "mend SubPayTemplates, or take the file away there: the "
                  "shipped one is used then"
                : "install again: SubPayShare is not of this version",
            "%s", error);
        return;
    }
    sp_doctor_ok(doctor, "all pages and mails are there, and can be read");
}

void sp_doctor_people(sp_doctor_t *doctor)
{
    const sp_settings_t *settings = doctor->cli->settings;

    if (!settings->alert_to && !settings->alert_webhook) {
        sp_doctor_warn(doctor, "name who is woken: one address or several",
                       "SubPayAlertTo is missing, so alerts go to support");
    }
    if (!settings->heartbeat_url) {
        sp_doctor_warn(
            doctor,
            "let something outside miss us: a service that expects a call "
            "every minute",
            "SubPayHeartbeatURL is missing: nobody notices when this "
            "machine is gone");
    }
    if ((settings->alert_to || settings->alert_webhook) && settings->heartbeat_url) {
        sp_doctor_ok(doctor, "support, alerts and heartbeat have an address");
    }
}

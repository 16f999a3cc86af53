/*
 * doctor.c - everything that can be wrong, before a customer finds it.
 *
 * Room: ctl.
 * Changes nothing, here or at the provider: it may run at any time, in production too.
 */
#include "ctl/doctor.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/json.h"

#define PATIENCE apr_time_from_sec(10)

/* A signature may be 300 s old; half of that is gone when a message comes late. */
#define CLOCK_WRONG 120
#define CLOCK_ODD 5

static const struct {
    const char *name;
    void (*run)(sp_doctor_t *doctor);
} checks[] = {
    { "settings", sp_doctor_settings }, { "keys", sp_doctor_keys },
    { "database", sp_doctor_database }, { "worker", sp_doctor_worker },
    { "httpd", sp_doctor_httpd },       { "admin", sp_doctor_admin },
    { "webhook", sp_doctor_webhook },   { "provider", sp_doctor_provider },
    { "prices", sp_doctor_prices },     { "endpoint", sp_doctor_endpoint },
    { "mail", sp_doctor_mail },         { "templates", sp_doctor_templates },
    { "people", sp_doctor_people },
};

#define CHECK_COUNT (sizeof(checks) / sizeof(checks[0]))

/* ---- saying -------------------------------------------------------------------- */

static void say(sp_doctor_t *doctor, const char *state, const char *todo,
                const char *text)
{
    json_t *line = json_object();

    sp_json_set_text(line, "check", doctor->check);
    sp_json_set_text(line, "state", state);
    sp_json_set_text(line, "text", text);
    sp_json_set_text(line, "todo", todo);
    sp_json_set_text(line, "log", todo ? doctor->heard : NULL);
    json_array_append_new(doctor->checks, line);
    if (doctor->cli->json) {
        return;
    }
    printf("%-8s %-10s %s%s%s%s%s%s\n", state, doctor->check, text,
           todo && doctor->heard ? " (" : "",
           todo && doctor->heard ? doctor->heard : "",
           todo && doctor->heard ? ")" : "", todo ? "; " : "", todo ? todo : "");
    fflush(stdout); /* some take seconds */
}

void sp_doctor_ok(sp_doctor_t *doctor, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(doctor, "ok", NULL, apr_pvsprintf(doctor->pool, format, args));
    va_end(args);
}

void sp_doctor_warn(sp_doctor_t *doctor, const char *todo, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    doctor->warnings++;
    say(doctor, "warning", todo, apr_pvsprintf(doctor->pool, format, args));
    va_end(args);
}

void sp_doctor_wrong(sp_doctor_t *doctor, const char *todo, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    doctor->wrong++;
    say(doctor, "wrong", todo, apr_pvsprintf(doctor->pool, format, args));
    va_end(args);
}

/* ---- looking ------------------------------------------------------------------- */

const sp_http_reply_t *sp_doctor_http(sp_doctor_t *doctor, sp_http_ask_t *ask)
{
    sp_http_reply_t *reply = apr_pcalloc(doctor->pool, sizeof(*reply));

    ask->timeout = PATIENCE;
    if (sp_http_send(doctor->cli->ctx.http, doctor->pool, ask, reply) !=
        SP_HTTP_ANSWERED) {
        sp_doctor_wrong(doctor,
                        "is httpd running, and does this machine reach its own "
                        "SubPayBaseURL?",
                        "%s: %s", ask->url, reply->why);
        return NULL;
    }
    return reply;
}

const char *sp_doctor_place(sp_doctor_t *doctor, const char *handler)
{
    const sp_settings_t *settings = doctor->cli->settings;
    const char *path =
        settings->places ? apr_table_get(settings->places, handler) : NULL;
    apr_uri_t uri;

    if (!path || apr_uri_parse(doctor->pool, settings->base_url, &uri)) {
        return NULL;
    }
    return apr_pstrcat(doctor->pool,
                       apr_uri_unparse(doctor->pool, &uri, APR_URI_UNP_OMITPATHINFO),
                       path, NULL);
}

void sp_doctor_clock(sp_doctor_t *doctor, const char *whose, apr_time_t theirs,
                     apr_time_t ours)
{
    int apart = (int)apr_time_sec(ours - theirs);
    int most = apart < 0 ? -apart : apart;

    if (most <= CLOCK_ODD) {
        sp_doctor_ok(doctor, "the clocks of %s and this machine agree", whose);
        return;
    }
    (most > CLOCK_WRONG ? sp_doctor_wrong : sp_doctor_warn)(
        doctor, "let both be set by NTP (timedatectl)",
        "the clock of %s is %d s %s this machine's", whose, most,
        apart > 0 ? "behind" : "ahead of");
}

/* ---- the examination ------------------------------------------------------------ */

/* What would be a line in a log is told with the finding. */
static void hear(void *baton, sp_level_t level, const char *line)
{
    sp_doctor_t *doctor = baton;

    (void)level;
    doctor->heard = apr_pstrdup(doctor->pool, line);
}

static sp_ctl_status_t conclude(sp_doctor_t *doctor)
{
    json_t *json = sp_json_object(doctor->pool);

    json_object_set(json, "checks", doctor->checks);
    sp_json_set_int(json, "wrong", doctor->wrong);
    sp_json_set_int(json, "warnings", doctor->warnings);
    if (doctor->cli->json) {
        sp_ctl_print(doctor->cli, json);
    }
    else {
        printf("%d wrong, %d worth a thought\n", doctor->wrong, doctor->warnings);
    }
    return doctor->wrong ? SP_CTL_NOT_FOUND : SP_CTL_DONE;
}

sp_ctl_status_t sp_ctl_doctor(sp_cli_t *cli)
{
    sp_doctor_t doctor = { .cli = cli, .pool = cli->pool };
    size_t i;

    /* libpq's own patience is the kernel's: minutes. What the conninfo says wins. */
    setenv("PGCONNECT_TIMEOUT", "10", 0);
    doctor.checks = sp_json_own(cli->pool, json_array());
    cli->log.write = hear;
    cli->log.baton = &doctor;
    for (i = 0; i < CHECK_COUNT; i++) {
        doctor.check = checks[i].name;
        doctor.heard = NULL;
        checks[i].run(&doctor);
    }
    return conclude(&doctor);
}

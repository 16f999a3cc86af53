/*
 * doctor.h - what the checks of "subpayctl doctor" share.
 *
 * Room: ctl.
 */
#ifndef SUBPAY_CTL_DOCTOR_H
#define SUBPAY_CTL_DOCTOR_H

#include "ctl/ctl.h"
#include "util/http.h"

/* One examination. */
typedef struct sp_doctor_t {
    sp_cli_t *cli;
    apr_pool_t *pool;  /* the cli's */
    const char *check; /* the name of the check that runs now */
    const char *heard; /* the latest line that was logged during it, or NULL */
    json_t *checks;
    json_t *look; /* doctor_look.sql; NULL until the database has answered */
    int wrong, warnings;
} sp_doctor_t;

/** One line each: all is well; worth a thought; wrong, and what to do. */
void sp_doctor_ok(sp_doctor_t *doctor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sp_doctor_warn(sp_doctor_t *doctor, const char *todo, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sp_doctor_wrong(sp_doctor_t *doctor, const char *todo, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The answer to one request as anybody could make it; NULL, and a line that says
 * so, when there is none. */
const sp_http_reply_t *sp_doctor_http(sp_doctor_t *doctor, sp_http_ask_t *ask);

/** The address of a <Location> with this handler below our host, or NULL. */
const char *sp_doctor_place(sp_doctor_t *doctor, const char *handler);

/** Say by how much another clock differs, in the way of this check. */
void sp_doctor_clock(sp_doctor_t *doctor, const char *whose, apr_time_t theirs,
                     apr_time_t ours);

/* Each looks at one thing: rows of the table in doctor.c. */
void sp_doctor_settings(sp_doctor_t *doctor);
void sp_doctor_keys(sp_doctor_t *doctor);
void sp_doctor_database(sp_doctor_t *doctor);
void sp_doctor_worker(sp_doctor_t *doctor);
void sp_doctor_httpd(sp_doctor_t *doctor);
void sp_doctor_admin(sp_doctor_t *doctor);
void sp_doctor_webhook(sp_doctor_t *doctor);
void sp_doctor_provider(sp_doctor_t *doctor);
void sp_doctor_prices(sp_doctor_t *doctor);
void sp_doctor_endpoint(sp_doctor_t *doctor);
void sp_doctor_mail(sp_doctor_t *doctor);
void sp_doctor_templates(sp_doctor_t *doctor);
void sp_doctor_people(sp_doctor_t *doctor);

#endif

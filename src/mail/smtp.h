/*
 * smtp.h - hands messages to the mail server.
 *
 * Room: mail. Sees APR, libcurl and model/outcome.h.
 * Source: RFC 5321; libcurl's SMTP documentation.
 *
 * DKIM, queues and retries over days are the mail server's work: it should be
 * one that accepts at once, usually on this machine.
 */
#ifndef SP_MAIL_SMTP_H
#define SP_MAIL_SMTP_H

#include <apr_pools.h>
#include <apr_time.h>

#include "mail/message.h"
#include "model/outcome.h"

typedef struct sp_smtp_t sp_smtp_t;

typedef struct sp_smtp_settings_t {
    const char *server; /* "smtp://host:port" or "smtps://host:port" */
    /* STARTTLS: "required", "try" (when offered; the certificate then counts
     * only if a password goes over the line) or "never". */
    const char *tls;
    const char *login;   /* "user:password", or NULL */
    const char *ca_file; /* certificates to trust instead of the system's, or NULL */
    apr_interval_time_t connect_timeout; /* 0: 5 s */
    apr_interval_time_t timeout;         /* for one message; 0: 30 s */
} sp_smtp_settings_t;

/* What the server said. Neither holds an address. */
typedef struct sp_smtp_answer_t {
    int code;        /* 250, 550 ...; 0 when there was no answer */
    const char *say; /* "RCPT: 550 5.1.1", "connect: Couldn't connect to server" */
} sp_smtp_answer_t;

/** Asked a few times a second while a message is on its way; not 0: give up. */
typedef int (*sp_smtp_stop_t)(void *baton);

/**
 * Make ready; connects with the first message and keeps the connection for the
 * next ones.
 *
 * @param pool   closing it closes the connection
 * @param error  names what is wrong with the settings, never the password
 */
apr_status_t sp_smtp_open(apr_pool_t *pool, const sp_smtp_settings_t *settings,
                          sp_smtp_t **smtp, const char **error);

void sp_smtp_on_progress(sp_smtp_t *smtp, sp_smtp_stop_t stop, void *baton);

/**
 * Send one message.
 *
 * @param pool    for this message only; *answer is in it
 * @return SP_DONE     the server has taken it
 *         SP_REFUSED  for good, for this recipient or message: sending it again
 *                     helps nobody (also: an address that mail does not carry)
 *         SP_UNKNOWN  the words were given and no answer came: perhaps taken
 *         SP_FAILED   not taken; try later
 */
sp_outcome_t sp_smtp_send(sp_smtp_t *smtp, apr_pool_t *pool,
                          const sp_message_t *message, sp_smtp_answer_t *answer);

/**
 * Hold the dialogue without a message: hello, TLS and login as the settings say, NOOP.
 *
 * @param secured  whether it went over TLS
 * @return SP_DONE, or SP_FAILED: a mail would not leave either
 */
sp_outcome_t sp_smtp_check(sp_smtp_t *smtp, apr_pool_t *pool, int *secured,
                           sp_smtp_answer_t *answer);

#endif

/*
 * http.h - one HTTP request at a time, to somebody who may not answer.
 *
 * Room: util. libcurl underneath.
 *
 * Connections and TLS sessions are kept between requests. HTTPS only, except to
 * this very machine; redirects are not followed; an answer has a largest size.
 */
#ifndef SUBPAY_UTIL_HTTP_H
#define SUBPAY_UTIL_HTTP_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

/* A process's connections. Safe to use from several threads. */
typedef struct sp_http_t sp_http_t;

/* How far a request came. */
typedef enum sp_http_end_t {
    SP_HTTP_ANSWERED, /* status, headers and the whole body are here */
    SP_HTTP_NOT_SENT, /* certainly not a byte of the request left this machine */
    SP_HTTP_LOST      /* sent, at least in part, and no whole answer came back */
} sp_http_end_t;

typedef struct sp_http_ask_t {
    const char *method; /* "GET", "POST" */
    const char *url;
    apr_array_header_t *headers; /* of const char *: "Name: value", or NULL */
    const char *body;            /* NULL for none */
    apr_size_t len;
    apr_interval_time_t connect; /* longest time to connect, 0: as timeout */
    apr_interval_time_t timeout; /* longest time in all */
    apr_size_t largest;          /* bytes of an answer; 0: 8 MiB */
    int once; /* on a new connection: libcurl repeats by itself what a kept one
               * swallowed, and a repeat would do harm */
} sp_http_ask_t;

typedef struct sp_http_reply_t {
    int status;
    apr_table_t *headers; /* without regard to case; the last of each name */
    const char *body;     /* ended by a NUL that is not counted */
    apr_size_t len;
    const char *why; /* unless answered: what went wrong, fit for the log */
    int timed_out;   /* unless answered: because the time was over */
} sp_http_reply_t;

/**
 * The connections of this process; lives in pool.
 *
 * Call it after the fork: a handle inherited from the parent would write into the
 * parent's connection. The first call in a process initialises libcurl.
 */
sp_http_t *sp_http_create(apr_pool_t *pool);

/** Ask stop(baton) several times a second; when it says so, requests end early. */
void sp_http_stop_when(sp_http_t *http, int (*stop)(void *baton), void *baton);

/** Whether it is time to stop: for those who wait between two requests. */
int sp_http_stopping(const sp_http_t *http);

/** Send, and wait for the answer. reply is in pool; its body is released with it. */
sp_http_end_t sp_http_send(sp_http_t *http, apr_pool_t *pool,
                           const sp_http_ask_t *ask, sp_http_reply_t *reply);

#endif

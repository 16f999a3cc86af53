/*
 * log.h - one numbered line at a time, to whoever keeps the log here.
 *
 * Room: util. Sees nothing but the C library.
 *
 * httpd's error log, subpayctl's stderr and a test's list are all such a place.
 * A line holds order ids, amounts and states; never an e-mail address, name, key,
 * token or provider body. conf/log-numbers.md says what each number means.
 */
#ifndef SUBPAY_UTIL_LOG_H
#define SUBPAY_UTIL_LOG_H

/* The numbers are syslog's, which are httpd's too. */
typedef enum sp_level_t {
    SP_LOG_ERR = 3,
    SP_LOG_WARN = 4,
    SP_LOG_NOTICE = 5,
    SP_LOG_INFO = 6,
    SP_LOG_DEBUG = 7
} sp_level_t;

/** Takes one line, such as "SP0310: order 1f0c... is in review". */
typedef void (*sp_log_fn)(void *baton, sp_level_t level, const char *line);

typedef struct sp_log_t {
    sp_log_fn write;
    void *baton;
    sp_level_t level; /* lines beyond this are not even put together */
} sp_log_t;

/** Write one line; a NULL log swallows it. Cut at about 1,000 bytes. */
void sp_log(const sp_log_t *log, sp_level_t level, int number, const char *format,
            ...) __attribute__((format(printf, 4, 5)));

/** A sp_log_fn that writes to stderr. */
void sp_log_stderr(void *baton, sp_level_t level, const char *line);

#endif

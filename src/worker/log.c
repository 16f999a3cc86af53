/*
 * log.c - lines of the worker in httpd's error log.
 *
 * Room: worker.
 */
#include "worker/log.h"

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

APLOG_USE_MODULE(subpay);

static void write_line(void *baton, sp_level_t level, const char *line)
{
    server_rec *server = baton;

    ap_log_error(APLOG_MARK, (int)level, 0, server, "%s", line);
}

sp_log_t *sp_worker_log(apr_pool_t *pool, server_rec *s)
{
    sp_log_t *log = apr_pcalloc(pool, sizeof(*log));

    log->write = write_line;
    log->baton = s;
    log->level = APLOG_IS_LEVEL(s, APLOG_DEBUG)    ? SP_LOG_DEBUG
                 : APLOG_IS_LEVEL(s, APLOG_INFO)   ? SP_LOG_INFO
                 : APLOG_IS_LEVEL(s, APLOG_NOTICE) ? SP_LOG_NOTICE
                                                   : SP_LOG_WARN;
    return log;
}

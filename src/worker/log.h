/*
 * log.h - httpd's error log, as the rooms below know a log.
 *
 * Room: worker.
 */
#ifndef SUBPAY_WORKER_LOG_H
#define SUBPAY_WORKER_LOG_H

#include <httpd.h>

#include "util/log.h"

/** A log that writes to the server's error log, at the server's level. */
sp_log_t *sp_worker_log(apr_pool_t *pool, server_rec *s);

#endif

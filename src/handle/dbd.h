/*
 * dbd.h - connections for requests, out of mod_dbd's pool.
 *
 * Room: handle. Sees httpd and mod_dbd.
 */
#ifndef SUBPAY_HANDLE_DBD_H
#define SUBPAY_HANDLE_DBD_H

#include <httpd.h>

#include "db/db.h"

/** NULL when mod_dbd is loaded, else what to do about it. */
const char *sp_dbd_problem(void);

/** For child_init: the gate in front of the pool. */
void sp_dbd_child_init(apr_pool_t *pool, server_rec *s);

/**
 * A source for one request. Waits for at most two seconds for a connection.
 *
 * @param urgent  may take the last ones, which the others leave alone
 */
sp_db_t *sp_dbd_source(request_rec *r, int urgent);

#endif

/*
 * notify.h - SQL calls about what the application is told.
 *
 * Room: db. Messages are queued by sql/ itself, with the fact they tell.
 */
#ifndef SUBPAY_DB_NOTIFY_H
#define SUBPAY_DB_NOTIFY_H

#include "db/db.h"

/** Queue messages about access whose time is up. @param count looked at, at most limit */
sp_outcome_t sp_db_notify_expired(sp_ctx_t *ctx, int limit, int *count);

#endif

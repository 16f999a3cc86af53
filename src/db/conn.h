/*
 * conn.h - the inside of a connection; for this room only.
 *
 * Room: db.
 */
#ifndef SUBPAY_DB_CONN_H
#define SUBPAY_DB_CONN_H

#include "db/db.h"

/** Make the connection usable again if that is possible; 0 when it is not. */
int sp_conn_ready(sp_conn_t *conn);

/** Nothing is prepared on this connection any more. */
void sp_conn_forget(sp_conn_t *conn);

int sp_conn_prepared(sp_conn_t *conn, const char *name);
void sp_conn_note_prepared(sp_conn_t *conn, const char *name);

#endif

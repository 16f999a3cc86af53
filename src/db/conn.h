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

/**
 * Wait for the answer to what was sent, as long as sp_conn_patience() says.
 *
 * @return the last result, to be cleared; one of PGRES_FATAL_ERROR where nothing came
 */
PGresult *sp_conn_answer(sp_conn_t *conn);

/** Whether the last answer never came: the server hangs, and so would the next try. */
int sp_conn_silent(const sp_conn_t *conn);

#endif

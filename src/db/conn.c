/*
 * conn.c - one connection, what is prepared on it, and whether it still lives.
 *
 * Room: db.
 * mod_dbd's own check finds a lost connection one query too late and never
 * prepares again after its reset, so both are done here, before each call.
 */
#include <apr_hash.h>
#include <apr_strings.h>
#include <poll.h>

#include "db/conn.h"

#include "util/clock.h"

struct sp_conn_t {
    PGconn *pg;
    int backend;          /* the server process that the list belongs to */
    apr_hash_t *prepared; /* names */
    apr_interval_time_t patience;
    int silent;
};

sp_conn_t *sp_conn_wrap(apr_pool_t *pool, PGconn *pg)
{
    sp_conn_t *conn = apr_pcalloc(pool, sizeof(*conn));

    conn->pg = pg;
    conn->backend = PQbackendPID(pg);
    conn->prepared = apr_hash_make(pool);
    return conn;
}

PGconn *sp_conn_pg(sp_conn_t *conn)
{
    return conn->pg;
}

/* A server that went away leaves two things to read: its last words, then the end
 * of the stream; so one look is not enough. */
static void read_waiting(PGconn *pg)
{
    struct pollfd fd = { .fd = PQsocket(pg), .events = POLLIN };
    int turn;

    for (turn = 0; turn < 10; turn++) {
        if (PQstatus(pg) != CONNECTION_OK || poll(&fd, 1, 0) <= 0 ||
            !PQconsumeInput(pg)) {
            return;
        }
    }
}

int sp_conn_ready(sp_conn_t *conn)
{
    read_waiting(conn->pg);
    if (PQstatus(conn->pg) == CONNECTION_OK &&
        PQtransactionStatus(conn->pg) != PQTRANS_IDLE) {
        PQreset(conn->pg); /* somebody else's transaction: not ours to end */
    }
    if (PQstatus(conn->pg) != CONNECTION_OK) {
        PQreset(conn->pg);
    }
    if (conn->backend != PQbackendPID(conn->pg)) {
        sp_conn_forget(conn);
    }
    return PQstatus(conn->pg) == CONNECTION_OK;
}

void sp_conn_forget(sp_conn_t *conn)
{
    apr_hash_clear(conn->prepared);
    conn->backend = PQbackendPID(conn->pg);
}

int sp_conn_prepared(sp_conn_t *conn, const char *name)
{
    return apr_hash_get(conn->prepared, name, APR_HASH_KEY_STRING) != NULL;
}

void sp_conn_note_prepared(sp_conn_t *conn, const char *name)
{
    apr_hash_set(conn->prepared, name, APR_HASH_KEY_STRING, name);
}

void sp_conn_patience(sp_conn_t *conn, apr_interval_time_t patience)
{
    conn->patience = patience;
}

int sp_conn_silent(const sp_conn_t *conn)
{
    return conn->silent;
}

/* Something has arrived, or the connection ended; 0 when neither came in time. */
static int wait_for_bytes(sp_conn_t *conn, apr_time_t deadline)
{
    struct pollfd fd = { .fd = PQsocket(conn->pg), .events = POLLIN };
    apr_time_t left = deadline ? deadline - sp_clock_now() : 0;
    int ready;

    if (deadline && left <= 0) {
        return 0;
    }
    ready = poll(&fd, 1, deadline ? (int)apr_time_as_msec(left) + 1 : -1);
    return ready != 0 || !deadline;
}

PGresult *sp_conn_answer(sp_conn_t *conn)
{
    apr_time_t deadline = conn->patience ? sp_clock_now() + conn->patience : 0;
    PGresult *last = NULL, *res;

    for (conn->silent = 0;;) {
        while (PQisBusy(conn->pg)) {
            if (!wait_for_bytes(conn, deadline)) {
                /* sp_conn_ready() sees that it is busy, and connects anew. */
                conn->silent = 1;
                PQclear(last);
                return PQmakeEmptyPGresult(conn->pg, PGRES_FATAL_ERROR);
            }
            if (!PQconsumeInput(conn->pg)) {
                break; /* lost: PQgetResult() says so */
            }
        }
        res = PQgetResult(conn->pg);
        if (!res) {
            return last ? last : PQmakeEmptyPGresult(conn->pg, PGRES_FATAL_ERROR);
        }
        PQclear(last);
        last = res;
    }
}

/* A source of one connection of its own. */
typedef struct own_t {
    sp_db_t db;
    apr_pool_t *pool;
    const char *conninfo;
    sp_conn_t *conn;
} own_t;

static apr_status_t own_close(void *data)
{
    own_t *own = data;

    if (own->conn) {
        PQfinish(own->conn->pg);
        own->conn = NULL;
    }
    return APR_SUCCESS;
}

static sp_conn_t *own_lend(sp_db_t *db, sp_ctx_t *ctx)
{
    own_t *own = db->baton;
    PGconn *pg;

    (void)ctx;
    if (!own->conn) {
        pg = PQconnectdb(own->conninfo);
        if (PQstatus(pg) != CONNECTION_OK) {
            PQfinish(pg);
            return NULL;
        }
        own->conn = sp_conn_wrap(own->pool, pg);
    }
    return own->conn;
}

static void own_back(sp_db_t *db, sp_conn_t *conn)
{
    (void)db;
    (void)conn;
}

sp_db_t *sp_db_own(apr_pool_t *pool, const char *conninfo)
{
    own_t *own = apr_pcalloc(pool, sizeof(*own));

    own->pool = pool;
    own->conninfo = apr_pstrdup(pool, conninfo);
    own->db.lend = own_lend;
    own->db.back = own_back;
    own->db.baton = own;
    apr_pool_cleanup_register(pool, own, own_close, apr_pool_cleanup_null);
    return &own->db;
}

PGconn *sp_db_own_pg(sp_db_t *db)
{
    own_t *own = db->baton;

    return own->conn ? own->conn->pg : NULL;
}

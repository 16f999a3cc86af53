/*
 * call.c - one statement, one transaction, tried again where that is safe.
 *
 * Room: db.
 * Source: PostgreSQL, appendix "Error Codes"; RELIABILITY section 4 of the design:
 * bounded retry of the whole transaction, then a clear failure.
 */
#include "db/call.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "db/conn.h"
#include "util/json.h"
#include "util/log.h"

#define TRIES 4

typedef enum verdict_t {
    GOOD,
    GO_AGAIN,      /* nothing happened: deadlock, lock timeout, serialization */
    PREPARE_AGAIN, /* nothing happened: the prepared statement is of no use now */
    NOBODY_KNOWS,  /* the connection went away under the statement */
    NEVER_CAME,    /* nor is it known here: the server hangs */
    BAD
} verdict_t;

static void add(sp_args_t *args, const char *value, int length, int format)
{
    args->values[args->count] = value;
    args->lengths[args->count] = length;
    args->formats[args->count] = format;
    args->count++;
}

void sp_args_text(sp_args_t *args, const char *value)
{
    add(args, value, 0, 0);
}

void sp_args_bytes(sp_args_t *args, const void *value, apr_size_t len)
{
    add(args, value, (int)len, 1);
}

void sp_args_int(sp_args_t *args, apr_pool_t *pool, apr_int64_t value)
{
    add(args, apr_psprintf(pool, "%" APR_INT64_T_FMT, value), 0, 0);
}

void sp_args_bool(sp_args_t *args, int value)
{
    add(args, value ? "t" : "f", 0, 0);
}

void sp_args_time(sp_args_t *args, apr_pool_t *pool, apr_time_t value)
{
    apr_time_exp_t t;

    if (value == 0) {
        add(args, NULL, 0, 0);
        return;
    }
    apr_time_exp_gmt(&t, value);
    add(args,
        apr_psprintf(pool, "%04d-%02d-%02d %02d:%02d:%02d.%06d+00", t.tm_year + 1900,
                     t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
                     t.tm_usec),
        0, 0);
}

void sp_args_interval(sp_args_t *args, apr_pool_t *pool, apr_interval_time_t value)
{
    add(args, apr_psprintf(pool, "%" APR_INT64_T_FMT " microseconds", value), 0, 0);
}

static apr_status_t clear_result(void *data)
{
    PQclear(data);
    return APR_SUCCESS;
}

static verdict_t judge(sp_conn_t *conn, const PGresult *res)
{
    static const struct {
        const char *state;
        verdict_t verdict;
    } known[] = {
        { "40001", GO_AGAIN },      /* serialization_failure */
        { "40P01", GO_AGAIN },      /* deadlock_detected */
        { "55P03", GO_AGAIN },      /* lock_not_available */
        { "26000", PREPARE_AGAIN }, /* prepared by a session that is gone */
        { "0A000", PREPARE_AGAIN }, /* the result type changed: migrated under us */
    };
    const char *state;
    size_t i;

    if (PQresultStatus(res) == PGRES_TUPLES_OK) {
        return GOOD;
    }
    if (sp_conn_silent(conn)) {
        return NEVER_CAME;
    }
    if (PQstatus(sp_conn_pg(conn)) != CONNECTION_OK) {
        return NOBODY_KNOWS;
    }
    state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    for (i = 0; state && i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(state, known[i].state) == 0) {
            return known[i].verdict;
        }
    }
    return BAD;
}

static PGresult *run(sp_conn_t *conn, const sp_stmt_t *stmt, const sp_args_t *args)
{
    PGconn *pg = sp_conn_pg(conn);
    PGresult *res;

    if (!sp_conn_prepared(conn, stmt->name)) {
        PQsendPrepare(pg, stmt->name, stmt->sql, 0, NULL);
        res = sp_conn_answer(conn);
        if (PQresultStatus(res) != PGRES_COMMAND_OK) {
            return res;
        }
        PQclear(res);
        sp_conn_note_prepared(conn, stmt->name);
    }
    PQsendQueryPrepared(pg, stmt->name, args->count, args->values, args->lengths,
                        args->formats, 0);
    return sp_conn_answer(conn);
}

/* The message itself may quote an address or a name, so it stays out of the log. */
static void log_failure(sp_ctx_t *ctx, const sp_stmt_t *stmt, const PGresult *res,
                        verdict_t verdict)
{
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *constraint = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);
    const char *context = PQresultErrorField(res, PG_DIAG_CONTEXT);

    sp_log(ctx->log, SP_LOG_ERR, 501,
           "subpay.%s failed: SQLSTATE %s%s%s%s%.*s; see the PostgreSQL log of this "
           "moment",
           stmt->name, state ? state : "unknown",
           verdict == NOBODY_KNOWS ? ", the connection was lost"
           : verdict == NEVER_CAME ? ", no answer came"
                                   : "",
           constraint ? ", constraint " : "", constraint ? constraint : "",
           context ? (int)strcspn(context, "\n") : 0, context ? context : "");
}

/* Between 5 and 50 ms, longer each time, so that rivals do not meet again. */
static void wait_a_little(int attempt)
{
    apr_sleep(apr_time_from_msec(5 * (attempt + 1) + rand() % (15 * (attempt + 1))));
}

/* One try. *res is set except when there was no connection at all. */
static verdict_t try_once(sp_ctx_t *ctx, const sp_stmt_t *stmt,
                          const sp_args_t *args, PGresult **res)
{
    sp_conn_t *conn = ctx->db->lend(ctx->db, ctx);
    verdict_t verdict;

    *res = NULL;
    if (!conn) {
        return BAD;
    }
    if (!sp_conn_ready(conn)) {
        ctx->db->back(ctx->db, conn);
        return BAD;
    }
    *res = run(conn, stmt, args);
    verdict = judge(conn, *res);
    if (verdict == PREPARE_AGAIN) {
        sp_conn_forget(conn);
        PQclear(PQexec(sp_conn_pg(conn), "deallocate all"));
    }
    ctx->db->back(ctx->db, conn);
    return verdict;
}

sp_outcome_t sp_db_call(sp_ctx_t *ctx, const sp_stmt_t *stmt, const sp_args_t *args,
                        PGresult **result)
{
    PGresult *res;
    verdict_t verdict;
    int attempt;

    for (attempt = 0;; attempt++) {
        verdict = try_once(ctx, stmt, args, &res);
        if (verdict == GOOD) {
            apr_pool_cleanup_register(ctx->pool, res, clear_result,
                                      apr_pool_cleanup_null);
            *result = res;
            return SP_DONE;
        }
        if (res && stmt->idempotent == SP_TRY_ONCE && verdict != NEVER_CAME) {
            PQclear(res);
            return SP_REFUSED;
        }
        if (verdict == BAD || verdict == NEVER_CAME || attempt + 1 == TRIES ||
            (verdict == NOBODY_KNOWS && !stmt->idempotent)) {
            break;
        }
        PQclear(res);
        wait_a_little(attempt);
    }
    if (res) {
        log_failure(ctx, stmt, res, verdict);
        PQclear(res);
    }
    else {
        sp_log(
            ctx->log, SP_LOG_ERR, 502,
            "no database connection for subpay.%s: is PostgreSQL up, and may this "
            "user connect?",
            stmt->name);
    }
    return sp_end(ctx, SP_FAILED, "database", NULL);
}

const char *sp_row_text(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}

apr_int64_t sp_row_int(const PGresult *result, int row, int column)
{
    return apr_atoi64(PQgetvalue(result, row, column));
}

int sp_row_bool(const PGresult *result, int row, int column)
{
    return PQgetvalue(result, row, column)[0] == 't';
}

sp_outcome_t sp_db_ask_bool(sp_ctx_t *ctx, const sp_stmt_t *stmt,
                            const sp_args_t *args, int *answer)
{
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, stmt, args, &res);

    *answer = out == SP_DONE && sp_row_bool(res, 0, 0);
    return out;
}

sp_outcome_t sp_db_ask_json(sp_ctx_t *ctx, const sp_stmt_t *stmt,
                            const sp_args_t *args, json_t **answer)
{
    PGresult *res;
    sp_outcome_t out = sp_db_call(ctx, stmt, args, &res);
    const char *text = out == SP_DONE ? sp_row_text(res, 0, 0) : NULL;

    *answer = text ? sp_json_own(ctx->pool, json_loads(text, JSON_DECODE_ANY, NULL))
                   : NULL;
    return out;
}

/*
 * migrate.h - bring a database to what sql/ says.
 *
 * Room: db.
 */
#ifndef SUBPAY_DB_MIGRATE_H
#define SUBPAY_DB_MIGRATE_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <jansson.h>
#include <libpq-fe.h>

typedef struct sp_migrated_t {
    apr_array_header_t
        *applied;      /* of const char *: names of the files just applied */
    int functions;     /* whether the functions were replaced */
    const char *error; /* what went wrong, with the file's name, or NULL */
} sp_migrated_t;

/**
 * Apply what is missing: each file of schema/ in a transaction of its own, then all
 * functions and roles in one.
 *
 * Holds an advisory lock, so two at once do it once; run again it changes nothing.
 * What was applied stays when a later file fails, and the next run goes on there.
 *
 * @param dir  the folder sql/
 * @return whether the database is now as sql/ says; otherwise done->error is set
 */
int sp_db_migrate(apr_pool_t *pool, PGconn *pg, const char *dir,
                  sp_migrated_t *done);

/**
 * Compare a database with what sql/ says, changing nothing.
 *
 * @param applied  array of {version, name, sha256}, as sp_db_doctor_look() tells it
 * @return NULL when they agree, else what is missing or different
 */
const char *sp_db_migrate_lacks(apr_pool_t *pool, const char *dir,
                                const json_t *applied);

#endif

/*
 * migrate.c - bring a database to what sql/ says.
 *
 * Room: db.
 * Source: PostgreSQL, "Advisory Locks" and "Explicit Locking". A file waits for a
 * table's lock for seconds only, as everybody else queues behind it meanwhile; then
 * it gives up, lets the others through and tries again.
 */
#include "db/migrate.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "util/crypto.h"

#define FILE_MAX (4 * 1024 * 1024)
#define LOCK_TRIES 10

#define FUNCTIONS_DIR "functions/"
/* invalid_function_definition: another result, or other names of the arguments. */
#define CANNOT_REPLACE "42P13"

/* Version 0 stands for all functions and roles together. */
#define FUNCTIONS_VERSION 0

typedef struct run_t {
    apr_pool_t *pool;
    PGconn *pg;
    const char *dir;
    sp_migrated_t *done;
    char state[6]; /* SQLSTATE of the last statement; "" where all was well */
} run_t;

typedef struct file_t {
    const char *name; /* "schema/0001_words.sql" */
    int version;
    char *text;
    apr_size_t len;
    const char *sha256;
} file_t;

static int fail(run_t *run, const char *error)
{
    run->done->error = error;
    return 0;
}

static int fail_sql(run_t *run, const char *what)
{
    return fail(run,
                apr_psprintf(run->pool, "%s: %s", what, PQerrorMessage(run->pg)));
}

static int exec(run_t *run, const char *what, const char *sql)
{
    PGresult *res = PQexec(run->pg, sql);
    int good = PQresultStatus(res) == PGRES_COMMAND_OK ||
               PQresultStatus(res) == PGRES_TUPLES_OK;
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    apr_cpystrn(run->state, state ? state : "", sizeof(run->state));
    PQclear(res);
    return good ? 1 : fail_sql(run, what);
}

static int read_file(run_t *run, file_t *file)
{
    unsigned char hash[SP_HASH_SIZE];
    const char *path = apr_pstrcat(run->pool, run->dir, "/", file->name, NULL);
    apr_file_t *handle;
    apr_finfo_t info;
    apr_status_t status;

    status = apr_file_open(&handle, path, APR_READ, 0, run->pool);
    if (status == APR_SUCCESS) {
        status = apr_file_info_get(&info, APR_FINFO_SIZE, handle);
        if (status == APR_SUCCESS && info.size > FILE_MAX) {
            status = APR_ENOSPC;
        }
        if (status == APR_SUCCESS) {
            file->len = (apr_size_t)info.size;
            file->text = apr_pcalloc(run->pool, file->len + 1);
            status = apr_file_read_full(handle, file->text, file->len, NULL);
        }
        apr_file_close(handle);
    }
    if (status == APR_SUCCESS) {
        status = sp_crypto_sha256(file->text, file->len, hash);
    }
    if (status != APR_SUCCESS) {
        return fail(run, apr_psprintf(run->pool, "%s: %pm", path, &status));
    }
    file->sha256 = sp_crypto_hex(run->pool, hash, sizeof(hash));
    return 1;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const file_t *)a)->name, ((const file_t *)b)->name);
}

/* Files below dir/sub, in order of name and read. */
static int list_files(run_t *run, const char *sub, apr_array_header_t **files)
{
    const char *path = apr_pstrcat(run->pool, run->dir, "/", sub, NULL);
    apr_dir_t *handle;
    apr_finfo_t info;
    apr_status_t status;
    file_t *file;
    int i;

    *files = apr_array_make(run->pool, 64, sizeof(file_t));
    status = apr_dir_open(&handle, path, run->pool);
    if (status != APR_SUCCESS) {
        return fail(run, apr_psprintf(run->pool, "%s: %pm", path, &status));
    }
    while (apr_dir_read(&info, APR_FINFO_NAME, handle) == APR_SUCCESS) {
        if (info.name[0] == '.' || !strstr(info.name, ".sql")) {
            continue;
        }
        file = apr_array_push(*files);
        memset(file, 0, sizeof(*file));
        file->name = apr_pstrcat(run->pool, sub, "/", info.name, NULL);
        file->version = atoi(info.name);
    }
    apr_dir_close(handle);
    qsort((*files)->elts, (size_t)(*files)->nelts, sizeof(file_t), by_name);
    for (i = 0; i < (*files)->nelts; i++) {
        if (!read_file(run, &APR_ARRAY_IDX(*files, i, file_t))) {
            return 0;
        }
    }
    return 1;
}

/* The hash under which a version was applied, NULL when it was not. */
static int applied_as(run_t *run, int version, const char **sha256)
{
    const char *sql = apr_psprintf(
        run->pool, "select sha256 from subpay.schema_migrations where version = %d",
        version);
    PGresult *res = PQexec(run->pg, sql);

    *sha256 = NULL;
    if (PQresultStatus(res) != PGRES_TUPLES_OK) {
        PQclear(res);
        return fail_sql(run, "schema_migrations");
    }
    if (PQntuples(res) > 0) {
        *sha256 = apr_pstrdup(run->pool, PQgetvalue(res, 0, 0));
    }
    PQclear(res);
    return 1;
}

/* Within the file's transaction, so that both are there or neither. */
static int note_applied(run_t *run, const file_t *file)
{
    const char *values[3];
    PGresult *res;
    int good;

    values[0] = apr_itoa(run->pool, file->version);
    values[1] = file->name;
    values[2] = file->sha256;
    res = PQexecParams(run->pg,
                       "insert into subpay.schema_migrations (version, name, sha256)"
                       " values ($1::int, $2, $3) on conflict (version) do update"
                       " set sha256 = excluded.sha256, applied_at = now()",
                       3, NULL, values, NULL, NULL, 0);
    good = PQresultStatus(res) == PGRES_COMMAND_OK;
    PQclear(res);
    return good ? 1 : fail_sql(run, file->name);
}

/* Everything of the name that a file in functions/ has. */
static int drop_function(run_t *run, const file_t *file)
{
    apr_size_t dir = strlen(FUNCTIONS_DIR);
    const char *name =
        apr_pstrmemdup(run->pool, file->name + dir, strcspn(file->name + dir, "."));

    return exec(run, file->name,
                apr_psprintf(run->pool,
                             "do $$ declare f regprocedure; begin"
                             " for f in select oid from pg_proc where proname = '%s'"
                             " and pronamespace = 'subpay'::regnamespace loop"
                             " execute format('drop function %%s', f);"
                             " end loop; end $$",
                             name));
}

/* A function that answers otherwise than it did cannot be replaced: the old one goes
 * first, in the same transaction. All others keep their identity, so that a statement
 * that is just being run finds them. */
static int exec_function(run_t *run, const file_t *file)
{
    if (!exec(run, "savepoint", "savepoint subpay_file")) {
        return 0;
    }
    if (exec(run, file->name, file->text)) {
        return exec(run, "release", "release subpay_file");
    }
    return strcmp(run->state, CANNOT_REPLACE) == 0 &&
           exec(run, "rollback", "rollback to subpay_file") &&
           drop_function(run, file) && exec(run, file->name, file->text);
}

static int exec_file(run_t *run, const file_t *file)
{
    return strncmp(file->name, FUNCTIONS_DIR, strlen(FUNCTIONS_DIR)) == 0
               ? exec_function(run, file)
               : exec(run, file->name, file->text);
}

/* One transaction: the files, then the note. */
static int apply_once(run_t *run, const apr_array_header_t *files,
                      const file_t *note)
{
    const file_t *file;
    int i, good;

    good = exec(run, "begin",
                "begin; set local lock_timeout = '3s';"
                " set local client_min_messages = warning");
    for (i = 0; good && i < files->nelts; i++) {
        file = &APR_ARRAY_IDX(files, i, file_t);
        good = exec_file(run, file);
    }
    good = good && note_applied(run, note) && exec(run, "commit", "commit");
    if (!good) {
        PQclear(PQexec(run->pg, "rollback"));
    }
    return good;
}

/* A lock that others hold, or the fight for one, is worth another try. */
static int is_busy(const run_t *run)
{
    const char *error = run->done->error;

    return PQstatus(run->pg) == CONNECTION_OK && error &&
           (strstr(error, "lock timeout") || strstr(error, "deadlock"));
}

static int apply(run_t *run, const apr_array_header_t *files, const file_t *note)
{
    int attempt;

    for (attempt = 1;; attempt++) {
        if (apply_once(run, files, note)) {
            run->done->error = NULL;
            return 1;
        }
        if (attempt == LOCK_TRIES || !is_busy(run)) {
            return 0;
        }
        apr_sleep(apr_time_from_msec(200 * attempt));
    }
}

static int apply_schema_file(run_t *run, const file_t *file)
{
    apr_array_header_t one = { .pool = run->pool,
                               .elt_size = sizeof(file_t),
                               .nelts = 1,
                               .nalloc = 1,
                               .elts = (char *)file };
    const char *was;

    if (file->version <= FUNCTIONS_VERSION) {
        return fail(run, apr_psprintf(run->pool,
                                      "%s: the name must start with a "
                                      "number, as in 0001_orders.sql",
                                      file->name));
    }
    if (!applied_as(run, file->version, &was)) {
        return 0;
    }
    if (was && strcmp(was, file->sha256) != 0) {
        return fail(
            run,
            apr_psprintf(run->pool,
                         "%s was edited after it had been applied here; take the "
                         "file as it was shipped, and make changes in a new one",
                         file->name));
    }
    if (was) {
        return 1;
    }
    if (!apply(run, &one, file)) {
        return 0;
    }
    APR_ARRAY_PUSH(run->done->applied, const char *) = file->name;
    return 1;
}

/* An older program must not take its functions to a newer schema. */
static int check_not_newer(run_t *run, const apr_array_header_t *files)
{
    int last = APR_ARRAY_IDX(files, files->nelts - 1, file_t).version;
    PGresult *res = PQexec(run->pg, "select coalesce(max(version), 0)"
                                    " from subpay.schema_migrations");
    int newest;

    if (PQresultStatus(res) != PGRES_TUPLES_OK) {
        PQclear(res);
        return fail_sql(run, "schema_migrations");
    }
    newest = atoi(PQgetvalue(res, 0, 0));
    PQclear(res);
    if (newest > last) {
        return fail(run,
                    apr_psprintf(run->pool,
                                 "the database is at version %d, these files end "
                                 "at %d: use the newer program",
                                 newest, last));
    }
    return 1;
}

static int apply_schema(run_t *run)
{
    apr_array_header_t *files;
    int i;

    if (!list_files(run, "schema", &files)) {
        return 0;
    }
    if (files->nelts == 0) {
        return fail(
            run, apr_psprintf(run->pool, "%s/schema holds no migration", run->dir));
    }
    if (!check_not_newer(run, files)) {
        return 0;
    }
    for (i = 0; i < files->nelts; i++) {
        if (!apply_schema_file(run, &APR_ARRAY_IDX(files, i, file_t))) {
            return 0;
        }
    }
    return 1;
}

/* One hash over names and contents: a renamed file counts as a change too. */
static const char *hash_all(run_t *run, const apr_array_header_t *files)
{
    apr_array_header_t *parts =
        apr_array_make(run->pool, 2 * files->nelts, sizeof(const char *));
    unsigned char hash[SP_HASH_SIZE];
    const char *text;
    int i;

    for (i = 0; i < files->nelts; i++) {
        APR_ARRAY_PUSH(parts, const char *) = APR_ARRAY_IDX(files, i, file_t).name;
        APR_ARRAY_PUSH(parts, const char *) = APR_ARRAY_IDX(files, i, file_t).sha256;
    }
    text = apr_array_pstrcat(run->pool, parts, '\n');
    if (sp_crypto_sha256(text, strlen(text), hash) != APR_SUCCESS) {
        return NULL;
    }
    return sp_crypto_hex(run->pool, hash, sizeof(hash));
}

/* All functions and the roles, which go in as one. */
static int list_functions(run_t *run, apr_array_header_t **files, file_t *all)
{
    file_t roles = { .name = "roles.sql" };

    if (!list_files(run, "functions", files) || !read_file(run, &roles)) {
        return 0;
    }
    APR_ARRAY_PUSH(*files, file_t) = roles;
    all->name = "functions";
    all->version = FUNCTIONS_VERSION;
    all->sha256 = hash_all(run, *files);
    return all->sha256 ? 1 : fail(run, "functions: no memory for their hash");
}

static int apply_functions(run_t *run)
{
    apr_array_header_t *files;
    file_t all = { .name = NULL };
    const char *was;

    if (!list_functions(run, &files, &all)) {
        return 0;
    }
    if (!applied_as(run, FUNCTIONS_VERSION, &was)) {
        return 0;
    }
    if (was && strcmp(was, all.sha256) == 0) {
        return 1;
    }
    run->done->functions = apply(run, files, &all);
    return run->done->functions;
}

static void be_quiet(void *baton, const PGresult *notice)
{
    (void)baton;
    (void)notice;
}

int sp_db_migrate(apr_pool_t *pool, PGconn *pg, const char *dir, sp_migrated_t *done)
{
    run_t run = { .pool = pool, .pg = pg, .dir = dir, .done = done };
    file_t bootstrap = { .name = "bootstrap.sql" };
    int good;

    memset(done, 0, sizeof(*done));
    done->applied = apr_array_make(pool, 8, sizeof(const char *));
    PQsetNoticeReceiver(pg, be_quiet, NULL);
    if (!read_file(&run, &bootstrap) ||
        !exec(&run, "lock", "select pg_advisory_lock(hashtext('subpay migrate'))")) {
        return 0;
    }
    good = exec(&run, bootstrap.name, bootstrap.text) && apply_schema(&run) &&
           apply_functions(&run);
    PQclear(PQexec(pg, "select pg_advisory_unlock(hashtext('subpay migrate'))"));
    return good;
}

/* ---- comparing ----------------------------------------------------------------- */

static const char *hash_in(const json_t *applied, int version, int *newest)
{
    const char *found = NULL;
    const json_t *row;
    size_t i;

    json_array_foreach(applied, i, row)
    {
        int its = (int)json_integer_value(json_object_get(row, "version"));

        *newest = its > *newest ? its : *newest;
        if (its == version) {
            found = json_string_value(json_object_get(row, "sha256"));
        }
    }
    return found;
}

static const char *compare(apr_pool_t *pool, const file_t *file,
                           const json_t *applied, int *newest)
{
    const char *was = hash_in(applied, file->version, newest);

    if (!was) {
        return apr_psprintf(pool, "%s has not been applied", file->name);
    }
    return strcmp(was, file->sha256) == 0
               ? NULL
               : apr_psprintf(pool, "%s here is not the one that was applied",
                              file->name);
}

const char *sp_db_migrate_lacks(apr_pool_t *pool, const char *dir,
                                const json_t *applied)
{
    sp_migrated_t done = { .error = NULL };
    run_t run = { .pool = pool, .dir = dir, .done = &done };
    apr_array_header_t *files, *functions;
    file_t all = { .name = NULL };
    const char *lacks = NULL;
    int i, newest = 0, last;

    if (!list_files(&run, "schema", &files) ||
        !list_functions(&run, &functions, &all)) {
        return done.error;
    }
    APR_ARRAY_PUSH(files, file_t) = all;
    for (i = 0; i < files->nelts && !lacks; i++) {
        lacks = compare(pool, &APR_ARRAY_IDX(files, i, file_t), applied, &newest);
    }
    last = files->nelts > 1 ? APR_ARRAY_IDX(files, files->nelts - 2, file_t).version
                            : 0;
    return newest > last
               ? apr_psprintf(pool, "it is at version %d, this program knows %d",
                              newest, last)
               : lacks;
}

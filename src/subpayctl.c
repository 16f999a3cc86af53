/*
 * subpayctl.c - the command-line tool: the same domain, no Apache.
 *
 * Exit status: 0 done, 1 not found or not recoverable, 2 usage, 3 database or
 * provider out of reach.
 */
#include <apr_env.h>
#include <apr_general.h>
#include <apr_getopt.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/db.h"
#include "db/migrate.h"
#include "model/ctx.h"
#include "util/json.h"
#include "util/log.h"

#define CONFIG_FILE "/etc/apache2/mods-enabled/subpay.conf"

typedef enum status_t {
    DONE = 0,
    NOT_FOUND = 1,
    USAGE = 2,
    OUT_OF_REACH = 3
} status_t;

/* What was asked for, and what the command works with. */
typedef struct cli_t {
    apr_pool_t *pool;
    const char *config;
    const char *database;
    const char *share;
    const char *since;
    int json;
    const char *argument; /* the command's own, or NULL */
    sp_settings_t *settings;
    sp_log_t log;
    sp_ctx_t ctx;
} cli_t;

/* What must be at hand before a command runs. */
typedef enum needs_t {
    NEEDS_DATABASE, /* --database is enough */
    NEEDS_PROVIDER  /* the configuration, with its keys */
} needs_t;

typedef struct command_t {
    const char *name;
    const char *argument; /* how the help calls it; NULL: takes none */
    needs_t needs;
    status_t (*run)(cli_t *cli);
    const char *help;
} command_t;

static status_t complain(status_t status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static status_t complain(status_t status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("subpayctl: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return status;
}

static void print_json(cli_t *cli, const json_t *json)
{
    puts(sp_json_dump(cli->pool, json));
}

/* ---- migrate ---------------------------------------------------------------- */

static void show_migrated(cli_t *cli, const sp_migrated_t *done)
{
    json_t *json = sp_json_object(cli->pool);
    json_t *applied = json_array();
    const char *name;
    int i;

    for (i = 0; i < done->applied->nelts; i++) {
        name = APR_ARRAY_IDX(done->applied, i, const char *);
        json_array_append_new(applied, json_string(name));
        if (!cli->json) {
            printf("applied   %s\n", name);
        }
    }
    json_object_set_new(json, "applied", applied);
    sp_json_set_bool(json, "functions", done->functions);
    if (cli->json) {
        print_json(cli, json);
    }
    else {
        puts(done->functions        ? "replaced  functions and roles"
             : done->applied->nelts ? "functions and roles are as they were"
                                    : "nothing to do");
    }
}

static status_t run_migrate(cli_t *cli)
{
    PGconn *pg = PQconnectdb(cli->database);
    sp_migrated_t done;
    int good;

    if (PQstatus(pg) != CONNECTION_OK) {
        complain(OUT_OF_REACH, "%s", PQerrorMessage(pg));
        PQfinish(pg);
        return OUT_OF_REACH;
    }
    good = sp_db_migrate(cli->pool, pg,
                         apr_pstrcat(cli->pool, cli->share, "/sql", NULL), &done);
    PQfinish(pg);
    if (!good) {
        return complain(OUT_OF_REACH, "%s", done.error);
    }
    show_migrated(cli, &done);
    return DONE;
}

/* ---- what there is ---------------------------------------------------------- */

static const command_t commands[] = {
    { "migrate", NULL, NEEDS_DATABASE, run_migrate,
      "bring the database to what this version needs" },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const apr_getopt_option_t options[] = {
    { "config", 'c', 1, "FILE  Apache configuration to read" },
    { "database", 'd', 1, "CONNINFO  another database than SubPayDatabase" },
    { "share", 's', 1, "DIR  where sql/ and htdocs/ lie" },
    { "since", 'S', 1, "TIME  reconcile: how far to look back, such as 48h" },
    { "json", 'j', 0, "one JSON document instead of text" },
    { "help", 'h', 0, "this text" },
    { NULL, 0, 0, NULL },
};

static status_t help(void)
{
    size_t i;
    const char *about;
    int word;

    puts("usage: subpayctl [options] command [argument]\n\ncommands:");
    for (i = 0; i < COMMAND_COUNT; i++) {
        printf("  %-10s %-30s %s\n", commands[i].name,
               commands[i].argument ? commands[i].argument : "", commands[i].help);
    }
    puts("\noptions:");
    for (i = 0; options[i].name; i++) {
        about = options[i].description;
        word = options[i].has_arg ? (int)strcspn(about, " ") : 0;
        printf("  --%-9s %-30.*s %s\n", options[i].name, word, about,
               options[i].has_arg ? about + word + 2 : about);
    }
    puts("\nWithout --config: " CONFIG_FILE ".\n"
         "Exit status: 0 done, 1 not found or not recoverable, 2 usage, 3 database "
         "or\n"
         "provider out of reach.");
    return DONE;
}

/* ---- getting ready ---------------------------------------------------------- */

/* Settings are read where they are there; a command that only needs the database
 * does without them when --database names one. */
static status_t load_settings(cli_t *cli, needs_t needs)
{
    const char *error = NULL;

    if (needs == NEEDS_DATABASE && cli->database && !cli->config) {
        return DONE;
    }
    if (sp_settings_read_file(cli->pool, cli->config ? cli->config : CONFIG_FILE,
                              &cli->settings, &error) != APR_SUCCESS) {
        return complain(USAGE, "%s", error);
    }
    if (!cli->database) {
        cli->database = cli->settings->database;
    }
    if (needs == NEEDS_PROVIDER) {
        error = sp_settings_unlock(cli->pool, cli->settings);
    }
    return error ? complain(USAGE, "%s", error) : DONE;
}

/* --share, then SUBPAY_SHARE, then the configuration, then where it was installed. */
static void find_share(cli_t *cli)
{
    char *share;

    if (!cli->share &&
        apr_env_get(&share, "SUBPAY_SHARE", cli->pool) == APR_SUCCESS) {
        cli->share = share;
    }
    if (!cli->share && cli->settings) {
        cli->share = cli->settings->share;
    }
    if (!cli->share) {
        cli->share = SP_SHARE_DIR;
    }
}

static void fill_ctx(cli_t *cli)
{
    char *user = NULL;

    cli->log.write = sp_log_stderr;
    cli->log.level = SP_LOG_WARN;
    cli->ctx.pool = cli->pool;
    cli->ctx.settings = cli->settings;
    cli->ctx.db = sp_db_own(cli->pool, cli->database);
    cli->ctx.log = &cli->log;
    cli->ctx.via = "support";
    if (apr_env_get(&user, "SUDO_USER", cli->pool) != APR_SUCCESS) {
        apr_env_get(&user, "USER", cli->pool);
    }
    cli->ctx.actor = user ? user : "subpayctl";
}

static status_t run(cli_t *cli, const command_t *command)
{
    status_t status = load_settings(cli, command->needs);

    if (status != DONE) {
        return status;
    }
    find_share(cli);
    fill_ctx(cli);
    return command->run(cli);
}

/* ---- the command line --------------------------------------------------------- */

/* 0 at the end, otherwise the next option has been taken; -1 when it is wrong. */
static int take_option(cli_t *cli, apr_getopt_t *opts, int *wants_help)
{
    const char *value;
    int letter;

    switch (apr_getopt_long(opts, options, &letter, &value)) {
    case APR_SUCCESS:
        break;
    case APR_EOF:
        return 0;
    default:
        return -1;
    }
    switch (letter) {
    case 'c':
        cli->config = value;
        break;
    case 'd':
        cli->database = value;
        break;
    case 's':
        cli->share = value;
        break;
    case 'S':
        cli->since = value;
        break;
    case 'j':
        cli->json = 1;
        break;
    default:
        *wants_help = 1;
    }
    return 1;
}

static const command_t *find_command(const char *name)
{
    size_t i;

    for (i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static status_t dispatch(cli_t *cli, int argc, const char *const *argv)
{
    const command_t *command;
    apr_getopt_t *opts;
    int taken, wants_help = 0;

    apr_getopt_init(&opts, cli->pool, argc, argv);
    opts->interleave = 1;
    while ((taken = take_option(cli, opts, &wants_help)) > 0) {
    }
    if (taken < 0) {
        return USAGE;
    }
    if (wants_help) {
        return help();
    }
    if (opts->ind == argc) {
        return complain(USAGE, "no command; --help lists them");
    }
    command = find_command(opts->argv[opts->ind]);
    if (!command) {
        return complain(USAGE, "no command \"%s\"; --help lists them",
                        opts->argv[opts->ind]);
    }
    if (argc - opts->ind - 1 != (command->argument ? 1 : 0)) {
        return complain(USAGE, "usage: subpayctl [options] %s %s", command->name,
                        command->argument ? command->argument : "");
    }
    cli->argument = command->argument ? opts->argv[opts->ind + 1] : NULL;
    return run(cli, command);
}

int main(int argc, const char *const *argv)
{
    cli_t cli = { 0 };
    status_t status;

    if (apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&cli.pool, NULL) != APR_SUCCESS) {
        return complain(OUT_OF_REACH, "no memory");
    }
    status = dispatch(&cli, argc, argv);
    apr_pool_destroy(cli.pool);
    apr_terminate();
    return (int)status;
}

/*
 * subpayctl.c - the command-line tool: the same domain, no Apache.
 *
 * Exit status: 0 done, 1 not found or not recoverable, 2 usage, 3 database or
 * provider out of reach. What the commands do is in ctl/.
 */
#include <apr_env.h>
#include <apr_general.h>
#include <apr_getopt.h>
#include <apr_strings.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cfg/settings.h"
#include "ctl/ctl.h"
#include "db/db.h"
#include "util/http.h"

#define CONFIG_FILE "/etc/apache2/mods-enabled/subpay.conf"

/* What must be at hand before a command runs. */
typedef enum needs_t {
    NEEDS_DATABASE, /* --database is enough */
    NEEDS_SETTINGS, /* the configuration */
    NEEDS_PROVIDER  /* the configuration, with its keys */
} needs_t;

typedef struct command_t {
    const char *name;
    const char *argument; /* how the help calls it; NULL: takes none */
    needs_t needs;
    sp_ctl_status_t (*run)(sp_cli_t *cli);
    const char *help;
} command_t;

static const command_t commands[] = {
#define SP_COMMAND(name, function, argument, needs, help) \
    { name, argument, NEEDS_##needs, sp_ctl_##function, help },
#include "ctl/commands.def"
#undef SP_COMMAND
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const apr_getopt_option_t options[] = {
#define SP_OPTION(name, letter, member, help) { name, letter, 1, help },
#define SP_FLAG(name, letter, member, help) { name, letter, 0, help },
#include "ctl/options.def"
#undef SP_OPTION
#undef SP_FLAG
    { NULL, 0, 0, NULL },
};

static sp_ctl_status_t help(void)
{
    size_t i;
    const char *about;
    int word;

    puts("usage: subpayctl [options] command [argument]\n\ncommands:");
    for (i = 0; i < COMMAND_COUNT; i++) {
        printf("  %-14s %-30s %s\n", commands[i].name,
               commands[i].argument ? commands[i].argument : "", commands[i].help);
    }
    puts("\noptions:");
    for (i = 0; options[i].name; i++) {
        about = options[i].description;
        word = options[i].has_arg ? (int)strcspn(about, " ") : 0;
        printf("  --%-12s %-30.*s %s\n", options[i].name, word, about,
               options[i].has_arg ? about + word + 2 : about);
    }
    puts("\nWithout --config: " CONFIG_FILE ".\n"
         "Exit status: 0 done, 1 not found or not recoverable, 2 usage, 3 database "
         "or\n"
         "provider out of reach.");
    return SP_CTL_DONE;
}

/* ---- getting ready ---------------------------------------------------------- */

/* Settings are read where they are there; a command that only needs the database
 * does without them when --database names one. */
static sp_ctl_status_t load_settings(sp_cli_t *cli, needs_t needs)
{
    const char *error = NULL;

    if (needs == NEEDS_DATABASE && cli->database && !cli->config) {
        return SP_CTL_DONE;
    }
    if (sp_settings_read_file(cli->pool, cli->config ? cli->config : CONFIG_FILE,
                              &cli->settings, &error) != APR_SUCCESS) {
        return sp_ctl_complain(SP_CTL_USAGE, "%s", error);
    }
    if (!cli->database) {
        cli->database = cli->settings->database;
    }
    if (needs == NEEDS_PROVIDER) {
        error = sp_settings_unlock(cli->pool, cli->settings);
    }
    return error ? sp_ctl_complain(SP_CTL_USAGE, "%s", error) : SP_CTL_DONE;
}

/* --share, then SUBPAY_SHARE, then the configuration, then where it was installed. */
static void find_share(sp_cli_t *cli)
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

static void fill_ctx(sp_cli_t *cli)
{
    char *user = NULL;

    cli->log.write = sp_log_stderr;
    cli->log.level = SP_LOG_WARN;
    cli->ctx.pool = cli->pool;
    cli->ctx.settings = cli->settings;
    cli->ctx.db = sp_db_own(cli->pool, cli->database);
    cli->ctx.http = sp_http_create(cli->pool);
    cli->ctx.log = &cli->log;
    cli->ctx.via = "support";
    if (apr_env_get(&user, "SUDO_USER", cli->pool) != APR_SUCCESS) {
        apr_env_get(&user, "USER", cli->pool);
    }
    cli->ctx.actor = user ? user : "subpayctl";
}

static sp_ctl_status_t run(sp_cli_t *cli, const command_t *command)
{
    sp_ctl_status_t status = load_settings(cli, command->needs);

    if (status != SP_CTL_DONE) {
        return status;
    }
    find_share(cli);
    fill_ctx(cli);
    return command->run(cli);
}

/* ---- the command line --------------------------------------------------------- */

static void set_option(sp_cli_t *cli, int letter, const char *value)
{
    switch (letter) {
#define SP_OPTION(name, its_letter, member, help) \
    case its_letter:                              \
        cli->member = value;                      \
        break;
#define SP_FLAG(name, its_letter, member, help) \
    case its_letter:                            \
        cli->member = 1;                        \
        break;
#include "ctl/options.def"
#undef SP_OPTION
#undef SP_FLAG
    }
}

/* 0 at the end, otherwise the next option has been taken; -1 when it is wrong. */
static int take_option(sp_cli_t *cli, apr_getopt_t *opts)
{
    const char *value;
    int letter;

    switch (apr_getopt_long(opts, options, &letter, &value)) {
    case APR_SUCCESS:
        set_option(cli, letter, value);
        return 1;
    case APR_EOF:
        return 0;
    default:
        return -1;
    }
}

/* How many words of the line are the command's name; 0: it is not this one. */
static int named(const command_t *command, const char *const *words, int count)
{
    const char *space = strchr(command->name, ' ');
    size_t first = space ? (size_t)(space - command->name) : strlen(command->name);

    if (strlen(words[0]) != first || memcmp(words[0], command->name, first) != 0) {
        return 0;
    }
    if (!space) {
        return 1;
    }
    return count > 1 && strcmp(words[1], space + 1) == 0 ? 2 : 0;
}

static const command_t *find_command(const char *const *words, int count,
                                     int *length)
{
    size_t i;

    for (i = 0; i < COMMAND_COUNT; i++) {
        *length = named(&commands[i], words, count);
        if (*length > 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static sp_ctl_status_t dispatch_words(sp_cli_t *cli, const char *const *words,
                                      int count)
{
    const command_t *command;
    int length;

    if (count == 0) {
        return sp_ctl_complain(SP_CTL_USAGE, "no command; --help lists them");
    }
    command = find_command(words, count, &length);
    if (!command) {
        return sp_ctl_complain(SP_CTL_USAGE, "no command \"%s\"; --help lists them",
                               words[0]);
    }
    if (count - length != (command->argument ? 1 : 0)) {
        return sp_ctl_complain(SP_CTL_USAGE, "usage: subpayctl [options] %s %s",
                               command->name,
                               command->argument ? command->argument : "");
    }
    cli->argument = command->argument ? words[length] : NULL;
    return run(cli, command);
}

static sp_ctl_status_t dispatch(sp_cli_t *cli, int argc, const char *const *argv)
{
    apr_getopt_t *opts;
    int taken;

    apr_getopt_init(&opts, cli->pool, argc, argv);
    opts->interleave = 1;
    while ((taken = take_option(cli, opts)) > 0) {
    }
    if (taken < 0) {
        return SP_CTL_USAGE;
    }
    if (cli->help) {
        return help();
    }
    return dispatch_words(cli, opts->argv + opts->ind, argc - opts->ind);
}

int main(int argc, const char *const *argv)
{
    sp_cli_t cli = { 0 };
    sp_ctl_status_t status;

    if (apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&cli.pool, NULL) != APR_SUCCESS) {
        return (int)sp_ctl_complain(SP_CTL_AWAY, "no memory");
    }
    status = dispatch(&cli, argc, argv);
    apr_pool_destroy(cli.pool);
    apr_terminate();
    return (int)status;
}

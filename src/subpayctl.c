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
#include "cfg/settings_read.h"
#include "db/db.h"
#include "db/desk.h"
#include "db/migrate.h"
#include "domain/desk.h"
#include "domain/desk_act.h"
#include "domain/desk_reply.h"
#include "domain/order.h"
#include "domain/reconcile.h"
#include "model/ctx.h"
#include "provider/provider.h"
#include "util/http.h"
#include "util/json.h"
#include "util/log.h"
#include "util/reference.h"
#include "util/text.h"

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
    const char *amount;
    const char *days;
    const char *reason;
    const char *text;
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

/* ---- lookup ------------------------------------------------------------------ */

static void set_time(cli_t *cli, json_t *json, const char *name, apr_time_t at)
{
    sp_json_set_text(json, name, at ? sp_text_time(cli->pool, at) : NULL);
}

static json_t *order_json(cli_t *cli, const sp_found_t *found)
{
    const sp_order_t *order = &found->order;
    json_t *json = json_object();

    sp_json_set_text(json, "diagnosis", found->diagnosis);
    sp_json_set_text(json, "reference", order->reference);
    sp_json_set_text(json, "id", order->id);
    sp_json_set_text(json, "state", order->state);
    sp_json_set_text(json, "email", order->email);
    sp_json_set_text(json, "product", order->product);
    sp_json_set_int(json, "amount", order->price.minor);
    sp_json_set_text(json, "currency", order->price.currency);
    sp_json_set_text(json, "provider", order->provider);
    sp_json_set_text(json, "checkout_id", order->checkout_id);
    sp_json_set_text(json, "payment_id", order->payment_id);
    sp_json_set_text(json, "completed_via", order->completed_via);
    sp_json_set_text(json, "review_reason", order->review_reason);
    set_time(cli, json, "created_at", order->created_at);
    set_time(cli, json, "paid_at", order->paid_at);
    set_time(cli, json, "completed_at", order->completed_at);
    set_time(cli, json, "expires_at", order->expires_at);
    return json;
}

static void show_line(const char *name, const char *value)
{
    if (value) {
        printf("  %-12s %s\n", name, value);
    }
}

static void show_moment(cli_t *cli, const char *name, apr_time_t at)
{
    show_line(name, at ? sp_text_time(cli->pool, at) : NULL);
}

static void show_order(cli_t *cli, const sp_found_t *found)
{
    const sp_order_t *order = &found->order;

    printf("%s  %s  %s\n", order->reference, order->state,
           sp_desk_diagnosis(found->diagnosis)->text);
    show_line("e-mail", order->email);
    show_line("bought", apr_psprintf(cli->pool, "%s, %s", order->title,
                                     sp_money_text(cli->pool, &order->price)));
    show_moment(cli, "ordered", order->created_at);
    show_moment(cli, "paid", order->paid_at);
    show_moment(cli, "completed", order->completed_at);
    show_line("via", order->completed_via);
    show_moment(cli, "access until", order->expires_at);
    show_line("review", order->review_reason);
    show_line("checkout", order->checkout_id);
    show_line("payment", order->payment_id);
}

/* A reference in its own form, however it was typed; anything else as it is. */
static const char *spelled(cli_t *cli, const char *q)
{
    const char *reference;

    sp_reference_parse(cli->pool, q, &reference);
    return reference ? reference : q;
}

static void show_found(cli_t *cli, const apr_array_header_t *found)
{
    json_t *json = sp_json_object(cli->pool);
    json_t *orders = json_array();
    const sp_found_t *one;
    int i;

    for (i = 0; i < found->nelts; i++) {
        one = &APR_ARRAY_IDX(found, i, sp_found_t);
        json_array_append_new(orders, order_json(cli, one));
        if (!cli->json) {
            show_order(cli, one);
        }
    }
    json_object_set_new(json, "orders", orders);
    if (cli->json) {
        print_json(cli, json);
    }
}

/* Where the keys can be read, the provider says what our own books cannot know. */
static int may_ask(cli_t *cli)
{
    return cli->settings && !sp_settings_unlock(cli->pool, cli->settings);
}

/* The same words as the search of the support area. Money that no order of ours stands
 * for is told, and not counted as found here. */
static void ask_provider(cli_t *cli, const char *q, const apr_array_header_t *found)
{
    json_t *answer, *result;
    size_t i;
    int n;

    if (!may_ask(cli) || sp_desk_search(&cli->ctx, q, &answer) != SP_DONE) {
        return;
    }
    json_array_foreach(json_object_get(answer, "results"), i, result)
    {
        const char *reference = sp_json_text(result, "reference");
        const char *code =
            sp_json_text(json_object_get(result, "diagnosis"), "code");

        for (n = 0; reference && n < found->nelts; n++) {
            sp_found_t *one = &APR_ARRAY_IDX(found, n, sp_found_t);

            if (strcmp(one->order.reference, reference) == 0) {
                one->diagnosis = apr_pstrdup(cli->pool, code);
            }
        }
        if (strcmp(code, "paid_no_order") == 0) {
            complain(NOT_FOUND, "%s, payment %s: %s", reference ? reference : "-",
                     sp_json_text(result, "payment_id"),
                     sp_desk_diagnosis(code)->text);
        }
    }
}

static status_t run_lookup(cli_t *cli)
{
    const char *q = spelled(cli, cli->argument);
    apr_array_header_t *found;
    const char *reference;

    if (sp_db_lookup(&cli->ctx, q, NULL, &found) != SP_DONE) {
        return OUT_OF_REACH;
    }
    ask_provider(cli, q, found);
    show_found(cli, found);
    if (found->nelts > 0) {
        return DONE;
    }
    if (!sp_reference_parse(cli->pool, q, &reference) && reference) {
        return complain(NOT_FOUND,
                        "no order %s: its last symbol does not fit, so one "
                        "was mistyped",
                        reference);
    }
    return complain(NOT_FOUND,
                    "nothing here for \"%s\"; \"subpayctl recover\" asks the "
                    "provider",
                    q);
}

/* ---- recover ----------------------------------------------------------------- */

static status_t status_of(const sp_ctx_t *ctx, sp_outcome_t out)
{
    if (out == SP_REFUSED || (ctx->code && strcmp(ctx->code, "not_found") == 0)) {
        return NOT_FOUND;
    }
    return OUT_OF_REACH;
}

static status_t show_recovered(cli_t *cli, const char *reference, const char *before,
                               const char *state, const char *reason)
{
    json_t *json = sp_json_object(cli->pool);
    int good = state && strcmp(state, "completed") == 0;

    sp_json_set_text(json, "reference", reference);
    sp_json_set_text(json, "before", before);
    sp_json_set_text(json, "state", state);
    sp_json_set_text(json, "reason", reason);
    sp_json_set_bool(json, "recovered", good);
    if (cli->json) {
        print_json(cli, json);
    }
    else {
        printf("%s  %s%s%s\n", reference ? reference : "-",
               state ? state : "no order", reason ? ": " : "", reason ? reason : "");
    }
    return good ? DONE : NOT_FOUND;
}

static status_t recover_order(cli_t *cli, const char *reference)
{
    const char *before;
    sp_order_t *order;
    sp_outcome_t out = sp_db_order_by_reference(&cli->ctx, reference, &order);

    if (out != SP_DONE) {
        return OUT_OF_REACH;
    }
    if (!order) {
        return complain(NOT_FOUND,
                        "no order %s; try the payment's id at the provider",
                        reference);
    }
    before = order->state;
    out = sp_order_recover(&cli->ctx, &order);
    if (out != SP_DONE) {
        return complain(status_of(&cli->ctx, out),
                        "%s: no answer (%s); it is %s here", reference,
                        cli->ctx.code ? cli->ctx.code : "unknown", before);
    }
    return show_recovered(cli, order->reference, before, order->state,
                          order->review_reason);
}

/* Whichever of our providers knows the id. */
static status_t recover_payment(cli_t *cli, const char *payment)
{
    const apr_array_header_t *accounts = cli->settings->accounts;
    sp_settled_t settled = { 0 };
    sp_outcome_t out = SP_REFUSED;
    int i;

    for (i = 0; i < accounts->nelts && out != SP_DONE; i++) {
        cli->ctx.code = NULL;
        out =
            sp_payment_recover(&cli->ctx, APR_ARRAY_IDX(accounts, i, sp_account_t *),
                               payment, &settled);
    }
    if (out != SP_DONE) {
        return complain(status_of(&cli->ctx, out), "%s: %s", payment,
                        cli->ctx.code ? cli->ctx.code : "not_found");
    }
    return show_recovered(cli, settled.reference, NULL, settled.state,
                          settled.reason);
}

static status_t run_recover(cli_t *cli)
{
    const char *reference;

    if (sp_reference_parse(cli->pool, cli->argument, &reference)) {
        return recover_order(cli, reference);
    }
    if (reference) {
        return complain(NOT_FOUND,
                        "%s: its last symbol does not fit, so one was mistyped",
                        reference);
    }
    return recover_payment(cli, cli->argument);
}

/* ---- reconcile ----------------------------------------------------------------- */

/* 0 for "since the last truthful look", -1 for what is no duration. */
static apr_time_t read_since(cli_t *cli)
{
    apr_interval_time_t back = 0;
    sp_value_t value = { .pool = cli->pool,
                         .directive = "--since",
                         .text = cli->since,
                         .member = &back };
    const char *problem;

    if (!cli->since) {
        return 0;
    }
    problem = sp_read_SECONDS(&value);
    if (problem) {
        complain(USAGE, "--since %s: %s", cli->since, problem);
        return -1;
    }
    return apr_time_now() - back;
}

static status_t sweep(cli_t *cli, const char *kind, apr_time_t since, json_t *all)
{
    const sp_sweep_ask_t ask = { .kind = kind, .since = since, .healing = 1 };
    sp_sweep_t *look = sp_reconcile_begin(cli->pool, &ask);
    const sp_sweep_counts_t *counts = sp_reconcile_counts(look);
    json_t *json;
    sp_step_t step;

    do {
        step = sp_reconcile_step(&cli->ctx, look);
    } while (step == SP_STEP_MORE);
    json = json_loads(sp_reconcile_counts_json(cli->pool, look), 0, NULL);
    sp_json_set_bool(json, "ok", step == SP_STEP_GOOD);
    sp_json_set_text(json, "error", step == SP_STEP_GOOD ? NULL : cli->ctx.code);
    json_object_set_new(all, kind, json);
    if (!cli->json) {
        printf(
            "%-8s %6d seen %6d settled %6d completed %6d failed %6d foreign  %s\n",
            kind, counts->seen, counts->settled, counts->completed, counts->failed,
            counts->foreign,
            step == SP_STEP_GOOD ? "ok"
            : cli->ctx.code      ? cli->ctx.code
                                 : "failed");
    }
    sp_reconcile_end(look);
    return step == SP_STEP_GOOD ? DONE : OUT_OF_REACH;
}

static status_t run_reconcile(cli_t *cli)
{
    static const char *const kinds[] = { "events", "orders", "objects" };
    json_t *json = sp_json_object(cli->pool);
    apr_time_t since = read_since(cli);
    status_t status, worst = DONE;
    size_t i;

    if (since < 0) {
        return USAGE;
    }
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        status = sweep(cli, kinds[i], since, json);
        worst = status > worst ? status : worst;
    }
    if (cli->json) {
        print_json(cli, json);
    }
    return worst;
}

/* ---- status ------------------------------------------------------------------- */

static status_t run_status(cli_t *cli)
{
    json_t *json = sp_json_object(cli->pool);
    apr_array_header_t *figures;
    const sp_figure_t *figure;
    int i;

    if (sp_db_status(&cli->ctx, &figures) != SP_DONE) {
        return OUT_OF_REACH;
    }
    for (i = 0; i < figures->nelts; i++) {
        figure = &APR_ARRAY_IDX(figures, i, sp_figure_t);
        if (!cli->json) {
            printf("%-22s %s\n", figure->name, figure->value ? figure->value : "-");
        }
        else if (!figure->value) {
            json_object_set_new(json, figure->name, json_null());
        }
        else if (figure->is_number) {
            sp_json_set_int(json, figure->name, apr_atoi64(figure->value));
        }
        else {
            sp_json_set_text(json, figure->name, figure->value);
        }
    }
    if (cli->json) {
        print_json(cli, json);
    }
    return DONE;
}

/* ---- the desk: what support sees and does -------------------------------------- */

static const char *text_at(const json_t *object, const char *name)
{
    return sp_json_text(json_object_get(object, name), "text");
}

static status_t run_queue(cli_t *cli)
{
    json_t *answer, *row;
    size_t i;

    if (sp_desk_queue(&cli->ctx, &answer) != SP_DONE) {
        return OUT_OF_REACH;
    }
    if (cli->json) {
        print_json(cli, answer);
        return DONE;
    }
    json_array_foreach(json_object_get(answer, "rows"), i, row)
    {
        const char *ticket = sp_json_text(row, "ticket");
        const char *reference = sp_json_text(row, "reference");
        const char *amount = sp_json_text(row, "amount_text");

        printf("%-8s %-14s %-12s %6d min  %s\n", ticket ? ticket : "-",
               reference ? reference : "-", amount ? amount : "-",
               (int)json_integer_value(json_object_get(row, "minutes")),
               sp_json_text(row, "subject"));
    }
    printf("%d need you, %d healed by themselves since yesterday\n",
           (int)json_integer_value(json_object_get(answer, "count")),
           (int)json_integer_value(json_object_get(answer, "healed")));
    return DONE;
}

static status_t run_show(cli_t *cli)
{
    json_t *answer, *line;
    size_t i;

    if (sp_desk_case(&cli->ctx, spelled(cli, cli->argument), &answer) != SP_DONE) {
        return OUT_OF_REACH;
    }
    if (!answer) {
        return complain(NOT_FOUND, "no order %s", cli->argument);
    }
    if (cli->json) {
        print_json(cli, answer);
        return DONE;
    }
    line = json_object_get(answer, "diagnosis");
    printf("%s  %s  %s: %s\n", sp_json_text(answer, "reference"),
           sp_json_text(answer, "state"), sp_json_text(line, "code"),
           sp_json_text(line, "text"));
    show_line("e-mail", sp_json_text(answer, "email"));
    show_line("access until",
              text_at(json_object_get(answer, "access"), "expires_at"));
    json_array_foreach(json_object_get(answer, "timeline"), i, line)
    {
        const char *detail = sp_json_text(line, "detail");

        printf("  %s  %s (%s)%s%s\n", text_at(line, "at"),
               sp_json_text(line, "what"), sp_json_text(line, "who"),
               detail ? ": " : "", detail ? detail : "");
    }
    return DONE;
}

static status_t act(cli_t *cli, const char *action)
{
    sp_desk_ask_t ask = { .action = action,
                          .reason = cli->reason,
                          .amount = cli->amount,
                          .days = cli->days,
                          .text = cli->text };
    json_t *answer;
    sp_outcome_t out;

    if (strcmp(action, "reply") == 0) {
        ask.ticket = cli->argument;
    }
    else if (!sp_reference_parse(cli->pool, cli->argument, &ask.reference)) {
        return complain(NOT_FOUND, "no order %s", cli->argument);
    }
    out = sp_desk_act(&cli->ctx, &ask, &answer);
    if (out == SP_FAILED || out == SP_UNKNOWN) {
        return complain(OUT_OF_REACH, "%s",
                        cli->ctx.say ? cli->ctx.say
                                     : "the database does not answer");
    }
    if (cli->json) {
        print_json(cli, answer);
    }
    else if (out == SP_DONE) {
        puts(sp_json_text(answer, "say"));
    }
    return out == SP_DONE ? DONE : complain(NOT_FOUND, "%s", cli->ctx.say);
}

static status_t run_resend(cli_t *cli)
{
    return act(cli, "resend");
}

static status_t run_refund(cli_t *cli)
{
    return act(cli, "refund");
}

static status_t run_extend(cli_t *cli)
{
    return act(cli, "extend");
}

static status_t run_reply(cli_t *cli)
{
    return act(cli, "reply");
}

static status_t run_runs(cli_t *cli)
{
    json_t *answer, *one;
    size_t i;

    if (sp_db_desk_runs(&cli->ctx, &answer) != SP_DONE) {
        return OUT_OF_REACH;
    }
    if (cli->json) {
        print_json(cli, answer);
        return DONE;
    }
    json_array_foreach(json_object_get(answer, "runs"), i, one)
    {
        const char *counts = sp_json_text(one, "counts_text");
        const char *problem = sp_json_text(one, "problem");

        printf("%s  %-10s %-9s %s%s\n", text_at(one, "started_at"),
               sp_json_text(one, "kind"),
               json_object_get(one, "ok")       ? "good"
               : json_object_get(one, "failed") ? "failed"
                                                : "under way",
               counts ? counts : "", problem ? problem : "");
    }
    return DONE;
}

static status_t run_alerts(cli_t *cli)
{
    json_t *answer, *alerts, *one;
    size_t i;

    if (sp_desk_queue(&cli->ctx, &answer) != SP_DONE) {
        return OUT_OF_REACH;
    }
    alerts = json_object_get(answer, "alerts");
    if (cli->json) {
        one = sp_json_object(cli->pool);
        json_object_set_new(one, "alerts",
                            alerts ? json_incref(alerts) : json_array());
        print_json(cli, one);
        return DONE;
    }
    json_array_foreach(alerts, i, one)
    {
        printf("%-6s %s  %s\n", sp_json_text(one, "level"), text_at(one, "since"),
               sp_json_text(one, "text"));
    }
    if (json_array_size(alerts) == 0) {
        puts("no alert is open");
    }
    return DONE;
}

/* ---- what there is ---------------------------------------------------------- */

static const command_t commands[] = {
    { "migrate", NULL, NEEDS_DATABASE, run_migrate,
      "bring the database to what this version needs" },
    { "lookup", "<email|reference|payment id>", NEEDS_DATABASE, run_lookup,
      "what is known here" },
    { "recover", "<payment id|reference>", NEEDS_PROVIDER, run_recover,
      "ask the provider, and complete what was paid" },
    { "reconcile", NULL, NEEDS_PROVIDER, run_reconcile,
      "look at the provider now, as the worker does" },
    { "status", NULL, NEEDS_DATABASE, run_status, "counts and ages" },
    { "queue", NULL, NEEDS_DATABASE, run_queue, "what needs a person" },
    { "show", "<reference>", NEEDS_PROVIDER, run_show,
      "one case: what is the matter, and all that happened" },
    { "resend", "<reference>", NEEDS_DATABASE, run_resend, "send the mail again" },
    { "refund", "<reference>", NEEDS_PROVIDER, run_refund,
      "send money back: --amount, or all that is left" },
    { "extend", "<reference>", NEEDS_DATABASE, run_extend, "give --days" },
    { "reply", "<ticket>", NEEDS_DATABASE, run_reply,
      "answer a ticket with --text" },
    { "runs", NULL, NEEDS_DATABASE, run_runs, "the latest looks at the provider" },
    { "alerts", NULL, NEEDS_DATABASE, run_alerts, "what is open" },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const apr_getopt_option_t options[] = {
    { "config", 'c', 1, "FILE  Apache configuration to read" },
    { "database", 'd', 1, "CONNINFO  another database than SubPayDatabase" },
    { "share", 's', 1, "DIR  where sql/ and htdocs/ lie" },
    { "since", 'S', 1, "TIME  reconcile: how far to look back, such as 48h" },
    { "amount", 'a', 1, "AMOUNT  refund: so much, such as 100.00" },
    { "days", 'n', 1, "DAYS  extend: so many, 1 to 366" },
    { "reason", 'r', 1, "TEXT  why, for the audit" },
    { "text", 't', 1, "TEXT  reply: what to write" },
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
    cli->ctx.http = sp_http_create(cli->pool);
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
    case 'a':
        cli->amount = value;
        break;
    case 'n':
        cli->days = value;
        break;
    case 'r':
        cli->reason = value;
        break;
    case 't':
        cli->text = value;
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

/*
 * database.c - the database: bring it up to date, and ask how things stand.
 *
 * Room: ctl.
 */
#include <apr_strings.h>
#include <stdio.h>

#include "ctl/ctl.h"
#include "db/db.h"
#include "db/desk.h"
#include "db/migrate.h"
#include "util/json.h"

static void show_migrated(sp_cli_t *cli, const sp_migrated_t *done)
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
        sp_ctl_print(cli, json);
    }
    else {
        puts(done->functions        ? "replaced  functions and roles"
             : done->applied->nelts ? "functions and roles are as they were"
                                    : "nothing to do");
    }
}

sp_ctl_status_t sp_ctl_migrate(sp_cli_t *cli)
{
    PGconn *pg = PQconnectdb(cli->database);
    sp_migrated_t done;
    int good;

    if (PQstatus(pg) != CONNECTION_OK) {
        sp_ctl_complain(SP_CTL_AWAY, "%s", PQerrorMessage(pg));
        PQfinish(pg);
        return SP_CTL_AWAY;
    }
    good = sp_db_migrate(cli->pool, pg,
                         apr_pstrcat(cli->pool, cli->share, "/sql", NULL), &done);
    PQfinish(pg);
    if (!good) {
        return sp_ctl_complain(SP_CTL_AWAY, "%s", done.error);
    }
    show_migrated(cli, &done);
    return SP_CTL_DONE;
}

sp_ctl_status_t sp_ctl_status(sp_cli_t *cli)
{
    json_t *json = sp_json_object(cli->pool);
    apr_array_header_t *figures;
    const sp_figure_t *figure;
    int i;

    if (sp_db_status(&cli->ctx, &figures) != SP_DONE) {
        return SP_CTL_AWAY;
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
        sp_ctl_print(cli, json);
    }
    return SP_CTL_DONE;
}

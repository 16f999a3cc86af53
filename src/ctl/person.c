/*
 * person.c - what is held about one person: export, erase.
 *
 * Room: ctl.
 */
#include <apr_strings.h>
#include <stdio.h>

#include "ctl/ctl.h"
#include "domain/person.h"
#include "util/json.h"

/* Within that a worker has sent what it can send at once. */
#define PATIENCE apr_time_from_sec(15)

static sp_ctl_status_t refused(sp_cli_t *cli, sp_outcome_t out)
{
    if (out != SP_REFUSED) {
        return SP_CTL_AWAY;
    }
    return sp_ctl_complain(SP_CTL_NOT_FOUND, "%s", cli->ctx.say);
}

/* JSON with or without --json: there is no other form of it. */
sp_ctl_status_t sp_ctl_export(sp_cli_t *cli)
{
    const char *held;
    sp_outcome_t out = sp_person_export(&cli->ctx, cli->argument, &held);

    if (out != SP_DONE) {
        return refused(cli, out);
    }
    puts(held);
    return SP_CTL_DONE;
}

sp_ctl_status_t sp_ctl_erase(sp_cli_t *cli)
{
    json_t *json = sp_json_object(cli->pool);
    sp_erased_t erased = { 0 };
    sp_outcome_t out =
        sp_person_erase(&cli->ctx, cli->argument, cli->reason, PATIENCE, &erased);

    if (cli->json && (out == SP_DONE || out == SP_REFUSED)) {
        sp_json_set_text(json, "verdict", out == SP_DONE ? "erased" : cli->ctx.code);
        sp_json_set_text(json, "pseudonym", erased.pseudonym);
        sp_json_set_int(json, "orders", erased.orders);
        sp_json_set_int(json, "tickets", erased.tickets);
        sp_ctl_print(cli, json);
    }
    if (out != SP_DONE) {
        return refused(cli, out);
    }
    if (!cli->json) {
        printf("erased: %d orders and %d tickets are kept as %s\n"
               "The provider keeps its own books: erase them there as well.\n",
               erased.orders, erased.tickets, erased.pseudonym);
    }
    return SP_CTL_DONE;
}

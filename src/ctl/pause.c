/*
 * pause.c - stop new payments, and take them again.
 *
 * Room: ctl.
 */
#include <stdio.h>

#include "ctl/ctl.h"
#include "db/alert.h"
#include "util/json.h"

static sp_ctl_status_t turn(sp_cli_t *cli, int on)
{
    json_t *json = sp_json_object(cli->pool);
    int changed = 0;

    if (sp_db_checkout_pause(&cli->ctx, on, cli->reason, &changed) != SP_DONE) {
        return SP_CTL_AWAY;
    }
    sp_json_set_bool(json, "paused", on);
    sp_json_set_bool(json, "changed", changed);
    if (cli->json) {
        sp_ctl_print(cli, json);
        return SP_CTL_DONE;
    }
    if (on) {
        puts(changed ? "Checkout is paused; who has begun to pay may finish."
                     : "Checkout was paused already.");
    }
    else {
        puts(changed ? "Checkout works again; who asked to be told is told."
                     : "Checkout was not paused.");
    }
    return SP_CTL_DONE;
}

sp_ctl_status_t sp_ctl_pause(sp_cli_t *cli)
{
    return turn(cli, 1);
}

sp_ctl_status_t sp_ctl_resume(sp_cli_t *cli)
{
    return turn(cli, 0);
}

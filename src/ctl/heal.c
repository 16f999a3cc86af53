/*
 * heal.c - ask the provider, and let what it says complete orders.
 *
 * Room: ctl.
 */
#include <stdio.h>
#include <string.h>

#include "cfg/settings_read.h"
#include "ctl/ctl.h"
#include "db/db.h"
#include "domain/order.h"
#include "domain/reconcile.h"
#include "util/json.h"
#include "util/reference.h"

static sp_ctl_status_t status_of(const sp_ctx_t *ctx, sp_outcome_t out)
{
    if (out == SP_REFUSED || (ctx->code && strcmp(ctx->code, "not_found") == 0)) {
        return SP_CTL_NOT_FOUND;
    }
    return SP_CTL_AWAY;
}

static sp_ctl_status_t show_recovered(sp_cli_t *cli, const char *reference,
                                      const char *before, const char *state,
                                      const char *reason)
{
    json_t *json = sp_json_object(cli->pool);
    int good = state && strcmp(state, "completed") == 0;

    sp_json_set_text(json, "reference", reference);
    sp_json_set_text(json, "before", before);
    sp_json_set_text(json, "state", state);
    sp_json_set_text(json, "reason", reason);
    sp_json_set_bool(json, "recovered", good);
    if (cli->json) {
        sp_ctl_print(cli, json);
    }
    else {
        printf("%s  %s%s%s\n", reference ? reference : "-",
               state ? state : "no order", reason ? ": " : "", reason ? reason : "");
    }
    return good ? SP_CTL_DONE : SP_CTL_NOT_FOUND;
}

static sp_ctl_status_t recover_order(sp_cli_t *cli, const char *reference)
{
    const char *before;
    sp_order_t *order;
    sp_outcome_t out = sp_db_order_by_reference(&cli->ctx, reference, &order);

    if (out != SP_DONE) {
        return SP_CTL_AWAY;
    }
    if (!order) {
        return sp_ctl_complain(SP_CTL_NOT_FOUND,
                               "no order %s; try the payment's id at the provider",
                               reference);
    }
    before = order->state;
    out = sp_order_recover(&cli->ctx, &order);
    if (out != SP_DONE) {
        return sp_ctl_complain(status_of(&cli->ctx, out),
                               "%s: no answer (%s); it is %s here", reference,
                               cli->ctx.code ? cli->ctx.code : "unknown", before);
    }
    return show_recovered(cli, order->reference, before, order->state,
                          order->review_reason);
}

/* Whichever of our providers knows the id. */
static sp_ctl_status_t recover_payment(sp_cli_t *cli, const char *payment)
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
        return sp_ctl_complain(status_of(&cli->ctx, out), "%s: %s", payment,
                               cli->ctx.code ? cli->ctx.code : "not_found");
    }
    return show_recovered(cli, settled.reference, NULL, settled.state,
                          settled.reason);
}

sp_ctl_status_t sp_ctl_recover(sp_cli_t *cli)
{
    const char *reference;

    if (sp_reference_parse(cli->pool, cli->argument, &reference)) {
        return recover_order(cli, reference);
    }
    if (reference) {
        return sp_ctl_complain(
            SP_CTL_NOT_FOUND,
            "%s: its last symbol does not fit, so one was mistyped", reference);
    }
    return recover_payment(cli, cli->argument);
}

/* 0 for "since the last truthful look", -1 for what is no duration. */
static apr_time_t read_since(sp_cli_t *cli)
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
        sp_ctl_complain(SP_CTL_USAGE, "--since %s: %s", cli->since, problem);
        return -1;
    }
    return apr_time_now() - back;
}

static sp_ctl_status_t sweep(sp_cli_t *cli, const char *kind, apr_time_t since,
                             json_t *all)
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
    return step == SP_STEP_GOOD ? SP_CTL_DONE : SP_CTL_AWAY;
}

sp_ctl_status_t sp_ctl_reconcile(sp_cli_t *cli)
{
    static const char *const kinds[] = { "events", "orders", "objects" };
    json_t *json = sp_json_object(cli->pool);
    apr_time_t since = read_since(cli);
    sp_ctl_status_t status, worst = SP_CTL_DONE;
    size_t i;

    if (since < 0) {
        return SP_CTL_USAGE;
    }
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        status = sweep(cli, kinds[i], since, json);
        worst = status > worst ? status : worst;
    }
    if (cli->json) {
        sp_ctl_print(cli, json);
    }
    return worst;
}

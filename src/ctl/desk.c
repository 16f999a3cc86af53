/*
 * desk.c - what support sees and does.
 *
 * Room: ctl.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "db/desk.h"
#include "domain/desk.h"
#include "domain/desk_act.h"
#include "domain/desk_reply.h"
#include "util/json.h"
#include "util/reference.h"

static const char *text_at(const json_t *object, const char *name)
{
    return sp_json_text(json_object_get(object, name), "text");
}

sp_ctl_status_t sp_ctl_queue(sp_cli_t *cli)
{
    json_t *answer, *row;
    size_t i;

    if (sp_desk_queue(&cli->ctx, &answer) != SP_DONE) {
        return SP_CTL_AWAY;
    }
    if (cli->json) {
        sp_ctl_print(cli, answer);
        return SP_CTL_DONE;
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
    return SP_CTL_DONE;
}

sp_ctl_status_t sp_ctl_show(sp_cli_t *cli)
{
    json_t *answer, *line;
    size_t i;

    if (sp_desk_case(&cli->ctx, sp_ctl_spelled(cli, cli->argument), &answer) !=
        SP_DONE) {
        return SP_CTL_AWAY;
    }
    if (!answer) {
        return sp_ctl_complain(SP_CTL_NOT_FOUND, "no order %s", cli->argument);
    }
    if (cli->json) {
        sp_ctl_print(cli, answer);
        return SP_CTL_DONE;
    }
    line = json_object_get(answer, "diagnosis");
    printf("%s  %s  %s: %s\n", sp_json_text(answer, "reference"),
           sp_json_text(answer, "state"), sp_json_text(line, "code"),
           sp_json_text(line, "text"));
    sp_ctl_line("e-mail", sp_json_text(answer, "email"));
    sp_ctl_line("access until",
                text_at(json_object_get(answer, "access"), "expires_at"));
    json_array_foreach(json_object_get(answer, "timeline"), i, line)
    {
        const char *detail = sp_json_text(line, "detail");

        printf("  %s  %s (%s)%s%s\n", text_at(line, "at"),
               sp_json_text(line, "what"), sp_json_text(line, "who"),
               detail ? ": " : "", detail ? detail : "");
    }
    return SP_CTL_DONE;
}

/* What no case could have made right: the line itself is wrong. */
static sp_ctl_status_t refusal(const char *verdict)
{
    static const char *const usage[] = { "bad_days", "bad_amount", "no_text",
                                         "placeholder" };
    size_t i;

    for (i = 0; verdict && i < sizeof(usage) / sizeof(usage[0]); i++) {
        if (strcmp(verdict, usage[i]) == 0) {
            return SP_CTL_USAGE;
        }
    }
    return SP_CTL_NOT_FOUND;
}

static sp_ctl_status_t act(sp_cli_t *cli, const char *action)
{
    sp_desk_ask_t ask = { .action = action,
                          .reason = cli->reason,
                          .payment = cli->payment,
                          .amount = cli->amount,
                          .days = cli->days,
                          .text = cli->text };
    json_t *answer;
    sp_outcome_t out;

    if (strcmp(action, "reply") == 0) {
        ask.ticket = cli->argument;
    }
    else if (!sp_reference_parse(cli->pool, cli->argument, &ask.reference)) {
        return sp_ctl_complain(SP_CTL_NOT_FOUND, "no order %s", cli->argument);
    }
    out = sp_desk_act(&cli->ctx, &ask, &answer);
    if (out == SP_FAILED || out == SP_UNKNOWN) {
        return sp_ctl_complain(SP_CTL_AWAY, "%s",
                               cli->ctx.say ? cli->ctx.say
                                            : "the database does not answer");
    }
    if (cli->json) {
        sp_ctl_print(cli, answer);
    }
    else if (out == SP_DONE) {
        puts(sp_json_text(answer, "say"));
        sp_ctl_line("payment", sp_json_text(answer, "payment"));
        sp_ctl_line("paid at", text_at(answer, "paid_at"));
        sp_ctl_line("amount", sp_json_text(answer, "amount"));
    }
    return out == SP_DONE
               ? SP_CTL_DONE
               : sp_ctl_complain(refusal(cli->ctx.code), "%s", cli->ctx.say);
}

sp_ctl_status_t sp_ctl_resend(sp_cli_t *cli)
{
    return act(cli, "resend");
}

sp_ctl_status_t sp_ctl_refund(sp_cli_t *cli)
{
    return act(cli, "refund");
}

sp_ctl_status_t sp_ctl_extend(sp_cli_t *cli)
{
    return act(cli, "extend");
}

sp_ctl_status_t sp_ctl_reply(sp_cli_t *cli)
{
    return act(cli, "reply");
}

sp_ctl_status_t sp_ctl_runs(sp_cli_t *cli)
{
    json_t *answer, *one;
    size_t i;

    if (sp_db_desk_runs(&cli->ctx, &answer) != SP_DONE) {
        return SP_CTL_AWAY;
    }
    if (cli->json) {
        sp_ctl_print(cli, answer);
        return SP_CTL_DONE;
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
    return SP_CTL_DONE;
}

sp_ctl_status_t sp_ctl_alerts(sp_cli_t *cli)
{
    json_t *answer, *alerts, *one;
    size_t i;

    if (sp_desk_queue(&cli->ctx, &answer) != SP_DONE) {
        return SP_CTL_AWAY;
    }
    alerts = json_object_get(answer, "alerts");
    if (cli->json) {
        one = sp_json_object(cli->pool);
        json_object_set_new(one, "alerts",
                            alerts ? json_incref(alerts) : json_array());
        sp_ctl_print(cli, one);
        return SP_CTL_DONE;
    }
    json_array_foreach(alerts, i, one)
    {
        printf("%-6s %s  %s\n", sp_json_text(one, "level"), text_at(one, "since"),
               sp_json_text(one, "text"));
    }
    if (json_array_size(alerts) == 0) {
        puts("no alert is open");
    }
    return SP_CTL_DONE;
}

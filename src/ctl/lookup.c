/*
 * lookup.c - what is known of somebody: here, and at the provider.
 *
 * Room: ctl.
 */
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#include "cfg/settings.h"
#include "ctl/ctl.h"
#include "db/db.h"
#include "db/desk.h"
#include "domain/desk.h"
#include "domain/order.h"
#include "util/json.h"
#include "util/reference.h"
#include "util/text.h"

static void set_time(sp_cli_t *cli, json_t *json, const char *name, apr_time_t at)
{
    sp_json_set_text(json, name, at ? sp_text_time(cli->pool, at) : NULL);
}

static json_t *order_json(sp_cli_t *cli, const sp_found_t *found)
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

static void show_moment(sp_cli_t *cli, const char *name, apr_time_t at)
{
    sp_ctl_line(name, at ? sp_text_time(cli->pool, at) : NULL);
}

static void show_order(sp_cli_t *cli, const sp_found_t *found)
{
    const sp_order_t *order = &found->order;

    printf("%s  %s  %s\n", order->reference, order->state,
           sp_desk_diagnosis(found->diagnosis)->text);
    sp_ctl_line("e-mail", order->email);
    sp_ctl_line("bought", apr_psprintf(cli->pool, "%s, %s", order->title,
                                       sp_money_text(cli->pool, &order->price)));
    show_moment(cli, "ordered", order->created_at);
    show_moment(cli, "paid", order->paid_at);
    show_moment(cli, "completed", order->completed_at);
    sp_ctl_line("via", order->completed_via);
    show_moment(cli, "access until", order->expires_at);
    sp_ctl_line("review", order->review_reason);
    sp_ctl_line("checkout", order->checkout_id);
    sp_ctl_line("payment", order->payment_id);
}

static void show_found(sp_cli_t *cli, const apr_array_header_t *found)
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
        sp_ctl_print(cli, json);
    }
}

/* Where the keys can be read, the provider says what our own books cannot know. */
static int may_ask(sp_cli_t *cli)
{
    return cli->settings && !sp_settings_unlock(cli->pool, cli->settings);
}

/* The same words as the search of the support area. Money that no order of ours stands
 * for is told, and not counted as found here. */
static void ask_provider(sp_cli_t *cli, const char *q,
                         const apr_array_header_t *found)
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
            sp_ctl_complain(
                SP_CTL_NOT_FOUND, "%s, payment %s: %s", reference ? reference : "-",
                sp_json_text(result, "payment_id"), sp_desk_diagnosis(code)->text);
        }
    }
}

sp_ctl_status_t sp_ctl_lookup(sp_cli_t *cli)
{
    const char *q = sp_ctl_spelled(cli, cli->argument);
    apr_array_header_t *found;
    const char *reference;

    if (sp_db_lookup(&cli->ctx, q, NULL, &found) != SP_DONE) {
        return SP_CTL_AWAY;
    }
    ask_provider(cli, q, found);
    show_found(cli, found);
    if (found->nelts > 0) {
        return SP_CTL_DONE;
    }
    if (!sp_reference_parse(cli->pool, q, &reference) && reference) {
        return sp_ctl_complain(SP_CTL_NOT_FOUND,
                               "no order %s: its last symbol does not fit, so one "
                               "was mistyped",
                               reference);
    }
    return sp_ctl_complain(SP_CTL_NOT_FOUND,
                           "nothing here for \"%s\"; \"subpayctl recover\" asks the "
                           "provider",
                           q);
}

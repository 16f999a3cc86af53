/*
 * drill.c - a fire drill: somebody pays, the worker dies, and we watch it heal.
 *
 * Room: ctl.
 * In test mode only. The order is placed as a customer's is; the payment is one of a
 * test card without the page, which no program can pay (provider.h, payment_rehearse).
 * The worker is killed when the provider has said yes and nothing of that is written
 * here. Afterwards the money goes back, and the order says whose it was.
 */
#include <apr_file_io.h>
#include <apr_strings.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "db/desk.h"
#include "domain/desk_act.h"
#include "domain/order.h"
#include "provider/provider.h"
#include "util/json.h"

#define WORKER "subpay-worker" /* as worker/process.c calls the process */
#define ALIVE_S 30
#define LOOK_EVERY apr_time_from_msec(50)
#define PATIENCE apr_time_from_sec(90)
#define WHO "Fire drill"

/* What has happened, and how long after the payment; -1: not yet. */
typedef struct drill_t {
    sp_cli_t *cli;
    const sp_account_t *account;
    const char *to;
    sp_order_t *order;
    json_t *seen; /* desk_case.sql, the latest */
    const char *payment;
    int pid;
    apr_time_t paid;
    apr_interval_time_t worker, access, mail, refunded;
} drill_t;

/* ---- before -------------------------------------------------------------------- */

static const sp_product_t *pick_product(const sp_settings_t *settings)
{
    const sp_product_t *product;
    int i;

    for (i = 0; i < settings->products->nelts; i++) {
        product = APR_ARRAY_IDX(settings->products, i, sp_product_t *);
        if (!product->renews) {
            return product;
        }
    }
    return NULL;
}

/* Whether the number still belongs to a worker of ours: only such a one is killed. */
static int is_worker(apr_pool_t *pool, int pid)
{
    const char *path = apr_psprintf(pool, "/proc/%d/comm", pid);
    char name[32] = "";
    apr_size_t len = sizeof(name) - 1;
    apr_file_t *file;

    if (pid <= 1 || apr_file_open(&file, path, APR_FOPEN_READ, 0, pool)) {
        return 0;
    }
    apr_file_read(file, name, &len);
    apr_file_close(file);
    return strncmp(name, WORKER, strlen(WORKER)) == 0;
}

/* The worker of this machine that gave a sign of life last; 0 when there is none. */
static int find_worker(drill_t *drill)
{
    char host[256] = "";
    json_t *look, *one;
    size_t i;
    int pid;

    gethostname(host, sizeof(host) - 1);
    if (sp_db_doctor_look(&drill->cli->ctx, &look) != SP_DONE) {
        return 0;
    }
    json_array_foreach(json_object_get(look, "workers"), i, one)
    {
        const char *its = sp_json_text(one, "host");

        pid = (int)json_integer_value(json_object_get(one, "pid"));
        if (its && strcmp(its, host) == 0 &&
            json_integer_value(json_object_get(one, "age_s")) <= ALIVE_S &&
            is_worker(drill->cli->pool, pid)) {
            return pid;
        }
    }
    return 0;
}

static sp_ctl_status_t prepare(drill_t *drill)
{
    const sp_settings_t *settings = drill->cli->settings;

    if (strcmp(settings->mode, "test") != 0) {
        return sp_ctl_complain(SP_CTL_NOT_FOUND,
                               "not with SubPayEnvironment %s: a drill takes a test "
                               "card and kills the worker",
                               settings->environment);
    }
    drill->account = sp_settings_account(settings, settings->provider);
    if (!drill->account || !drill->account->provider->payment_rehearse) {
        return sp_ctl_complain(SP_CTL_NOT_FOUND,
                               "%s takes no payment without its page",
                               settings->provider);
    }
    drill->to = drill->cli->to ? drill->cli->to : settings->support_email;
    drill->pid = find_worker(drill);
    if (!drill->pid) {
        return sp_ctl_complain(
            SP_CTL_NOT_FOUND,
            "no worker lives on this machine; see subpayctl doctor");
    }
    if (kill(drill->pid, 0) != 0) {
        return sp_ctl_complain(
            SP_CTL_NOT_FOUND, "the worker, process %d, is not ours to kill: be root",
            drill->pid);
    }
    return SP_CTL_DONE;
}

/* ---- the fire -------------------------------------------------------------------- */

static sp_ctl_status_t buy(drill_t *drill)
{
    sp_ctx_t *ctx = &drill->cli->ctx;
    const sp_product_t *product = pick_product(drill->cli->settings);
    const sp_order_ask_t ask = { .email = drill->to,
                                 .name = WHO,
                                 .product = product ? product->name : "" };
    sp_fact_t *fact;
    sp_outcome_t out = sp_order_place(ctx, &ask, &drill->order);

    if (out != SP_DONE) {
        return sp_ctl_complain(out == SP_REFUSED ? SP_CTL_NOT_FOUND : SP_CTL_AWAY,
                               "no order could be placed: %s",
                               ctx->say ? ctx->say : ctx->code);
    }
    out = drill->account->provider->payment_rehearse(ctx, drill->account,
                                                     drill->order, &fact);
    kill(drill->pid, SIGKILL);
    drill->paid = apr_time_now();
    if (out != SP_DONE) {
        return sp_ctl_complain(SP_CTL_AWAY,
                               "order %s: the test payment did not end well (%s); "
                               "the worker was killed, look at the order",
                               drill->order->reference, ctx->code);
    }
    drill->payment = fact->payment_id;
    return SP_CTL_DONE;
}

static void note(const drill_t *drill, apr_interval_time_t *when, int happened)
{
    if (*when < 0 && happened) {
        *when = apr_time_now() - drill->paid;
    }
}

static int was_mailed(const json_t *seen)
{
    const json_t *mail;
    size_t i;

    json_array_foreach(json_object_get(seen, "mails"), i, mail)
    {
        const char *state = json_string_value(json_object_get(mail, "state"));

        if (state && strcmp(state, "sent") == 0) {
            return 1;
        }
    }
    return 0;
}

/* One look; a database that is away for a moment is part of the drill. */
static void look(drill_t *drill)
{
    const char *state;
    int pid = drill->worker < 0 ? find_worker(drill) : 0;

    note(drill, &drill->worker, pid && pid != drill->pid);
    if (sp_db_desk_case(&drill->cli->ctx, drill->order->reference, &drill->seen) !=
            SP_DONE ||
        !drill->seen) {
        return;
    }
    state = sp_json_text(drill->seen, "state");
    note(drill, &drill->access, state && strcmp(state, "completed") == 0);
    note(drill, &drill->mail, was_mailed(drill->seen));
    note(drill, &drill->refunded, state && strcmp(state, "refunded") == 0);
}

/* Until the last of these has happened, or nobody should wait any longer. */
static void watch(drill_t *drill, const apr_interval_time_t *a,
                  const apr_interval_time_t *b, const apr_interval_time_t *c)
{
    apr_time_t until = apr_time_now() + PATIENCE;
    apr_pool_t *own = drill->cli->ctx.pool, *turn;

    while ((*a < 0 || *b < 0 || *c < 0) && apr_time_now() < until) {
        apr_pool_create(&turn, own);
        drill->cli->ctx.pool = turn;
        look(drill);
        drill->cli->ctx.pool = own;
        drill->seen = NULL;
        apr_pool_destroy(turn);
        apr_sleep(LOOK_EVERY);
    }
}

/* ---- afterwards ------------------------------------------------------------------- */

/* The money goes back as support would send it; the page that nobody paid is closed. */
static void clean_up(drill_t *drill)
{
    sp_ctx_t *ctx = &drill->cli->ctx;
    const sp_desk_ask_t ask = { .action = "refund",
                                .reference = drill->order->reference,
                                .reason = "fire drill" };
    json_t *answer;

    if (drill->account->provider->checkout_expire && drill->order->checkout_id) {
        drill->account->provider->checkout_expire(ctx, drill->account,
                                                  drill->order->checkout_id);
    }
    if (drill->access >= 0 && sp_desk_act(ctx, &ask, &answer) == SP_DONE) {
        watch(drill, &drill->refunded, &drill->refunded, &drill->refunded);
    }
}

static void tell(const drill_t *drill, json_t *json, const char *name,
                 const char *text, apr_interval_time_t when)
{
    if (when >= 0) {
        sp_json_set_int(json, name, apr_time_as_msec(when));
    }
    else {
        json_object_set_new(json, name, json_null());
    }
    if (drill->cli->json) {
        return;
    }
    if (when >= 0) {
        printf("  %-28s after %6.2f s\n", text, (double)when / APR_USEC_PER_SEC);
    }
    else {
        printf("  %-28s not within %d s\n", text, (int)apr_time_sec(PATIENCE));
    }
}

static sp_ctl_status_t report(const drill_t *drill)
{
    json_t *json = sp_json_object(drill->cli->pool);
    sp_order_t *order = NULL;
    int good = drill->worker >= 0 && drill->access >= 0 && drill->mail >= 0 &&
               drill->refunded >= 0;

    sp_db_order_by_id(&drill->cli->ctx, drill->order->id, &order);
    sp_json_set_text(json, "reference", drill->order->reference);
    sp_json_set_text(json, "payment", drill->payment);
    sp_json_set_text(json, "via", order ? order->completed_via : NULL);
    sp_json_set_int(json, "killed", drill->pid);
    if (!drill->cli->json) {
        printf("order %s, payment %s; worker %d was killed as it was paid\n",
               drill->order->reference, drill->payment, drill->pid);
    }
    tell(drill, json, "worker_ms", "another worker lives", drill->worker);
    tell(drill, json, "access_ms",
         apr_psprintf(drill->cli->pool, "access, by %s",
                      order && order->completed_via ? order->completed_via
                                                    : "nobody"),
         drill->access);
    tell(drill, json, "mail_ms", "its mail has left", drill->mail);
    tell(drill, json, "refunded_ms", "the money is back", drill->refunded);
    sp_json_set_bool(json, "good", good);
    if (drill->cli->json) {
        sp_ctl_print(drill->cli, json);
    }
    else {
        puts(
            good
                ? "It healed. Not part of this: the hosted page and the way back from "
                  "it."
                : "It did not heal. See subpayctl doctor, then the error log.");
    }
    return good ? SP_CTL_DONE : SP_CTL_NOT_FOUND;
}

sp_ctl_status_t sp_ctl_drill(sp_cli_t *cli)
{
    drill_t drill = { .cli = cli,
                      .worker = -1,
                      .access = -1,
                      .mail = -1,
                      .refunded = -1 };
    sp_ctl_status_t status = prepare(&drill);

    if (status == SP_CTL_DONE) {
        status = buy(&drill);
    }
    if (status != SP_CTL_DONE) {
        return status;
    }
    watch(&drill, &drill.worker, &drill.access, &drill.mail);
    clean_up(&drill);
    return report(&drill);
}

/*
 * letter.c - what a mail has to say: the model that its template is filled with.
 *
 * Room: domain.
 * Times are written out with their zone, in UTC: the reader's own is not known here,
 * and a wrong one would be worse than a foreign one.
 */
#include "domain/letter.h"

#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/db.h"
#include "domain/account.h"
#include "domain/letter_search.h"
#include "domain/order.h"
#include "provider/provider.h"
#include "util/json.h"
#include "util/text.h"

/* What each mail says about money, if anything; see the money line in htdocs. */
static const struct {
    const char *template;
    const char *money;
} money_lines[] = {
    { "confirmation", "paid" },  { "recovered", "paid" },
    { "review", "paid" },        { "refund", "returned" },
    { "duplicate", "returned" }, { "refund_failed", "paid" },
    { "checking", "checking" },  { "renewal_declined", "not_charged" },
    { "renewed", "paid" },       { "released", "held" },
};

static void set_moment(sp_ctx_t *ctx, json_t *object, const char *name,
                       apr_time_t at)
{
    json_t *moment;

    if (!at) {
        return;
    }
    moment = json_object();
    sp_json_set_text(moment, "iso", sp_text_time(ctx->pool, at));
    sp_json_set_text(moment, "text", sp_text_moment(ctx->pool, at));
    json_object_set_new(object, name, moment);
}

static void set_shop(sp_ctx_t *ctx, json_t *model)
{
    const sp_settings_t *settings = ctx->settings;
    const char *start = settings->app_url ? settings->app_url : settings->base_url;

    sp_json_set_text(model, "app_name", settings->app_name);
    sp_json_set_text(model, "app_url", start);
    sp_json_set_text(model, "start_url", start);
    sp_json_set_text(model, "base", settings->base_url);
    sp_json_set_text(model, "support_email", settings->support_email);
    sp_json_set_text(model, "support_names", settings->support_names);
    sp_json_set_bool(model, "test_mode", strcmp(settings->mode, "test") == 0);
}

static void set_order(sp_ctx_t *ctx, json_t *model, const sp_order_t *order)
{
    json_t *json = json_object();
    sp_order_money_t moved;

    sp_json_set_text(json, "title", order->title);
    sp_json_set_text(json, "amount", sp_money_text(ctx->pool, &order->price));
    sp_json_set_text(json, "statement", sp_order_statement(ctx, order));
    sp_json_set_bool(json, "renews", order->renews);
    sp_json_set_int(json, "credits", order->credits);
    sp_json_set_int(json, "bonus_days", order->bonus_days);
    if (order->completed_at > order->paid_at) {
        sp_json_set_int(json, "delay_minutes",
                        apr_time_sec(order->completed_at - order->paid_at) / 60);
    }
    set_moment(ctx, json, "started", order->created_at);
    set_moment(ctx, json, "paid_at", order->paid_at);
    set_moment(ctx, json, "completed_at", order->completed_at);
    set_moment(ctx, json, "expires", order->expires_at);
    if (strcmp(order->state, "review") == 0) {
        sp_order_money(ctx, order, &moved);
        set_moment(ctx, json, "review_by", moved.review_by);
    }
    json_object_set_new(model, "order", json);
    sp_json_set_text(model, "reference", order->reference);
}

/* Nothing is called received while the bank only holds it for us. */
static const char *line_of(const char *word, const sp_order_t *order)
{
    return strcmp(word, "paid") == 0 && sp_order_is_reserved(order) ? "reserved"
                                                                    : word;
}

static void set_money(sp_ctx_t *ctx, json_t *model, const char *template,
                      const sp_order_t *order)
{
    sp_order_money_t moved;
    json_t *money;
    size_t i;

    for (i = 0; i < sizeof(money_lines) / sizeof(money_lines[0]); i++) {
        if (template && strcmp(money_lines[i].template, template) == 0) {
            money = json_object();
            sp_json_set_bool(money, line_of(money_lines[i].money, order), 1);
            sp_order_money(ctx, order, &moved);
            sp_json_set_text(money, "amount", sp_money_text(ctx->pool, &moved.said));
            json_object_set_new(model, "money", money);
        }
    }
}

static void set_provider(sp_ctx_t *ctx, json_t *model, const char *name)
{
    const sp_account_t *account = sp_settings_account(ctx->settings, name);

    if (account && account->provider) {
        sp_json_set_text(model, "provider_name", account->provider->title);
    }
}

/* What the row says wins over what is derived; parts of one object are merged. */
static void set_payload(sp_ctx_t *ctx, json_t *model, const char *payload)
{
    json_t *json =
        sp_json_own(ctx->pool, json_loads(payload ? payload : "{}", 0, NULL));
    const char *key;
    json_t *value, *old;

    json_object_foreach(json, key, value)
    {
        old = json_object_get(model, key);
        if (json_is_object(old) && json_is_object(value)) {
            json_object_update(old, value);
        }
        else {
            json_object_set(model, key, value);
        }
    }
}

static apr_time_t payload_time(const json_t *model, const char *name)
{
    return apr_time_from_sec(json_integer_value(json_object_get(model, name)));
}

/* Of a plan that renews. The link to pay is on our own host, and leads to where the
 * period can be paid for as long as it is not; the account's page does so as well, after a
 * log-in, where the provider's key was rolled and the order's own link is not ours to make. */
static void set_renewal(sp_ctx_t *ctx, json_t *model, const sp_order_t *order)
{
    const char *base = ctx->settings->base_url;
    const char *account = apr_pstrcat(ctx->pool, base, "/account", NULL);
    json_t *json = json_object_get(model, "order");
    const char *token;

    if (!order || !order->renews) {
        return;
    }
    token = sp_order_link_token(ctx, order);
    sp_json_set_text(model, "account_url", account);
    sp_json_set_text(model, "card_url",
                     token ? apr_psprintf(ctx->pool, "%s/renewal?t=%s&r=%s", base,
                                          token, order->reference)
                           : account);
    set_moment(ctx, json, "expires", payload_time(model, "stays_until"));
    set_moment(ctx, model, "next_try", payload_time(model, "next_try_at"));
}

/* A customer who has no password yet chooses one from the welcome, or from the answer
 * to their question where that goes to the address of the account. */
static int offers_link(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                       const sp_order_t *order)
{
    const char *name = row->template ? row->template : "";

    if (strcmp(name, "found") == 0 || strcmp(name, "acknowledge") == 0) {
        return sp_letter_is_owner(ctx, row, order);
    }
    return strcmp(name, "confirmation") == 0 || strcmp(name, "recovered") == 0;
}

/* Made as the mail is written, so that the token stands in the mail and nowhere else. */
static sp_outcome_t set_link(sp_ctx_t *ctx, json_t *model,
                             const sp_outbox_row_t *row, const sp_order_t *order)
{
    const char *account = sp_json_text(model, "account_id");
    const char *url = NULL;
    sp_outcome_t out;

    if (!account && !offers_link(ctx, row, order)) {
        return SP_DONE;
    }
    out = sp_account_link(ctx, account, row->order_id, &url);
    sp_json_set_text(model, "password_url", url);
    sp_json_set_int(model, "link_hours", apr_time_sec(SP_LINK_LIFE) / 3600);
    /* Without an account there is no link, and the mail says so much less. */
    return out == SP_REFUSED ? SP_DONE : out;
}

/* A welcome that could not leave before the bank let go of the money must not say that
 * it was received, nor that there is access. */
static const char *words_of(const sp_outbox_row_t *row, const sp_order_t *order)
{
    const char *name = row->template ? row->template : "";

    return order && sp_order_is_released(order) &&
                   (!strcmp(name, "confirmation") || !strcmp(name, "recovered"))
               ? "released"
               : row->template;
}

sp_outcome_t sp_letter_model(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                             json_t **model)
{
    sp_order_t *order = NULL;
    sp_outcome_t out;

    *model = sp_json_object(ctx->pool);
    set_shop(ctx, *model);
    if (row->order_id) {
        out = sp_db_order_by_id(ctx, row->order_id, &order);
        if (out != SP_DONE) {
            return out;
        }
    }
    if (order) {
        set_order(ctx, *model, order);
        set_money(ctx, *model, words_of(row, order), order);
    }
    sp_json_set_text(*model, "mail", words_of(row, order));
    set_provider(ctx, *model, order ? order->provider : ctx->settings->provider);
    sp_letter_standing(ctx, row, order, *model);
    set_payload(ctx, *model, row->payload);
    set_renewal(ctx, *model, order);
    return set_link(ctx, *model, row, order);
}

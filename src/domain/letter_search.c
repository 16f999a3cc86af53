/*
 * letter_search.c - what is told to somebody who asked for their payment.
 *
 * Room: domain.
 */
#include "domain/letter_search.h"

#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "domain/order.h"
#include "util/json.h"
#include "util/text.h"

static int is_state(const sp_order_t *order, const char *state)
{
    return strcmp(order->state, state) == 0;
}

/* One word for the templates. */
static const char *standing(const sp_order_t *order)
{
    if (is_state(order, "completed")) {
        return sp_order_is_open(order) ? "paid"
               : order->access         ? order->access
                                       : "processing";
    }
    if (sp_order_is_released(order)) {
        return "released"; /* nothing was charged in the end */
    }
    if (is_state(order, "review") || is_state(order, "refunded")) {
        return order->state;
    }
    return order->processing ? "processing" : "open";
}

/* "Open" is the provider's word; while it has not answered, we are checking. */
static const char *money_line(const char *state, int asking)
{
    static const struct {
        const char *state, *line;
    } lines[] = { { "paid", "paid" },          { "ended", "paid" },
                  { "suspended", "paid" },     { "review", "paid" },
                  { "refunded", "returned" },  { "released", "held" },
                  { "processing", "checking" } };
    size_t i;

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (strcmp(lines[i].state, state) == 0) {
            return lines[i].line;
        }
    }
    return asking ? "checking" : "open";
}

int sp_letter_is_owner(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                       const sp_order_t *order)
{
    return order && order->email && row->recipient &&
           strcmp(sp_text_fold(ctx->pool, order->email),
                  sp_text_fold(ctx->pool, row->recipient)) == 0;
}

static void set_one(json_t *model, const char *name, const char *word)
{
    json_t *one = json_object();

    sp_json_set_bool(one, word, 1);
    json_object_set_new(model, name, one);
}

/* Whether the search of a message was still waiting for the provider. */
static int is_asking(sp_ctx_t *ctx, const sp_outbox_row_t *row)
{
    json_t *payload = sp_json_own(
        ctx->pool, json_loads(row->payload ? row->payload : "{}", 0, NULL));
    const char *seen = sp_json_text(json_object_get(payload, "ticket"), "seen");

    return seen && (strcmp(seen, "waiting") == 0 || strcmp(seen, "unknown") == 0);
}

void sp_letter_standing(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                        const sp_order_t *order, json_t *model)
{
    const char *name = row->template ? row->template : "";
    int asking, answers = strcmp(name, "acknowledge") == 0;
    sp_order_money_t moved;
    const char *state;

    if (strcmp(name, "not_found") == 0) {
        sp_json_set_text(
            model, "find_url",
            apr_pstrcat(ctx->pool, ctx->settings->base_url, "/find", NULL));
    }
    if (!answers && strcmp(name, "found") != 0) {
        return;
    }
    asking = answers && is_asking(ctx, row);
    state = order ? standing(order) : "none";
    if (asking && (!order || strcmp(state, "open") == 0)) {
        state = "asking";
    }
    set_one(model, "state", state);
    if (order || asking) {
        set_one(model, "money",
                order && sp_order_is_reserved(order) ? "reserved"
                                                     : money_line(state, asking));
    }
    if (order) {
        sp_order_money(ctx, order, &moved);
        sp_json_set_text(json_object_get(model, "money"), "amount",
                         sp_money_text(ctx->pool, &moved.said));
    }
    if (order && !sp_letter_is_owner(ctx, row, order)) {
        sp_json_set_text(json_object_get(model, "order"), "email_masked",
                         sp_text_email_mask(ctx->pool, order->email));
    }
}

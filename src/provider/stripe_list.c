/*
 * stripe_list.c - Stripe's lists, page by page.
 *
 * Room: provider.
 * Source: Stripe API reference, "Pagination".
 */
#include "provider/stripe.h"

#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "provider/call.h"

#include "util/clock.h"
#include "util/log.h"

/* A page while it is read. */
typedef struct intake_t {
    sp_stripe_reader_t reader;
    sp_stripe_take_fn take;
    sp_page_t *page;
    sp_fact_t *fact;  /* of the object being read */
    const char *last; /* id of the last object that had one */
    int has_more;
} intake_t;

/* The id that the list goes by. */
static const char *own_id(const sp_fact_t *fact)
{
    return fact->event_id      ? fact->event_id
           : fact->refund_id   ? fact->refund_id
           : fact->dispute_id  ? fact->dispute_id
           : fact->checkout_id ? fact->checkout_id
           : fact->charge_id   ? fact->charge_id
           : fact->invoice_id  ? fact->invoice_id
                               : fact->customer_id;
}

static const char *take_one(void *into, sp_scan_t *scan)
{
    intake_t *in = into;
    const char *why = in->take(&in->reader, scan, &in->fact);

    if (!why) {
        APR_ARRAY_PUSH(in->page->facts, sp_fact_t *) = in->fact;
        in->last = own_id(in->fact);
    }
    return why;
}

static void refuse_one(void *into, const sp_slice_t *bytes, const char *why)
{
    intake_t *in = into;
    sp_unreadable_t *bad = apr_palloc(in->reader.pool, sizeof(*bad));

    bad->id = sp_stripe_find_id(in->reader.pool, bytes);
    bad->raw = bytes->data;
    bad->len = bytes->len;
    bad->why = why;
    APR_ARRAY_PUSH(in->page->unreadable, sp_unreadable_t *) = bad;
    if (bad->id) {
        in->last = bad->id;
    }
}

static const sp_scan_list_t objects = { take_one, refuse_one };

static const sp_scan_field_t rows[] = {
    { "data", 4, SP_SCAN_LIST, 1, 0, NULL, &objects },
    { "has_more", 8, SP_SCAN_BOOL, 1, offsetof(intake_t, has_more), NULL, NULL },
};
static const sp_scan_shape_t shape = { rows, 2 };

static void add_params(sp_query_t *params, const sp_stripe_list_t *list)
{
    const sp_list_ask_t *ask = &list->ask;
    int i;

    sp_query_add_int(params, "limit",
                     ask->limit > 0 && ask->limit < 100 ? ask->limit : 100);
    if (ask->since) {
        sp_query_add_int(params, "created[gte]", apr_time_sec(ask->since));
    }
    if (ask->until) {
        sp_query_add_int(params, "created[lt]", apr_time_sec(ask->until));
    }
    sp_query_add(params, "starting_after", ask->after);
    if (ask->undelivered) {
        sp_query_add(params, "delivery_success", "false");
    }
    for (i = 0; list->params[i]; i += 2) {
        sp_query_add(params, list->params[i], list->params[i + 1]);
    }
}

static sp_outcome_t read_page(sp_ctx_t *ctx, const sp_stripe_call_t *call,
                              const sp_slice_t *body, sp_stripe_take_fn take,
                              sp_page_t *page)
{
    intake_t in = { .take = take, .page = page };
    const char *why;

    in.reader = sp_stripe_reader(ctx);
    page->facts = apr_array_make(ctx->pool, 100, sizeof(sp_fact_t *));
    page->unreadable = apr_array_make(ctx->pool, 1, sizeof(sp_unreadable_t *));
    page->next = NULL;
    why = sp_scan_whole(ctx->pool, body->data, body->len, &shape, &in);
    if (!why && in.has_more && !in.last) {
        why = "there is more, but no id to go on from";
    }
    if (why) {
        return sp_call_unreadable(ctx, call->what, why);
    }
    page->next = in.has_more ? in.last : NULL;
    return SP_DONE;
}

static sp_outcome_t get_page(sp_ctx_t *ctx, const sp_account_t *account,
                             sp_stripe_call_t *call, const sp_stripe_list_t *list,
                             sp_page_t *page)
{
    sp_slice_t body;
    sp_outcome_t out;

    add_params(&call->params, list);
    out = sp_stripe_send(ctx, account, call, &body);
    return out == SP_DONE ? read_page(ctx, call, &body, list->take, page) : out;
}

sp_outcome_t sp_stripe_page(sp_ctx_t *ctx, const sp_account_t *account,
                            const sp_stripe_list_t *list, sp_page_t *page)
{
    sp_stripe_call_t call;

    sp_stripe_call_start(&call, ctx->pool, list->what, "GET", list->path);
    return get_page(ctx, account, &call, list, page);
}

sp_outcome_t sp_stripe_walk(sp_ctx_t *ctx, const sp_account_t *account,
                            sp_stripe_list_t *list,
                            int (*visit)(void *baton, const sp_page_t *page),
                            void *baton)
{
    apr_interval_time_t patience = ctx->patience;
    apr_time_t deadline = sp_call_deadline(ctx);
    sp_outcome_t out;
    sp_page_t page;
    int pages = 0;

    do {
        sp_call_share_time(ctx, deadline);
        if (pages++ == SP_STRIPE_PAGES || sp_clock_now() >= deadline) {
            sp_log(ctx->log, SP_LOG_WARN, 410, "%s: not seen to the end, %d pages",
                   list->what, pages - 1);
            out = sp_end(ctx, SP_UNKNOWN, "provider_limit", NULL);
            break;
        }
        out = sp_stripe_page(ctx, account, list, &page);
        if (out != SP_DONE || !visit(baton, &page)) {
            break;
        }
        list->ask.after = page.next;
    } while (page.next);
    ctx->patience = patience;
    return out;
}

sp_outcome_t sp_stripe_payments_list(sp_ctx_t *ctx, const sp_account_t *account,
                                     const sp_list_ask_t *ask, sp_page_t *page)
{
    sp_stripe_list_t list = { .what = "list payments",
                              .path = "/v1/charges",
                              .take = sp_stripe_take_charge,
                              .ask = *ask };
    sp_outcome_t out = sp_stripe_page(ctx, account, &list, page);
    sp_fact_t *fact;
    int i;

    for (i = 0; out == SP_DONE && i < page->facts->nelts; i++) {
        fact = APR_ARRAY_IDX(page->facts, i, sp_fact_t *);
        if (fact->kind == SP_FACT_PAYMENT_FAILED) {
            /* A declined attempt of long ago is nobody's news. */
            fact->kind = SP_FACT_IGNORED;
        }
    }
    return out;
}

sp_outcome_t sp_stripe_periods_list(sp_ctx_t *ctx, const sp_account_t *account,
                                    const sp_list_ask_t *ask, sp_page_t *page)
{
    const sp_stripe_list_t list = { .what = "list periods",
                                    .path = "/v1/invoices",
                                    .take = sp_stripe_take_invoice,
                                    .ask = *ask,
                                    .params = { "expand[]", "data.payments" } };

    return sp_stripe_page(ctx, account, &list, page);
}

static void narrow_to_payment(sp_stripe_list_t *list)
{
    const char *id = list->ask.payment_id;

    if (id) {
        list->params[0] = sp_stripe_is_id(id, "pi_") ? "payment_intent" : "charge";
        list->params[1] = id;
    }
}

sp_stripe_list_t sp_stripe_refunds(const sp_list_ask_t *ask)
{
    sp_stripe_list_t list = { .what = "list refunds",
                              .path = "/v1/refunds",
                              .take = sp_stripe_take_refund,
                              .ask = *ask };

    narrow_to_payment(&list);
    return list;
}

sp_outcome_t sp_stripe_refunds_list(sp_ctx_t *ctx, const sp_account_t *account,
                                    const sp_list_ask_t *ask, sp_page_t *page)
{
    sp_stripe_list_t list = sp_stripe_refunds(ask);

    return sp_stripe_page(ctx, account, &list, page);
}

sp_outcome_t sp_stripe_disputes_list(sp_ctx_t *ctx, const sp_account_t *account,
                                     const sp_list_ask_t *ask, sp_page_t *page)
{
    sp_stripe_list_t list = { .what = "list disputes",
                              .path = "/v1/disputes",
                              .take = sp_stripe_take_dispute,
                              .ask = *ask };

    narrow_to_payment(&list);
    return sp_stripe_page(ctx, account, &list, page);
}

sp_outcome_t sp_stripe_events_list(sp_ctx_t *ctx, const sp_account_t *account,
                                   const sp_list_ask_t *ask, sp_page_t *page)
{
    sp_stripe_list_t list = { .what = "list events",
                              .path = "/v1/events",
                              .take = sp_stripe_take_event,
                              .ask = *ask };
    sp_stripe_call_t call;
    apr_size_t i;

    sp_stripe_call_start(&call, ctx->pool, list.what, "GET", list.path);
    for (i = 0; sp_stripe_event_type(i); i++) {
        if (sp_stripe_event_asked(sp_stripe_event_type(i))) {
            sp_query_add(&call.params, "types[]", sp_stripe_event_type(i));
        }
    }
    return get_page(ctx, account, &call, &list, page);
}

/*
 * desk.c - what the people in support look at: search, and one customer's case.
 *
 * Room: domain.
 */
#include "domain/desk.h"

#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/desk.h"
#include "domain/desk_look.h"
#include "provider/provider.h"
#include "util/json.h"
#include "util/reference.h"
#include "util/text.h"

/* So many of a search's results are asked about; the others show what we know. */
#define ASKED_AT_MOST 4

/* ---- words ------------------------------------------------------------------------ */

const sp_diagnosis_t *sp_desk_diagnosis(const char *code)
{
    static const sp_diagnosis_t words[] = {
        { "healthy",
          "Paid, has access, and was told so. If nothing arrived, it is mostly in the "
          "spam folder: send the mail again.",
          "resend", "Send the mail again" },
        { "paid_no_order",
          "Paid, and we have no order for it. Recovering writes the order again from "
          "what the provider holds, opens access and sends the mail.",
          "recover", "Recover: give access now" },
        { "paid_stuck",
          "Paid, and our order is not completed. Recovering asks the provider once "
          "more, opens access and sends the mail.",
          "recover", "Recover: give access now" },
        { "review",
          "Money moved, but a detail differs from the order, so a person decides: "
          "put the detail right, or send the money back.",
          "refund", "Send the money back" },
        { "no_subscription",
          "Completed, but nothing grants access. Recovering mends that.", "recover",
          "Recover: give access now" },
        { "mail_not_sent",
          "Has access, and does not know it: the mail has not left. If the address "
          "is wrong, correct it; otherwise send it again.",
          "resend", "Send the mail again" },
        { "order_without_payment",
          "Has access, and no payment stands behind it: either somebody here granted "
          "it, or the provider does not know the payment. Write down what you find.",
          "note", "Write a note" },
        { "duplicate",
          "Paid twice. One payment is enough: send the other back. Access stays.",
          "refund-duplicate", "Send the second payment back" },
        { "refunded",
          "The money has been sent back, or was let go before it was taken, and access "
          "has ended. Banks show what was sent back in 5 to 10 working days.",
          NULL, NULL },
        { "disputed",
          "The bank has the case. Do not refund: it would go out twice. Answer the "
          "bank before the deadline, or agree with it.",
          "evidence", "Gather the evidence and answer the bank" },
        { "fraud_warning",
          "The card network takes this payment for fraud. No dispute has come yet: a "
          "refund in full, now, most likely keeps it and its fee away.",
          "refund", "Send the money back" },
        { "expired",
          "Nothing is open any more: the access has run out, or the payment page "
          "closed unpaid. Compare the dates below.",
          NULL, NULL },
        { "never_charged",
          "No payment has reached us for this order. What the bank shows as pending "
          "is a reservation, which goes away by itself.",
          "recover", "Ask the provider again" },
        { "not_found",
          "Nothing fits. Ask for the day, the amount and the last four digits of "
          "the card (never more), the line on the statement, or another address.",
          NULL, NULL },
    };
    size_t i;

    for (i = 0; i + 1 < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].code, code) == 0) {
            break;
        }
    }
    return &words[i];
}

/* "Nothing was paid" is the provider's to say, and it has not. */
static const char *text_of(const sp_diagnosis_t *diagnosis, int silent)
{
    return silent && strcmp(diagnosis->code, "never_charged") == 0
               ? "No payment is known here, and the provider did not answer: whether "
                 "money moved is not known. Ask again before you tell the customer."
               : diagnosis->text;
}

static json_t *diagnosis_json(const char *code, int silent)
{
    const sp_diagnosis_t *diagnosis = sp_desk_diagnosis(code);
    json_t *json = json_object();

    sp_json_set_text(json, "code", diagnosis->code);
    sp_json_set_text(json, "text", text_of(diagnosis, silent));
    json_object_set_new(json, "action",
                        diagnosis->action ? json_string(diagnosis->action)
                                          : json_null());
    sp_json_set_text(json, "button", diagnosis->button);
    return json;
}

static json_t *provider_json(sp_ctx_t *ctx, const sp_desk_look_t *look)
{
    const sp_account_t *account =
        sp_settings_account(ctx->settings, ctx->settings->provider);
    json_t *json = json_object();

    sp_json_set_text(json, "name", account->provider->title);
    sp_json_set_bool(json, "asked", look->asked);
    sp_json_set_bool(json, "silent", look->silent);
    return json;
}

/* ---- search ----------------------------------------------------------------------- */

typedef struct search_t {
    sp_desk_query_t query;
    sp_desk_look_t look;
    apr_array_header_t *found; /* of sp_found_t */
    json_t *results;
} search_t;

static void add_text(json_t *object, const char *list, const char *text)
{
    json_t *array = json_object_get(object, list);

    if (!array) {
        array = json_array();
        json_object_set_new(object, list, array);
    }
    json_array_append_new(array, json_string(text));
}

/* What the database cannot read out of the query itself. */
static json_t *more_of(sp_ctx_t *ctx, const search_t *search)
{
    const sp_desk_query_t *query = &search->query;
    json_t *more = sp_json_object(ctx->pool);
    apr_array_header_t *near;
    int i;

    if (query->last4) {
        sp_json_set_int(more, "amount", query->amount.minor);
        sp_json_set_text(more, "currency", query->amount.currency);
        sp_json_set_text(more, "day", query->day_text);
        sp_json_set_text(more, "last4", query->last4);
    }
    if (query->reference_wrong) {
        near = sp_reference_near(ctx->pool, query->reference);
        for (i = 0; i < near->nelts; i++) {
            add_text(more, "references", APR_ARRAY_IDX(near, i, const char *));
        }
    }
    for (i = 0; i < search->look.facts->nelts; i++) {
        const sp_fact_t *fact = APR_ARRAY_IDX(search->look.facts, i, sp_fact_t *);

        add_text(more, "payments", fact->payment_id);
        if (fact->order_id && fact->ours) {
            add_text(more, "orders", fact->order_id);
        }
    }
    return more;
}

/* A second payment that is still with us says more than the first. */
static const sp_fact_t *fact_of(const search_t *search, const sp_order_t *order)
{
    const sp_fact_t *own = NULL;
    int i;

    for (i = 0; i < search->look.facts->nelts; i++) {
        const sp_fact_t *fact = APR_ARRAY_IDX(search->look.facts, i, sp_fact_t *);

        if (fact->order_id && strcmp(fact->order_id, order->id) == 0 &&
            (!own || fact->amount_refunded < fact->amount.minor)) {
            own = own && order->payment_id &&
                          strcmp(own->payment_id, order->payment_id) != 0
                      ? own
                      : fact;
        }
    }
    return own;
}

static json_t *moment(sp_ctx_t *ctx, apr_time_t at)
{
    return at ? json_pack("{s:s, s:s}", "iso", sp_text_time(ctx->pool, at), "text",
                          sp_text_moment(ctx->pool, at))
              : NULL;
}

static json_t *order_json(sp_ctx_t *ctx, const sp_order_t *order)
{
    json_t *json = json_object();

    sp_json_set_text(json, "reference", order->reference);
    sp_json_set_text(json, "email", order->email);
    sp_json_set_text(json, "state", order->state);
    sp_json_set_text(json, "title", order->title);
    sp_json_set_text(json, "amount", sp_money_text(ctx->pool, &order->price));
    sp_json_set_text(json, "payment_id", order->payment_id);
    json_object_set_new(json, "created_at", moment(ctx, order->created_at));
    return json;
}

static void add_order(sp_ctx_t *ctx, search_t *search, const sp_found_t *found,
                      int may_ask)
{
    const sp_fact_t *fact = fact_of(search, &found->order);
    json_t *json = order_json(ctx, &found->order);
    int missing = 0, silent = search->look.silent;

    if (!fact && may_ask) {
        search->look.silent = 0;
        fact = sp_desk_look_order(ctx, &search->look, &found->order, &missing);
        search->look.silent |= silent;
        silent = search->look.silent;
    }
    json_object_set_new(
        json, "diagnosis",
        diagnosis_json(sp_desk_judge(&found->order, found->diagnosis, fact, missing),
                       silent || (!fact && !may_ask)));
    json_array_append_new(search->results, json);
}

/* Money that no order of ours stands for. */
static void add_payment(sp_ctx_t *ctx, search_t *search, const sp_fact_t *fact)
{
    const char *email = fact->order_email ? fact->order_email : fact->email;
    json_t *json = json_object();

    json_object_set_new(json, "reference",
                        fact->ours && fact->reference ? json_string(fact->reference)
                                                      : json_null());
    json_object_set_new(json, "email", email ? json_string(email) : json_null());
    json_object_set_new(json, "state", json_null());
    sp_json_set_text(json, "amount", sp_money_text(ctx->pool, &fact->amount));
    sp_json_set_text(json, "payment_id", fact->payment_id);
    json_object_set_new(json, "created_at", moment(ctx, fact->paid_at));
    json_object_set_new(json, "diagnosis", diagnosis_json("paid_no_order", 0));
    if (!fact->ours) {
        json_t *diagnosis = json_object_get(json, "diagnosis");

        sp_json_set_text(diagnosis, "text",
                         "A payment to the same account at the provider that names "
                         "no order of this shop.");
        json_object_set_new(diagnosis, "action", json_null());
        json_object_del(diagnosis, "button");
    }
    json_array_append_new(search->results, json);
}

static int has_order(const search_t *search, const sp_fact_t *fact)
{
    int i;

    for (i = 0; i < search->found->nelts; i++) {
        const sp_order_t *order = &APR_ARRAY_IDX(search->found, i, sp_found_t).order;

        if ((fact->order_id && strcmp(order->id, fact->order_id) == 0) ||
            (order->payment_id &&
             strcmp(order->payment_id, fact->payment_id) == 0)) {
            return 1;
        }
    }
    return 0;
}

static void add_not_found(search_t *search)
{
    json_t *json = json_object();

    json_object_set_new(json, "reference", json_null());
    json_object_set_new(json, "email",
                        search->query.email ? json_string(search->query.email)
                                            : json_null());
    json_object_set_new(json, "state", json_null());
    json_object_set_new(json, "diagnosis",
                        diagnosis_json("not_found", search->look.silent));
    json_array_append_new(search->results, json);
}

static void add_results(sp_ctx_t *ctx, search_t *search)
{
    int i;

    for (i = 0; i < search->found->nelts; i++) {
        add_order(ctx, search, &APR_ARRAY_IDX(search->found, i, sp_found_t),
                  i < ASKED_AT_MOST);
    }
    for (i = 0; i < search->look.facts->nelts; i++) {
        const sp_fact_t *fact = APR_ARRAY_IDX(search->look.facts, i, sp_fact_t *);

        if (!has_order(search, fact) && fact->kind == SP_FACT_PAYMENT_SUCCEEDED) {
            add_payment(ctx, search, fact);
        }
    }
}

/* A typo: the references that exist and differ in one symbol. */
static json_t *meant(sp_ctx_t *ctx, search_t *search)
{
    json_t *list = json_array();
    int i;

    (void)ctx;
    for (i = 0; i < search->found->nelts; i++) {
        json_array_append_new(
            list, json_string(
                      APR_ARRAY_IDX(search->found, i, sp_found_t).order.reference));
    }
    return list;
}

static sp_outcome_t find_all(sp_ctx_t *ctx, search_t *search)
{
    const sp_desk_query_t *query = &search->query;
    const char *q = query->email                                  ? query->email
                    : query->reference && !query->reference_wrong ? query->reference
                    : query->last4 || query->reference            ? ""
                                                                  : query->text;
    sp_outcome_t out;

    sp_desk_look_query(ctx, &search->look, query);
    out = sp_db_lookup(ctx, q, more_of(ctx, search), &search->found);
    if (out == SP_DONE && search->found->nelts == 0 && query->reference &&
        !query->reference_wrong) {
        sp_desk_look_reference(ctx, &search->look, query->reference);
    }
    return out;
}

sp_outcome_t sp_desk_search(sp_ctx_t *ctx, const char *q, json_t **answer)
{
    sp_ctx_t own = *ctx;
    search_t search = { 0 };
    json_t *json = sp_json_object(ctx->pool);
    sp_outcome_t out;

    *answer = json;
    sp_desk_read_query(&own, q, &search.query);
    sp_desk_look_start(&own, &search.look);
    search.results = json_array();
    sp_json_set_text(json, "query", search.query.text);
    json_object_set_new(json, "results", search.results);
    if (!*search.query.text) {
        return SP_DONE;
    }
    out = find_all(&own, &search);
    if (out != SP_DONE) {
        return sp_end(ctx, out, own.code, NULL);
    }
    add_results(&own, &search);
    if (search.query.reference_wrong) {
        json_object_set_new(json, "did_you_mean", meant(&own, &search));
    }
    if (json_array_size(search.results) == 0) {
        add_not_found(&search);
    }
    json_object_set_new(json, "provider", provider_json(&own, &search.look));
    return SP_DONE;
}

/* ---- one case ------------------------------------------------------------------------ */

/* What the provider says, for the side of the page that tells where the money is. */
static void set_says(sp_ctx_t *ctx, json_t *provider, const sp_fact_t *fact,
                     int missing)
{
    static const struct {
        sp_fact_kind_t kind;
        const char *says;
    } words[] = {
        { SP_FACT_PAYMENT_SUCCEEDED, "paid" },
        { SP_FACT_PAYMENT_AUTHORISED, "reserved at the bank, not taken yet" },
        { SP_FACT_PAYMENT_PROCESSING, "on its way, days away" },
        { SP_FACT_PAYMENT_FAILED, "open; the last attempt was declined" },
        { SP_FACT_PAYMENT_VOID, "failed for good" },
        { SP_FACT_CHECKOUT_OPEN, "open, not paid" },
        { SP_FACT_CHECKOUT_EXPIRED, "closed unpaid" },
        { SP_FACT_CHECKOUT_NONE, "no payment page was ever opened" },
    };
    sp_money_t refunded;
    size_t i;

    if (missing) {
        sp_json_set_text(provider, "says", "knows nothing of this payment");
    }
    if (!fact) {
        return;
    }
    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i].kind == fact->kind) {
            sp_json_set_text(provider, "says", words[i].says);
        }
    }
    sp_json_set_text(provider, "payment_id", fact->payment_id);
    if (fact->kind == SP_FACT_PAYMENT_SUCCEEDED) {
        sp_json_set_text(provider, "amount_text",
                         sp_money_text(ctx->pool, &fact->amount));
    }
    if (fact->amount_refunded > 0) {
        refunded = fact->amount;
        refunded.minor = fact->amount_refunded;
        sp_json_set_text(provider, "refunded_text",
                         sp_money_text(ctx->pool, &refunded));
    }
    if (fact->disputed) {
        sp_json_set_bool(provider, "disputed", 1);
    }
}

sp_outcome_t sp_desk_case(sp_ctx_t *ctx, const char *reference, json_t **answer)
{
    sp_ctx_t own = *ctx;
    sp_desk_look_t look;
    apr_array_header_t *found;
    const sp_found_t *one;
    const sp_fact_t *fact;
    json_t *provider;
    int missing;
    sp_outcome_t out = sp_db_desk_case(ctx, reference, answer);

    if (out != SP_DONE || !*answer) {
        return out;
    }
    out = sp_db_lookup(ctx, reference, NULL, &found);
    if (out != SP_DONE || found->nelts == 0) {
        return out;
    }
    one = &APR_ARRAY_IDX(found, 0, sp_found_t);
    sp_desk_look_start(&own, &look);
    fact = sp_desk_look_order(&own, &look, &one->order, &missing);
    provider = provider_json(ctx, &look);
    set_says(ctx, provider, fact, missing);
    json_object_set_new(*answer, "provider", provider);
    json_object_set_new(
        *answer, "diagnosis",
        diagnosis_json(sp_desk_judge(&one->order, one->diagnosis, fact, missing),
                       look.silent));
    return SP_DONE;
}

/*
 * stripe_event.c - Stripe's events: which ones matter, and what each is a fact of.
 *
 * Room: provider.
 * Source: Stripe API reference, "Types of events".
 */
#include "provider/stripe.h"

#include <apr_strings.h>
#include <string.h>

#include "provider/stripe_shape.h"

/* No kind of its own: what the object says counts. */
#define AS_IT_SAYS SP_FACT_IGNORED

/* One event type that becomes a fact. */
typedef struct type_t {
    const char *name;
    sp_stripe_take_fn take; /* reads its object */
    sp_fact_kind_t kind;    /* never a success: that only the object can say */
    int afterwards;         /* of a payment long made: the event's time is not its */
} type_t;

/* clang-format off */
static const type_t types[] = {
    { "checkout.session.completed", sp_stripe_take_session, AS_IT_SAYS, 0 },
    { "checkout.session.async_payment_succeeded", sp_stripe_take_session, AS_IT_SAYS, 0 },
    { "checkout.session.async_payment_failed", sp_stripe_take_session, SP_FACT_PAYMENT_VOID, 0 },
    { "checkout.session.expired", sp_stripe_take_session, SP_FACT_CHECKOUT_EXPIRED, 0 },
    { "payment_intent.succeeded", sp_stripe_take_intent, AS_IT_SAYS, 0 },
    { "payment_intent.processing", sp_stripe_take_intent, AS_IT_SAYS, 0 },
    { "payment_intent.amount_capturable_updated", sp_stripe_take_intent, AS_IT_SAYS, 0 },
    { "payment_intent.payment_failed", sp_stripe_take_intent, SP_FACT_PAYMENT_FAILED, 0 },
    { "payment_intent.canceled", sp_stripe_take_intent, AS_IT_SAYS, 0 },
    { "charge.succeeded", sp_stripe_take_charge, AS_IT_SAYS, 0 },
    /* The running total, on the payment; each refund's own life is in refund.*. */
    { "charge.refunded", sp_stripe_take_charge, AS_IT_SAYS, 1 },
    { "refund.created", sp_stripe_take_refund, AS_IT_SAYS, 0 },
    { "refund.updated", sp_stripe_take_refund, AS_IT_SAYS, 0 },
    { "refund.failed", sp_stripe_take_refund, AS_IT_SAYS, 0 },
    { "charge.dispute.created", sp_stripe_take_dispute, AS_IT_SAYS, 0 },
    { "charge.dispute.updated", sp_stripe_take_dispute, AS_IT_SAYS, 0 },
    { "charge.dispute.closed", sp_stripe_take_dispute, AS_IT_SAYS, 0 },
    { "charge.dispute.funds_withdrawn", sp_stripe_take_dispute, AS_IT_SAYS, 0 },
    { "charge.dispute.funds_reinstated", sp_stripe_take_dispute, AS_IT_SAYS, 0 },
    { "invoice.paid", sp_stripe_take_invoice, AS_IT_SAYS, 0 },
    { "invoice.payment_failed", sp_stripe_take_invoice, AS_IT_SAYS, 0 },
    { "customer.subscription.updated", sp_stripe_take_subscription, AS_IT_SAYS, 0 },
    { "customer.subscription.deleted", sp_stripe_take_subscription, AS_IT_SAYS, 0 },
    { "radar.early_fraud_warning.created", sp_stripe_take_warning, AS_IT_SAYS, 0 },
};
/* clang-format on */

#define TYPES (sizeof(types) / sizeof(*types))

const char *sp_stripe_event_type(apr_size_t i)
{
    return i < TYPES ? types[i].name : NULL;
}

int sp_stripe_event_asked(const char *type)
{
    /* Open orders are asked about by themselves; a dispute's money moves together with
     * its status, which .updated and .closed tell. */
    static const char *const told_otherwise[] = {
        "payment_intent.processing", "checkout.session.expired",
        "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(told_otherwise) / sizeof(*told_otherwise); i++) {
        if (strcmp(told_otherwise[i], type) == 0) {
            return 0;
        }
    }
    return 1;
}

static const type_t *find_type(const char *name)
{
    apr_size_t i;

    for (i = 0; i < TYPES; i++) {
        if (strcmp(types[i].name, name) == 0) {
            return &types[i];
        }
    }
    return NULL;
}

/* What the envelope knows better than the object inside. */
static void set_envelope(sp_fact_t *fact, const sp_stripe_event_t *event)
{
    fact->event_id = event->id;
    fact->event_type = event->type;
    fact->mode = event->livemode ? "live" : "test";
    fact->at = apr_time_from_sec(event->created);
    fact->created = fact->at;
}

static void make_ignored(const sp_stripe_reader_t *reader,
                         const sp_stripe_event_t *event, sp_fact_t **fact)
{
    *fact = apr_pcalloc(reader->pool, sizeof(**fact));
    (*fact)->kind = SP_FACT_IGNORED;
    (*fact)->provider = "stripe";
    set_envelope(*fact, event);
}

static const char *read_inside(const sp_stripe_reader_t *reader, const type_t *type,
                               const sp_stripe_event_t *event, sp_fact_t **fact)
{
    const char *why = event->body.data
                          ? sp_stripe_read(reader, &event->body, type->take, fact)
                          : "data is missing";

    if (why) {
        return apr_psprintf(reader->pool, "%s: %s", type->name, why);
    }
    if (type->kind != AS_IT_SAYS && (*fact)->kind != SP_FACT_IGNORED) {
        (*fact)->kind = type->kind;
    }
    set_envelope(*fact, event);
    if (((*fact)->kind == SP_FACT_PAYMENT_SUCCEEDED ||
         (*fact)->kind == SP_FACT_PAYMENT_AUTHORISED ||
         (*fact)->kind == SP_FACT_PERIOD_PAID) &&
        !type->afterwards) {
        (*fact)->paid_at = (*fact)->at;
    }
    return NULL;
}

/* A thin event tells only where to look: the other roads look there anyway. */
static int read_thin(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                     const char *start, sp_fact_t **fact)
{
    sp_stripe_event_t event = { .id = NULL };
    sp_scan_t again;

    sp_scan_start(&again, reader->pool, start, (apr_size_t)(scan->end - start));
    if (!sp_scan_read(&again, &sp_stripe_event_head_shape, &event) ||
        strcmp(event.object, "v2.core.event") != 0) {
        return 0;
    }
    *scan = again;
    make_ignored(reader, &event, fact);
    return 1;
}

const char *sp_stripe_take_event(const sp_stripe_reader_t *reader, sp_scan_t *scan,
                                 sp_fact_t **fact)
{
    sp_stripe_event_t event = { .id = NULL };
    const char *start = scan->at;
    const type_t *type;

    if (!sp_scan_read(scan, &sp_stripe_event_shape, &event)) {
        return read_thin(reader, scan, start, fact) ? NULL : scan->error;
    }
    if (strcmp(event.object, "event") != 0) {
        return read_thin(reader, scan, start, fact) ? NULL : "it is no event";
    }
    type = find_type(event.type);
    if (!type) {
        make_ignored(reader, &event, fact);
        return NULL;
    }
    return read_inside(reader, type, &event, fact);
}

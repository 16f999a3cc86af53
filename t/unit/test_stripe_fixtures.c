/*
 * test_stripe_fixtures.c - Stripe's own sample objects go through our readers.
 *
 * Room: tests. REFERENCE names the folder that holds stripe-fixtures.json; where it
 * is absent these tests are skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "stripe_world.h"
#include "util/json.h"

static world_t world;
static json_t *resources;
static sp_fact_t *fact;

static const char *find_fixtures(void)
{
    static char path[4096];
    const char *reference = getenv("REFERENCE");

    apr_snprintf(path, sizeof(path), "%s/stripe-fixtures.json",
                 reference ? reference : "../shared/reference");
    return access(path, R_OK) == 0 ? path : NULL;
}

static int start(void **state)
{
    json_t *all;

    (void)state;
    world_start(&world);
    all = sp_json_own(world.pool, json_load_file(find_fixtures(), 0, NULL));
    resources = json_object_get(all, "resources");
    return resources == NULL;
}

static int stop(void **state)
{
    (void)state;
    apr_pool_destroy(world.pool);
    return 0;
}

static json_t *sample(const char *name)
{
    json_t *object = json_object_get(resources, name);

    assert_non_null(object);
    return object;
}

static const char *read_as(sp_stripe_take_fn take, const char *text)
{
    sp_stripe_reader_t reader = sp_stripe_reader(&world.ctx);
    sp_slice_t body = { text, strlen(text) };

    return sp_stripe_read(&reader, &body, take, &fact);
}

static void read_sample(const char *name, sp_stripe_take_fn take,
                        sp_fact_kind_t kind)
{
    assert_null(read_as(take, sp_json_dump(world.pool, sample(name))));
    assert_int_equal(fact->kind, kind);
    assert_false(fact->ours);
    assert_string_equal(fact->mode, "test");
}

static void a_session(void **state)
{
    (void)state;
    read_sample("checkout.session", sp_stripe_take_session, SP_FACT_CHECKOUT_OPEN);
    assert_string_equal(fact->payment_id, "pi_1PgafyB7WZ01zgkWSjxsAJo3");
    assert_string_equal(fact->email, "example@example.com");
    assert_int_equal(apr_time_sec(fact->checkout_expires), 1234567890);
}

static void an_intent(void **state)
{
    (void)state;
    /* requires_payment_method, with an error: an attempt failed. */
    read_sample("payment_intent", sp_stripe_take_intent, SP_FACT_PAYMENT_FAILED);
    assert_int_equal(fact->amount.minor, 1099);
    assert_string_equal(fact->amount.currency, "USD");
}

static void a_charge(void **state)
{
    (void)state;
    /* Authorised, not captured. */
    read_sample("charge", sp_stripe_take_charge, SP_FACT_PAYMENT_PROCESSING);
    assert_string_equal(fact->charge_id, "ch_1PgafuB7WZ01zgkWXYmPNZs8");
    assert_string_equal(fact->name, "Jenny Rosen");
    assert_string_equal(fact->card_last4, "4242");
    assert_int_equal(fact->amount.minor, 100);
}

static void an_invoice(void **state)
{
    json_t *invoice, *period;

    (void)state;
    /* A draft, written by hand. */
    read_sample("invoice", sp_stripe_take_invoice, SP_FACT_IGNORED);
    assert_string_equal(fact->invoice_id, "in_1Pgc6tB7WZ01zgkWu9fdqL6I");
    invoice = sp_json_own(world.pool, json_deep_copy(sample("invoice")));
    period = json_object_get(
        json_array_get(json_object_get(json_object_get(invoice, "lines"), "data"),
                       0),
        "period");
    json_object_set_new(period, "end", json_integer(1724632454));
    json_object_set_new(invoice, "status", json_string("paid"));
    assert_null(read_as(sp_stripe_take_invoice, sp_json_dump(world.pool, invoice)));
    assert_int_equal(fact->kind, SP_FACT_PERIOD_PAID);
    assert_string_equal(fact->renewal_id, "subscription");
    assert_false(fact->ours);
    assert_int_equal(apr_time_sec(fact->period_end), 1724632454);
}

static void a_subscription(void **state)
{
    (void)state;
    read_sample("subscription", sp_stripe_take_subscription, SP_FACT_RENEWAL);
    assert_string_equal(fact->status, "stopping"); /* cancel_at_period_end */
    assert_string_equal(fact->renewal_id, "sub_1Pgc6rB7WZ01zgkWNy0Cn5nw");
    assert_int_equal(apr_time_sec(fact->period_end), 976287773);
}

static void a_refund(void **state)
{
    (void)state;
    read_sample("refund", sp_stripe_take_refund, SP_FACT_REFUND);
    assert_string_equal(fact->status, "succeeded");
    assert_string_equal(fact->payment_id, "ch_1PgafuB7WZ01zgkWXYmPNZs8");
}

static void a_dispute(void **state)
{
    (void)state;
    read_sample("dispute", sp_stripe_take_dispute, SP_FACT_DISPUTE);
    assert_string_equal(fact->status, "warning");
    assert_int_equal(apr_time_sec(fact->due_by), 1723679999);
}

static void an_event(void **state)
{
    (void)state;
    read_sample("event", sp_stripe_take_event, SP_FACT_IGNORED);
    assert_string_equal(fact->event_type, "plan.created");
}

static void an_event_about_each_object(void **state)
{
    static const char *const about[][2] = {
        { "checkout.session.expired", "checkout.session" },
        { "payment_intent.payment_failed", "payment_intent" },
        { "charge.succeeded", "charge" },
        { "charge.refunded", "charge" },
        { "refund.updated", "refund" },
        { "charge.dispute.created", "dispute" },
    };
    json_t *event;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(about) / sizeof(*about); i++) {
        event = sp_json_own(world.pool, json_deep_copy(sample("event")));
        sp_json_set_text(event, "type", about[i][0]);
        json_object_set(json_object_get(event, "data"), "object",
                        sample(about[i][1]));
        assert_null(read_as(sp_stripe_take_event, sp_json_dump(world.pool, event)));
        assert_int_not_equal(fact->kind, SP_FACT_IGNORED);
        assert_string_equal(fact->event_id, "evt_1Pgc76B7WZ01zgkWwyRHS12y");
    }
}

/* Pretty-printed, as Stripe really sends it, and with everything expanded. */
static void a_paid_session_with_everything_inside(void **state)
{
    json_t *session =
        sp_json_own(world.pool, json_deep_copy(sample("checkout.session")));
    json_t *intent = json_deep_copy(sample("payment_intent"));
    json_t *charge = json_deep_copy(sample("charge"));
    char *text;

    (void)state;
    json_object_set_new(charge, "captured", json_true());
    json_object_set_new(intent, "latest_charge", charge);
    sp_json_set_text(intent, "status", "succeeded");
    sp_json_set_int(intent, "amount_received", 1099);
    json_object_set_new(session, "payment_intent", intent);
    sp_json_set_text(session, "status", "complete");
    sp_json_set_text(session, "payment_status", "paid");
    text = json_dumps(session, JSON_INDENT(2));
    assert_null(read_as(sp_stripe_take_session, text));
    free(text);
    assert_int_equal(fact->kind, SP_FACT_PAYMENT_SUCCEEDED);
    assert_int_equal(fact->amount.minor, 1099);
    assert_string_equal(fact->card_brand, "visa");
    assert_string_equal(fact->email, "example@example.com");
}

/* Whatever is cut off or flipped in a real object: an error, or a fact, no crash. */
static void every_sample_survives_damage(void **state)
{
    static const sp_stripe_take_fn takes[] = { sp_stripe_take_session,
                                               sp_stripe_take_charge,
                                               sp_stripe_take_event };
    static const char *const names[] = { "checkout.session", "charge", "event" };
    sp_stripe_reader_t reader = sp_stripe_reader(&world.ctx);
    apr_size_t i, at, len;
    char *copy;

    (void)state;
    for (i = 0; i < 3; i++) {
        const char *text = sp_json_dump(world.pool, sample(names[i]));

        len = strlen(text);
        apr_pool_create(&reader.pool, world.pool);
        for (at = 0; at < len; at++) {
            sp_slice_t cut;

            copy = malloc(at ? at : 1);
            memcpy(copy, text, at);
            cut.data = copy;
            cut.len = at;
            assert_non_null(sp_stripe_read(&reader, &cut, takes[i], &fact));
            free(copy);
            copy = malloc(len);
            memcpy(copy, text, len);
            copy[at] ^= 1 << at % 8;
            cut.data = copy;
            cut.len = len;
            sp_stripe_read(&reader, &cut, takes[i], &fact);
            free(copy);
            apr_pool_clear(reader.pool);
        }
        apr_pool_destroy(reader.pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session),
        cmocka_unit_test(an_intent),
        cmocka_unit_test(a_charge),
        cmocka_unit_test(an_invoice),
        cmocka_unit_test(a_subscription),
        cmocka_unit_test(a_refund),
        cmocka_unit_test(a_dispute),
        cmocka_unit_test(an_event),
        cmocka_unit_test(an_event_about_each_object),
        cmocka_unit_test(a_paid_session_with_everything_inside),
        cmocka_unit_test(every_sample_survives_damage),
    };

    if (!find_fixtures()) {
        puts("1..0 # SKIP no stripe-fixtures.json in $REFERENCE");
        return 0;
    }
    return cmocka_run_group_tests(tests, start, stop);
}

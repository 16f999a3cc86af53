/*
 * test_stripe_webhook.c - only Stripe is believed, and everything it says is kept.
 *
 * Room: tests. The known signature: openssl dgst -sha256 -hmac.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "stripe_world.h"
#include "util/crypto.h"

#define EVENT(type, object)                                        \
    "{\"id\":\"evt_1\",\"object\":\"event\",\"api_version\":null," \
    "\"created\":1700000000,\"data\":{\"object\":" object          \
    "},\"livemode\":false,\"type\":\"" type "\"}"

#define SESSION(status, payment_status)                                                \
    "{\"id\":\"cs_1\",\"amount_total\":24900,\"currency\":\"usd\",\"livemode\":false," \
    "\"mode\":\"payment\",\"status\":\"" status                                        \
    "\",\"payment_status\":\"" payment_status                                          \
    "\",\"payment_intent\":\"pi_1\",\"metadata\":" METADATA "}"

#define INTENT(status)                                                                  \
    "{\"id\":\"pi_1\",\"amount\":24900,\"amount_received\":24900,\"currency\":\"usd\"," \
    "\"livemode\":false,\"status\":\"" status "\",\"metadata\":" METADATA "}"

#define CHARGE                                                                     \
    "{\"id\":\"ch_1\",\"amount\":24900,\"amount_refunded\":900,\"captured\":true," \
    "\"created\":1690000000,\"currency\":\"usd\",\"livemode\":false,"              \
    "\"status\":\"succeeded\",\"payment_intent\":\"pi_1\"}"

#define REFUND                                                                          \
    "{\"id\":\"re_1\",\"amount\":900,\"currency\":\"usd\",\"payment_intent\":\"pi_1\"," \
    "\"status\":\"pending\"}"

#define DISPUTE                                                                         \
    "{\"id\":\"du_1\",\"amount\":900,\"currency\":\"usd\",\"payment_intent\":\"pi_1\"," \
    "\"livemode\":false,\"status\":\"needs_response\"}"

static world_t world;
static const char *header_value;
static sp_fact_t *fact;
static sp_unreadable_t *unreadable;

static int start(void **state)
{
    (void)state;
    world_start(&world);
    APR_ARRAY_PUSH(world.account.secrets, const char *) = "whsec_old";
    APR_ARRAY_PUSH(world.account.secrets, const char *) = "";
    APR_ARRAY_PUSH(world.account.secrets, const char *) = "whsec_new";
    return 0;
}

static int stop(void **state)
{
    (void)state;
    apr_pool_destroy(world.pool);
    return 0;
}

static const char *get_header(void *baton, const char *name)
{
    (void)baton;
    return strcmp(name, "Stripe-Signature") == 0 ? header_value : NULL;
}

static sp_outcome_t receive(const char *body, size_t len)
{
    return sp_provider_stripe.webhook_read(&world.ctx, &world.account, get_header,
                                           NULL, body, len, &fact, &unreadable);
}

static const char *sign(const char *secret, int64_t seconds, const char *body,
                        size_t len)
{
    char *time = apr_psprintf(world.pool, "%" APR_INT64_T_FMT ".", seconds);
    struct iovec parts[] = { { time, strlen(time) }, { (void *)body, len } };
    unsigned char mac[SP_HASH_SIZE];

    sp_crypto_hmac(secret, strlen(secret), parts, 2, mac);
    return sp_crypto_hex(world.pool, mac, sizeof(mac));
}

static int64_t now(void)
{
    return apr_time_sec(apr_time_now());
}

static void set_header(const char *secret, int64_t seconds, const char *body,
                       size_t len)
{
    header_value = apr_psprintf(world.pool, "t=%" APR_INT64_T_FMT ",v1=%s", seconds,
                                sign(secret, seconds, body, len));
}

static sp_outcome_t receive_signed(const char *body)
{
    set_header("whsec_new", now(), body, strlen(body));
    return receive(body, strlen(body));
}

static void assert_refused(const char *body, const char *code)
{
    assert_int_equal(receive(body, strlen(body)), SP_REFUSED);
    assert_string_equal(world.ctx.code, code);
    assert_null(fact);
    assert_null(unreadable);
}

static void a_known_signature_is_recognised(void **state)
{
    const char *body = "{\"id\":\"evt_1\"}";

    (void)state;
    APR_ARRAY_PUSH(world.account.secrets, const char *) = "whsec_test_secret";
    header_value =
        "t=1700000000,"
        "v1=248a374f50f943a28b0f6ab50faf9a7e7e29b710fa26df9fb1618b9bf8ea9c9a";
    assert_refused(body, "stale"); /* years old, and genuine */
    header_value =
        "t=1700000000,"
        "v1=248a374f50f943a28b0f6ab50faf9a7e7e29b710fa26df9fb1618b9bf8ea9c9b";
    assert_refused(body, "signature");
    apr_array_pop(world.account.secrets);
}

static void each_secret_and_each_v1_may_fit(void **state)
{
    const char *body = EVENT("plan.created", "{}");
    const char *good = sign("whsec_old", now(), body, strlen(body));
    const char *ways[5];
    size_t i;

    (void)state;
    ways[0] = apr_psprintf(world.pool, "t=%ld,v1=%s", (long)now(), good);
    ways[1] = apr_psprintf(world.pool, "v1=%s,t=%ld", good, (long)now());
    ways[2] = apr_psprintf(world.pool, "t=%ld,v1=%064d,v1=%s,v0=%s", (long)now(), 0,
                           good, good);
    ways[3] =
        apr_psprintf(world.pool, "x=1,t=%ld,v1=short,v1=%s,", (long)now(), good);
    ways[4] = apr_psprintf(world.pool, "t=%ld,v1=%s", (long)now(),
                           sign("whsec_new", now(), body, strlen(body)));
    for (i = 0; i < 5; i++) {
        header_value = ways[i];
        assert_int_equal(receive(body, strlen(body)), SP_DONE);
        assert_non_null(fact);
    }
}

static void other_headers_are_refused(void **state)
{
    const char *body = EVENT("plan.created", "{}");
    const char *good = sign("whsec_new", now(), body, strlen(body));
    const char *bad[12];
    size_t i;

    (void)state;
    bad[0] = NULL;
    bad[1] = "";
    bad[2] = "t=,v1=";
    bad[3] = apr_psprintf(world.pool, "v1=%s", good);
    bad[4] = apr_psprintf(world.pool, "t=%ld", (long)now());
    bad[5] = apr_psprintf(world.pool, "t=%ld,v0=%s", (long)now(), good);
    bad[6] = apr_psprintf(world.pool, "t=%ldx,v1=%s", (long)now(), good);
    bad[7] = apr_psprintf(world.pool, "t=%ld,v1=%s", (long)now() + 1, good);
    bad[8] = apr_psprintf(world.pool, "t=%ld,t=%ld,v1=%s", (long)now(), (long)now(),
                          good);
    bad[9] = apr_psprintf(world.pool, "t=%ld,v1=%.63s", (long)now(), good);
    bad[10] = apr_psprintf(world.pool, "t=%ld,v1=%s0", (long)now(), good);
    /* An empty secret among the configured ones signs nothing. */
    bad[11] = apr_psprintf(world.pool, "t=%ld,v1=%s", (long)now(),
                           sign("", now(), body, strlen(body)));
    for (i = 0; i < 12; i++) {
        header_value = bad[i];
        assert_refused(body, "signature");
    }
    header_value = apr_psprintf(world.pool, "t=%ld,v1=%s", (long)now(), good);
    assert_refused(EVENT("plan.created", "{ }"), "signature");
}

static void a_signature_lives_five_minutes(void **state)
{
    const char *body = EVENT("plan.created", "{}");

    (void)state;
    set_header("whsec_new", now() - 299, body, strlen(body));
    assert_int_equal(receive(body, strlen(body)), SP_DONE);
    set_header("whsec_new", now() - 302, body, strlen(body));
    assert_refused(body, "stale");
    set_header("whsec_new", now() + 86400, body, strlen(body));
    assert_int_equal(receive(body, strlen(body)), SP_DONE);
}

static void without_a_secret_the_endpoint_is_closed(void **state)
{
    const char *body = EVENT("plan.created", "{}");
    apr_array_header_t *secrets = world.account.secrets;

    (void)state;
    set_header("", now(), body, strlen(body));
    world.account.secrets = NULL;
    assert_refused(body, "closed");
    world.account.secrets = apr_array_make(world.pool, 1, sizeof(const char *));
    assert_refused(body, "closed");
    APR_ARRAY_PUSH(world.account.secrets, const char *) = "";
    assert_refused(body, "closed");
    world.account.secrets = secrets;
}

static void each_event_is_the_fact_it_reports(void **state)
{
    static const struct {
        const char *body;
        sp_fact_kind_t kind;
    } cases[] = {
        { EVENT("checkout.session.completed", SESSION("complete", "paid")),
          SP_FACT_PAYMENT_SUCCEEDED },
        { EVENT("checkout.session.completed", SESSION("complete", "unpaid")),
          SP_FACT_PAYMENT_PROCESSING },
        { EVENT("checkout.session.completed", SESSION("complete", "new_word")),
          SP_FACT_PAYMENT_PROCESSING },
        { EVENT("checkout.session.async_payment_succeeded",
                SESSION("complete", "paid")),
          SP_FACT_PAYMENT_SUCCEEDED },
        { EVENT("checkout.session.async_payment_failed",
                SESSION("complete", "unpaid")),
          SP_FACT_PAYMENT_VOID },
        { EVENT("checkout.session.expired", SESSION("expired", "unpaid")),
          SP_FACT_CHECKOUT_EXPIRED },
        { EVENT("payment_intent.succeeded", INTENT("succeeded")),
          SP_FACT_PAYMENT_SUCCEEDED },
        { EVENT("payment_intent.processing", INTENT("processing")),
          SP_FACT_PAYMENT_PROCESSING },
        { EVENT("payment_intent.payment_failed", INTENT("requires_payment_method")),
          SP_FACT_PAYMENT_FAILED },
        { EVENT("payment_intent.canceled", INTENT("canceled")),
          SP_FACT_PAYMENT_VOID },
        { EVENT("charge.succeeded", CHARGE), SP_FACT_PAYMENT_SUCCEEDED },
        { EVENT("refund.created", REFUND), SP_FACT_REFUND },
        { EVENT("refund.failed", REFUND), SP_FACT_REFUND },
        { EVENT("charge.dispute.created", DISPUTE), SP_FACT_DISPUTE },
        { EVENT("charge.dispute.closed", DISPUTE), SP_FACT_DISPUTE },
        { EVENT("plan.created", "{\"amount\":1.5}"), SP_FACT_IGNORED },
        { EVENT("checkout.session.brand_new", "[]"), SP_FACT_IGNORED },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(receive_signed(cases[i].body), SP_DONE);
        assert_null(unreadable);
        assert_int_equal(fact->kind, cases[i].kind);
        assert_string_equal(fact->event_id, "evt_1");
        assert_string_equal(fact->mode, "test");
        assert_int_equal(apr_time_sec(fact->at), 1700000000);
        if (fact->kind == SP_FACT_PAYMENT_SUCCEEDED) {
            assert_int_equal(apr_time_sec(fact->paid_at), 1700000000);
            assert_string_equal(fact->payment_id, "pi_1");
        }
    }
}

/* The running total belongs to the payment, which was made long before. */
static void a_refunded_charge_keeps_its_own_time(void **state)
{
    (void)state;
    assert_int_equal(receive_signed(EVENT("charge.refunded", CHARGE)), SP_DONE);
    assert_int_equal(fact->kind, SP_FACT_PAYMENT_SUCCEEDED);
    assert_int_equal(fact->amount.minor, 24900);
    assert_int_equal(fact->amount_refunded, 900);
    assert_int_equal(apr_time_sec(fact->paid_at), 1690000000);
}

static void thin_events_are_passed_over(void **state)
{
    (void)state;
    assert_int_equal(
        receive_signed("{\"id\":\"evt_2\",\"object\":\"v2.core.event\","
                       "\"type\":\"v1.billing.meter.error_report_triggered\","
                       "\"created\":\"2026-07-29T12:00:00.000Z\"}"),
        SP_DONE);
    assert_int_equal(fact->kind, SP_FACT_IGNORED);
    assert_string_equal(fact->event_id, "evt_2");
}

static void what_is_signed_but_unreadable_is_handed_over(void **state)
{
    static const char *const bad[] = {
        "{\"id\":\"evt_1\",\"object\":\"event\"}",
        "{\"id\":\"evt_1\",\"object\":\"charge\",\"type\":\"charge.succeeded\"}",
        EVENT("charge.succeeded", "{}"),
        EVENT("charge.succeeded", "[]"),
        EVENT("charge.succeeded", "null"),
        EVENT("payment_intent.succeeded", "{\"id\":\"pi_\\ud800\"}"),
        EVENT("checkout.session.completed", SESSION("complete", "paid")) "x",
        EVENT("charge.succeeded", CHARGE ",\"object\":{}"),
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(receive_signed(bad[i]), SP_DONE);
        assert_null(fact);
        assert_non_null(unreadable);
        assert_string_equal(unreadable->id, "evt_1");
        assert_non_null(unreadable->why);
        assert_memory_equal(unreadable->raw, bad[i], unreadable->len);
    }
    assert_int_equal(receive_signed(""), SP_DONE);
    assert_non_null(unreadable);
    assert_null(unreadable->id);
    set_header("whsec_new", now(), "\0{}", 3);
    assert_int_equal(receive("\0{}", 3), SP_DONE);
    assert_int_equal(unreadable->len, 3);
}

static void the_list_of_events_takes_all_that_it_is_asked_for(void **state)
{
    apr_size_t i, count = 0;

    (void)state;
    for (i = 0; sp_stripe_event_type(i); i++) {
        count += sp_stripe_event_asked(sp_stripe_event_type(i)) != 0;
    }
    assert_true(count > 0 && count <= SP_STRIPE_TYPES_ASKED);
    assert_true(i <= 32); /* the look at the endpoint has a bit for each */
    assert_true(sp_stripe_event_asked("invoice.paid"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_signature_is_recognised),
        cmocka_unit_test(each_secret_and_each_v1_may_fit),
        cmocka_unit_test(other_headers_are_refused),
        cmocka_unit_test(a_signature_lives_five_minutes),
        cmocka_unit_test(without_a_secret_the_endpoint_is_closed),
        cmocka_unit_test(each_event_is_the_fact_it_reports),
        cmocka_unit_test(a_refunded_charge_keeps_its_own_time),
        cmocka_unit_test(thin_events_are_passed_over),
        cmocka_unit_test(what_is_signed_but_unreadable_is_handed_over),
        cmocka_unit_test(the_list_of_events_takes_all_that_it_is_asked_for),
    };

    return cmocka_run_group_tests(tests, start, stop);
}

/*
 * test_stripe_http.c - each answer of Stripe's, and each silence, has its outcome.
 *
 * Room: tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "stripe_world.h"
#include "wire.h"

#define ANSWER(status, more, body)                      \
    "HTTP/1.1 " status "\r\nRequest-Id: req_1\r\n" more \
    "Connection: close\r\n\r\n" body
#define ERROR(type, code)                                \
    "{\"error\":{\"type\":\"" type "\",\"code\":\"" code \
    "\",\"message\":\"canary@example.com\"}}"
#define PAGE                                                                  \
    "{\"id\":\"cs_1\",\"object\":\"checkout.session\",\"livemode\":false,"    \
    "\"mode\":\"payment\",\"status\":\"open\",\"payment_status\":\"unpaid\"," \
    "\"expires_at\":1700086400,\"url\":\"https://pay.example/1\"}"
#define LIST(more, data) \
    "{\"object\":\"list\",\"has_more\":" more ",\"data\":[" data "]}"

static world_t world;
static wire_t wire;
static sp_order_t order;
static sp_checkout_t checkout;
static sp_fact_t *fact;

static int start(void **state)
{
    (void)state;
    world_start(&world);
    world.ctx.http = sp_http_create(world.pool);
    memset(&order, 0, sizeof(order));
    order.id = ORDER;
    order.reference = "SP-4KTM-9XQ7";
    order.token = "00112233445566778899aabbccddeeff";
    order.email = "canary@example.com";
    order.product = "annual";
    order.title = "A year & a day";
    order.price.minor = 24900;
    memcpy(order.price.currency, "USD", 4);
    order.period = "1y";
    order.created_at = apr_time_from_sec(1700000000);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    /* Neither key nor address nor a word of the provider's body is ever logged. */
    assert_null(strstr(world.lines, "canary"));
    apr_pool_destroy(world.pool);
    wire_stop(&wire);
    return 0;
}

static void answer(const char *first, const char *second, const char *third)
{
    const char *const replies[] = { first, second, third, NULL };

    wire_start(&wire, replies);
    world.account.url = wire.url;
}

static sp_outcome_t create(void)
{
    return sp_provider_stripe.checkout_create(&world.ctx, &world.account, &order,
                                              SITE "/return?t=1", SITE "/cancel",
                                              &checkout);
}

static sp_outcome_t fetch(void)
{
    return sp_provider_stripe.checkout_fetch(&world.ctx, &world.account, "cs_1",
                                             &fact);
}

static void assert_ended(sp_outcome_t got, sp_outcome_t expected, const char *code)
{
    assert_int_equal(got, expected);
    assert_string_equal(world.ctx.code, code);
}

static const char *body_of(int i)
{
    return strstr(wire.asked[i], "\r\n\r\n") + 4;
}

static void a_created_page_is_told_everything(void **state)
{
    static const char *const parts[] = {
        "client_reference_id=" ORDER "&",
        "customer_email=canary%40example.com",
        "success_url=https%3A%2F%2Fshop.example%2Freturn%3Ft%3D1%26s%3D%7BCHECKOUT_SESSION_"
        "ID%7D&",
        "line_items[0][price_data][unit_amount]=24900&",
        "line_items[0][price_data][currency]=usd&",
        "[product_data][name]=A%20year%20%26%20a%20day&",
        "&metadata[subpay_order]=" ORDER "&",
        "payment_intent_data[metadata][subpay_order]=" ORDER "&",
        "metadata[subpay_amount]=24900%20USD&",
        /* sha256 of the token's 16 bytes */
        "metadata[subpay_token]="
        "a8faed6abbf35c12a4b26e40f6feb19d736d90045c83b9f9a31f638d323e6811",
        "metadata[subpay_site]=https%3A%2F%2Fshop.example&",
        "payment_intent_data[statement_descriptor_suffix]=SP4KTM9XQ7",
    };
    size_t i;

    (void)state;
    answer(ANSWER("200 OK", "", PAGE), NULL, NULL);
    assert_int_equal(create(), SP_DONE);
    assert_string_equal(checkout.id, "cs_1");
    assert_string_equal(checkout.url, "https://pay.example/1");
    assert_int_equal(apr_time_sec(checkout.expires), 1700086400);
    assert_non_null(
        strstr(wire.asked[0], "POST /v1/checkout/sessions HTTP/1.1\r\n"));
    assert_non_null(
        strstr(wire.asked[0], "Authorization: Bearer sk_test_canary\r\n"));
    assert_non_null(strstr(wire.asked[0], "Stripe-Version: 2026-07-29.dahlia\r\n"));
    assert_non_null(
        strstr(wire.asked[0], "Idempotency-Key: checkout-" ORDER "\r\n"));
    for (i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        assert_non_null(strstr(body_of(0), parts[i]));
    }
    /* The token itself stays here, and a whole day is what Stripe does anyway. */
    assert_null(strstr(body_of(0), order.token));
    assert_null(strstr(body_of(0), "expires_at"));
}

static void a_shorter_life_is_counted_from_the_order(void **state)
{
    (void)state;
    world.settings.pending_expiry = apr_time_from_sec(1800);
    answer(ANSWER("200 OK", "", PAGE), ANSWER("200 OK", "", PAGE), NULL);
    assert_int_equal(create(), SP_DONE);
    assert_non_null(strstr(body_of(0), "expires_at=1700002400&"));
    world.settings.pending_expiry = apr_time_from_sec(7200);
    assert_int_equal(create(), SP_DONE);
    assert_non_null(strstr(body_of(1), "expires_at=1700007200&"));
}

static void a_lost_answer_is_asked_for_again_with_the_same_key(void **state)
{
    (void)state;
    answer(
        WIRE_HANG_UP,
        "HTTP/1.1 200 OK\r\nContent-Length: 999\r\nConnection: close\r\n\r\n{\"id\"",
        ANSWER("200 OK", "", PAGE));
    assert_int_equal(create(), SP_DONE);
    assert_int_equal(wire.asked_count, 3);
    assert_string_equal(wire.asked[0], wire.asked[1]);
    assert_string_equal(wire.asked[0], wire.asked[2]);
}

static void no_answer_is_unknown(void **state)
{
    (void)state;
    answer(WIRE_HANG_UP, WIRE_HANG_UP, WIRE_HANG_UP);
    assert_ended(create(), SP_UNKNOWN, "provider_unreachable");
    assert_non_null(strstr(world.lines, "SP0401"));
}

static void silence_is_unknown_and_ends_in_time(void **state)
{
    apr_time_t began = apr_time_now();

    (void)state;
    world.ctx.patience = apr_time_from_msec(300);
    answer(WIRE_SILENCE, NULL, NULL);
    assert_ended(create(), SP_UNKNOWN, "provider_timeout");
    assert_true(apr_time_now() - began < apr_time_from_sec(2));
}

static void an_unreachable_provider_did_nothing(void **state)
{
    (void)state;
    answer(WIRE_GO_AWAY, NULL, NULL);
    shutdown(wire.listener, SHUT_RDWR);
    world.ctx.patience = apr_time_from_msec(300);
    world.account.url = "http://127.0.0.1:1";
    assert_ended(create(), SP_FAILED, "provider_unreachable");
    assert_non_null(strstr(world.lines, "SP0405"));
}

/* The second try was refused; the first may have been carried out. */
static void unreachable_after_a_lost_answer_is_unknown(void **state)
{
    (void)state;
    answer(WIRE_GO_AWAY, NULL, NULL);
    assert_ended(create(), SP_UNKNOWN, "provider_unreachable");
}

static void their_own_failure_is_unknown(void **state)
{
    (void)state;
    answer(ANSWER("500 Oops", "", ERROR("api_error", "x")),
           ANSWER("503 Oops", "", "<html>"),
           ANSWER("500 Oops", "", ERROR("api_error", "x")));
    assert_ended(create(), SP_UNKNOWN, "provider_error");
    assert_int_equal(wire.asked_count, 3);
}

static void should_retry_has_the_last_word(void **state)
{
    (void)state;
    answer(ANSWER("500 Oops", "Stripe-Should-Retry: false\r\n",
                  ERROR("api_error", "x")),
           ANSWER("400 Bad", "Stripe-Should-Retry: true\r\n",
                  ERROR("invalid_request_error", "x")),
           ANSWER("200 OK", "", PAGE));
    assert_ended(create(), SP_UNKNOWN, "provider_error");
    assert_int_equal(wire.asked_count, 1);
    assert_int_equal(create(), SP_DONE);
    assert_int_equal(wire.asked_count, 3);
}

static void retry_after_is_obeyed(void **state)
{
    apr_time_t began = apr_time_now();

    (void)state;
    answer(ANSWER("429 Slow", "Retry-After: 1\r\n",
                  ERROR("invalid_request_error", "x")),
           ANSWER("200 OK", "", PAGE), NULL);
    assert_int_equal(create(), SP_DONE);
    assert_true(apr_time_now() - began >= apr_time_from_sec(1));
}

static void a_limit_that_outlasts_us_is_a_failure(void **state)
{
    (void)state;
    answer(ANSWER("429 Slow", "Retry-After: 30\r\n",
                  ERROR("invalid_request_error", "rate_limit")),
           NULL, NULL);
    assert_ended(create(), SP_FAILED, "provider_limit");
    assert_int_equal(wire.asked_count, 1);
}

static void each_refusal_has_its_code(void **state)
{
    static const struct {
        const char *reply;
        sp_outcome_t out;
        const char *code;
    } cases[] = {
        { ANSWER("400 Bad", "", ERROR("invalid_request_error", "amount_too_small")),
          SP_REFUSED, "provider_refused" },
        { ANSWER("402 No", "", ERROR("card_error", "card_declined")), SP_REFUSED,
          "declined" },
        { ANSWER("401 No", "", ERROR("invalid_request_error", "")), SP_FAILED,
          "provider_key" },
        { ANSWER("403 No", "", ERROR("invalid_request_error", "")), SP_FAILED,
          "provider_key" },
        { ANSWER("404 No", "", ERROR("invalid_request_error", "resource_missing")),
          SP_REFUSED, "not_found" },
        { ANSWER("404 No", "", ERROR("invalid_request_error", "")), SP_REFUSED,
          "provider_refused" },
        /* Somebody in between has answers of its own: they say nothing of ours. */
        { ANSWER("404 No", "", "<html>not here</html>"), SP_UNKNOWN,
          "provider_error" },
        { ANSWER("403 No", "", "{}"), SP_UNKNOWN, "provider_error" },
        { ANSWER("302 Off", "Location: https://x.example\r\n", ""), SP_UNKNOWN,
          "provider_error" },
        /* A reused key says nothing about the money. */
        { ANSWER("400 Bad", "", ERROR("idempotency_error", "")), SP_UNKNOWN,
          "provider_error" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        answer(cases[i].reply, NULL, NULL);
        assert_ended(create(), cases[i].out, cases[i].code);
        assert_int_equal(wire.asked_count, 1);
        if (i + 1 < sizeof(cases) / sizeof(*cases)) {
            wire_stop(&wire);
        }
    }
}

static void an_answer_that_cannot_be_read_is_unknown(void **state)
{
    static const char *const bodies[] = { ANSWER("200 OK", "", "<html>"),
                                          ANSWER("200 OK", "", ""),
                                          ANSWER("200 OK", "", "{\"id\":\"cs_1\""),
                                          ANSWER("200 OK", "", "[]"),
                                          ANSWER("200 OK", "", "{\"id\":7}") };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        answer(bodies[i], bodies[i], NULL);
        assert_ended(create(), SP_UNKNOWN, "provider_unreadable");
        assert_ended(fetch(), SP_UNKNOWN, "provider_unreadable");
        assert_non_null(strstr(world.lines, "create checkout"));
        if (i + 1 < sizeof(bodies) / sizeof(*bodies)) {
            wire_stop(&wire);
        }
    }
}

static void ids_from_outside_stay_out_of_the_path(void **state)
{
    static const char *const bad[] = { "",       "cs_",     "cs_1/expire",
                                       "cs_1?x", "../v1",   "cs_\xc3\xa9",
                                       "ch_1",   "cs_1%2f", "pi_1/cancel" };
    size_t i;

    (void)state;
    answer(NULL, NULL, NULL);
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_ended(sp_provider_stripe.checkout_fetch(&world.ctx, &world.account,
                                                       bad[i], &fact),
                     SP_REFUSED, "not_found");
    }
    assert_ended(
        sp_provider_stripe.payment_fetch(&world.ctx, &world.account, "x_1", &fact),
        SP_REFUSED, "not_found");
    assert_int_equal(wire.asked_count, 0);
}

#define CHARGE(id, amount)                      \
    "{\"id\":\"" id "\",\"amount\":" amount     \
    ",\"amount_refunded\":0,\"captured\":true," \
    "\"created\":1,\"currency\":\"usd\",\"livemode\":false,\"status\":\"succeeded\"}"

static void one_bad_object_does_not_stop_its_list(void **state)
{
    sp_list_ask_t ask = { .since = apr_time_from_sec(5),
                          .until = apr_time_from_sec(9) };
    sp_page_t page;

    (void)state;
    answer(
        ANSWER(
            "200 OK", "",
            LIST("true",
                 CHARGE("ch_1", "1") "," CHARGE("ch_2", "2.5") ",{\"a\":1}," CHARGE(
                     "ch_4", "4") "," CHARGE("ch_5", "1e3"))),
        ANSWER("200 OK", "", LIST("true", "{\"x\":1}")), NULL);
    assert_int_equal(
        sp_provider_stripe.payments_list(&world.ctx, &world.account, &ask, &page),
        SP_DONE);
    assert_int_equal(page.facts->nelts, 2);
    assert_int_equal(page.unreadable->nelts, 3);
    assert_string_equal(APR_ARRAY_IDX(page.unreadable, 0, sp_unreadable_t *)->id,
                        "ch_2");
    assert_null(APR_ARRAY_IDX(page.unreadable, 1, sp_unreadable_t *)->id);
    assert_string_equal(page.next, "ch_5");
    assert_non_null(strstr(wire.asked[0], "limit=100&created[gte]=5&created[lt]=9"));
    /* More to come, but nothing to go on from: no good end, no endless loop. */
    assert_ended(
        sp_provider_stripe.payments_list(&world.ctx, &world.account, &ask, &page),
        SP_UNKNOWN, "provider_unreadable");
}

static void events_are_asked_for_by_type(void **state)
{
    sp_list_ask_t ask = { .undelivered = 1, .after = "evt_9", .limit = 7 };
    sp_page_t page;

    (void)state;
    answer(ANSWER("200 OK", "", LIST("false", "")), NULL, NULL);
    assert_int_equal(
        sp_provider_stripe.events_list(&world.ctx, &world.account, &ask, &page),
        SP_DONE);
    assert_null(page.next);
    assert_non_null(strstr(wire.asked[0], "types[]=checkout.session.completed&"));
    assert_non_null(strstr(wire.asked[0],
                           "limit=7&starting_after=evt_9&delivery_success=false"));
}

#define FOUND(id, status, paid, order_id)                                    \
    "{\"id\":\"" id                                                          \
    "\",\"livemode\":false,\"mode\":\"payment\",\"status\":\"" status        \
    "\",\"payment_status\":\"" paid "\",\"client_reference_id\":\"" order_id \
    "\",\"payment_intent\":\"pi_1\",\"amount_total\":1,\"currency\":\"usd\"}"

static void a_lost_page_is_found_by_our_id(void **state)
{
    (void)state;
    answer(ANSWER("200 OK", "",
                  LIST("false",
                       FOUND("cs_7", "open", "unpaid", "other") "," FOUND(
                           "cs_8", "expired", "unpaid",
                           ORDER) "," FOUND("cs_9", "complete", "paid", ORDER))),
           ANSWER("200 OK", "", FOUND("cs_9", "complete", "paid", ORDER)), NULL);
    assert_int_equal(
        sp_provider_stripe.checkout_find(&world.ctx, &world.account, &order, &fact),
        SP_DONE);
    assert_non_null(
        strstr(wire.asked[1], "GET /v1/checkout/sessions/cs_9?expand[]="));
    assert_int_equal(fact->kind, SP_FACT_PAYMENT_SUCCEEDED);
}

/* Pages and payments around the order's time, then pages and payments after it. */
static void list_nothing_but(const char *first)
{
    static const char none[] = ANSWER("200 OK", "", LIST("false", ""));
    const char *const replies[] = { first, none, none, none, NULL };

    wire_start(&wire, replies);
    world.account.url = wire.url;
}

static void none_is_said_only_when_all_was_seen(void **state)
{
    (void)state;
    list_nothing_but(ANSWER("200 OK", "", LIST("false", "")));
    assert_int_equal(
        sp_provider_stripe.checkout_find(&world.ctx, &world.account, &order, &fact),
        SP_DONE);
    assert_int_equal(fact->kind, SP_FACT_CHECKOUT_NONE);
    assert_string_equal(fact->order_id, ORDER);
    assert_int_equal(wire.asked_count, 4);
    wire_stop(&wire);

    list_nothing_but(ANSWER(
        "200 OK", "", LIST("false", "{\"client_reference_id\":\"" ORDER "\"}")));
    assert_ended(
        sp_provider_stripe.checkout_find(&world.ctx, &world.account, &order, &fact),
        SP_UNKNOWN, "provider_unreadable");
    wire_stop(&wire);

    answer(WIRE_HANG_UP, WIRE_HANG_UP, WIRE_HANG_UP);
    assert_ended(
        sp_provider_stripe.checkout_find(&world.ctx, &world.account, &order, &fact),
        SP_UNKNOWN, "provider_unreachable");
    assert_int_equal(world.ctx.patience, 0);
}

static void an_endpoint_is_judged_by_its_address(void **state)
{
    static const char two[] = ANSWER(
        "200 OK", "",
        LIST("false",
             "{\"id\":\"we_1\",\"url\":\"" SITE "/w\",\"status\":\"disabled\","
             "\"enabled_events\":[\"*\"]},{\"id\":\"we_2\",\"url\":\"" SITE
             "/w\",\"status\":\"enabled\",\"api_version\":\"2020-01-01\","
             "\"enabled_events\":[\"checkout.session.completed\",\"x\"]},"
             "{\"id\":\"we_3\",\"url\":\"https://old.example/w\","
             "\"status\":\"enabled\",\"enabled_events\":[\"*\"]}"));
    sp_endpoint_t endpoint;

    (void)state;
    answer(two, two, NULL);
    assert_int_equal(sp_provider_stripe.endpoint_check(&world.ctx, &world.account,
                                                       SITE "/w", &endpoint),
                     SP_DONE);
    assert_true(endpoint.found && endpoint.enabled);
    assert_string_equal(endpoint.version, "2020-01-01");
    assert_non_null(strstr(endpoint.missing, "charge.refunded, "));
    assert_null(strstr(endpoint.missing, "checkout.session.completed"));
    assert_int_equal(sp_provider_stripe.endpoint_check(&world.ctx, &world.account,
                                                       SITE "/gone", &endpoint),
                     SP_DONE);
    assert_false(endpoint.found);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_created_page_is_told_everything),
        TEST(a_shorter_life_is_counted_from_the_order),
        TEST(a_lost_answer_is_asked_for_again_with_the_same_key),
        TEST(no_answer_is_unknown),
        TEST(silence_is_unknown_and_ends_in_time),
        TEST(an_unreachable_provider_did_nothing),
        TEST(unreachable_after_a_lost_answer_is_unknown),
        TEST(their_own_failure_is_unknown),
        TEST(should_retry_has_the_last_word),
        TEST(retry_after_is_obeyed),
        TEST(a_limit_that_outlasts_us_is_a_failure),
        TEST(each_refusal_has_its_code),
        TEST(an_answer_that_cannot_be_read_is_unknown),
        TEST(ids_from_outside_stay_out_of_the_path),
        TEST(one_bad_object_does_not_stop_its_list),
        TEST(events_are_asked_for_by_type),
        TEST(a_lost_page_is_found_by_our_id),
        TEST(none_is_said_only_when_all_was_seen),
        TEST(an_endpoint_is_judged_by_its_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_creem.c - Creem's words: who is believed, what they mean, what was paid.
 *
 * Room: tests. The whole road is in t/scenario/creem.t.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "provider/creem.h"
#include "stripe_world.h"
#include "util/crypto.h"
#include "wire.h"

#define ORDER_PAID(sums)                                                         \
    "\"order\":{\"id\":\"ord_1\",\"status\":\"paid\",\"currency\":\"usd\"," sums \
    ",\"updated_at\":\"2026-08-01T12:00:00.000Z\"}"
#define CHECKOUT(status, more)                                \
    "{\"id\":\"ch_1\",\"mode\":\"prod\",\"status\":\"" status \
    "\",\"metadata\":" METADATA ",\"request_id\":\"" ORDER "\"" more "}"
#define TRANSACTION                                                              \
    "\"transaction\":{\"id\":\"tran_1\",\"amount\":24900,\"amount_paid\":29631," \
    "\"currency\":\"USD\",\"order\":\"ord_1\",\"status\":\"paid\"}"
#define EVENT(type, object)                   \
    "{\"id\":\"evt_1\",\"eventType\":\"" type \
    "\",\"created_at\":1785585600000,\"object\":" object "}"

static world_t world;
static const char *signature;
static sp_fact_t *fact;
static sp_unreadable_t *unreadable;

static int start(void **state)
{
    (void)state;
    world_start(&world);
    world.account.name = "creem";
    world.account.key = "creem_canary";
    APR_ARRAY_PUSH(world.account.secrets, const char *) = "old";
    APR_ARRAY_PUSH(world.account.secrets, const char *) = "";
    APR_ARRAY_PUSH(world.account.secrets, const char *) = "new";
    return 0;
}

static int stop(void **state)
{
    (void)state;
    assert_null(strstr(world.lines, "canary"));
    apr_pool_destroy(world.pool);
    return 0;
}

static const char *get_header(void *baton, const char *name)
{
    (void)baton;
    return strcmp(name, "creem-signature") == 0 ? signature : NULL;
}

static const char *sign(const char *secret, const char *body)
{
    struct iovec part = { (void *)body, strlen(body) };
    unsigned char mac[SP_HASH_SIZE];

    sp_crypto_hmac(secret, strlen(secret), &part, 1, mac);
    return sp_crypto_hex(world.pool, mac, sizeof(mac));
}

static sp_outcome_t receive(const char *body)
{
    return sp_provider_creem.webhook_read(&world.ctx, &world.account, get_header,
                                          NULL, body, strlen(body), &fact,
                                          &unreadable);
}

static void hear(const char *body)
{
    signature = sign("new", body);
    assert_int_equal(receive(body), SP_DONE);
    assert_null(unreadable);
}

static void only_creem_is_believed(void **state)
{
    static const char body[] = EVENT("tomorrow.active", "{}");
    const char *right = sign("old", body);

    (void)state;
    signature = right;
    assert_int_equal(receive(body), SP_DONE);
    assert_int_equal(fact->kind, SP_FACT_IGNORED);
    assert_string_equal(fact->event_id, "evt_1");
    signature = NULL;
    assert_int_equal(receive(body), SP_REFUSED);
    signature = right + 1;
    assert_int_equal(receive(body), SP_REFUSED);
    signature = apr_pstrcat(world.pool, right, "0", NULL);
    assert_int_equal(receive(body), SP_REFUSED);
    signature = sign("", body);
    assert_int_equal(receive(body), SP_REFUSED);
    assert_string_equal(world.ctx.code, "signature");
    apr_array_clear(world.account.secrets);
    APR_ARRAY_PUSH(world.account.secrets, const char *) = "";
    assert_int_equal(receive(body), SP_REFUSED);
    assert_string_equal(world.ctx.code, "closed");
    APR_ARRAY_PUSH(world.account.secrets, const char *) = "new";
}

static void a_paid_checkout_is_a_payment(void **state)
{
    (void)state;
    hear(EVENT("checkout.completed",
               CHECKOUT("completed", "," ORDER_PAID("\"amount\":24900"))));
    assert_int_equal(fact->kind, SP_FACT_PAYMENT_SUCCEEDED);
    assert_string_equal(fact->mode, "live");
    assert_string_equal(fact->order_id, ORDER);
    assert_string_equal(fact->checkout_id, "ch_1");
    assert_string_equal(fact->payment_id, "ord_1");
    assert_string_equal(fact->amount.currency, "USD");
    assert_int_equal(fact->amount.minor, 24900);
    assert_int_equal(apr_time_sec(fact->paid_at), 1785585600);
    assert_true(fact->ours);
}

static void what_is_not_surely_paid_is_none(void **state)
{
    (void)state;
    hear(EVENT("checkout.completed", CHECKOUT("completed", ",\"order\":\"ord_1\"")));
    assert_int_equal(fact->kind, SP_FACT_PAYMENT_PROCESSING);
    hear(EVENT("checkout.completed", CHECKOUT("completed", "")));
    assert_int_equal(fact->kind, SP_FACT_PAYMENT_PROCESSING);
    hear(EVENT("checkout.completed",
               CHECKOUT("tomorrow", "," ORDER_PAID("\"amount\":24900"))));
    assert_int_equal(fact->kind, SP_FACT_IGNORED);
    hear(EVENT("checkout.completed", CHECKOUT("expired", "")));
    assert_int_equal(fact->kind, SP_FACT_CHECKOUT_EXPIRED);
}

static void signed_but_unreadable_is_kept(void **state)
{
    static const char *const bodies[] = {
        EVENT("checkout.completed",
              CHECKOUT("completed", "," ORDER_PAID("\"amount\":24900.5"))),
        EVENT("refund.created", "{\"id\":\"ref_1\",\"refund_amount\":1}"),
        EVENT("dispute.created", "[]"),
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        signature = sign("new", bodies[i]);
        assert_int_equal(receive(bodies[i]), SP_DONE);
        assert_null(fact);
        assert_non_null(unreadable);
        assert_string_equal(unreadable->id, "evt_1");
    }
}

static void money_that_goes_back_counts_without_its_tax(void **state)
{
    (void)state;
    hear(EVENT("refund.created",
               "{\"id\":\"ref_1\",\"mode\":\"test\",\"refund_amount\":29631,"
               "\"status\":\"succeeded\"," TRANSACTION "}"));
    assert_int_equal(fact->kind, SP_FACT_REFUND);
    assert_string_equal(fact->payment_id, "ord_1");
    assert_string_equal(fact->status, "succeeded");
    assert_int_equal(fact->amount.minor, 24900);
    hear(EVENT("dispute.created",
               "{\"id\":\"disp_1\",\"mode\":\"test\",\"amount\":29631," TRANSACTION
               "}"));
    assert_int_equal(fact->kind, SP_FACT_DISPUTE);
    assert_string_equal(fact->status, "open");
    assert_int_equal(fact->amount.minor, 24900);
}

/* amount, sub_total, tax, discount, paid; our price; what the fact has to say. */
static void the_price_is_found_among_the_sums(void **state)
{
    static const int64_t none = SP_CREEM_NONE;
    const struct {
        sp_creem_sums_t sums;
        int64_t list, net;
    } cases[] = {
        { { 24900, none, none, none, none, none }, 24900, 24900 },
        { { 24900, 24900, 4731, none, 29631, none }, 24900, 24900 }, /* tax on top */
        { { 29631, 24900, 4731, none, 29631, none },
          24900,
          24900 }, /* in the amount */
        { { 29631, none, 4731, none, none, none }, 24900, 24900 },
        { { 24900, 20924, 3976, none, 24900, none }, 24900, 24900 }, /* inside */
        { { 24901, none, none, none, none, none }, 24900, 24901 },
        { { 24899, none, none, none, none, none }, 24900, 24899 },
        { { 14900, 24900, none, 10000, 14900, none }, 24900, 14900 },
        { { 14900, 24900, none, none, 14900, none }, 24900, 14900 },
        { { 24900, none, none, none, none, none }, 0, 24900 },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const int64_t lists[2] = { cases[i].list, 0 };

        assert_int_equal(sp_creem_sum_net(&cases[i].sums, lists), cases[i].net);
    }
    assert_int_equal(sp_creem_sum_share(&cases[1].sums, 24900, 29631), 24900);
    assert_int_equal(sp_creem_sum_share(&cases[1].sums, 24900, 99999), 24900);
    assert_int_equal(sp_creem_sum_share(&cases[1].sums, 24900, none), 0);
    assert_true(sp_creem_sum_share(&cases[1].sums, 24900, 29630) < 24900);
}

static void a_refund_is_asked_for_once(void **state)
{
    static const char *const replies[] = {
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"items\":[{\"id\":\"tran_1\","
        "\"amount\":24900,\"currency\":\"USD\",\"status\":\"paid\"}]}",
        WIRE_HANG_UP, WIRE_HANG_UP, NULL
    };
    sp_refund_ask_t ask = { .payment_id = "ord_1", .amount = { 24900, "USD" } };
    wire_t wire;

    (void)state;
    wire_start(&wire, replies);
    world.account.url = wire.url;
    world.ctx.http = sp_http_create(world.pool);
    assert_int_equal(
        sp_provider_creem.refund(&world.ctx, &world.account, &ask, &fact),
        SP_UNKNOWN);
    assert_int_equal(wire.asked_count, 2);
    assert_non_null(strstr(wire.asked[1], "POST /v1/refunds HTTP/1.1\r\n"));
    assert_non_null(strstr(wire.asked[1], "x-api-key: creem_canary\r\n"));
    assert_non_null(strstr(wire.asked[1], "{\"transaction_id\":\"tran_1\"}"));
    wire_stop(&wire);
}

#define SUBSCRIPTION(more)                                                  \
    "{\"id\":\"sub_1\",\"mode\":\"prod\",\"metadata\":" METADATA            \
    ",\"product\":{\"id\":\"prod_1\",\"price\":24900,\"currency\":\"USD\"," \
    "\"billing_type\":\"recurring\"},\"customer\":\"cust_1\","              \
    "\"current_period_start_date\":\"2026-07-01T12:00:00.000Z\","           \
    "\"current_period_end_date\":\"2026-08-01T12:00:00.000Z\"" more "}"

static void a_subscription_tells_its_periods_and_state(void **state)
{
    static const struct {
        const char *type, *status, *said;
    } cases[] = {
        { "active", "active", "active" },
        { "trialing", "trialing", "active" },
        { "paused", "paused", "active" },
        { "update", "scheduled_cancel", "stopping" },
        { "update", "tomorrow", NULL },
        { "scheduled_cancel", "active", "stopping" },
        { "canceled", "active", "ended" },
    };
    size_t i;

    (void)state;
    hear(EVENT("subscription.paid",
               SUBSCRIPTION(",\"last_transaction_id\":\"tran_1\"")));
    assert_int_equal(fact->kind, SP_FACT_PERIOD_PAID);
    assert_string_equal(fact->renewal_id, "sub_1");
    assert_string_equal(fact->invoice_id, "tran_1");
    assert_string_equal(fact->order_id, ORDER);
    assert_null(fact->payment_id);
    assert_int_equal(apr_time_sec(fact->period_end), 1785585600);
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        hear(apr_psprintf(
            world.pool, EVENT("subscription.%s", SUBSCRIPTION(",\"status\":\"%s\"")),
            cases[i].type, cases[i].status));
        assert_int_equal(fact->kind,
                         cases[i].said ? SP_FACT_RENEWAL : SP_FACT_IGNORED);
        if (cases[i].said) {
            assert_string_equal(fact->status, cases[i].said);
        }
    }
}

/* Whether the present period is the unpaid one already, or still the paid one. */
static void what_was_not_paid_is_one_period(void **state)
{
    static const char *const words[] = { "past_due", "unpaid", "expired" };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
        hear(apr_psprintf(world.pool, EVENT("subscription.%s", SUBSCRIPTION("")),
                          words[i]));
        assert_int_equal(fact->kind, SP_FACT_PERIOD_FAILED);
        assert_string_equal(fact->invoice_id, "sub_1:20666");
        assert_int_equal(apr_time_sec(fact->period_start), 1785585600);
        assert_int_equal(fact->amount.minor, 24900);
    }
    hear(EVENT("subscription.past_due", "{\"id\":\"sub_1\"}"));
    assert_int_equal(fact->kind, SP_FACT_RENEWAL);
}

static void a_checkout_that_renews_is_its_first_period(void **state)
{
    (void)state;
    hear(EVENT(
        "checkout.completed",
        CHECKOUT(
            "completed",
            "," ORDER_PAID(
                "\"amount\":24900,\"transaction\":\"tran_1\"") ",\"subscription\":\"sub_1\"")));
    assert_int_equal(fact->kind, SP_FACT_PERIOD_PAID);
    assert_string_equal(fact->invoice_id, "tran_1");
    assert_null(fact->payment_id); /* nobody said which time it is for */
    hear(EVENT(
        "checkout.completed",
        CHECKOUT(
            "completed",
            "," ORDER_PAID("\"amount\":24900,\"transaction\":\"tran_1\"") ",\"subscription\":" SUBSCRIPTION(
                ""))));
    assert_int_equal(fact->kind, SP_FACT_PERIOD_PAID);
    assert_string_equal(fact->payment_id, "tran_1");
    hear(EVENT(
        "checkout.completed",
        CHECKOUT("completed",
                 "," ORDER_PAID("\"amount\":24900") ",\"subscription\":\"sub_1\"")));
    assert_int_equal(fact->kind, SP_FACT_PAYMENT_PROCESSING);
}

static void keys_and_products_are_checked(void **state)
{
    const char *(*problem)(apr_pool_t *, const char *, const char *) =
        sp_provider_creem.key_problem;
    sp_product_t product = { .name = "annual", .provider_price = "prod_1" };

    (void)state;
    assert_null(problem(world.pool, "creem_test_canary", "test"));
    assert_null(problem(world.pool, "creem_canary", "live"));
    assert_null(problem(world.pool, "creem_canary", "test"));
    assert_non_null(problem(world.pool, "creem_test_canary", "live"));
    assert_non_null(problem(world.pool, "creem_live_canary", "test"));
    assert_non_null(problem(world.pool, "sk_test_canary", "test"));
    assert_non_null(problem(world.pool, "creem_", "test"));
    assert_null(sp_provider_creem.product_problem(world.pool, &product));
    product.renews = 1;
    product.period = "12mo";
    assert_null(sp_provider_creem.product_problem(world.pool, &product));
    product.period = "2w";
    assert_non_null(sp_provider_creem.product_problem(world.pool, &product));
    product.provider_price = "price_1";
    assert_non_null(sp_provider_creem.product_problem(world.pool, &product));
    product.provider_price = NULL;
    assert_non_null(sp_provider_creem.product_problem(world.pool, &product));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_creem_is_believed),
        cmocka_unit_test(a_paid_checkout_is_a_payment),
        cmocka_unit_test(what_is_not_surely_paid_is_none),
        cmocka_unit_test(signed_but_unreadable_is_kept),
        cmocka_unit_test(money_that_goes_back_counts_without_its_tax),
        cmocka_unit_test(the_price_is_found_among_the_sums),
        cmocka_unit_test(a_refund_is_asked_for_once),
        cmocka_unit_test(a_subscription_tells_its_periods_and_state),
        cmocka_unit_test(what_was_not_paid_is_one_period),
        cmocka_unit_test(a_checkout_that_renews_is_its_first_period),
        cmocka_unit_test(keys_and_products_are_checked),
    };

    return cmocka_run_group_tests(tests, start, stop);
}

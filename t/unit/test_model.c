/*
 * test_model.c - money keeps its cents, periods and facts reach SQL as they are.
 */
#include <apr_strings.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "db/fact.h"
#include "model/money.h"
#include "model/order.h"

static apr_pool_t *pool;

static int make_pool(void **state)
{
    (void)state;
    apr_initialize();
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

/* The table that SQL is held against as well. */
static const struct {
    const char *typed;
    int64_t minor;
    const char *currency;
    const char *shown;
} cases[] = {
#define MONEY(typed, minor, currency, shown) { typed, minor, currency, shown },
#include "money_cases.def"
#undef MONEY
};

static void amounts_are_read_to_the_last_unit(void **state)
{
    static const char *const bad[] = {
        "249.0 USD",
        "249.001 USD",
        "500.0 JPY",
        "500.00 JPY",
        "1.23 KWD",
        "1.2340 KWD",
        "50000.0 UGX",
        "-1 USD",
        "-500 JPY",
        "2.49e2 USD",
        "249,00 USD",
        "249.00",
        "249.00 usd",
        "249.00 USDX",
        ".50 USD",
        "249. USD",
        "500. JPY",
        "99999999999999999999 USD",
        "920220026101001.202026101 USD", /* more digits than 64 bits hold */
        "922337203675807 KWD", /* with its decimals it could not be read again */
        "",
        " USD",
    };
    sp_money_t money;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_null(sp_money_parse(pool, cases[i].typed, &money));
        assert_int_equal(money.minor, cases[i].minor);
        assert_string_equal(money.currency, cases[i].currency);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_non_null(sp_money_parse(pool, bad[i], &money));
    }
}

static void amounts_are_written_as_people_write_them(void **state)
{
    sp_money_t money;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        money.minor = cases[i].minor;
        apr_cpystrn(money.currency, cases[i].currency, sizeof(money.currency));
        assert_string_equal(sp_money_text(pool, &money), cases[i].shown);
        /* and what is shown can be typed */
        assert_null(sp_money_parse(pool, cases[i].shown, &money));
        assert_int_equal(money.minor, cases[i].minor);
    }
}

static void periods_become_iso(void **state)
{
    (void)state;
    assert_string_equal(sp_period_iso(pool, "1y"), "P1Y");
    assert_string_equal(sp_period_iso(pool, "3mo"), "P3M");
    assert_string_equal(sp_period_iso(pool, "30d"), "P30D");
    assert_null(sp_period_iso(pool, NULL));
    assert_null(sp_period_iso(pool, "1m"));
    assert_null(sp_period_iso(pool, "0d"));
    /* the longest that SubPayPeriod and SubPayRetention take: NULL would be for ever */
    assert_string_equal(sp_period_iso(pool, "1000d"), "P1000D");
    assert_string_equal(sp_period_iso(pool, "36500d"), "P36500D");
    assert_string_equal(sp_period_iso(pool, "5214w"), "P5214W");
    assert_null(sp_period_iso(pool, "36501d"));
}

static void a_fact_is_the_document_it_describes(void **state)
{
    sp_fact_t fact = {
        .kind = SP_FACT_PAYMENT_SUCCEEDED,
        .provider = "stripe",
        .mode = "test",
        .at = apr_time_from_sec(1790000000),
        .payment_id = "pi_1",
        .amount = { 24900, "USD" },
        .price = { 24900, "USD" },
        .name = "Zo\xc3\xab \"Q\" \\ \x01",
        .period = "1y",
        .ours = 1,
    };
    json_t *doc;

    (void)state;
    doc = json_loads(sp_fact_json(pool, &fact), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(doc);
    assert_string_equal(json_string_value(json_object_get(doc, "kind")),
                        "payment.succeeded");
    assert_int_equal(json_integer_value(json_object_get(doc, "amount")), 24900);
    assert_int_equal(json_integer_value(json_object_get(doc, "at")), 1790000000);
    assert_string_equal(json_string_value(json_object_get(doc, "name")), fact.name);
    assert_string_equal(json_string_value(json_object_get(doc, "period_iso")),
                        "P1Y");
    assert_true(json_is_true(json_object_get(doc, "ours")));
    assert_null(json_object_get(doc, "email"));
    assert_null(json_object_get(doc, "paid_at"));
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_are_read_to_the_last_unit),
        cmocka_unit_test(amounts_are_written_as_people_write_them),
        cmocka_unit_test(periods_become_iso),
        cmocka_unit_test(a_fact_is_the_document_it_describes),
    };

    return cmocka_run_group_tests(tests, make_pool, NULL);
}

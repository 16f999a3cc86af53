/*
 * test_reference.c - a reference survives being read aloud, typed and printed.
 *
 * Room: tests. The check symbols were computed apart, by polynomial division.
 */
#include "pool.h"

#include <stdio.h>
#include <string.h>

#include "util/reference.h"

static void the_check_symbol_is_the_defined_one(void **state)
{
    static const char *const known[] = { "00000000", "0000001M", "10000002",
                                         "ZZZZZZZC", "4KTM9XQ7", "ABCDEFG1",
                                         "7G3HQ2VV", "SPSPSPS9", "01234565" };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(known) / sizeof(*known); i++) {
        assert_int_equal(sp_reference_check(known[i]), known[i][7]);
    }
    assert_int_equal(sp_reference_check("ABCDEFU"), 0);
}

static void people_write_it_in_many_ways(void **state)
{
    static const char *const ways[] = {
        "SP-4KTM-9XQ7",
        "sp-4ktm-9xq7",
        "SP4KTM9XQ7",
        "4KTM9XQ7",
        "4ktm 9xq7",
        " SP 4KTM 9XQ7 ",
        "4KTM-9XQ7",
        "SHOP* SP4KTM9XQ7",
        "SHOP*SP-4KTM-9XQ7",
        "SP\xe2\x80\x93"
        "4KTM\xe2\x80\x93"
        "9XQ7",
    };
    const char *reference;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        assert_true(sp_reference_parse(pool, ways[i], &reference));
        assert_string_equal(reference, "SP-4KTM-9XQ7");
    }
    assert_true(sp_reference_parse(pool, "o1234565", &reference));
    assert_string_equal(reference, "SP-0123-4565");
    sp_reference_parse(pool, "OLI00000", &reference);
    assert_string_equal(reference, "SP-0110-0000");
    assert_true(sp_reference_parse(pool, "SPSPSPS9", &reference));
    assert_string_equal(reference, "SP-SPSP-SPS9");
    assert_string_equal(sp_reference_statement(pool, reference), "SPSPSPSPS9");
}

static void what_is_none_is_refused(void **state)
{
    static const char *const none[] = { "",
                                        "SP",
                                        "SP-4KTM-9XQ",
                                        "4KTM9XQ77",
                                        "SP-4KTM-9XU7",
                                        "ana@example.com",
                                        "*",
                                        "SP-4KTM-9XQ7-1" };
    const char *reference;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(none) / sizeof(*none); i++) {
        assert_false(sp_reference_parse(pool, none[i], &reference));
        assert_null(reference);
    }
}

/* Every single slip, for one reference: noticed, and the right one is offered. */
static void every_slip_is_noticed_and_explained(void **state)
{
    static const char right[] = "4KTM9XQ7";
    static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    apr_array_header_t *near;
    const char *reference;
    char typed[9];
    int at, s, i, found;

    (void)state;
    for (at = 0; at < 8; at++) {
        for (s = 0; s < 33; s++) {
            memcpy(typed, right, sizeof(typed));
            if (s < 32) {
                typed[at] = symbols[s];
            }
            else if (at < 7) { /* the last case: neighbours swapped */
                typed[at] = right[at + 1];
                typed[at + 1] = right[at];
            }
            if (strcmp(typed, right) == 0) {
                continue;
            }
            assert_false(sp_reference_parse(pool, typed, &reference));
            near = sp_reference_near(pool, reference);
            for (i = found = 0; i < near->nelts; i++) {
                found += strcmp(APR_ARRAY_IDX(near, i, const char *),
                                "SP-4KTM-9XQ7") == 0;
            }
            assert_int_equal(found, 1);
            assert_true(near->nelts <= 15);
        }
    }
    assert_int_equal(sp_reference_near(pool, "SP-4KTM-9XQ7")->nelts, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_symbol_is_the_defined_one),
        cmocka_unit_test(people_write_it_in_many_ways),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(every_slip_is_noticed_and_explained),
    };

    return cmocka_run_group_tests(tests, make_pool, drop_pool);
}

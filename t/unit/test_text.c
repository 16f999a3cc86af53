/*
 * test_text.c - what comes in from outside is whole, clean and what it claims to be.
 *
 * Room: tests.
 */
#include "pool.h"

#include <apr_strings.h>
#include <string.h>

#include "util/query.h"
#include "util/text.h"

static void broken_utf8_is_refused(void **state)
{
    static const char *const good[] = {
        "", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xef\xbf\xbd"
    };
    static const char *const bad[] = {
        "\x80",         "\xc3",         "\xc0\xaf",
        "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xff",         "a\xe2\x82",    "\xf0\x80\x80\xaf"
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_true(sp_text_is_utf8(good[i], strlen(good[i])));
        assert_true(sp_text_is_clean(good[i], strlen(good[i])));
    }
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_false(sp_text_is_utf8(bad[i], strlen(bad[i])));
        assert_false(sp_text_is_clean(bad[i], strlen(bad[i])));
    }
}

static void control_characters_are_not_clean(void **state)
{
    (void)state;
    assert_false(sp_text_is_clean("a\nb", 3));
    assert_false(sp_text_is_clean("a\0b", 3));
    assert_false(sp_text_is_clean("a\x7f", 2));
    assert_false(sp_text_is_clean("a\xc2\x85", 3));
    assert_true(sp_text_is_utf8("a\0b", 3));
    assert_string_equal(sp_text_one_line(pool, "a\r\nb\xc2\x85"), "a  b  ");
    assert_null(sp_text_one_line(pool, NULL));
}

static void addresses_that_mail_reaches_are_accepted(void **state)
{
    static const char *const good[] = { "ana@example.com", "A.B+c@sub.example.co",
                                        "o'neil@example.org",
                                        "x_y-z=1@xn--bcher-kva.de", "1@2.example" };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_null(sp_text_email_problem(good[i]));
    }
}

static void addresses_that_it_cannot_reach_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@example",
        "ana@@example.com",
        "a@b@example.com",
        "ana @example.com",
        "ana@exam ple.com",
        "ana@example.com\n",
        "ana@example.com\r\nBcc: x@example.com",
        "ana@.example.com",
        "ana@example..com",
        "ana@example.com.",
        "ana@-example.com",
        "ana@example-.com",
        "ana@example.c",
        ".ana@example.com",
        "ana.@example.com",
        "a..b@example.com",
        "a,b@example.com",
        "<ana@example.com>",
        "\"ana\"@example.com",
        "ana@[127.0.0.1]",
        "\xc3\xa4na@example.com",
        "ana@ex\xc3\xa4mple.com",
        "ana\x01@example.com",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_non_null(sp_text_email_problem(bad[i]));
    }
    assert_non_null(sp_text_email_problem(NULL));
}

static void addresses_have_254_bytes_at_most(void **state)
{
    char text[300];
    int len;

    (void)state;
    for (len = 253; len <= 256; len++) {
        memset(text, 'd', sizeof(text));
        memcpy(text, "ana@", 4);
        text[60] = text[120] = text[180] = text[240] = '.';
        text[len] = '\0';
        assert_int_equal(sp_text_email_problem(text) == NULL, len <= 254);
    }
}

static void a_mask_tells_only_whom_it_knows(void **state)
{
    (void)state;
    assert_string_equal(sp_text_email_mask(pool, "ana@example.com"),
                        "a\xe2\x80\xa6@example.com");
    assert_string_equal(sp_text_email_mask(pool, "nonsense"), "\xe2\x80\xa6");
}

static void only_ascii_letters_are_folded(void **state)
{
    (void)state;
    assert_string_equal(sp_text_fold(pool, "AnA@EXAMPLE.com"), "ana@example.com");
    /* The Kelvin sign and the dotted I stay what they are. */
    assert_string_equal(sp_text_fold(pool, "\xe2\x84\xaa\xc4\xb0"),
                        "\xe2\x84\xaa\xc4\xb0");
    assert_string_equal(sp_text_trim(pool, " \t a b \r\n"), "a b");
    assert_string_equal(sp_text_trim(pool, "  "), "");
}

static void a_uuid_has_one_form(void **state)
{
    (void)state;
    assert_true(sp_text_is_uuid("019439f9-bb0f-4e5f-968a-0170908a933a"));
    assert_false(sp_text_is_uuid("019439F9-bb0f-4e5f-968a-0170908a933a"));
    assert_false(sp_text_is_uuid("019439f9-bb0f-4e5f-968a-0170908a933a "));
    assert_false(sp_text_is_uuid("019439f9bb0f4e5f968a0170908a933a"));
    assert_false(sp_text_is_uuid("019439f9-bb0f-4e5f-968a-0170908a933"));
    assert_false(sp_text_is_uuid(""));
    assert_false(sp_text_is_uuid(NULL));
}

static void a_moment_is_written_in_utc(void **state)
{
    (void)state;
    assert_string_equal(sp_text_time(pool, apr_time_from_sec(1785585600)),
                        "2026-08-01T12:00:00Z");
}

static void queries_are_encoded_once(void **state)
{
    sp_query_t query;
    char *big = apr_pcalloc(pool, 3001);

    (void)state;
    memset(big, '&', 3000);
    sp_query_start(&query, pool);
    assert_string_equal(query.text, "");
    sp_query_add(&query, "a[b][0]", "x y&z=\xc3\xa9/{}%");
    sp_query_add(&query, "absent", NULL);
    sp_query_add_int(&query, "n", -5);
    assert_string_equal(query.text, "a[b][0]=x%20y%26z%3D%C3%A9%2F%7B%7D%25&n=-5");
    sp_query_add(&query, "big", big);
    assert_int_equal(query.len, 43 + 5 + 9000);
    assert_int_equal(query.len, strlen(query.text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_utf8_is_refused),
        cmocka_unit_test(control_characters_are_not_clean),
        cmocka_unit_test(addresses_that_mail_reaches_are_accepted),
        cmocka_unit_test(addresses_that_it_cannot_reach_are_refused),
        cmocka_unit_test(addresses_have_254_bytes_at_most),
        cmocka_unit_test(a_mask_tells_only_whom_it_knows),
        cmocka_unit_test(only_ascii_letters_are_folded),
        cmocka_unit_test(a_uuid_has_one_form),
        cmocka_unit_test(a_moment_is_written_in_utc),
        cmocka_unit_test(queries_are_encoded_once),
    };

    return cmocka_run_group_tests(tests, make_pool, drop_pool);
}

/*
 * test_json.c - JSON that we write holds what it was given, and nothing broken.
 *
 * Room: tests.
 */
#include "pool.h"

#include "util/json.h"

static void absent_things_are_left_out(void **state)
{
    json_t *object = sp_json_object(pool);

    (void)state;
    sp_json_set_text(object, "text", "a\"b");
    sp_json_set_text(object, "none", NULL);
    sp_json_set_text(object, "broken", "\xff");
    sp_json_set_int(object, "int", 24900);
    sp_json_set_bool(object, "bool", 1);
    sp_json_set_time(object, "time", apr_time_from_sec(7));
    sp_json_set_time(object, "never", 0);
    assert_string_equal(
        sp_json_dump(pool, object),
        "{\"text\":\"a\\\"b\",\"int\":24900,\"bool\":true,\"time\":7}");
    assert_string_equal(sp_json_text(object, "text"), "a\"b");
    assert_null(sp_json_text(object, "int"));
    assert_null(sp_json_text(object, "none"));
}

static void a_nul_does_not_cut_a_text(void **state)
{
    json_t *object = sp_json_object(pool);

    (void)state;
    json_object_set_new(object, "cut", json_stringn("a\0b", 3));
    assert_null(sp_json_text(object, "cut"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_things_are_left_out),
        cmocka_unit_test(a_nul_does_not_cut_a_text),
    };

    return cmocka_run_group_tests(tests, make_pool, drop_pool);
}

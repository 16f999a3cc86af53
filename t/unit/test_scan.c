/*
 * test_scan.c - hostile JSON is an error with a name, and never more than that.
 *
 * Room: tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/scan.h"

static apr_pool_t *pool;

typedef struct thing_t {
    const char *id;
    const char *note;
    const char *owner;
    int64_t amount;
    int live;
    sp_slice_t raw;
    const char *inner;
    int64_t sum; /* of the amounts in the list */
    int taken;
    int refused;
    const char *why;
    char bytes[64];
} thing_t;

static const sp_scan_field_t element_rows[] = {
    { "id", 2, SP_SCAN_TEXT, 0, offsetof(thing_t, id), NULL, NULL },
    { "amount", 6, SP_SCAN_INT, 1, offsetof(thing_t, amount), NULL, NULL },
};
static const sp_scan_shape_t element_shape = { element_rows, 2 };

static const char *take(void *into, sp_scan_t *scan)
{
    thing_t *thing = into;
    thing_t element = { .id = NULL };

    if (!sp_scan_read(scan, &element_shape, &element)) {
        return scan->error;
    }
    if (element.amount < 0) {
        return "negative";
    }
    thing->sum += element.amount;
    thing->taken++;
    return NULL;
}

static void refuse(void *into, const sp_slice_t *bytes, const char *why)
{
    thing_t *thing = into;

    thing->refused++;
    thing->why = why;
    if (bytes->len < sizeof(thing->bytes)) {
        memcpy(thing->bytes, bytes->data, bytes->len);
        thing->bytes[bytes->len] = '\0';
    }
}

static const sp_scan_list_t list = { take, refuse };

static const sp_scan_field_t inner_rows[] = {
    { "inner", 5, SP_SCAN_TEXT, 0, offsetof(thing_t, inner), NULL, NULL },
};
static const sp_scan_shape_t inner_shape = { inner_rows, 1 };

static const sp_scan_field_t rows[] = {
    { "id", 2, SP_SCAN_TEXT, 1, offsetof(thing_t, id), NULL, NULL },
    { "note", 4, SP_SCAN_TEXT, 0, offsetof(thing_t, note), NULL, NULL },
    { "owner", 5, SP_SCAN_ID, 0, offsetof(thing_t, owner), NULL, NULL },
    { "amount", 6, SP_SCAN_INT, 0, offsetof(thing_t, amount), NULL, NULL },
    { "live", 4, SP_SCAN_BOOL, 0, offsetof(thing_t, live), NULL, NULL },
    { "raw", 3, SP_SCAN_RAW, 0, offsetof(thing_t, raw), NULL, NULL },
    { "box", 3, SP_SCAN_OBJECT, 0, 0, &inner_shape, NULL },
    { "list", 4, SP_SCAN_LIST, 0, 0, NULL, &list },
};
static const sp_scan_shape_t shape = { rows, 8 };

static int make_pool(void **state)
{
    (void)state;
    apr_initialize();
    return apr_pool_create(&pool, NULL) != APR_SUCCESS;
}

static int drop_pool(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

/* Read from a heap block of exactly that size: a sanitizer sees one byte too far. */
static const char *read_bytes(const char *text, size_t len, thing_t *thing)
{
    char *copy = malloc(len ? len : 1);
    const char *why;

    memset(thing, 0, sizeof(*thing));
    memcpy(copy, text, len);
    why = sp_scan_whole(pool, copy, len, &shape, thing);
    free(copy);
    return why;
}

static const char *read_text(const char *text, thing_t *thing)
{
    return read_bytes(text, strlen(text), thing);
}

static void what_is_wanted_arrives(void **state)
{
    thing_t t;

    (void)state;
    assert_null(read_text(
        " { \"id\" : \"a\", \"x\":[{\"id\":\"no\"},\"]\\\"\"], \"note\":null,\n"
        "\"amount\":-24900, \"live\": true, \"raw\": [1, {\"b\":\"}\"}] ,\"y\":1.5e9,"
        "\"owner\":{\"z\":{},\"id\":\"cus_1\"},\"box\":{\"q\":0,\"inner\":\"in\"}}\r\n",
        &t));
    assert_string_equal(t.id, "a");
    assert_null(t.note);
    assert_int_equal(t.amount, -24900);
    assert_true(t.live);
    assert_int_equal(t.raw.len, strlen("[1, {\"b\":\"}\"}]"));
    assert_string_equal(t.owner, "cus_1");
    assert_string_equal(t.inner, "in");
    assert_null(
        read_text("{\"id\":\"\",\"owner\":\"cus_2\",\"box\":null,\"list\":[]}", &t));
    assert_string_equal(t.owner, "cus_2");
}

static void escapes_are_decoded(void **state)
{
    thing_t t;

    (void)state;
    assert_null(read_text("{\"\\u0069d\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC"
                          "\\uD83D\\uDE00\"}",
                          &t));
    assert_string_equal(t.id, "\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

static void texts_that_cannot_be_held_are_refused(void **state)
{
    static const char *const bad[] = {
        "\\u0000", "a\\u0000b",    "\\ud83d", "\\ud83dx", "\\ud83d\\u0041",
        "\\ude00", "\\u12",        "\\u12g4", "\\x41",    "\xff",
        "\xc3",    "\xed\xa0\x80", "\n",      "\t",       "\\ud83d\\ud83d",
    };
    thing_t t;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_non_null(
            read_text(apr_pstrcat(pool, "{\"id\":\"", bad[i], "\"}", NULL), &t));
        /* In a member that nobody wants it is no trouble. */
        assert_null(read_text(
            apr_pstrcat(pool, "{\"id\":\"a\",\"x\":\"", bad[i], "\"}", NULL), &t));
    }
    assert_non_null(read_bytes("{\"id\":\"a\0b\"}", 12, &t));
}

static void only_integer_tokens_are_numbers(void **state)
{
    static const char *const bad[] = { "24900.0",
                                       "2.49e4",
                                       "\"24900\"",
                                       "1E3",
                                       "-",
                                       "+1",
                                       "01",
                                       "0x10",
                                       "1_000",
                                       "9223372036854775808",
                                       "99999999999999999999999999",
                                       "-9223372036854775809",
                                       "true",
                                       "{}",
                                       "NaN",
                                       "1 2" };
    thing_t t;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_non_null(read_text(
            apr_pstrcat(pool, "{\"id\":\"a\",\"amount\":", bad[i], "}", NULL), &t));
    }
    assert_null(read_text("{\"id\":\"a\",\"amount\":9223372036854775807}", &t));
    assert_int_equal(t.amount, INT64_MAX);
    assert_null(read_text("{\"id\":\"a\",\"amount\":0}", &t));
}

static void wrong_shapes_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "null",
        "[]",
        "\"id\"",
        "{",
        "{}",
        "{\"id\"}",
        "{\"id\":}",
        "{\"id\":null}",
        "{\"id\":1}",
        "{\"id\":[\"a\"]}",
        "{\"id\":\"a\",}",
        "{\"id\":\"a\"} x",
        "{\"id\":\"a\"}{\"id\":\"b\"}",
        "{id:\"a\"}",
        "{'id':'a'}",
        "{\"id\":\"a\",\"id\":\"b\"}",
        "{\"id\":\"a\",\"\\u0069d\":\"b\"}",
        "{\"id\":\"a\",\"live\":1}",
        "{\"id\":\"a\",\"live\":trueish}",
        "{\"id\":\"a\",\"box\":[]}",
        "{\"id\":\"a\",\"box\":\"x\"}",
        "{\"id\":\"a\",\"owner\":{}}",
        "{\"id\":\"a\",\"owner\":7}",
        "{\"id\":\"a\",\"list\":{}}",
        "{\"id\":\"a\",\"list\":[{\"amount\":1}",
        "{\"id\":\"a\",\"list\":[{\"amount\":1},]}",
        "{\"id\":\"a\",\"x\":[}",
        "{\"id\":\"a\",\"x\":[{]}}",
        "{\"id\":\"a\",\"x\":",
        "{\"id\":\"a\",\"x\":\"",
        "{\"id\":\"a\" \"x\":1}",
        "<html>",
    };
    thing_t t;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_non_null(read_text(bad[i], &t));
    }
}

static void a_bad_element_stays_alone(void **state)
{
    thing_t t;

    (void)state;
    assert_null(
        read_text("{\"id\":\"p\",\"list\":[{\"amount\":1},"
                  "{\"amount\":2.0,\"x\":[1,{\"y\":\"]\"}]} ,"
                  "{\"amount\":4},-1,\"x\",{\"id\":\"\\u0000\",\"amount\":8},"
                  "{\"amount\":-3},{\"amount\":16}]}",
                  &t));
    assert_int_equal(t.sum, 21);
    assert_int_equal(t.taken, 3);
    assert_int_equal(t.refused, 5);
    assert_string_equal(t.why, "negative");
    assert_string_equal(t.bytes, "{\"amount\":-3}");
}

static void depth_has_an_end(void **state)
{
    char *deep = apr_palloc(pool, 200000);
    thing_t t;
    int depth;

    (void)state;
    for (depth = SP_SCAN_DEPTH - 1; depth <= SP_SCAN_DEPTH + 1; depth++) {
        char *at = deep + sprintf(deep, "{\"id\":\"a\",\"x\":");

        memset(at, '[', (size_t)depth);
        memset(at + depth, ']', (size_t)depth);
        strcpy(at + 2 * depth, "}");
        assert_int_equal(read_text(deep, &t) == NULL, depth <= SP_SCAN_DEPTH);
    }
    memset(deep, '[', 199999);
    memcpy(deep, "{\"x\":", 5);
    assert_non_null(read_bytes(deep, 199999, &t));
}

/* Every prefix of a good text is an error, and no prefix is read beyond its end. */
static void cut_anywhere_it_is_an_error(void **state)
{
    static const char text[] =
        "{\"id\":\"a\\u00e9\",\"amount\":12,\"live\":false,\"raw\":[1,\"\\\\\"],"
        "\"owner\":{\"id\":\"c\"},\"box\":{\"inner\":\"i\"},\"list\":[{\"amount\":1}]}";
    thing_t t;
    size_t len;

    (void)state;
    assert_null(read_bytes(text, sizeof(text) - 1, &t));
    for (len = 0; len < sizeof(text) - 1; len++) {
        assert_non_null(read_bytes(text, len, &t));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wanted_arrives),
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(texts_that_cannot_be_held_are_refused),
        cmocka_unit_test(only_integer_tokens_are_numbers),
        cmocka_unit_test(wrong_shapes_are_refused),
        cmocka_unit_test(a_bad_element_stays_alone),
        cmocka_unit_test(depth_has_an_end),
        cmocka_unit_test(cut_anywhere_it_is_an_error),
    };

    return cmocka_run_group_tests(tests, make_pool, drop_pool);
}

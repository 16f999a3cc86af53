/*
 * test_mustache_spec.c - the official Mustache specification, read in place.
 *
 * Room: tests. REFERENCE names the folder that holds mustache-spec/.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "view/mustache.h"

static int cases;

static const char *spec_folder(void)
{
    static const char *const guesses[] = { "../shared/reference",
                                           "../../shared/reference",
                                           "../../../shared/reference" };
    static char path[4096];
    const char *reference = getenv("REFERENCE");
    size_t i;

    if (reference) {
        apr_snprintf(path, sizeof(path), "%s/mustache-spec", reference);
        return access(path, R_OK) == 0 ? path : NULL;
    }
    for (i = 0; i < sizeof(guesses) / sizeof(*guesses); i++) {
        apr_snprintf(path, sizeof(path), "%s/mustache-spec", guesses[i]);
        if (access(path, R_OK) == 0) {
            return path;
        }
    }
    return NULL;
}

typedef struct partials_t {
    apr_pool_t *pool;
    json_t *sources;
    json_t *parsed; /* name to pointer: a partial may include itself */
} partials_t;

static sp_template_t *find_partial(void *baton, const char *name, int line)
{
    partials_t *partials = baton;
    json_t *source = json_object_get(partials->sources, name);
    json_t *known = json_object_get(partials->parsed, name);
    const char *error;
    sp_template_t *tpl;

    (void)line;
    if (known) {
        return (sp_template_t *)(intptr_t)json_integer_value(known);
    }
    if (!source) {
        return NULL;
    }
    assert_int_equal(sp_template_parse(partials->pool, json_string_value(source),
                                       json_string_length(source), &tpl, &error),
                     APR_SUCCESS);
    json_object_set_new(partials->parsed, name, json_integer((intptr_t)tpl));
    sp_template_link(tpl, find_partial, partials);
    return tpl;
}

static void run_case(apr_pool_t *pool, const char *module, json_t *test)
{
    json_t *source = json_object_get(test, "template");
    json_t *expected = json_object_get(test, "expected");
    partials_t partials = { pool, json_object_get(test, "partials"), json_object() };
    const char *error = NULL;
    sp_template_t *tpl = NULL;
    sp_text_t out;

    sp_text_init(&out, pool);
    assert_int_equal(sp_template_parse(pool, json_string_value(source),
                                       json_string_length(source), &tpl, &error),
                     APR_SUCCESS);
    sp_template_link(tpl, find_partial, &partials);
    assert_int_equal(sp_template_render(tpl, json_object_get(test, "data"), &out),
                     APR_SUCCESS);
    if (strcmp(out.data, json_string_value(expected)) != 0) {
        fail_msg("%s, %s:\n got [%s]\nwant [%s]", module,
                 json_string_value(json_object_get(test, "name")), out.data,
                 json_string_value(expected));
    }
    json_decref(partials.parsed);
    cases++;
}

static void run_module(void **state)
{
    const char *module = *state;
    const char *folder = spec_folder();
    apr_pool_t *pool;
    json_error_t error;
    json_t *spec;
    json_t *test;
    size_t i;

    apr_pool_create(&pool, NULL);
    spec =
        json_load_file(apr_psprintf(pool, "%s/%s.json", folder, module), 0, &error);
    assert_non_null(spec);
    json_array_foreach(json_object_get(spec, "tests"), i, test)
    {
        run_case(pool, module, test);
    }
    json_decref(spec);
    apr_pool_destroy(pool);
}

static void all_136_cases_ran(void **state)
{
    (void)state;
    assert_int_equal(cases, 136);
}

#define MODULE(name)                                          \
    {                                                         \
        name, run_module, NULL, NULL, (void *)(uintptr_t)name \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODULE("comments"),
        MODULE("delimiters"),
        MODULE("interpolation"),
        MODULE("inverted"),
        MODULE("partials"),
        MODULE("sections"),
        cmocka_unit_test(all_136_cases_ran),
    };
    int failed;

    /* cmocka prints a skipped test as "not ok", so the whole plan is skipped. */
    if (!spec_folder()) {
        puts("1..0 # SKIP no mustache-spec folder (set REFERENCE)");
        return 0;
    }
    apr_initialize();
    cmocka_set_message_output(CM_OUTPUT_TAP);
    failed =
        cmocka_run_group_tests_name("the Mustache specification", tests, NULL, NULL);
    apr_terminate();
    return failed;
}

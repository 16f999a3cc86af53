/*
 * test_mustache.c - what the specification leaves open, and what templates
 * written in a hurry look like.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "view/mustache.h"

static apr_pool_t *pool;

static const char *error_of(const char *source)
{
    sp_template_t *tpl;
    const char *error = NULL;

    return sp_template_parse(pool, source, strlen(source), &tpl, &error) ? error
                                                                         : "";
}

static sp_text_t render_as(sp_template_kind_t kind, const char *source,
                           json_t *model)
{
    sp_template_t *tpl = NULL;
    const char *error = NULL;
    sp_text_t out;

    assert_int_equal(
        sp_template_parse_as(pool, kind, source, strlen(source), &tpl, &error),
        APR_SUCCESS);
    sp_text_init(&out, pool);
    assert_int_equal(sp_template_render(tpl, model, &out), APR_SUCCESS);
    json_decref(model);
    return out;
}

static const char *render(const char *source, json_t *model)
{
    return render_as(SP_TEMPLATE_HTML, source, model).data;
}

static void an_error_names_its_line(void **state)
{
    (void)state;
    assert_string_equal(error_of("a\nb\n{{#x}}\n"),
                        "line 3: {{#x}} is never closed");
    assert_string_equal(error_of("{{^x}}"), "line 1: {{^x}} is never closed");
    assert_string_equal(error_of("\n{{/x}}"), "line 2: {{/x}} closes nothing");
    assert_string_equal(error_of("{{#x}}\n{{#y}}\n{{/x}}{{/y}}"),
                        "line 3: {{/x}} where {{/y}} is due");
    assert_string_equal(error_of("a\n\n{{name"), "line 3: {{ is never closed by }}");
    assert_string_equal(error_of("{{{name}}"), "line 1: {{ is never closed by }}}");
    assert_string_equal(error_of("{{=<%=}}"),
                        "line 1: a change of marks looks like {{=<% %>=}}");
    assert_string_equal(error_of("{{ }}"), "line 1: a tag needs a name");
    assert_string_equal(error_of("{{a..b}}"), "line 1: a tag needs a name");
    assert_string_equal(error_of("{{> }}"), "line 1: a partial needs a name");
}

static void bytes_that_are_not_utf8_stop_the_start(void **state)
{
    static const char *const bad[] = { "\xFF",         "\xC0\x80",
                                       "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                       "\xE2\x82",     "\x80",
                                       "\xE0\x80\x80", "\xF0\x80\x80\x80" };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_string_equal(error_of(bad[i]), "line 1: the template is not UTF-8");
    }
    assert_string_equal(error_of("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80"),
                        "");
}

static void all_of_html_is_escaped(void **state)
{
    (void)state;
    assert_string_equal(
        render("<a title='{{x}}'>", json_pack("{s:s}", "x", "<b>&\"'</b>")),
        "<a title='&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;'>");
    assert_string_equal(render("{{{x}}}{{&x}}", json_pack("{s:s}", "x", "<&")),
                        "<&<&");
}

static void plain_text_is_not_escaped(void **state)
{
    (void)state;
    assert_string_equal(
        render_as(SP_TEMPLATE_TEXT, "{{x}}", json_pack("{s:s}", "x", "a & b <c>"))
            .data,
        "a & b <c>");
}

static void a_nul_inside_a_string_cuts_nothing(void **state)
{
    sp_text_t out = render_as(SP_TEMPLATE_HTML, "[{{x}}|{{{x}}}]",
                              json_pack("{s:s#}", "x", "a\0b", 3));

    (void)state;
    assert_int_equal(out.len, strlen("[a\xEF\xBF\xBD"
                                     "b|") +
                                  3 + 1);
    assert_memory_equal(out.data,
                        "[a\xEF\xBF\xBD"
                        "b|a\0b]",
                        out.len);
}

static void nothing_to_say_leaves_the_sentence_out(void **state)
{
    json_t *model = json_pack("{s:i, s:s, s:n, s:b, s:[], s:{}}", "zero", 0, "empty",
                              "", "null", "no", 0, "none", "object");

    (void)state;
    assert_string_equal(
        render("{{#zero}}0{{/zero}}{{#empty}}e{{/empty}}{{#null}}n{{/null}}"
               "{{#no}}f{{/no}}{{#none}}a{{/none}}{{#object}}o{{/object}}"
               "{{^missing}}m{{/missing}}",
               model),
        "om");
}

static void numbers_come_out_as_people_write_them(void **state)
{
    (void)state;
    assert_string_equal(
        render("{{i}} {{r}} {{e}}",
               json_pack("{s:I, s:f, s:f}", "i", (json_int_t)9007199254740993LL, "r",
                         0.1, "e", 1e21)),
        "9007199254740993 0.1 1e+21");
}

static sp_template_t *itself(void *baton, const char *name, int line)
{
    (void)name;
    (void)line;
    return baton;
}

static void a_partial_without_end_ends(void **state)
{
    sp_template_t *tpl = NULL;
    const char *error;
    json_t *model = json_object();
    sp_text_t out;

    (void)state;
    sp_template_parse(pool, "x{{> me}}", 9, &tpl, &error);
    sp_template_link(tpl, itself, tpl);
    sp_text_init(&out, pool);
    assert_int_equal(sp_template_render(tpl, model, &out), APR_ENOSPC);
    assert_string_equal(out.error, "sections or partials nest without end");
    json_decref(model);
}

static void too_many_sections_are_an_error_not_a_crash(void **state)
{
    const char *source = "";
    int i;

    (void)state;
    for (i = 0; i < 100; i++) {
        source = apr_pstrcat(pool, source, "{{#a}}", NULL);
    }
    assert_string_equal(error_of(source),
                        "line 1: too many sections inside one another");
}

static void output_is_bounded(void **state)
{
    json_t *thousand = json_array();
    json_t *model = json_object();
    sp_template_t *tpl = NULL;
    const char *source = "{{#a}}{{#a}}{{#a}}word{{/a}}{{/a}}{{/a}}";
    const char *error;
    apr_pool_t *own;
    sp_text_t out;
    int i;

    (void)state;
    for (i = 0; i < 1000; i++) {
        json_array_append_new(thousand, json_true());
    }
    json_object_set_new(model, "a", thousand);
    apr_pool_create(&own, pool);
    sp_template_parse(own, source, strlen(source), &tpl, &error);
    sp_text_init(&out, own);
    assert_int_equal(sp_template_render(tpl, model, &out), APR_ENOSPC);
    assert_true(out.len <= SP_TEMPLATE_MAX_OUTPUT);
    apr_pool_destroy(own);
    json_decref(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_names_its_line),
        cmocka_unit_test(bytes_that_are_not_utf8_stop_the_start),
        cmocka_unit_test(all_of_html_is_escaped),
        cmocka_unit_test(plain_text_is_not_escaped),
        cmocka_unit_test(a_nul_inside_a_string_cuts_nothing),
        cmocka_unit_test(nothing_to_say_leaves_the_sentence_out),
        cmocka_unit_test(numbers_come_out_as_people_write_them),
        cmocka_unit_test(a_partial_without_end_ends),
        cmocka_unit_test(too_many_sections_are_an_error_not_a_crash),
        cmocka_unit_test(output_is_bounded),
    };
    int failed;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    failed = cmocka_run_group_tests_name("Mustache, our own", tests, NULL, NULL);
    apr_terminate();
    return failed;
}

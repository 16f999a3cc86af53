/*
 * test_page_templates.c - the shipped words are whole, true and in our voice;
 * an owner's folder stands in front; what is broken stops the start.
 *
 * Run from the project's root: reads htdocs/templates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "view/templates.h"

#define SHIPPED "htdocs/templates"

static apr_pool_t *pool;

static sp_templates_t *load(const char *own)
{
    const char *dirs[3] = { own ? own : SHIPPED, own ? SHIPPED : NULL, NULL };
    sp_templates_t *set = NULL;
    const char *error = "";

    if (sp_templates_load(pool, dirs, &set, &error) != APR_SUCCESS) {
        fail_msg("%s", error);
    }
    return set;
}

/* --- an owner's folder -------------------------------------------------- */

static char root[] = "/tmp/subpay-templates-XXXXXX";

static int make_root(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int type,
                      struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

static int remove_root(void **state)
{
    (void)state;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A new folder that holds one file. */
static const char *folder_with(const char *file, const char *words)
{
    char *folder = apr_pstrcat(pool, root, "/XXXXXX", NULL);
    const char *path;
    FILE *out;

    assert_non_null(mkdtemp(folder));
    path = apr_pstrcat(pool, folder, "/", file, NULL);
    apr_dir_make_recursive(
        apr_pstrmemdup(pool, path, (apr_size_t)(strrchr(path, '/') - path)),
        APR_FPROT_OS_DEFAULT, pool);
    out = fopen(path, "w");
    assert_non_null(out);
    fputs(words, out);
    fclose(out);
    return folder;
}

/* What the start says to an owner's folder with this file in it. */
static const char *start_with(const char *file, const char *words)
{
    const char *dirs[3] = { folder_with(file, words), SHIPPED, NULL };
    sp_templates_t *set;
    const char *error = "it started";

    sp_templates_load(pool, dirs, &set, &error);
    return strncmp(error, dirs[0], strlen(dirs[0])) == 0
               ? error + strlen(dirs[0]) + 1
               : error;
}

static const char *page(const sp_templates_t *set, const char *lang,
                        const char *name, json_t *model)
{
    sp_text_t html;

    assert_int_equal(sp_page_render(pool, set, lang, name, model, &html),
                     APR_SUCCESS);
    json_decref(model);
    return html.data;
}

static void an_owners_file_replaces_the_shipped_one(void **state)
{
    const char *own =
        folder_with("en/pages/not_found.mustache", "{{> layout/start}}Lost, {{x}}?");
    sp_templates_t *set = load(own);
    const char *html =
        page(set, "en", "not_found", json_pack("{s:s}", "x", "<Ana>"));

    (void)state;
    assert_non_null(strstr(html, "Lost, &lt;Ana&gt;?"));
    assert_non_null(strstr(html, "<!doctype html>"));
    assert_non_null(strstr(page(set, "en", "problem", json_object()), "Sorry."));
}

static void a_broken_template_stops_the_start(void **state)
{
    (void)state;
    assert_string_equal(
        start_with("en/pages/return.mustache", "a\n{{#order}}\n"),
        "en/pages/return.mustache, line 2: {{#order}} is never closed");
    assert_string_equal(
        start_with("en/pages/return.mustache", "a\nb {{> layout/none}}"),
        "en/pages/return.mustache, line 2: {{> layout/none}}: there is no "
        "such template");
    assert_string_equal(start_with("en/pages/retrun.mustache", "a"),
                        "en/pages/retrun.mustache: no page or mail has this "
                        "name");
    assert_string_equal(
        start_with("en/mails/confirmation.txt.mustache", "a"),
        "en/mails/confirmation.txt.mustache: no page or mail has this name");
    assert_string_equal(
        start_with("en/pages/plans.mustache", "{{> layout/money.text}}"),
        "en/pages/plans.mustache, line 1: {{> layout/money.text}}: plain text "
        "does not escape and may not be used in HTML");
    assert_string_equal(start_with("en/pages/plans.mustache", "\xFF"),
                        "en/pages/plans.mustache, line 1: the template is not "
                        "UTF-8");
}

static void a_missing_folder_or_page_stops_the_start(void **state)
{
    const char *none[] = { "/nonexistent/templates", SHIPPED, NULL };
    const char *one[] = { folder_with("en/pages/plans.mustache", "a"), NULL };
    sp_templates_t *set;
    const char *error = NULL;

    (void)state;
    assert_int_equal(sp_templates_load(pool, none, &set, &error), APR_EINVAL);
    assert_string_equal(error, "/nonexistent/templates: No such file or directory");
    assert_int_equal(sp_templates_load(pool, one, &set, &error), APR_EINVAL);
    assert_string_equal(error, "the template en/pages/account.mustache is missing");
}

static void files_that_editors_leave_behind_are_not_templates(void **state)
{
    (void)state;
    assert_string_equal(start_with("en/pages/.return.mustache.swp", "{{#x}}"),
                        "it started");
    assert_string_equal(start_with("en/pages/return.mustache~", "{{#x}}"),
                        "it started");
}

/* --- languages ------------------------------------------------------------ */

static void the_reader_chooses_the_language(void **state)
{
    static const struct {
        const char *accept;
        const char *lang;
    } cases[] = {
        { NULL, "en" },
        { "", "en" },
        { "xx", "xx" },
        { "xx-AT", "xx" },
        { "XX-at, en;q=0.8", "xx" },
        { "en, xx", "en" },
        { "en;q=0.5, xx;q=0.6", "xx" },
        { "en ; q=0.5 , xx ; q=0.4", "en" },
        { "fr, xx;q=0.1", "xx" },
        { "xx;q=0", "en" },
        { "xx;q=2", "en" },
        { "xx;q=bogus", "en" },
        { ";;;,,,=", "en" },
        { "*", "en" },
        { "fr-CH, fr;q=0.9, *;q=0.5", "en" },
    };
    sp_templates_t *set = load(folder_with("xx/layout/top.mustache", "XX"));
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *lang = sp_templates_language(set, cases[i].accept);

        if (strcmp(lang, cases[i].lang) != 0) {
            fail_msg("%s chose %s", cases[i].accept, lang);
        }
    }
}

static void a_long_header_is_borne(void **state)
{
    char header[9000];

    (void)state;
    memset(header, 'x', sizeof(header) - 1);
    header[sizeof(header) - 1] = '\0';
    assert_string_equal(sp_templates_language(load(NULL), header), "en");
    memset(header, ',', sizeof(header) - 1);
    assert_string_equal(sp_templates_language(load(NULL), header), "en");
}

static void what_a_language_lacks_is_english_and_says_so(void **state)
{
    const char *own = folder_with("xx/pages/problem.mustache",
                                  "<html lang=\"{{lang}}\">{{> layout/top}}");
    sp_templates_t *set = load(own);

    (void)state;
    assert_non_null(
        strstr(page(set, "xx", "problem", json_object()), "<html lang=\"xx\">"));
    assert_non_null(
        strstr(page(set, "xx", "plans", json_object()), "<html lang=\"en\">"));
    assert_non_null(
        strstr(page(set, NULL, "plans", json_object()), "<html lang=\"en\">"));
}

/* --- the shipped words ----------------------------------------------------- */

static json_t *model_of(const char *state, const char *line)
{
    return json_pack("{s:s, s:s, s:{s:b}, s:{s:b, s:s}, s:{s:s, s:s, s:{s:s, s:s}}}",
                     "app_name", "Larkspur", "provider_name", "Stripe", "state",
                     state, 1, "money", line, 1, "amount", "249.00 USD", "order",
                     "title", "Annual plan", "amount", "249.00 USD", "expires",
                     "iso", "2027-07-31", "text", "31 July 2027");
}

/* Each state shows its own money line, and none of the others. */
static void each_money_line_stands_alone(void **state)
{
    static const struct {
        const char *state;
        const char *line;
        const char *words;
    } cases[] = {
        { "checking", "checking", "We are checking with Stripe whether" },
        { "late", "checking", "We are checking with Stripe whether" },
        { "paid", "paid", "We received your payment of" },
        { "review", "paid", "We received your payment of" },
        { "open", "open", "No payment has reached us so far." },
        { "expired", "not_charged", "You have not been charged." },
        { "declined", "held", "That is a reservation" },
        { "refunded", "returned", "back to your card" },
    };
    sp_templates_t *set = load(NULL);
    size_t i;
    size_t k;

    (void)state;
    for (i = 0; i < 8; i++) {
        const char *html =
            page(set, "en", "return", model_of(cases[i].state, cases[i].line));

        for (k = 0; k < 8; k++) {
            int belongs = strcmp(cases[k].line, cases[i].line) == 0 ||
                          (strcmp(cases[k].line, "not_charged") == 0 &&
                           strcmp(cases[i].line, "held") == 0);

            if (!!strstr(html, cases[k].words) != belongs) {
                fail_msg("%s: %s", cases[i].state, cases[k].words);
            }
        }
    }
}

static void nothing_is_promised_when_days_are_zero(void **state)
{
    json_t *model = model_of("paid", "paid");
    sp_templates_t *set = load(NULL);

    (void)state;
    json_object_set_new(json_object_get(model, "order"), "delay_minutes",
                        json_integer(12));
    json_object_set_new(json_object_get(model, "order"), "bonus_days",
                        json_integer(0));
    assert_null(strstr(page(set, "en", "return", json_incref(model)), "We added"));
    assert_non_null(strstr(page(set, "en", "return", json_incref(model)),
                           "12 minutes longer than it should. Sorry."));
    json_object_set_new(json_object_get(model, "order"), "bonus_days",
                        json_integer(7));
    assert_non_null(strstr(page(set, "en", "return", model), "We added 7 days."));
}

static void a_subject_is_one_line(void **state)
{
    json_t *model =
        json_pack("{s:s, s:{s:s, s:s}}", "app_name", "L", "ticket", "subject",
                  "Help\r\nBcc: x@evil.example", "reference", "T-1");
    sp_mail_words_t words;

    (void)state;
    assert_int_equal(
        sp_mail_render(pool, load(NULL), "en", "acknowledge", model, &words),
        APR_SUCCESS);
    assert_string_equal(words.subject, "Re: Help Bcc: x@evil.example [T-1]");
    assert_string_equal(words.lang, "en");
    json_decref(model);
}

/* The worker takes the language from the model that it hands over. */
static void the_language_may_be_a_string_of_the_model(void **state)
{
    json_t *model = json_pack("{s:s}", "lang", "xx");
    sp_mail_words_t words;
    sp_templates_t *set =
        load(folder_with("xx/mails/resumed.text.mustache", "{{lang}}!"));

    (void)state;
    assert_int_equal(
        sp_mail_render(pool, set, json_string_value(json_object_get(model, "lang")),
                       "resumed", model, &words),
        APR_SUCCESS);
    assert_string_equal(words.text, "xx!");
    assert_string_equal(words.lang, "xx");
    json_decref(model);
}

static void times_and_our_own_sentences_are_in_the_language(void **state)
{
    json_t *model = model_of("late", "checking");
    const char *html;

    (void)state;
    json_object_set_new(json_object_get(model, "order"), "started",
                        json_pack("{s:s, s:s}", "iso", "2026-03-01T04:05:00Z",
                                  "text", "1 March 2026, 04:05 UTC"));
    html = page(load(NULL), "de", "return", json_incref(model));
    assert_non_null(strstr(html, "<html lang=\"de\">"));
    assert_non_null(strstr(html, ">1. M\xC3\xA4rz 2026, 04:05 Uhr UTC</time>"));
    /* return/late has no words of its own, so German does not repeat it. */
    assert_non_null(strstr(html, "Das dauert l\xC3\xA4nger"));
    html = page(load(NULL), "en", "return", model_of("paid", "paid"));
    assert_non_null(strstr(html, ">31 July 2027</time>"));
    json_decref(model);

    model = json_pack("{s:b, s:{s:s}, s:s, s:[{s:s}]}", "show_form", 1, "fields",
                      "message", "Choose a plan.", "problem_product",
                      "Choose a plan.", "products", "period_text", "1 year");
    html = page(load(NULL), "de", "support", json_incref(model));
    assert_non_null(strstr(html, "\nChoose a plan.</textarea>"));
    html = page(load(NULL), "de", "checkout", model);
    assert_non_null(strstr(html, "W\xC3\xA4hlen Sie ein Angebot."));
    assert_non_null(strstr(html, "f\xC3\xBCr 1 Jahr"));
}

static void broken_phrases_stop_the_start(void **state)
{
    (void)state;
    assert_string_equal(start_with("de/phrases.json", "[]"),
                        "de/phrases.json: not a JSON object");
    assert_string_equal(start_with("de/phrases.json", "{\n\"a\": }"),
                        "de/phrases.json, line 2: unexpected token near '}'");
}

typedef void (*check_t)(const char *path, const char *words);

static void each_shipped_file(const char *folder, check_t check)
{
    apr_finfo_t info;
    apr_dir_t *dir;

    assert_int_equal(apr_dir_open(&dir, folder, pool), APR_SUCCESS);
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        const char *path = apr_pstrcat(pool, folder, "/", info.name, NULL);
        char *words;
        size_t len;
        FILE *in;

        if (info.name[0] == '.') {
            continue;
        }
        if (!strchr(info.name, '.')) {
            each_shipped_file(path, check);
            continue;
        }
        in = fopen(path, "r");
        words = apr_pcalloc(pool, 65536);
        len = fread(words, 1, 65535, in);
        fclose(in);
        for (char *c = words; c < words + len; c++) {
            *c = apr_tolower(*c);
        }
        check(path, words);
    }
    apr_dir_close(dir);
}

static void has_german(const char *path, const char *words)
{
    const char *german =
        apr_pstrcat(pool, SHIPPED "/de/", path + strlen(SHIPPED "/en/"), NULL);

    (void)words;
    /* The support area speaks to the two who run the shop, not to customers. */
    if (strstr(path, "/admin_") || strstr(path, "/replies/")) {
        return;
    }
    if (access(german, R_OK) != 0) {
        fail_msg("%s is missing", german);
    }
}

/* The second language proves that there can be one: nothing in it is missing. */
static void german_is_complete(void **state)
{
    (void)state;
    each_shipped_file(SHIPPED "/en/pages", has_german);
    each_shipped_file(SHIPPED "/en/mails", has_german);
}

static void an_unknown_page_is_an_error_not_a_crash(void **state)
{
    json_t *model = json_object();
    sp_mail_words_t words;
    sp_text_t html;

    (void)state;
    assert_int_equal(sp_page_render(pool, load(NULL), "en", "none", model, &html),
                     APR_NOTFOUND);
    assert_string_equal(html.error, "there is no template pages/none");
    assert_int_not_equal(
        sp_mail_render(pool, load(NULL), "en", "none", model, &words), APR_SUCCESS);
    assert_string_equal(words.error, "there is no template mails/none.subject");
    json_decref(model);
}

/* Words that blame, belittle or promise nothing. aria-invalid is for machines. */
static void check_voice(const char *path, const char *words)
{
    static const char *const never[] = {
        "oops",
        "unfortunately",
        "inconvenience",
        "technical difficult",
        "valued customer",
        "don't worry",
        "should be fine",
        " invalid",
        "error code",
        "our provider had",
        "payment failed",
        "fraud",
        "you should have",
        "as stated",
        "leider",
        "unannehmlichkeit",
        "ung\xC3\xBCltig",
        "technische schwierigkeiten",
        "hoppla",
        "keine sorge",
        "zahlung fehlgeschlagen",
        "!</",
    };
    size_t i;

    for (i = 0; i < sizeof(never) / sizeof(*never); i++) {
        /* The playbook lists these words, for supporters never to use. */
        if (strstr(words, never[i]) && !strstr(path, "README") &&
            !strstr(path, "playbook")) {
            fail_msg("%s: %s", path, never[i]);
        }
    }
}

/* The Content-Security-Policy allows none of these; a mail brings its style. */
static void check_policy(const char *path, const char *words)
{
    static const char *const never[] = { "style=",      "onclick", "onload",
                                         "javascript:", "<img",    "http-equiv",
                                         "<iframe",     "{{{",     "{{&" };
    size_t i;

    if (strstr(path, "README")) {
        return;
    }
    for (i = 0; i < sizeof(never) / sizeof(*never); i++) {
        if (strstr(words, never[i])) {
            fail_msg("%s: %s", path, never[i]);
        }
    }
    if (strstr(words, "<style") && !strstr(path, "mail_top")) {
        fail_msg("%s: style in a page", path);
    }
}

static void the_voice_is_kept(void **state)
{
    (void)state;
    each_shipped_file(SHIPPED, check_voice);
}

static void no_page_needs_more_than_the_policy_allows(void **state)
{
    (void)state;
    each_shipped_file(SHIPPED, check_policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_owners_file_replaces_the_shipped_one),
        cmocka_unit_test(a_broken_template_stops_the_start),
        cmocka_unit_test(a_missing_folder_or_page_stops_the_start),
        cmocka_unit_test(files_that_editors_leave_behind_are_not_templates),
        cmocka_unit_test(the_reader_chooses_the_language),
        cmocka_unit_test(a_long_header_is_borne),
        cmocka_unit_test(what_a_language_lacks_is_english_and_says_so),
        cmocka_unit_test(each_money_line_stands_alone),
        cmocka_unit_test(nothing_is_promised_when_days_are_zero),
        cmocka_unit_test(a_subject_is_one_line),
        cmocka_unit_test(the_language_may_be_a_string_of_the_model),
        cmocka_unit_test(times_and_our_own_sentences_are_in_the_language),
        cmocka_unit_test(broken_phrases_stop_the_start),
        cmocka_unit_test(german_is_complete),
        cmocka_unit_test(an_unknown_page_is_an_error_not_a_crash),
        cmocka_unit_test(the_voice_is_kept),
        cmocka_unit_test(no_page_needs_more_than_the_policy_allows),
    };
    int failed;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    failed = cmocka_run_group_tests_name("templates", tests, make_root, remove_root);
    apr_terminate();
    return failed;
}

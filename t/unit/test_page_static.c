/*
 * test_page_static.c - problem.html stands alone, and pages stay light.
 *
 * Run from the project's root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>

static char page[65536];

static size_t read_file(const char *path)
{
    FILE *in = fopen(path, "r");
    size_t len;

    assert_non_null(in);
    len = fread(page, 1, sizeof(page) - 1, in);
    page[len] = '\0';
    fclose(in);
    return len;
}

/* A style that was edited without its hash would not be applied. */
static void the_policy_allows_the_style_by_its_hash(void **state)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char hash[64] = "'sha256-";
    const char *style;
    const char *end;

    (void)state;
    read_file("htdocs/problem.html");
    style = strstr(page, "<style>") + strlen("<style>");
    end = strstr(style, "</style>");
    SHA256((const unsigned char *)style, (size_t)(end - style), digest);
    EVP_EncodeBlock((unsigned char *)hash + strlen(hash), digest, sizeof(digest));
    if (!strstr(page, hash)) {
        fail_msg("the Content-Security-Policy of problem.html needs %s'", hash);
    }
}

static void the_problem_page_needs_no_other_file(void **state)
{
    static const char *const never[] = { "<script", "<link",   "src=",
                                         "url(",    "@import", "://" };
    size_t i;

    (void)state;
    read_file("htdocs/problem.html");
    for (i = 0; i < sizeof(never) / sizeof(*never); i++) {
        if (strstr(page, never[i])) {
            fail_msg("problem.html has %s", never[i]);
        }
    }
}

/* 60 KB for a page with everything; the largest page itself has 8. */
static void style_script_and_icon_are_small(void **state)
{
    size_t all = read_file("htdocs/assets/subpay.css") +
                 read_file("htdocs/assets/subpay.js") +
                 read_file("htdocs/assets/icon.svg");

    (void)state;
    assert_in_range(all, 1, 50 * 1024);
}

static void nothing_is_asked_of_another_host(void **state)
{
    static const char *const files[] = { "htdocs/assets/subpay.css",
                                         "htdocs/assets/subpay.js", "htdocs/sw.js" };
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        read_file(files[i]);
        assert_null(strstr(page, "://"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy_allows_the_style_by_its_hash),
        cmocka_unit_test(the_problem_page_needs_no_other_file),
        cmocka_unit_test(style_script_and_icon_are_small),
        cmocka_unit_test(nothing_is_asked_of_another_host),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("static pages", tests, NULL, NULL);
}

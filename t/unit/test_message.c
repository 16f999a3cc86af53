/*
 * test_message.c - what customers type never becomes a header or a recipient.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "mail/message.h"

static apr_pool_t *pool;

static sp_message_t a_message(void)
{
    sp_message_t m = { 0 };

    m.from = "Ana and Sam <help@shop.example>";
    m.to = "ana@example.com";
    m.subject = "Your plan is active";
    m.text = "Hello";
    m.message_id = "1.2@shop.example";
    return m;
}

/* The value of a header, NULL where there is none; the problem, when refused. */
static const char *header(const sp_message_t *m, const char *name)
{
    apr_array_header_t *lines = NULL;
    const char *problem = sp_message_headers(pool, m, &lines);
    size_t n = strlen(name);
    int i;

    if (problem) {
        return apr_pstrcat(pool, "refused: ", problem, NULL);
    }
    for (i = 0; i < lines->nelts; i++) {
        const char *line = APR_ARRAY_IDX(lines, i, const char *);

        if (strncmp(line, name, n) == 0 && line[n] == ':') {
            return line + n + 2;
        }
    }
    return NULL;
}

static void addresses_that_mail_cannot_carry_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@@example.com",
        "ana@example.com@evil.example",
        "a na@example.com",
        "ana@example.com\r\nBcc: x@evil.example",
        "ana@exa mple.com",
        "<ana@example.com>",
        "ana@example.com>",
        "ana,bob@example.com",
        "ana@example.com,bob@example.com",
        "\"ana\"@example.com",
        "ana(x)@example.com",
        ".ana@example.com",
        "ana.@example.com",
        "a..na@example.com",
        "ana@.example.com",
        "ana@example..com",
        "ana@example.com.",
        "j\xC3\xBCrgen@example.com",
        "ana@ex\xC3\xA4mple.com",
        "ana\x7F@example.com",
        "ana\t@example.com",
        "ana;@example.com",
        "ana@[127.0.0.1]",
    };
    static const char *const good[] = {
        "ana@example.com", "a.b+c@example.co.uk",  "o'neil@example.com",
        "root@localhost",  "x@xn--exmple-cua.com", "-a-@e-x.com",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (!sp_mailbox_problem(bad[i])) {
            fail_msg("taken: %s", bad[i]);
        }
    }
    for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
        if (sp_mailbox_problem(good[i])) {
            fail_msg("refused: %s", good[i]);
        }
    }
}

static void an_address_longer_than_the_protocol_allows_is_refused(void **state)
{
    char local[80];
    char domain[300];

    (void)state;
    memset(local, 'a', 65);
    strcpy(local + 65, "@example.com");
    assert_non_null(sp_mailbox_problem(local));
    assert_null(sp_mailbox_problem(local + 1));
    strcpy(domain, "a@");
    memset(domain + 2, 'b', 253);
    domain[255] = '\0';
    assert_non_null(sp_mailbox_problem(domain));
}

static void a_line_end_in_any_field_refuses_the_message(void **state)
{
    static const char *const ends[] = { "\r\n", "\n", "\r" };
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        const char *inject =
            apr_pstrcat(pool, "x", ends[i], "Bcc: y@evil.example", NULL);
        sp_message_t m = a_message();

        m.subject = inject;
        assert_string_equal(apr_pstrmemdup(pool, header(&m, "Subject"), 8),
                            "refused:");
        m = a_message();
        m.from = apr_pstrcat(pool, inject, " <help@shop.example>", NULL);
        assert_string_equal(apr_pstrmemdup(pool, header(&m, "From"), 8), "refused:");
        m = a_message();
        m.reply_to = apr_pstrcat(pool, "help@shop.example", inject, NULL);
        assert_string_equal(apr_pstrmemdup(pool, header(&m, "To"), 8), "refused:");
        m = a_message();
        m.to = apr_pstrcat(pool, "ana@example.com", inject, NULL);
        assert_string_equal(apr_pstrmemdup(pool, header(&m, "To"), 8), "refused:");
        m = a_message();
        m.message_id = inject;
        assert_string_equal(apr_pstrmemdup(pool, header(&m, "To"), 8), "refused:");
        m = a_message();
        m.in_reply_to = inject;
        assert_string_equal(apr_pstrmemdup(pool, header(&m, "To"), 8), "refused:");
        m = a_message();
        m.lang = inject;
        assert_string_equal(apr_pstrmemdup(pool, header(&m, "To"), 8), "refused:");
    }
}

static void a_refusal_does_not_name_the_address(void **state)
{
    sp_message_t m = a_message();

    (void)state;
    m.to = "secret person@example.com";
    assert_null(strstr(header(&m, "To"), "secret"));
}

static void headers_of_transactional_mail(void **state)
{
    sp_message_t m = a_message();

    (void)state;
    m.reply_to = "help@shop.example";
    m.in_reply_to = "0.1@example.com";
    m.auto_submitted = "auto-replied";
    m.lang = "en";
    m.date = apr_time_from_sec(1785456000);
    assert_string_equal(header(&m, "From"), "Ana and Sam <help@shop.example>");
    assert_string_equal(header(&m, "Reply-To"), "help@shop.example");
    assert_string_equal(header(&m, "To"), "ana@example.com");
    assert_string_equal(header(&m, "Message-ID"), "<1.2@shop.example>");
    assert_string_equal(header(&m, "In-Reply-To"), "<0.1@example.com>");
    assert_string_equal(header(&m, "References"), "<0.1@example.com>");
    assert_string_equal(header(&m, "Auto-Submitted"), "auto-replied");
    assert_string_equal(header(&m, "Content-Language"), "en");
    assert_string_equal(header(&m, "Date"), "Fri, 31 Jul 2026 00:00:00 +0000");
    assert_null(header(&m, "List-Unsubscribe"));
}

static void words_outside_ascii_are_encoded(void **state)
{
    sp_message_t m = a_message();

    (void)state;
    m.subject = "Gr\xC3\xBC\xC3\x9F"
                "e";
    m.from = "J\xC3\xBCrgen <help@shop.example>";
    assert_string_equal(header(&m, "Subject"), "=?UTF-8?B?R3LDvMOfZQ==?=");
    assert_string_equal(header(&m, "From"),
                        "=?UTF-8?B?SsO8cmdlbg==?= <help@shop.example>");
    /* Somebody's subject may look like an encoded word and must stay words. */
    m.subject = "=?UTF-8?Q?hello?=";
    assert_string_equal(header(&m, "Subject"),
                        "=?UTF-8?B?PT9VVEYtOD9RP2hlbGxvPz0=?=");
    m.from = "Ana, Sam & Co. <help@shop.example>";
    assert_string_equal(header(&m, "From"),
                        "\"Ana, Sam & Co.\" <help@shop.example>");
}

static void long_subjects_fold_between_characters_and_are_cut(void **state)
{
    sp_message_t m = a_message();
    char subject[1000];
    const char *words;
    const char *line;
    size_t i;

    (void)state;
    for (i = 0; i < 900; i += 3) {
        memcpy(subject + i, "\xE2\x82\xAC", 3); /* euro signs */
    }
    subject[i] = '\0';
    m.subject = subject;
    words = header(&m, "Subject");
    assert_true(strlen(words) < 500);
    for (line = words; line; line = strstr(line, "\r\n ")) {
        size_t len = strcspn(line += line == words ? 0 : 3, "\r");

        assert_in_range(len, 1, 75);
        /* 45 bytes are 15 whole characters: base64 without padding */
        assert_true(len < 72 || strncmp(line + len - 3, "=?=", 3) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_that_mail_cannot_carry_are_refused),
        cmocka_unit_test(an_address_longer_than_the_protocol_allows_is_refused),
        cmocka_unit_test(a_line_end_in_any_field_refuses_the_message),
        cmocka_unit_test(a_refusal_does_not_name_the_address),
        cmocka_unit_test(headers_of_transactional_mail),
        cmocka_unit_test(words_outside_ascii_are_encoded),
        cmocka_unit_test(long_subjects_fold_between_characters_and_are_cut),
    };
    int failed;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    failed = cmocka_run_group_tests_name("messages", tests, NULL, NULL);
    apr_terminate();
    return failed;
}

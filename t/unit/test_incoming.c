/*
 * test_incoming.c - mail as the world sends it: what a person wrote, and what it answers.
 */
#include "pool.h"

#include <apr_strings.h>
#include <string.h>

#include "mail/incoming.h"
#include "util/text.h"

static sp_incoming_t read_mail(const char *raw)
{
    sp_incoming_t mail;

    assert_null(sp_incoming_parse(pool, raw, strlen(raw), &mail));
    return mail;
}

static void an_answer_names_what_it_answers(void **state)
{
    const char *raw = "From: =?UTF-8?Q?Ana_M=C3=BCller?= <Ana@Example.com>\r\n"
                      "Subject: =?UTF-8?B?UmU6IFdvIGlzdCBlcz8gW1QtMTAwMV0=?=\r\n"
                      "Message-ID: <a1$b@mail.example>\r\n"
                      "References: <x@example> <outbox-1.0@shop.example>\r\n"
                      "In-Reply-To: <outbox-2.1@shop.example>\r\n"
                      "Content-Type: text/plain; charset=iso-8859-1\r\n"
                      "Content-Transfer-Encoding: quoted-printable\r\n"
                      "\r\n"
                      "Sch=F6n, es geht.\r\n"
                      "\r\n"
                      "On Monday Ana and Sam wrote:\r\n"
                      "> Hello,\r\n"
                      ">\r\n";
    sp_incoming_t mail = read_mail(raw);

    (void)state;
    assert_string_equal(mail.from, "Ana@Example.com");
    assert_string_equal(mail.subject, "Re: Wo ist es? [T-1001]");
    assert_string_equal(mail.message_id, "a1$b@mail.example");
    assert_string_equal(mail.text, "Sch\xC3\xB6n, es geht.");
    assert_int_equal(mail.answers->nelts, 3);
    assert_string_equal(APR_ARRAY_IDX(mail.answers, 2, const char *),
                        "outbox-2.1@shop.example");
    assert_false(mail.automatic);
    assert_false(mail.bounce);
}

static void the_plain_words_of_many_parts(void **state)
{
    sp_incoming_t mail = read_mail(
        "From: a@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=o\r\n\r\n"
        "--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n"
        "--i\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n"
        "--i\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--i--\r\n"
        "--o\r\nContent-Type: text/plain\r\n"
        "Content-Disposition: attachment; filename=x\r\n\r\nnot this\r\n--o--\r\n");

    (void)state;
    assert_string_equal(mail.text, "Hello");
    assert_non_null(strstr(mail.message_id, "@incoming"));
}

static void html_alone_loses_its_tags(void **state)
{
    sp_incoming_t mail =
        read_mail("From: a@example.com\r\nContent-Type: text/html\r\n\r\n"
                  "<html><style>p { x: y }</style><p>It works &amp; I am glad.</p>"
                  "<div>Ana &lt;3</div><script>alert(1)</script></html>\r\n");

    (void)state;
    assert_string_equal(mail.text, "It works & I am glad.\nAna <3");
}

static void programs_are_known(void **state)
{
    static const char *const lines[] = { "Auto-Submitted: auto-replied",
                                         "Precedence: bulk", "List-Id: <x.example>",
                                         "Return-Path: <>" };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_true(read_mail(apr_pstrcat(pool, "From: a@example.com\r\n", lines[i],
                                          "\r\n\r\nI am away.\r\n", NULL))
                        .automatic);
    }
    assert_false(
        read_mail("From: a@example.com\r\nAuto-Submitted: no\r\n\r\nHello\r\n")
            .automatic);
}

static const char *report(const char *action, const char *status, const char *third)
{
    return apr_pstrcat(
        pool,
        "From: MAILER-DAEMON@mail.example\r\nSubject: Undelivered\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n"
        "\r\n--r\r\nContent-Type: text/plain\r\n\r\nI am sorry.\r\n"
        "--r\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mail.example\r\n\r\n"
        "Final-Recipient: rfc822; ana@example.com\r\nAction: ",
        action, "\r\nStatus: ", status,
        "\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n--r\r\n", third,
        "\r\n--r--\r\n", NULL);
}

static void a_mail_that_came_back(void **state)
{
    static const char *const thirds[] = {
        "Content-Type: message/rfc822\r\n\r\nMessage-ID: "
        "<outbox-7.b@shop.example>\r\nSubject: x\r\n\r\nHello\r\n",
        "Content-Type: text/rfc822-headers\r\n\r\nSubject: x\r\n"
        "Message-Id: <outbox-7.b@shop.example>\r\n"
    };
    sp_incoming_t mail;
    int i;

    (void)state;
    for (i = 0; i < 2; i++) {
        mail = read_mail(report("failed", "5.1.1", thirds[i]));
        assert_true(mail.bounce);
        assert_string_equal(mail.bounced_id, "outbox-7.b@shop.example");
        assert_string_equal(mail.bounced_to, "ana@example.com");
        assert_string_equal(mail.bounced_why, "550 5.1.1 no such user");
    }
    assert_false(read_mail(report("delayed", "4.4.1", thirds[0])).bounce);
    assert_false(read_mail(report("failed", "4.4.1", thirds[0])).bounce);
}

static void nothing_that_comes_in_is_dirty(void **state)
{
    sp_incoming_t mail = read_mail(
        "From: \"x\\\"\" <a b@example.com>\r\nSubject: =?UTF-8?B?AAECA3gKeQ==?=\r\n"
        "Message-ID: <a b\r\n c>\r\nIn-Reply-To: <<x>> junk\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\na\x01\xff\xfe\tb\r\n");

    (void)state;
    assert_null(mail.from);
    assert_true(!mail.subject ||
                sp_text_is_clean(mail.subject, strlen(mail.subject)));
    assert_true(!mail.text || sp_text_is_utf8(mail.text, strlen(mail.text)));
    assert_null(strchr(mail.message_id, ' '));
}

/* Cut off anywhere, and with any byte changed: it is read or refused, and nothing
 * breaks (the sanitizers look on). */
static void any_bytes_are_read_or_refused(void **state)
{
    const char *raw = report("failed", "5.1.1",
                             "Content-Type: message/rfc822\r\n\r\nMessage-ID: "
                             "<outbox-7.b@shop.example>\r\n\r\nHello\r\n");
    apr_size_t len = strlen(raw), i;
    sp_incoming_t mail;

    (void)state;
    assert_non_null(sp_incoming_parse(pool, raw, 0, &mail));
    for (i = 1; i < len; i++) {
        char *copy = apr_pstrmemdup(pool, raw, len);

        sp_incoming_parse(pool, copy, i, &mail);
        copy[i] = (char)(copy[i] ^ (1 << (i % 8)));
        sp_incoming_parse(pool, copy, len, &mail);
        assert_true(!mail.text || sp_text_is_utf8(mail.text, strlen(mail.text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_names_what_it_answers),
        cmocka_unit_test(the_plain_words_of_many_parts),
        cmocka_unit_test(html_alone_loses_its_tags),
        cmocka_unit_test(programs_are_known),
        cmocka_unit_test(a_mail_that_came_back),
        cmocka_unit_test(nothing_that_comes_in_is_dirty),
        cmocka_unit_test(any_bytes_are_read_or_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("incoming", tests, make_pool, drop_pool);
}

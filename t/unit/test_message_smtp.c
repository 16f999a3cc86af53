/*
 * test_message_smtp.c - taken, refused, failed and unknown are told apart.
 *
 * A small mail server in a thread plays one script for each message: what it
 * answers to which command, and when it hangs up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "mail/smtp.h"

#define OK "250 2.0.0 fine\r\n"
#define HANG_UP ""

/* Answers for each step; NULL is the usual one, HANG_UP closes the line. */
typedef struct script_t {
    const char *greeting;
    const char *hello;
    const char *auth;
    const char *mail;
    const char *rcpt;
    const char *data;
    const char *body;
    int close_after; /* hang up after this message, so that the next one finds it */
} script_t;

static apr_pool_t *pool;
static int listener;
static int port;
static script_t script;
static char heard[65536]; /* all the client said */
static int connections;
static sem_t closed; /* counts those of them that have ended */

static int answer(FILE *line, const char *words, const char *usual)
{
    const char *say = words ? words : usual;

    if (!*say) {
        return 0;
    }
    fputs(say, line);
    fflush(line);
    return 1;
}

static int hear(FILE *line, char *into, int room)
{
    if (!fgets(into, room, line)) {
        return 0;
    }
    strncat(heard, into, sizeof(heard) - strlen(heard) - 1);
    return 1;
}

static int take_body(FILE *line)
{
    char text[2048];
    /* Once it has the answer, the client may write another script. */
    int close_after = script.close_after;

    if (!answer(line, script.data, "354 go on\r\n")) {
        return 0;
    }
    if (script.data && script.data[0] != '3') {
        return 1;
    }
    while (hear(line, text, sizeof(text))) {
        if (strcmp(text, ".\r\n") == 0) {
            return answer(line, script.body, OK) && !close_after;
        }
    }
    return 0;
}

static int take_command(FILE *line, const char *text)
{
    if (strncmp(text, "EHLO", 4) == 0) {
        return answer(line, script.hello, "250-x\r\n250 AUTH PLAIN\r\n");
    }
    if (strncmp(text, "AUTH", 4) == 0) {
        char password[200];

        return answer(line, NULL, "334 \r\n") &&
               hear(line, password, sizeof(password)) &&
               answer(line, script.auth, "235 2.7.0 welcome\r\n");
    }
    if (strncmp(text, "MAIL", 4) == 0) {
        return answer(line, script.mail, OK);
    }
    if (strncmp(text, "RCPT", 4) == 0) {
        return answer(line, script.rcpt, OK);
    }
    if (strncmp(text, "DATA", 4) == 0) {
        return take_body(line);
    }
    answer(line, NULL, OK);
    return strncmp(text, "QUIT", 4) != 0;
}

static void *serve(void *unused)
{
    char text[2048];
    int fd;

    (void)unused;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        FILE *line = fdopen(fd, "r+");
        int go_on;

        connections++;
        setvbuf(line, NULL, _IONBF, 0);
        go_on = answer(line, script.greeting, "220 test\r\n");
        while (go_on && hear(line, text, sizeof(text))) {
            go_on = take_command(line, text);
        }
        fclose(line);
        sem_post(&closed);
    }
    return NULL;
}

static int start_server(void **state)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    pthread_t thread;

    (void)state;
    sem_init(&closed, 0, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 5) ||
        getsockname(listener, (struct sockaddr *)&address, &len)) {
        return -1;
    }
    port = ntohs(address.sin_port);
    return pthread_create(&thread, NULL, serve, NULL);
}

static sp_smtp_t *client(apr_pool_t *p, const char *tls, const char *login)
{
    sp_smtp_settings_t settings = { 0 };
    sp_smtp_t *smtp;
    const char *error;

    settings.server = apr_psprintf(p, "smtp://127.0.0.1:%d", port);
    settings.tls = tls;
    settings.login = login;
    settings.timeout = apr_time_from_sec(2);
    assert_int_equal(sp_smtp_open(p, &settings, &smtp, &error), APR_SUCCESS);
    return smtp;
}

static sp_message_t a_message(void)
{
    sp_message_t m = { 0 };

    m.from = "Ana and Sam <help@shop.example>";
    m.to = "ana@example.com";
    m.subject = "Your plan is active";
    m.text = "Hello\n.\nGr\xC3\xBC\xC3\x9F"
             "e\n";
    m.html = "<p>Hello</p>\n";
    m.message_id = "1.2@shop.example";
    return m;
}

/* Send one message under this script, on a new connection. */
static sp_outcome_t send_under(script_t s, sp_smtp_answer_t *said)
{
    sp_message_t m = a_message();
    apr_pool_t *own;
    sp_outcome_t out;

    script = s;
    heard[0] = '\0';
    apr_pool_create(&own, pool);
    out = sp_smtp_send(client(own, "never", NULL), pool, &m, said);
    apr_pool_destroy(own);
    return out;
}

static void a_taken_message_is_done(void **state)
{
    sp_smtp_answer_t said;

    (void)state;
    assert_int_equal(send_under((script_t){ 0 }, &said), SP_DONE);
    assert_int_equal(said.code, 250);
    assert_non_null(strstr(heard, "MAIL FROM:<help@shop.example>"));
    assert_non_null(strstr(heard, "RCPT TO:<ana@example.com>"));
    assert_non_null(strstr(heard, "\r\nSubject: Your plan is active\r\n"));
    assert_non_null(strstr(heard, "multipart/alternative"));
    assert_non_null(strstr(heard, "Gr=C3=BC=C3=9Fe\r\n"));
    assert_null(strstr(heard, "=0A"));
    assert_null(strstr(heard, "=0D"));
}

static void refusals_of_this_recipient_or_message_are_for_good(void **state)
{
    sp_smtp_answer_t said;

    (void)state;
    assert_int_equal(
        send_under((script_t){ .rcpt = "550 5.1.1 <ana@example.com> who?\r\n" },
                   &said),
        SP_REFUSED);
    assert_string_equal(said.say, "RCPT: 550 5.1.1");
    assert_int_equal(
        send_under((script_t){ .body = "554 5.7.1 not these words\r\n" }, &said),
        SP_REFUSED);
    assert_string_equal(said.say, "body: 554 5.7.1");
}

static void what_may_work_later_is_failed(void **state)
{
    static const script_t scripts[] = {
        { .greeting = "421 busy\r\n" },    { .greeting = "554 go away\r\n" },
        { .mail = "550 not you\r\n" },     { .mail = "451 later\r\n" },
        { .rcpt = "450 4.2.1 later\r\n" }, { .data = "451 later\r\n" },
        { .body = "451 4.3.0 later\r\n" }, { .data = "554 no valid\r\n" },
        { .greeting = HANG_UP },           { .rcpt = HANG_UP },
    };
    sp_smtp_answer_t said;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
        sp_outcome_t out = send_under(scripts[i], &said);

        if (out != SP_FAILED) {
            fail_msg("script %d ended as %d: %s", (int)i, (int)out, said.say);
        }
        assert_null(strstr(said.say, "example"));
    }
}

static void no_answer_after_the_words_is_unknown(void **state)
{
    sp_smtp_answer_t said;

    (void)state;
    assert_int_equal(send_under((script_t){ .body = HANG_UP }, &said), SP_UNKNOWN);
    assert_int_equal(said.code, 0);
}

static void nobody_listening_is_failed(void **state)
{
    sp_smtp_settings_t settings = { 0 };
    sp_message_t m = a_message();
    sp_smtp_answer_t said;
    sp_smtp_t *smtp;
    const char *error;

    (void)state;
    settings.server = "smtp://127.0.0.1:1";
    sp_smtp_open(pool, &settings, &smtp, &error);
    assert_int_equal(sp_smtp_send(smtp, pool, &m, &said), SP_FAILED);
    assert_memory_equal(said.say, "connect: ", 9);
}

static void a_wrong_password_fails_and_blames_no_recipient(void **state)
{
    sp_message_t m = a_message();
    sp_smtp_answer_t said;
    apr_pool_t *own;

    (void)state;
    apr_pool_create(&own, pool);
    script = (script_t){ .auth = "535 5.7.8 no\r\n" };
    assert_int_equal(
        sp_smtp_send(client(own, "never", "ana:secret"), pool, &m, &said),
        SP_FAILED);
    assert_string_equal(said.say, "AUTH: 535 5.7.8");
    script = (script_t){ 0 };
    assert_int_equal(
        sp_smtp_send(client(own, "never", "ana:secret\n"), pool, &m, &said),
        SP_DONE);
    apr_pool_destroy(own);
}

static void required_tls_that_is_not_offered_sends_nothing(void **state)
{
    sp_message_t m = a_message();
    sp_smtp_answer_t said;
    apr_pool_t *own;

    (void)state;
    script = (script_t){ 0 };
    heard[0] = '\0';
    apr_pool_create(&own, pool);
    assert_int_equal(sp_smtp_send(client(own, "required", NULL), pool, &m, &said),
                     SP_FAILED);
    assert_null(strstr(heard, "MAIL"));
    assert_int_equal(sp_smtp_send(client(own, "try", NULL), pool, &m, &said),
                     SP_DONE);
    apr_pool_destroy(own);
}

static void a_check_says_hello_and_logs_in_and_sends_nothing(void **state)
{
    sp_smtp_answer_t said;
    sp_message_t m = a_message();
    sp_smtp_t *smtp;
    apr_pool_t *own;
    int secured;

    (void)state;
    apr_pool_create(&own, pool);
    script = (script_t){ 0 };
    heard[0] = '\0';
    smtp = client(own, "never", "ana:secret");
    assert_int_equal(sp_smtp_check(smtp, pool, &secured, &said), SP_DONE);
    assert_false(secured);
    assert_non_null(strstr(heard, "AUTH"));
    assert_non_null(strstr(heard, "NOOP"));
    assert_null(strstr(heard, "MAIL"));
    assert_int_equal(sp_smtp_send(smtp, pool, &m, &said), SP_DONE); /* still can */
    apr_pool_clear(own); /* the server talks to one at a time */

    script = (script_t){ .auth = "535 5.7.8 no\r\n" };
    assert_int_equal(
        sp_smtp_check(client(own, "never", "ana:secret"), pool, &secured, &said),
        SP_FAILED);
    assert_string_equal(said.say, "AUTH: 535 5.7.8");
    script = (script_t){ 0 };
    assert_int_equal(
        sp_smtp_check(client(own, "required", NULL), pool, &secured, &said),
        SP_FAILED);
    apr_pool_destroy(own);
}

/* All that were made before, and the last one. */
static void wait_until_closed(int count)
{
    struct timespec deadline;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 5;
    while (count-- > 0) {
        assert_int_equal(sem_timedwait(&closed, &deadline), 0);
    }
}

static void one_connection_serves_many_and_a_dead_one_is_replaced(void **state)
{
    sp_message_t m = a_message();
    sp_smtp_answer_t said;
    sp_smtp_t *smtp;
    apr_pool_t *own;
    int before = connections;
    int i;

    (void)state;
    apr_pool_create(&own, pool);
    smtp = client(own, "never", NULL);
    script = (script_t){ 0 };
    for (i = 0; i < 3; i++) {
        assert_int_equal(sp_smtp_send(smtp, pool, &m, &said), SP_DONE);
    }
    assert_int_equal(connections - before, 1);
    script.close_after = 1;
    assert_int_equal(sp_smtp_send(smtp, pool, &m, &said), SP_DONE);
    script.close_after = 0;
    wait_until_closed(before + 1);
    assert_int_equal(sp_smtp_send(smtp, pool, &m, &said), SP_DONE);
    assert_int_equal(connections - before, 2);
    apr_pool_destroy(own);
}

static void an_address_with_a_second_one_in_it_reaches_no_server(void **state)
{
    sp_message_t m = a_message();
    sp_smtp_answer_t said;
    apr_pool_t *own;

    (void)state;
    heard[0] = '\0';
    apr_pool_create(&own, pool);
    m.to = "ana@example.com>\r\nRCPT TO:<bob@evil.example";
    assert_int_equal(sp_smtp_send(client(own, "never", NULL), pool, &m, &said),
                     SP_REFUSED);
    assert_string_equal(heard, "");
    apr_pool_destroy(own);
}

static int stop_at_once(void *baton)
{
    (void)baton;
    return 1;
}

static void the_caller_can_stop_it(void **state)
{
    sp_message_t m = a_message();
    sp_smtp_answer_t said;
    sp_smtp_t *smtp;
    apr_pool_t *own;

    (void)state;
    apr_pool_create(&own, pool);
    smtp = client(own, "never", NULL);
    sp_smtp_on_progress(smtp, stop_at_once, NULL);
    assert_int_equal(sp_smtp_send(smtp, pool, &m, &said), SP_FAILED);
    apr_pool_destroy(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_taken_message_is_done),
        cmocka_unit_test(refusals_of_this_recipient_or_message_are_for_good),
        cmocka_unit_test(what_may_work_later_is_failed),
        cmocka_unit_test(no_answer_after_the_words_is_unknown),
        cmocka_unit_test(nobody_listening_is_failed),
        cmocka_unit_test(a_wrong_password_fails_and_blames_no_recipient),
        cmocka_unit_test(required_tls_that_is_not_offered_sends_nothing),
        cmocka_unit_test(a_check_says_hello_and_logs_in_and_sends_nothing),
        cmocka_unit_test(one_connection_serves_many_and_a_dead_one_is_replaced),
        cmocka_unit_test(an_address_with_a_second_one_in_it_reaches_no_server),
        cmocka_unit_test(the_caller_can_stop_it),
    };
    int failed;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    failed = cmocka_run_group_tests_name("SMTP", tests, start_server, NULL);
    apr_terminate();
    return failed;
}

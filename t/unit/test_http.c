/*
 * test_http.c - "not sent" is said only of what certainly was not.
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

#include "util/http.h"
#include "wire.h"

#define OK_KEPT "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nRequest-Id: req_1\r\n\r\nhi"

static apr_pool_t *pool;
static wire_t wire;
static sp_http_t *http;
static sp_http_reply_t reply;

static int start(void **state)
{
    (void)state;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    http = sp_http_create(pool);
    return 0;
}

/* Closes the client's connections, which lets the server end. */
static int stop(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    if (wire.thread) {
        wire_stop(&wire);
    }
    memset(&wire, 0, sizeof(wire));
    return 0;
}

static void listen_with(const char *first, const char *second)
{
    const char *const replies[] = { first, second, NULL };

    wire_start(&wire, replies);
}

static sp_http_end_t send_to(const char *url, const char *body)
{
    sp_http_ask_t ask = { .method = body ? "POST" : "GET", .url = url };

    ask.body = body;
    ask.len = body ? strlen(body) : 0;
    ask.timeout = apr_time_from_sec(2);
    ask.headers = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(ask.headers, const char *) = "X-Test: yes";
    return sp_http_send(http, pool, &ask, &reply);
}

static void an_answer_comes_whole(void **state)
{
    (void)state;
    listen_with(OK_KEPT, OK_KEPT);
    assert_int_equal(send_to(wire.url, "a=b"), SP_HTTP_ANSWERED);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "hi");
    assert_int_equal(reply.len, 2);
    assert_string_equal(apr_table_get(reply.headers, "request-id"), "req_1");
    assert_non_null(strstr(wire.asked[0], "POST / HTTP/1.1\r\n"));
    assert_non_null(strstr(wire.asked[0], "X-Test: yes\r\n"));
    assert_non_null(strstr(wire.asked[0], "\r\n\r\na=b"));
    assert_null(strstr(wire.asked[0], "Expect"));
}

static void the_connection_is_used_again(void **state)
{
    (void)state;
    listen_with(OK_KEPT, OK_KEPT);
    assert_int_equal(send_to(wire.url, NULL), SP_HTTP_ANSWERED);
    assert_int_equal(send_to(wire.url, "x"), SP_HTTP_ANSWERED);
    assert_int_equal(wire.connections, 1);
    assert_int_equal(wire.asked_count, 2);
}

static void nobody_listening_is_not_sent(void **state)
{
    (void)state;
    listen_with(OK_KEPT, NULL);
    wire.stopping = 1;
    shutdown(wire.listener, SHUT_RDWR);
    close(wire.listener);
    assert_int_equal(send_to(wire.url, "x"), SP_HTTP_NOT_SENT);
    assert_non_null(reply.why);
}

static void no_such_host_is_not_sent(void **state)
{
    (void)state;
    assert_int_equal(send_to("https://nowhere.invalid/", "x"), SP_HTTP_NOT_SENT);
}

static void hanging_up_is_lost(void **state)
{
    (void)state;
    listen_with(WIRE_HANG_UP, NULL);
    assert_int_equal(send_to(wire.url, "x"), SP_HTTP_LOST);
    assert_false(reply.timed_out);
}

/* libcurl itself tries again on a fresh connection; that one being refused does not
 * unsend the first. */
static void refused_after_being_sent_is_lost(void **state)
{
    (void)state;
    listen_with(OK_KEPT, WIRE_GO_AWAY);
    assert_int_equal(send_to(wire.url, "x"), SP_HTTP_ANSWERED);
    assert_int_equal(send_to(wire.url, "y"), SP_HTTP_LOST);
    assert_int_equal(wire.asked_count, 2);
}

static void half_an_answer_is_lost(void **state)
{
    (void)state;
    listen_with(
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhalf",
        NULL);
    assert_int_equal(send_to(wire.url, "x"), SP_HTTP_LOST);
}

static void silence_ends_in_time(void **state)
{
    sp_http_ask_t ask = { .method = "GET", .timeout = apr_time_from_msec(150) };

    (void)state;
    listen_with(WIRE_SILENCE, NULL);
    ask.url = wire.url;
    assert_int_equal(sp_http_send(http, pool, &ask, &reply), SP_HTTP_LOST);
    assert_true(reply.timed_out);
}

static void an_answer_has_a_largest_size(void **state)
{
    sp_http_ask_t ask = { .method = "GET", .timeout = apr_time_from_sec(2) };

    (void)state;
    listen_with(OK_KEPT, NULL);
    ask.url = wire.url;
    ask.largest = 1;
    assert_int_equal(sp_http_send(http, pool, &ask, &reply), SP_HTTP_LOST);
    assert_string_equal(reply.why, "the answer is too large");
}

static void a_redirect_is_an_answer(void **state)
{
    (void)state;
    listen_with("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                "Content-Length: 0\r\n\r\n",
                NULL);
    assert_int_equal(send_to(wire.url, NULL), SP_HTTP_ANSWERED);
    assert_int_equal(reply.status, 302);
}

static void plain_http_leaves_this_machine_never(void **state)
{
    static const char *const bad[] = { "http://192.0.2.1/",
                                       "http://example.com/",
                                       "http://127.0.0.1.example.com/",
                                       "http://user@192.0.2.1/",
                                       "file:///etc/passwd",
                                       "ftp://127.0.0.1/" };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(send_to(bad[i], NULL), SP_HTTP_NOT_SENT);
    }
}

static int at_once(void *baton)
{
    (void)baton;
    return 1;
}

static void stopping_ends_a_request(void **state)
{
    (void)state;
    listen_with(WIRE_SILENCE, NULL);
    sp_http_stop_when(http, at_once, NULL);
    assert_true(sp_http_stopping(http));
    assert_int_not_equal(send_to(wire.url, NULL), SP_HTTP_ANSWERED);
    assert_string_equal(reply.why, "we are stopping");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_comes_whole),
        TEST(the_connection_is_used_again),
        TEST(nobody_listening_is_not_sent),
        TEST(no_such_host_is_not_sent),
        TEST(hanging_up_is_lost),
        TEST(refused_after_being_sent_is_lost),
        TEST(half_an_answer_is_lost),
        TEST(silence_ends_in_time),
        TEST(an_answer_has_a_largest_size),
        TEST(a_redirect_is_an_answer),
        TEST(plain_http_leaves_this_machine_never),
        TEST(stopping_ends_a_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

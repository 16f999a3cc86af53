/*
 * http.c - libcurl's easy handles, kept and lent.
 *
 * Room: util.
 *
 * Each idle handle keeps its own connections; only DNS answers and TLS sessions are
 * shared, because libcurl cannot share connections between threads safely.
 */
#include "util/http.h"

#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IDLE_HANDLES 16
#define LARGEST_ANSWER (8 * 1024 * 1024)
#define LARGEST_HEADERS 64 /* lines: more of them are not kept */
#define MICRO_TO_MS(t) ((long)(((t) + 999) / 1000))

struct sp_http_t {
    pid_t owner;
    apr_thread_mutex_t *mutex;
    CURL *idle[IDLE_HANDLES];
    int idle_count;
    CURLSH *share;
    apr_thread_mutex_t *shared[CURL_LOCK_DATA_LAST];
    int (*stop)(void *baton);
    void *baton;
};

/* One answer as it comes in. */
typedef struct intake_t {
    sp_http_t *http;
    apr_pool_t *pool;
    sp_http_reply_t *reply;
    char *body; /* grown by realloc: a pool would keep every smaller one */
    apr_size_t room;
    apr_size_t largest;
    int header_count;
    int too_large;
} intake_t;

static void start_libcurl(void)
{
    struct sigaction now;

    /* OpenSSL writes with write(2): a peer that hung up would end the process. httpd
     * ignores this signal anyway; subpayctl and the worker must, too. */
    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
        now.sa_handler = SIG_IGN;
        sigaction(SIGPIPE, &now, NULL);
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void lock_shared(CURL *handle, curl_lock_data what, curl_lock_access access,
                        void *baton)
{
    sp_http_t *http = baton;

    (void)handle;
    (void)access;
    apr_thread_mutex_lock(http->shared[what]);
}

static void unlock_shared(CURL *handle, curl_lock_data what, void *baton)
{
    sp_http_t *http = baton;

    (void)handle;
    apr_thread_mutex_unlock(http->shared[what]);
}

static apr_status_t forget(void *baton)
{
    sp_http_t *http = baton;

    /* In a child of ours these connections belong to the parent: closing them
     * properly would say good-bye in its name. */
    if (http->owner != getpid()) {
        return APR_SUCCESS;
    }
    while (http->idle_count > 0) {
        curl_easy_cleanup(http->idle[--http->idle_count]);
    }
    curl_share_cleanup(http->share);
    return APR_SUCCESS;
}

sp_http_t *sp_http_create(apr_pool_t *pool)
{
    static pthread_once_t started = PTHREAD_ONCE_INIT;
    sp_http_t *http = apr_pcalloc(pool, sizeof(*http));
    int i;

    pthread_once(&started, start_libcurl);
    http->owner = getpid();
    apr_thread_mutex_create(&http->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    for (i = 0; i < CURL_LOCK_DATA_LAST; i++) {
        apr_thread_mutex_create(&http->shared[i], APR_THREAD_MUTEX_DEFAULT, pool);
    }
    http->share = curl_share_init();
    curl_share_setopt(http->share, CURLSHOPT_LOCKFUNC, lock_shared);
    curl_share_setopt(http->share, CURLSHOPT_UNLOCKFUNC, unlock_shared);
    curl_share_setopt(http->share, CURLSHOPT_USERDATA, http);
    curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    apr_pool_cleanup_register(pool, http, forget, apr_pool_cleanup_null);
    return http;
}

void sp_http_stop_when(sp_http_t *http, int (*stop)(void *baton), void *baton)
{
    http->stop = stop;
    http->baton = baton;
}

int sp_http_stopping(const sp_http_t *http)
{
    return http->stop && http->stop(http->baton);
}

static CURL *lend(sp_http_t *http)
{
    CURL *handle = NULL;

    apr_thread_mutex_lock(http->mutex);
    if (http->idle_count > 0) {
        handle = http->idle[--http->idle_count];
    }
    apr_thread_mutex_unlock(http->mutex);
    return handle ? handle : curl_easy_init();
}

/* A handle that failed is not kept: its connection is in a state nobody knows. */
static void give_back(sp_http_t *http, CURL *handle, int good)
{
    if (good) {
        curl_easy_reset(handle); /* keeps the connections */
        apr_thread_mutex_lock(http->mutex);
        if (http->idle_count < IDLE_HANDLES) {
            http->idle[http->idle_count++] = handle;
            handle = NULL;
        }
        apr_thread_mutex_unlock(http->mutex);
    }
    if (handle) {
        curl_easy_cleanup(handle);
    }
}

static size_t take_body(char *data, size_t size, size_t count, void *baton)
{
    intake_t *in = baton;
    apr_size_t len = size * count;
    char *wider;

    if (len > in->largest - in->reply->len) {
        in->too_large = 1;
        return 0;
    }
    if (in->reply->len + len + 1 > in->room) {
        in->room = (in->reply->len + len + 1) * 2;
        wider = realloc(in->body, in->room);
        if (!wider) {
            return 0;
        }
        in->body = wider;
    }
    memcpy(in->body + in->reply->len, data, len);
    in->reply->len += len;
    return len;
}

static size_t take_header(char *data, size_t size, size_t count, void *baton)
{
    intake_t *in = baton;
    apr_size_t len = size * count;
    const char *colon = memchr(data, ':', len);
    const char *end = data + len;
    const char *value;

    if (!colon || in->header_count++ >= LARGEST_HEADERS) {
        return len;
    }
    for (value = colon + 1; value < end && (*value == ' ' || *value == '\t');
         value++) {
    }
    while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ')) {
        end--;
    }
    apr_table_setn(in->reply->headers,
                   apr_pstrmemdup(in->pool, data, (apr_size_t)(colon - data)),
                   apr_pstrmemdup(in->pool, value, (apr_size_t)(end - value)));
    return len;
}

static int look_around(void *baton, curl_off_t a, curl_off_t b, curl_off_t c,
                       curl_off_t d)
{
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return sp_http_stopping(((intake_t *)baton)->http);
}

/* Whether url goes to this machine itself, where plain http is no risk. */
static int is_loopback(const char *url)
{
    CURLU *parts = curl_url();
    char *host = NULL;
    int local = 0;

    if (parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        local = strcmp(host, "127.0.0.1") == 0 || strcmp(host, "localhost") == 0 ||
                strcmp(host, "[::1]") == 0;
    }
    curl_free(host);
    curl_url_cleanup(parts);
    return local;
}

static struct curl_slist *list_headers(const apr_array_header_t *headers)
{
    /* Without this line libcurl would first ask whether a large body is welcome. */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    int i;

    for (i = 0; headers && i < headers->nelts; i++) {
        list = curl_slist_append(list, APR_ARRAY_IDX(headers, i, const char *));
    }
    return list;
}

static void set_rules(CURL *handle, sp_http_t *http, const sp_http_ask_t *ask)
{
    int local = is_loopback(ask->url);

    curl_easy_setopt(handle, CURLOPT_SHARE, http->share);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, local ? "http,https" : "https");
    if (local) {
        curl_easy_setopt(handle, CURLOPT_PROXY, "");
    }
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, ask->once ? 1L : 0L);
    curl_easy_setopt(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, 128L * 1024);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, MICRO_TO_MS(ask->timeout));
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                     MICRO_TO_MS(ask->connect ? ask->connect : ask->timeout));
}

static void set_request(CURL *handle, const sp_http_ask_t *ask,
                        struct curl_slist *headers)
{
    curl_easy_setopt(handle, CURLOPT_URL, ask->url);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    if (ask->body) {
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->len);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, ask->body);
    }
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, ask->method);
}

static void set_intake(CURL *handle, intake_t *in, char *error)
{
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, in);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, in);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, look_around);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, in);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, in->http->stop ? 0L : 1L);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error);
}

static apr_status_t free_body(void *body)
{
    free(body);
    return APR_SUCCESS;
}

static void hand_over(intake_t *in)
{
    if (!in->body) {
        in->reply->body = "";
        return;
    }
    in->body[in->reply->len] = '\0';
    in->reply->body = in->body;
    apr_pool_cleanup_register(in->pool, in->body, free_body, apr_pool_cleanup_null);
}

/* libcurl tells how many bytes of requests it sent in this transfer, retries on a
 * fresh connection included. That counts: a refused connection may be the second
 * try after a first one was sent down a connection that then died. */
static sp_http_end_t judge(CURL *handle, CURLcode code, intake_t *in,
                           const char *error)
{
    long sent = 0;
    long status = 0;

    if (code == CURLE_OK) {
        curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
        in->reply->status = (int)status;
        return SP_HTTP_ANSWERED;
    }
    curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &sent);
    in->reply->timed_out = code == CURLE_OPERATION_TIMEDOUT;
    in->reply->why =
        in->too_large ? "the answer is too large"
        : code == CURLE_ABORTED_BY_CALLBACK
            ? "we are stopping"
            : apr_pstrdup(in->pool, *error ? error : curl_easy_strerror(code));
    return sent > 0 ? SP_HTTP_LOST : SP_HTTP_NOT_SENT;
}

sp_http_end_t sp_http_send(sp_http_t *http, apr_pool_t *pool,
                           const sp_http_ask_t *ask, sp_http_reply_t *reply)
{
    CURL *handle = lend(http);
    struct curl_slist *headers = list_headers(ask->headers);
    intake_t in = { .http = http, .pool = pool, .reply = reply };
    char error[CURL_ERROR_SIZE] = "";
    sp_http_end_t end;
    CURLcode code;

    memset(reply, 0, sizeof(*reply));
    reply->headers = apr_table_make(pool, 16);
    in.largest = ask->largest ? ask->largest : LARGEST_ANSWER;
    if (!handle || !headers) {
        reply->why = "out of memory";
        curl_slist_free_all(headers);
        curl_easy_cleanup(handle);
        return SP_HTTP_NOT_SENT;
    }
    set_rules(handle, http, ask);
    set_request(handle, ask, headers);
    set_intake(handle, &in, error);
    code = curl_easy_perform(handle);
    end = judge(handle, code, &in, error);
    hand_over(&in);
    give_back(http, handle, code == CURLE_OK);
    curl_slist_free_all(headers);
    return end;
}

/*
 * load.c - POSTs over many connections, as fast as they are answered or at a given
 * rate. Prints one line of JSON; status 1 unless all were answered as expected.
 *
 * load --port P --path /webhook/stripe --secret-file F --body-file F --first N
 *      --count M [--connections 64] [--seconds 5] [--rate R]
 *      [--header-file F] [--again K] [--expect 200]
 *
 * With --header-file the lines in it take the place of the signature. With --again each
 * K-th request has the number of the one before it.
 *
 * Each request is unique: %N in body and header stands for its number. All are made and
 * signed before the clock starts, so that the tool costs the server little. Closed
 * loop by default; with --rate the requests start on time whatever the answers do, and
 * their time counts from when they should have started.
 *
 * By hand, because no load tool that Debian packages sends bodies that differ and are
 * signed without taking as much of the machine as the server it measures.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_CONNECTIONS 1024
#define SPACE_FOR_ANSWER 8192

typedef struct request_t {
    char *bytes;
    size_t len;
} request_t;

typedef struct connection_t {
    int fd;
    const request_t *request; /* on its way, NULL: idle */
    size_t sent;
    double since;
    char answer[SPACE_FOR_ANSWER];
    size_t got;
} connection_t;

static struct {
    int port, connections;
    const char *path, *secret, *body, *header;
    long first, count, again;
    double seconds, rate;
    const char *expect;
} ask = { .connections = 64, .seconds = 5, .path = "/", .expect = "200" };

static request_t *requests;
static connection_t all[MOST_CONNECTIONS];
static double *times; /* of each answer, seconds */
static long started, answered, good, reopened;
static int poller;
static double begun;

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *read_file(const char *name)
{
    FILE *file = fopen(name, "r");
    char *text = calloc(1, 1 << 20);
    size_t len;

    if (!file || !text) {
        die(name);
    }
    len = fread(text, 1, (1 << 20) - 1, file);
    while (len > 0 && text[len - 1] == '\n') {
        text[--len] = 0;
    }
    fclose(file);
    return text;
}

/* With the line ends of HTTP. */
static char *read_lines(const char *name)
{
    char *text = read_file(name), *lines = calloc(2, strlen(text) + 1), *to = lines;

    for (; *text; text++) {
        if (*text == '\n') {
            *to++ = '\r';
        }
        *to++ = *text;
    }
    return lines;
}

static size_t fill_in(char *out, const char *pattern, long number)
{
    char *start = out;
    const char *mark;

    while ((mark = strstr(pattern, "%N"))) {
        memcpy(out, pattern, (size_t)(mark - pattern));
        out += mark - pattern;
        out += sprintf(out, "%012ld", number);
        pattern = mark + 2;
    }
    strcpy(out, pattern);
    return (size_t)(out - start) + strlen(pattern);
}

static void sign(char hex[65], long at, const char *body, size_t len)
{
    char *said = malloc(len + 32);
    unsigned char mac[32];
    unsigned int size = sizeof(mac);
    int n = sprintf(said, "%ld.", at), i;

    memcpy(said + n, body, len);
    HMAC(EVP_sha256(), ask.secret, (int)strlen(ask.secret), (unsigned char *)said,
         (size_t)n + len, mac, &size);
    for (i = 0; i < 32; i++) {
        sprintf(hex + 2 * i, "%02x", mac[i]);
    }
    free(said);
}

/* The lines that say who speaks: a signature, or what was given. */
static void make_header(char *header, long at, const char *body, size_t len,
                        long number)
{
    char hex[65];

    if (ask.header) {
        strcpy(header + fill_in(header, ask.header, number), "\r\n");
        return;
    }
    sign(hex, at, body, len);
    sprintf(header, "Stripe-Signature: t=%ld,v1=%s\r\n", at, hex);
}

static void make_requests(void)
{
    size_t room = strlen(ask.body) * 2 + 1024;
    char *body = malloc(room), header[4096];
    long at = (long)time(NULL), i, number;
    size_t len;

    requests = calloc((size_t)ask.count, sizeof(*requests));
    for (i = 0; i < ask.count; i++) {
        number = ask.first + i - (ask.again > 1 && i % ask.again == ask.again - 1);
        len = fill_in(body, ask.body, number);
        make_header(header, at, body, len, number);
        requests[i].len =
            (size_t)asprintf(&requests[i].bytes,
                             "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                             "Content-Type: application/json; charset=utf-8\r\n"
                             "%sContent-Length: %zu\r\n"
                             "\r\n%s",
                             ask.path, ask.port, header, len, body);
    }
    free(body);
}

static void open_connection(connection_t *c)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(ask.port) };
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
    int on = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        die("cannot connect");
    }
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    event.data.ptr = c;
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) != 0) {
        die("epoll_ctl");
    }
}

/* httpd may end a connection between two requests, most of all when all its threads
 * are busy; as any client does, the request is then sent on a new one. */
static void reopen(connection_t *c)
{
    if (c->got > 0) {
        errno = ECONNRESET;
        die("the server closed a connection in the middle of an answer");
    }
    close(c->fd);
    open_connection(c);
    c->sent = 0;
    reopened++;
}

static void push(connection_t *c)
{
    ssize_t n;

    while (c->request && c->sent < c->request->len) {
        n = send(c->fd, c->request->bytes + c->sent, c->request->len - c->sent,
                 MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EAGAIN) {
                return;
            }
            reopen(c);
            continue;
        }
        c->sent += (size_t)n;
    }
}

/* The next request, if there is one and its time has come. */
static void start_one(connection_t *c)
{
    double due = ask.rate > 0 ? begun + (double)started / ask.rate : now();

    if (started == ask.count || due > now() || due - begun > ask.seconds) {
        return;
    }
    c->request = &requests[started++];
    c->sent = c->got = 0;
    c->since = due;
    push(c);
}

static int is_whole(const connection_t *c)
{
    const char *end = memmem(c->answer, c->got, "\r\n\r\n", 4);
    const char *length = memmem(c->answer, c->got, "Content-Length: ", 16);

    return end && (!length || c->got >= (size_t)(end + 4 - c->answer) +
                                            (size_t)atol(length + 16));
}

static void pull(connection_t *c)
{
    ssize_t n;
    int ended;

    while ((n = recv(c->fd, c->answer + c->got, sizeof(c->answer) - 1 - c->got, 0)) >
           0) {
        c->got += (size_t)n;
    }
    ended = n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    if (c->request && is_whole(c)) { /* httpd ends the connection after some */
        times[answered++] = now() - c->since;
        good += strncmp(c->answer + 9, ask.expect, 3) == 0;
        c->request = NULL;
        c->got = 0;
    }
    else if (!ended) {
        return;
    }
    if (ended) {
        reopen(c);
        push(c);
    }
    if (!c->request) {
        start_one(c);
    }
}

/* Until something happens, or the next request is due: to wait busily would take half of
 * a machine with two cores from the server. */
static int wait_for_events(struct epoll_event *events, int most)
{
    struct timespec limit = { 0 };
    double wait = 0.1;

    if (ask.rate > 0 && started < ask.count) {
        wait = begun + (double)started / ask.rate - now();
        wait = wait < 0 ? 0 : wait > 0.1 ? 0.1 : wait;
    }
    limit.tv_nsec = (long)(wait * 1e9);
    return epoll_pwait2(poller, events, most, &limit, NULL);
}

static void run(void)
{
    struct epoll_event events[64];
    int i, n;
    double end = begun + ask.seconds;

    while (now() < end || answered < started) {
        n = wait_for_events(events, 64);
        for (i = 0; i < n; i++) {
            push(events[i].data.ptr);
            pull(events[i].data.ptr);
        }
        for (i = 0; ask.rate > 0 && i < ask.connections; i++) {
            if (!all[i].request) {
                start_one(&all[i]);
            }
        }
        if ((started == ask.count && answered == started) || now() > end + 30) {
            return;
        }
    }
}

static int by_size(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) -
           (*(const double *)a < *(const double *)b);
}

static void read_options(int argc, char **argv)
{
    static const struct option names[] = {
        { "port", 1, 0, 'p' },
        { "path", 1, 0, 'a' },
        { "secret-file", 1, 0, 's' },
        { "body-file", 1, 0, 'b' },
        { "first", 1, 0, 'f' },
        { "count", 1, 0, 'c' },
        { "connections", 1, 0, 'n' },
        { "seconds", 1, 0, 't' },
        { "rate", 1, 0, 'r' },
        { "header-file", 1, 0, 'h' },
        { "again", 1, 0, 'k' },
        { "expect", 1, 0, 'e' },
        { 0, 0, 0, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case 'p':
            ask.port = atoi(optarg);
            break;
        case 'a':
            ask.path = optarg;
            break;
        case 's':
            ask.secret = read_file(optarg);
            break;
        case 'b':
            ask.body = read_file(optarg);
            break;
        case 'f':
            ask.first = atol(optarg);
            break;
        case 'c':
            ask.count = atol(optarg);
            break;
        case 'n':
            ask.connections = atoi(optarg);
            break;
        case 't':
            ask.seconds = atof(optarg);
            break;
        case 'h':
            ask.header = read_lines(optarg);
            break;
        case 'k':
            ask.again = atol(optarg);
            break;
        case 'e':
            ask.expect = optarg;
            break;
        case 'r':
            ask.rate = atof(optarg);
            break;
        default:
            exit(2);
        }
    }
    if (!ask.port || !(ask.secret || ask.header) || !ask.body || ask.count <= 0 ||
        ask.connections < 1 || ask.connections > MOST_CONNECTIONS) {
        fprintf(stderr, "load: see the head of load.c for its options\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    double took;
    int i;

    read_options(argc, argv);
    prctl(PR_SET_TIMERSLACK, 1); /* ns */
    make_requests();
    times = calloc((size_t)ask.count, sizeof(*times));
    poller = epoll_create1(0);
    for (i = 0; i < ask.connections; i++) {
        open_connection(&all[i]);
    }
    begun = now();
    for (i = 0; i < ask.connections; i++) {
        start_one(&all[i]);
    }
    run();
    took = now() - begun;
    qsort(times, (size_t)answered, sizeof(*times), by_size);
    printf(
        "{\"answered\": %ld, \"good\": %ld, \"lost\": %ld, \"reopened\": %ld, \"seconds\": %.3f, "
        "\"rate\": %.1f, \"p50_ms\": %.3f, \"p99_ms\": %.3f}\n",
        answered, good, started - answered, reopened, took, (double)answered / took,
        answered ? times[answered / 2] * 1e3 : 0,
        answered ? times[answered * 99 / 100] * 1e3 : 0);
    return good == started ? 0 : 1;
}

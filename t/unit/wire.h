/*
 * wire.h - a server on the loopback that says exactly what a test tells it to.
 *
 * Room: tests. One connection at a time, one thread; each request takes the next of
 * the replies, and what was asked is kept.
 */
#ifndef SUBPAY_T_UNIT_WIRE_H
#define SUBPAY_T_UNIT_WIRE_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Instead of a reply: hang up without a word; and stop listening as well. */
#define WIRE_HANG_UP ((const char *)1)
#define WIRE_GO_AWAY ((const char *)2)
/* Say nothing, and keep the line open. */
#define WIRE_SILENCE ((const char *)3)

#define WIRE_MOST 16

typedef struct wire_t {
    int listener;
    int port;
    char url[64];
    const char *replies[WIRE_MOST];
    int reply_count;
    char *asked[WIRE_MOST]; /* whole requests */
    int asked_count;
    int connections;
    int stopping;
    pthread_t thread;
} wire_t;

/* A whole request into *text; 0 when the client is gone. */
static inline int wire_read(int line, char **text)
{
    static const char length[] = "Content-Length: ";
    size_t len = 0, want = 0;
    ssize_t got;
    char *end, *at;

    *text = calloc(1, 65536);
    while (!want || len < want) {
        got = recv(line, *text + len, 65535 - len, 0);
        if (got <= 0) {
            free(*text);
            return 0;
        }
        len += (size_t)got;
        end = strstr(*text, "\r\n\r\n");
        if (end && !want) {
            at = strcasestr(*text, length);
            want = (size_t)(end + 4 - *text) +
                   (at && at < end ? (size_t)atol(at + strlen(length)) : 0);
        }
    }
    return 1;
}

/* Whether the line stays open. */
static inline int wire_answer(wire_t *wire, int line)
{
    const char *reply = wire->asked_count <= wire->reply_count
                            ? wire->replies[wire->asked_count - 1]
                            : WIRE_HANG_UP;

    if (reply == WIRE_GO_AWAY) {
        wire->stopping = 1;
        close(wire->listener);
    }
    if (reply == WIRE_HANG_UP || reply == WIRE_GO_AWAY) {
        return 0;
    }
    if (reply != WIRE_SILENCE) {
        send(line, reply, strlen(reply), MSG_NOSIGNAL);
        return strstr(reply, "Connection: close") == NULL;
    }
    return 1;
}

static inline void *wire_run(void *baton)
{
    wire_t *wire = baton;
    int line;

    while ((line = accept(wire->listener, NULL, NULL)) >= 0) {
        wire->connections++;
        while (wire_read(line, &wire->asked[wire->asked_count])) {
            wire->asked_count++;
            if (!wire_answer(wire, line)) {
                break;
            }
        }
        close(line);
        if (wire->stopping) {
            break;
        }
    }
    return NULL;
}

/** Listen, ready to give these replies (ended by NULL) in turn. */
static inline void wire_start(wire_t *wire, const char *const *replies)
{
    struct sockaddr_in here = { .sin_family = AF_INET };
    socklen_t size = sizeof(here);

    memset(wire, 0, sizeof(*wire));
    for (; replies[wire->reply_count]; wire->reply_count++) {
        wire->replies[wire->reply_count] = replies[wire->reply_count];
    }
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    wire->listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(wire->listener, (struct sockaddr *)&here, sizeof(here));
    listen(wire->listener, 16);
    getsockname(wire->listener, (struct sockaddr *)&here, &size);
    wire->port = ntohs(here.sin_port);
    snprintf(wire->url, sizeof(wire->url), "http://127.0.0.1:%d", wire->port);
    pthread_create(&wire->thread, NULL, wire_run, wire);
}

/** Stop, once the client has closed its connections. */
static inline void wire_stop(wire_t *wire)
{
    int i;

    if (!wire->stopping) {
        shutdown(wire->listener, SHUT_RDWR);
    }
    pthread_join(wire->thread, NULL);
    if (!wire->stopping) {
        close(wire->listener);
    }
    for (i = 0; i < wire->asked_count; i++) {
        free(wire->asked[i]);
    }
}

#endif

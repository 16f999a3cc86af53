/*
 * stripe_http.c - one call to Stripe, and what its answer means.
 *
 * Room: provider.
 * Source: Stripe API reference, "Errors", "Idempotent requests"; "Advanced error
 * handling"; the retry rules of Stripe's own libraries.
 */
#include "provider/stripe.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/crypto.h"
#include "util/http.h"
#include "util/log.h"

#define API "https://api.stripe.com"

#define RETRIES 2
#define CONNECT_TIME apr_time_from_sec(4) /* three SYNs, and a TLS handshake */
#define SHORTEST_TRY apr_time_from_msec(100)
#define LONGEST_RETRY_AFTER 60 /* seconds; Stripe's libraries believe no more */

/* One call with all its tries. */
typedef struct tries_t {
    sp_ctx_t *ctx;
    const sp_account_t *account;
    const sp_stripe_call_t *call;
    apr_time_t deadline;
    int count;
    int maybe; /* an earlier try may have been carried out */
    sp_http_end_t end;
    sp_http_reply_t reply; /* of the last try */
} tries_t;

/* What Stripe says in {"error": {...}}. */
typedef struct complaint_t {
    const char *type;
    const char *code;
    const char *param;
    const char *message;
} complaint_t;

#define FIELD(name, must)                                                          \
    {                                                                              \
#name, sizeof(#name) - 1, SP_SCAN_TEXT, must, offsetof(complaint_t, name), \
            NULL, NULL                                                             \
    }

static const sp_scan_field_t error_fields[] = {
    FIELD(type, 1),
    FIELD(code, 0),
    FIELD(param, 0),
    FIELD(message, 0),
};
static const sp_scan_shape_t error_shape = { error_fields, 4 };
static const sp_scan_field_t body_fields[] = {
    { "error", 5, SP_SCAN_OBJECT, 1, 0, &error_shape, NULL },
};
static const sp_scan_shape_t body_shape = { body_fields, 1 };

apr_time_t sp_stripe_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_make(now.tv_sec, now.tv_nsec / 1000);
}

apr_time_t sp_stripe_deadline(const sp_ctx_t *ctx)
{
    return sp_stripe_clock() +
           (ctx->patience ? ctx->patience : ctx->settings->provider_timeout);
}

void sp_stripe_share_time(sp_ctx_t *ctx, apr_time_t deadline)
{
    apr_interval_time_t left = deadline - sp_stripe_clock();

    ctx->patience = left > 1 ? left : 1; /* 0 would mean the usual time */
}

void sp_stripe_call_start(sp_stripe_call_t *call, apr_pool_t *pool, const char *what,
                          const char *method, const char *path)
{
    memset(call, 0, sizeof(*call));
    call->what = what;
    call->method = method;
    call->path = path;
    sp_query_start(&call->params, pool);
}

static int is_post(const sp_stripe_call_t *call)
{
    return call->method[0] == 'P';
}

static void add_header(apr_array_header_t *headers, const char *name,
                       const char *value)
{
    APR_ARRAY_PUSH(headers, const char *) =
        apr_pstrcat(headers->pool, name, ": ", value, NULL);
}

static apr_array_header_t *make_headers(const tries_t *tries)
{
    apr_array_header_t *headers =
        apr_array_make(tries->ctx->pool, 5, sizeof(const char *));

    add_header(headers, "Authorization",
               apr_pstrcat(headers->pool, "Bearer ", tries->account->key, NULL));
    add_header(headers, "Stripe-Version", SP_STRIPE_VERSION);
    add_header(headers, "User-Agent", "mod_subpay");
    if (is_post(tries->call)) {
        add_header(headers, "Content-Type", "application/x-www-form-urlencoded");
        add_header(headers, "Idempotency-Key", tries->call->key);
    }
    return headers;
}

static void send_once(tries_t *tries)
{
    const sp_stripe_call_t *call = tries->call;
    const char *base = tries->account->url ? tries->account->url : API;
    sp_http_ask_t ask = { .method = call->method, .connect = CONNECT_TIME };

    ask.timeout = tries->deadline - sp_stripe_clock();
    if (ask.timeout < SHORTEST_TRY) {
        ask.timeout = SHORTEST_TRY;
    }
    ask.headers = make_headers(tries);
    if (is_post(call)) {
        ask.url = apr_pstrcat(tries->ctx->pool, base, call->path, NULL);
        ask.body = call->params.text;
        ask.len = call->params.len;
    }
    else {
        ask.url = apr_pstrcat(tries->ctx->pool, base, call->path,
                              call->params.len ? "?" : "", call->params.text, NULL);
    }
    tries->count++;
    tries->end =
        sp_http_send(tries->ctx->http, tries->ctx->pool, &ask, &tries->reply);
}

static const char *get_header(const tries_t *tries, const char *name)
{
    return apr_table_get(tries->reply.headers, name);
}

/* Whether this try may have been carried out although nobody told us so. 409 means
 * that another request with our key is being carried out. */
static int may_have_acted(const tries_t *tries)
{
    int status = tries->reply.status;

    return tries->end == SP_HTTP_LOST ||
           (tries->end == SP_HTTP_ANSWERED && (status >= 500 || status == 409));
}

static int is_worth_retrying(const tries_t *tries)
{
    const char *should = get_header(tries, "Stripe-Should-Retry");
    int status = tries->reply.status;

    if (tries->end != SP_HTTP_ANSWERED) {
        return 1;
    }
    if (should) {
        return strcmp(should, "true") == 0;
    }
    return status == 409 || status == 429 || status >= 500;
}

/* 0.5 s, 1 s, 2 s ... 5 s, each times 0.5 to 1 at random; Retry-After if longer. */
static apr_interval_time_t retry_wait(const tries_t *tries)
{
    const char *after = get_header(tries, "Retry-After");
    apr_interval_time_t wait = apr_time_from_msec(500) << (tries->count - 1);
    apr_interval_time_t asked = 0;
    unsigned char dice[2] = { 0, 0 };

    sp_crypto_random(dice, sizeof(dice));
    if (wait > apr_time_from_sec(5)) {
        wait = apr_time_from_sec(5);
    }
    wait = wait / 2 + wait / 2 * (dice[0] << 8 | dice[1]) / 65535;
    if (after && apr_isdigit(*after) && strlen(after) < 4) {
        asked = apr_time_from_sec(atoi(after));
    }
    return asked > wait && asked <= apr_time_from_sec(LONGEST_RETRY_AFTER) ? asked
                                                                           : wait;
}

/* Wait before the next try; 0 when there shall be none. */
static int wait_for_retry(const tries_t *tries)
{
    apr_time_t until = sp_stripe_clock() + retry_wait(tries);
    apr_time_t now;

    if (tries->count > RETRIES || !is_worth_retrying(tries) ||
        until + SHORTEST_TRY > tries->deadline) {
        return 0;
    }
    sp_log(tries->ctx->log, SP_LOG_INFO, 407,
           "%s: try %d ended with %s, trying again", tries->call->what, tries->count,
           tries->end == SP_HTTP_ANSWERED
               ? apr_psprintf(tries->ctx->pool, "status %d", tries->reply.status)
               : tries->reply.why);
    while ((now = sp_stripe_clock()) < until) {
        if (sp_http_stopping(tries->ctx->http)) {
            return 0;
        }
        /* Short naps: a worker that is told to stop has 50 ms. */
        apr_sleep(until - now < apr_time_from_msec(20) ? until - now
                                                       : apr_time_from_msec(20));
    }
    return 1;
}

/* A word of the provider's for the log: what is no plain word stays out. */
static const char *plain_word(const char *text)
{
    const char *at;

    for (at = text; at && *at; at++) {
        if (!apr_isalnum(*at) && !strchr("_-.[]", *at)) {
            return "?";
        }
    }
    return text && *text && at - text <= 80 ? text : "-";
}

static const char *request_id(const tries_t *tries)
{
    return plain_word(tries->reply.headers ? get_header(tries, "Request-Id") : NULL);
}

static sp_outcome_t end_silent(tries_t *tries)
{
    const char *code =
        tries->reply.timed_out ? "provider_timeout" : "provider_unreachable";
    int unsent = tries->end == SP_HTTP_NOT_SENT && !tries->maybe;

    sp_log(tries->ctx->log, SP_LOG_WARN, unsent ? 405 : 401,
           "%s: %s after %d %s: %s", tries->call->what,
           unsent ? "could not be sent" : "no answer", tries->count,
           tries->count == 1 ? "try" : "tries", tries->reply.why);
    return sp_end(tries->ctx, unsent ? SP_FAILED : SP_UNKNOWN, code, NULL);
}

/* An answer that settles nothing: Stripe's own fault, or not Stripe's answer. */
static sp_outcome_t end_unclear(tries_t *tries, const complaint_t *error)
{
    sp_log(tries->ctx->log, SP_LOG_WARN, 401,
           "%s: status %d (%s, %s) after %d %s, request %s", tries->call->what,
           tries->reply.status, plain_word(error->type), plain_word(error->code),
           tries->count, tries->count == 1 ? "try" : "tries", request_id(tries));
    return sp_end(tries->ctx, SP_UNKNOWN, "provider_error", NULL);
}

/* Turned away before anything was done: by the key, or by the rate limit. */
static sp_outcome_t end_turned_away(tries_t *tries, const complaint_t *error)
{
    int limit = tries->reply.status == 429;

    sp_log(tries->ctx->log, limit ? SP_LOG_WARN : SP_LOG_ERR, limit ? 406 : 402,
           "%s: status %d (%s, %s), %s, request %s", tries->call->what,
           tries->reply.status, plain_word(error->type), plain_word(error->code),
           limit ? "too many requests" : "the key is wrong or may not do this",
           request_id(tries));
    return sp_end(tries->ctx, tries->maybe ? SP_UNKNOWN : SP_FAILED,
                  limit ? "provider_limit" : "provider_key", NULL);
}

static sp_outcome_t end_refused(tries_t *tries, const complaint_t *error)
{
    sp_ctx_t *ctx = tries->ctx;

    if (tries->reply.status == 404 && error->code &&
        strcmp(error->code, "resource_missing") == 0) {
        sp_log(ctx->log, SP_LOG_INFO, 408, "%s: not found, request %s",
               tries->call->what, request_id(tries));
        return sp_end(ctx, SP_REFUSED, "not_found",
                      "The payment provider does not know this payment.");
    }
    sp_log(ctx->log, SP_LOG_WARN, 403,
           "%s: refused with %d (%s, %s, %s), request %s", tries->call->what,
           tries->reply.status, plain_word(error->type), plain_word(error->code),
           plain_word(error->param), request_id(tries));
    /* Only a card error's message is written for the customer. */
    return sp_end(ctx, SP_REFUSED, "provider_refused",
                  strcmp(error->type, "card_error") == 0 && error->message
                      ? error->message
                      : "The payment provider did not accept this.");
}

static sp_outcome_t conclude(tries_t *tries)
{
    complaint_t error = { NULL, NULL, NULL, NULL };
    int status = tries->reply.status;

    if (tries->end != SP_HTTP_ANSWERED) {
        return end_silent(tries);
    }
    /* A proxy in between, or a wrong address, has answers of its own: what is not
     * Stripe's error object is not Stripe's word. */
    if (sp_scan_whole(tries->ctx->pool, tries->reply.body, tries->reply.len,
                      &body_shape, &error)) {
        return end_unclear(tries, &error);
    }
    if (status == 401 || status == 403 || status == 429) {
        return end_turned_away(tries, &error);
    }
    /* A reused key says nothing about the money: the first request may be through. */
    if (status < 400 || status == 409 || status >= 500 ||
        strcmp(error.type, "idempotency_error") == 0) {
        return end_unclear(tries, &error);
    }
    return end_refused(tries, &error);
}

sp_outcome_t sp_stripe_send(sp_ctx_t *ctx, const sp_account_t *account,
                            const sp_stripe_call_t *call, sp_slice_t *body)
{
    tries_t tries = { .ctx = ctx, .account = account, .call = call };

    tries.deadline = sp_stripe_deadline(ctx);
    do {
        send_once(&tries);
        if (tries.end == SP_HTTP_ANSWERED && tries.reply.status / 100 == 2) {
            sp_log(ctx->log, SP_LOG_DEBUG, 409, "%s: done, request %s", call->what,
                   request_id(&tries));
            body->data = tries.reply.body;
            body->len = tries.reply.len;
            return SP_DONE;
        }
        tries.maybe |= may_have_acted(&tries);
    } while (wait_for_retry(&tries));
    return conclude(&tries);
}

sp_outcome_t sp_stripe_unreadable(sp_ctx_t *ctx, const sp_stripe_call_t *call,
                                  const char *why)
{
    sp_log(ctx->log, SP_LOG_WARN, 404, "%s: the answer is unreadable: %s",
           call->what, why);
    return sp_end(ctx, SP_UNKNOWN, "provider_unreadable", NULL);
}

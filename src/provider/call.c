/*
 * call.c - one call to a provider, repeated where that is safe, and what it came to.
 *
 * Room: provider.
 */
#include "provider/call.h"

#include <apr_date.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"
#include "util/crypto.h"
#include "util/http.h"
#include "util/log.h"
#include "util/tally.h"

#define RETRIES 2
#define CONNECT_TIME apr_time_from_sec(4) /* three SYNs, and a TLS handshake */
#define SHORTEST_TRY apr_time_from_msec(100)
#define LONGEST_RETRY_AFTER 60 /* seconds; Stripe's libraries believe no more */

/* One call with all its tries. */
typedef struct tries_t {
    sp_ctx_t *ctx;
    const sp_call_t *call;
    apr_time_t deadline;
    int count;
    int maybe; /* an earlier try may have been carried out */
    sp_http_end_t end;
    sp_http_reply_t reply; /* of the last try */
} tries_t;

apr_time_t sp_call_deadline(const sp_ctx_t *ctx)
{
    return sp_clock_now() +
           (ctx->patience ? ctx->patience : ctx->settings->provider_timeout);
}

void sp_call_share_time(sp_ctx_t *ctx, apr_time_t deadline)
{
    apr_interval_time_t left = deadline - sp_clock_now();

    ctx->patience = left > 1 ? left : 1; /* 0 would mean the usual time */
}

void sp_call_header(sp_call_t *call, const char *name, const char *value)
{
    APR_ARRAY_PUSH(call->headers, const char *) =
        apr_pstrcat(call->headers->pool, name, ": ", value, NULL);
}

void sp_call_start(sp_call_t *call, apr_pool_t *pool, const sp_dialect_t *dialect,
                   const char *what, const char *method, const char *url)
{
    memset(call, 0, sizeof(*call));
    call->dialect = dialect;
    call->what = what;
    call->method = method;
    call->url = url;
    call->headers = apr_array_make(pool, 5, sizeof(const char *));
    sp_call_header(call, "User-Agent", "mod_subpay");
}

static void send_once(tries_t *tries)
{
    const sp_call_t *call = tries->call;
    sp_http_ask_t ask = { .method = call->method,
                          .url = call->url,
                          .headers = call->headers,
                          .body = call->body,
                          .len = call->len,
                          .once = call->once,
                          .connect = CONNECT_TIME };

    ask.timeout = tries->deadline - sp_clock_now();
    if (ask.timeout < SHORTEST_TRY) {
        ask.timeout = SHORTEST_TRY;
    }
    tries->count++;
    tries->end =
        sp_http_send(tries->ctx->http, tries->ctx->pool, &ask, &tries->reply);
}

static const char *get_header(const tries_t *tries, const char *name)
{
    return name && tries->reply.headers ? apr_table_get(tries->reply.headers, name)
                                        : NULL;
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
    const char *should = get_header(tries, tries->call->dialect->should_retry);
    int status = tries->reply.status;

    if (tries->call->once && tries->maybe) {
        return 0;
    }
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
    apr_time_t until = sp_clock_now() + retry_wait(tries);
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
    while ((now = sp_clock_now()) < until) {
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

static const char *request_id(const tries_t *tries, const sp_complaint_t *error)
{
    const char *id = get_header(tries, tries->call->dialect->request);

    return plain_word(id ? id : error->request);
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

/* An answer that settles nothing: the provider's own fault, or not its answer. */
static sp_outcome_t end_unclear(tries_t *tries, const sp_complaint_t *error)
{
    sp_log(tries->ctx->log, SP_LOG_WARN, 401,
           "%s: status %d (%s, %s) after %d %s, request %s", tries->call->what,
           tries->reply.status, plain_word(error->type), plain_word(error->code),
           tries->count, tries->count == 1 ? "try" : "tries",
           request_id(tries, error));
    return sp_end(tries->ctx, SP_UNKNOWN, "provider_error", NULL);
}

/* Turned away before anything was done: by the key, or by the rate limit. */
static sp_outcome_t end_turned_away(tries_t *tries, const sp_complaint_t *error)
{
    int limit = tries->reply.status == 429;

    sp_log(tries->ctx->log, limit ? SP_LOG_WARN : SP_LOG_ERR, limit ? 406 : 402,
           "%s: status %d (%s, %s), %s, request %s", tries->call->what,
           tries->reply.status, plain_word(error->type), plain_word(error->code),
           limit ? "too many requests" : "the key is wrong or may not do this",
           request_id(tries, error));
    return sp_end(tries->ctx, tries->maybe ? SP_UNKNOWN : SP_FAILED,
                  limit ? "provider_limit" : "provider_key", NULL);
}

static sp_outcome_t end_refused(tries_t *tries, const sp_complaint_t *error)
{
    sp_ctx_t *ctx = tries->ctx;
    int declined = tries->reply.status == 402;

    if (tries->reply.status == 404 && error->missing) {
        sp_log(ctx->log, SP_LOG_INFO, 408, "%s: not found, request %s",
               tries->call->what, request_id(tries, error));
        return sp_end(ctx, SP_REFUSED, "not_found",
                      "The payment provider does not know this payment.");
    }
    /* 402 is a bank's no to a card, which happens every day. */
    sp_log(ctx->log, declined ? SP_LOG_INFO : SP_LOG_WARN, declined ? 416 : 403,
           "%s: refused with %d (%s, %s, %s), request %s", tries->call->what,
           tries->reply.status, plain_word(error->type), plain_word(error->code),
           plain_word(error->param), request_id(tries, error));
    return sp_end(ctx, SP_REFUSED, declined ? "declined" : "provider_refused",
                  error->say ? error->say
                             : "The payment provider did not accept this.");
}

static sp_outcome_t conclude(tries_t *tries)
{
    const sp_slice_t body = { tries->reply.body, tries->reply.len };
    sp_complaint_t error = { .type = NULL };
    int status = tries->reply.status;

    if (tries->end != SP_HTTP_ANSWERED) {
        return end_silent(tries);
    }
    if (tries->call->dialect->complain(tries->ctx->pool, &body, status, &error)) {
        return end_unclear(tries, &error);
    }
    if (status == 401 || status == 403 || status == 429) {
        return end_turned_away(tries, &error);
    }
    if (status < 400 || status == 409 || status >= 500 || error.unclear) {
        return end_unclear(tries, &error);
    }
    return end_refused(tries, &error);
}

static void note_clock(const tries_t *tries)
{
    const char *date = get_header(tries, "Date");

    if (tries->call->clock) {
        *tries->call->clock = date ? apr_date_parse_http(date) : 0;
    }
}

sp_outcome_t sp_call_send(sp_ctx_t *ctx, const sp_call_t *call, sp_slice_t *body)
{
    static const sp_complaint_t none = { .type = NULL };
    tries_t tries = { .ctx = ctx, .call = call };
    sp_outcome_t out;

    tries.deadline = sp_call_deadline(ctx);
    do {
        send_once(&tries);
        if (tries.end == SP_HTTP_ANSWERED && tries.reply.status / 100 == 2) {
            sp_log(ctx->log, SP_LOG_DEBUG, 409, "%s: done, request %s", call->what,
                   request_id(&tries, &none));
            body->data = tries.reply.body;
            body->len = tries.reply.len;
            note_clock(&tries);
            sp_tally_call(SP_DONE);
            return SP_DONE;
        }
        tries.maybe |= may_have_acted(&tries);
    } while (wait_for_retry(&tries));
    out = conclude(&tries);
    sp_tally_call(out);
    return out;
}

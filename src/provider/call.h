/*
 * call.h - one call to a provider, repeated where that is safe, and what it came to.
 *
 * Room: provider. Shared by the providers; nobody else includes it.
 * Source: the retry rules of Stripe's own libraries, which do no harm elsewhere.
 *
 * The four outcomes are decided here, once, for all of them: README.md has the table.
 * A provider says what its words mean in a dialect.
 */
#ifndef SUBPAY_PROVIDER_CALL_H
#define SUBPAY_PROVIDER_CALL_H

#include <apr_tables.h>

#include "cfg/settings.h"
#include "model/ctx.h"
#include "util/log.h"
#include "util/scan.h"

/* What a provider says in its error object. Words are for the log, where one that is
 * no plain word is left out; say is for the customer. */
typedef struct sp_complaint_t {
    const char *type;
    const char *code;
    const char *param;
    const char *request; /* its own name for this call, where the body tells it */
    const char *say;     /* NULL: ours */
    int missing;         /* the thing asked for is unknown there */
    int unclear;         /* says nothing about whether the call was carried out */
} sp_complaint_t;

/* How one provider talks. */
typedef struct sp_dialect_t {
    const char *request;      /* the answer's header with its name for the call */
    const char *should_retry; /* the answer's header "true" or "false", or NULL */
    /** Read the error object; NULL, or why these bytes are none. A proxy in between
     * has answers of its own: only the provider's word settles anything. */
    const char *(*complain)(apr_pool_t *pool, const sp_slice_t *body, int status,
                            sp_complaint_t *complaint);
} sp_dialect_t;

typedef struct sp_call_t {
    const sp_dialect_t *dialect;
    const char *what;            /* for the log: "create checkout" */
    const char *method;          /* GET or POST */
    const char *url;             /* whole, with its query */
    apr_array_header_t *headers; /* of const char *: "Name: value" */
    const char *body;            /* NULL for none */
    apr_size_t len;
    int once; /* a repeat would do harm: never again once it may have been carried out */
    apr_time_t *clock; /* where the answer's Date goes, or NULL */
} sp_call_t;

/** Begin a call with no more than a User-Agent. */
void sp_call_start(sp_call_t *call, apr_pool_t *pool, const sp_dialect_t *dialect,
                   const char *what, const char *method, const char *url);

void sp_call_header(sp_call_t *call, const char *name, const char *value);

/**
 * Send it, again where that is safe and time is left.
 *
 * @param body  the answer's bytes, on SP_DONE only; they live in ctx->pool
 */
sp_outcome_t sp_call_send(sp_ctx_t *ctx, const sp_call_t *call, sp_slice_t *body);

/** End a call whose answer came but is not what it should be. Inline as sp_end is. */
static inline sp_outcome_t sp_call_unreadable(sp_ctx_t *ctx, const char *what,
                                              const char *why)
{
    sp_log(ctx->log, SP_LOG_WARN, 404, "%s: the answer is unreadable: %s", what,
           why);
    return sp_end(ctx, SP_UNKNOWN, "provider_unreadable", NULL);
}

/** When the patience of ctx is over, on sp_clock_now(). */
apr_time_t sp_call_deadline(const sp_ctx_t *ctx);

/** Leave the next call what is left until deadline. Restore ctx->patience after. */
void sp_call_share_time(sp_ctx_t *ctx, apr_time_t deadline);

#endif

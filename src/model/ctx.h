/*
 * ctx.h - what every call below handle/, worker/ and subpayctl gets to work with.
 *
 * Room: model.
 *
 * A request, a worker's job, the command line and a unit test fill one of these
 * and run the very same code.
 */
#ifndef SUBPAY_MODEL_CTX_H
#define SUBPAY_MODEL_CTX_H

#include <apr_pools.h>
#include <apr_time.h>

#include "model/outcome.h"

struct sp_settings_t;
struct sp_db_t;
struct sp_http_t;
struct sp_templates_t;
struct sp_log_t;

typedef struct sp_ctx_t {
    apr_pool_t *pool; /* everything a call returns lives here */
    const struct sp_settings_t *settings;
    struct sp_db_t *db;     /* db/db.h */
    struct sp_http_t *http; /* util/http.h: connections to providers */
    const struct sp_templates_t *templates; /* view/templates.h */
    struct sp_log_t *log;                   /* util/log.h */
    const char *
        via; /* the road: return, webhook, replay, reconcile, self_service, support */
    const char *lang;  /* what the person in front of us reads, a folder of the
                        * templates; NULL: nobody is there, or has not said */
    const char *actor; /* who: customer, provider, worker, or a person's user name */
    apr_interval_time_t patience; /* longest wait for the provider in all; 0: the
                                   * settings' provider_timeout */

    /* Set by the call that did not end in SP_DONE. */
    const char *say; /* fit for the person in front of us, or NULL */
    const char
        *code; /* one word for scripts and JSON: "database", "no_such_product" */
} sp_ctx_t;

/** End a call: remember code and say, return outcome. For use as `return sp_end(...)`.
 * Inline, so that an analyzer of one file sees which outcome that is. */
static inline sp_outcome_t sp_end(sp_ctx_t *ctx, sp_outcome_t outcome,
                                  const char *code, const char *say)
{
    ctx->code = code;
    ctx->say = say;
    return outcome;
}

#endif

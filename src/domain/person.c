/*
 * person.c - what is held about one person.
 *
 * Room: domain.
 */
#include "domain/person.h"

#include <apr_time.h>
#include <string.h>

#include "cfg/settings.h"
#include "model/order.h"
#include "util/log.h"
#include "util/text.h"

#define ASK_AGAIN apr_time_from_msec(500)

static sp_outcome_t check_email(sp_ctx_t *ctx, const char *email)
{
    const char *problem = sp_text_email_problem(email);

    return problem ? sp_end(ctx, SP_REFUSED, "bad_email", problem) : SP_DONE;
}

sp_outcome_t sp_person_export(sp_ctx_t *ctx, const char *email, const char **held)
{
    sp_outcome_t out = check_email(ctx, email);

    *held = NULL;
    if (out == SP_DONE) {
        out = sp_db_person_export(ctx, email, held);
    }
    return out == SP_DONE && !*held ? sp_end(ctx, SP_REFUSED, "not_found",
                                             "nothing is held about this address")
                                    : out;
}

static sp_outcome_t judge(sp_ctx_t *ctx, const char *verdict)
{
    static const struct {
        const char *verdict, *say;
    } refusals[] = {
        { "not_found", "nothing is held about this address" },
        { "access",
          "they have paid for access that goes on; with --reason it ends" },
        { "dispute",
          "their bank is asking about a payment, and the answer needs their name; "
          "with --reason it goes all the same" },
        { "renews", "the provider would charge them again: stop the renewal first" },
        { "open", "an order of theirs may still be paid, or waits for a decision" },
        { "waiting",
          "a message about them has not left yet; try again in a moment" },
    };
    size_t i;

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (strcmp(refusals[i].verdict, verdict) == 0) {
            return sp_end(ctx, SP_REFUSED, refusals[i].verdict, refusals[i].say);
        }
    }
    return SP_DONE;
}

sp_outcome_t sp_person_erase(sp_ctx_t *ctx, const char *email, const char *reason,
                             apr_interval_time_t patience, sp_erased_t *erased)
{
    apr_time_t until = apr_time_now() + patience;
    sp_outcome_t out = check_email(ctx, email);

    while (out == SP_DONE) {
        out = sp_db_person_erase(ctx, email, reason, erased);
        if (out != SP_DONE || strcmp(erased->verdict, "waiting") != 0 ||
            apr_time_now() >= until) {
            break;
        }
        apr_sleep(ASK_AGAIN);
    }
    return out == SP_DONE ? judge(ctx, erased->verdict) : out;
}

sp_outcome_t sp_retention_clean(sp_ctx_t *ctx, int *more)
{
    const sp_retention_t *kept = &ctx->settings->retention;
    sp_outcome_t out;
    int gone;

    out = sp_db_retention_clean(ctx, sp_period_iso(ctx->pool, kept->events),
                                sp_period_iso(ctx->pool, kept->mails),
                                sp_period_iso(ctx->pool, kept->audit), &gone);
    *more = gone > 0;
    if (gone > 0) {
        sp_log(ctx->log, SP_LOG_DEBUG, 343, "%d old rows forgotten", gone);
    }
    return out;
}

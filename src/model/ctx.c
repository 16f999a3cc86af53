/*
 * ctx.c - the one way to leave a call that did not succeed.
 *
 * Room: model.
 */
#include "model/ctx.h"

sp_outcome_t sp_end(sp_ctx_t *ctx, sp_outcome_t outcome, const char *code,
                    const char *say)
{
    ctx->code = code;
    ctx->say = say;
    return outcome;
}

/*
 * letter.h - what a mail has to say: the model that its template is filled with.
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_LETTER_H
#define SUBPAY_DOMAIN_LETTER_H

#include <jansson.h>

#include "db/jobs.h"
#include "model/ctx.h"

/**
 * Fill a model as htdocs/templates/README.md describes it.
 *
 * Takes the order as it is now, so that a mail never says what is no longer true;
 * the row's payload stands in front of what is derived here. "mail" is the template that
 * fits: mostly the row's own.
 *
 * @param model  in ctx->pool; filled on SP_DONE
 */
sp_outcome_t sp_letter_model(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                             json_t **model);

#endif

/*
 * inbox.h - what customers answer by mail, as the mail server hands it in.
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_INBOX_H
#define SUBPAY_DOMAIN_INBOX_H

#include <jansson.h>

#include "model/ctx.h"

/**
 * Take in one mail, as it came over the wire.
 *
 * @param answer  {verdict, ticket, why}: as inbox_take.sql says; set on SP_DONE
 * @return SP_DONE     taken in, or there was nothing to take; handed in again it does
 *                     no harm
 *         SP_REFUSED  it cannot be read; ctx->say says why
 *         SP_FAILED   code database: hand it in again later
 */
sp_outcome_t sp_inbox_take(sp_ctx_t *ctx, const char *raw, apr_size_t len,
                           json_t **answer);

#endif

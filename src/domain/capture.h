/*
 * capture.h - take the money that is held, once access is there.
 *
 * Room: domain.
 */
#ifndef SUBPAY_DOMAIN_CAPTURE_H
#define SUBPAY_DOMAIN_CAPTURE_H

#include "db/jobs.h"
#include "model/ctx.h"

/**
 * Do what an outbox row of the kind "capture" asks for.
 *
 * A first try takes the money at once. After an answer that was lost the provider is
 * asked first: what was taken is settled, what is held still is taken again under the
 * same key, what is held no longer ends the access that was given for it.
 *
 * @param say  on anything but SP_DONE: why, for the row; holds nothing personal
 * @return SP_DONE     taken, or no longer to be taken
 *         SP_REFUSED  the row cannot be read
 *         SP_UNKNOWN  no clear answer: ask again
 *         SP_FAILED   not now
 */
sp_outcome_t sp_capture_make(sp_ctx_t *ctx, const sp_outbox_row_t *row,
                             const char **say);

#endif

/*
 * batch.h - facts that wait at the same moment are settled with one commit.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_BATCH_H
#define SUBPAY_HANDLE_BATCH_H

#include <httpd.h>

#include "db/db.h"

/** For child_init. */
void sp_batch_child_init(apr_pool_t *pool);

/**
 * Settle one fact, together with those of other threads of this process if any wait.
 * For sp_db_t's settle.
 *
 * While one batch is on its way, facts gather for the next; one that finds none on its
 * way goes at once, alone. So nobody waits for a timer or for others to come, and the
 * busier it is, the more share a commit. Returns after the commit that holds the fact.
 */
sp_outcome_t sp_batch_settle(sp_ctx_t *ctx, const sp_fact_t *fact,
                             sp_settled_t *settled);

#endif

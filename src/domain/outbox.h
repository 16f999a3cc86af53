/*
 * outbox.h - let out what the database has decided to say: mails and alerts.
 *
 * Room: domain.
 *
 * At least once, and a repeat is harmless: a mail carries the same Message-ID each
 * time. No transaction is open while a server is talked to; what is being sent is
 * claimed under a lease, and a worker that died gives it back by letting it expire.
 */
#ifndef SUBPAY_DOMAIN_OUTBOX_H
#define SUBPAY_DOMAIN_OUTBOX_H

#include "domain/pulse.h"
#include "model/ctx.h"

typedef struct sp_outbox_t sp_outbox_t;

/**
 * Make ready to send.
 *
 * @param ctx     its pool holds the connection to the mail server
 * @param worker  uuid, for the rows it claims
 * @param error   why no mail can leave, where that is so; alerts by webhook still do
 */
sp_outbox_t *sp_outbox_open(sp_ctx_t *ctx, const char *worker,
                            const sp_pulse_t *pulse, const char **error);

/**
 * Send one batch of what is due.
 *
 * One message that fails holds up no other: it is tried again later, or given up
 * with a ticket where the server refused it for good.
 *
 * @param more  set when there may be another batch
 * @return SP_DONE, or SP_FAILED (database)
 */
sp_outcome_t sp_outbox_drain(sp_ctx_t *ctx, sp_outbox_t *outbox, int *more);

#endif

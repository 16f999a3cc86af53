/*
 * person.h - the SQL calls around what is held about people, and for how long.
 *
 * Room: db. As db.h. The worker's and subpayctl's alone.
 */
#ifndef SUBPAY_DB_PERSON_H
#define SUBPAY_DB_PERSON_H

#include "db/db.h"

/** Everything held about an address, as JSON text; NULL: nothing. */
sp_outcome_t sp_db_person_export(sp_ctx_t *ctx, const char *email,
                                 const char **held);

/* What erasing has come to; see sql/functions/person_erase.sql. */
typedef struct sp_erased_t {
    const char
        *verdict; /* erased, not_found, waiting, renews, open, dispute, access */
    const char *pseudonym;
    int orders;
    int tickets;
} sp_erased_t;

/** Forget a person, by ctx->actor; reason may be NULL. */
sp_outcome_t sp_db_person_erase(sp_ctx_t *ctx, const char *email, const char *reason,
                                sp_erased_t *erased);

/** Forget some rows that are older than these (ISO 8601, NULL: for ever); how many. */
sp_outcome_t sp_db_retention_clean(sp_ctx_t *ctx, const char *events,
                                   const char *mails, const char *audit, int *gone);

#endif

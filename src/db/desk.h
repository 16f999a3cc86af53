/*
 * desk.h - the SQL calls of people who look something up.
 *
 * Room: db.
 */
#ifndef SUBPAY_DB_DESK_H
#define SUBPAY_DB_DESK_H

#include "db/db.h"

typedef struct sp_found_t {
    const char *diagnosis; /* healthy, paid_stuck, review, never_charged ... */
    sp_order_t order;
} sp_found_t;

/** Orders (sp_found_t) by e-mail, reference, or the provider's payment or checkout id;
 * newest first. */
sp_outcome_t sp_db_lookup(sp_ctx_t *ctx, const char *q, apr_array_header_t **found);

/* One number of the state of things. */
typedef struct sp_figure_t {
    const char *name;
    const char *value; /* NULL: there is none */
    int is_number;
} sp_figure_t;

/** Counts and ages (sp_figure_t), as subpay.status() names them. */
sp_outcome_t sp_db_status(sp_ctx_t *ctx, apr_array_header_t **figures);

#endif

/*
 * desk.h - the SQL calls of people who look something up.
 *
 * Room: db.
 */
#ifndef SUBPAY_DB_DESK_H
#define SUBPAY_DB_DESK_H

#include <jansson.h>

#include "db/db.h"

typedef struct sp_found_t {
    const char *diagnosis; /* healthy, paid_stuck, review, never_charged ... */
    sp_order_t order;
} sp_found_t;

/**
 * Orders (sp_found_t) by e-mail, reference, ticket, or any of the provider's ids; newest
 * first.
 *
 * @param more  what else is known: a JSON object as lookup.sql takes it, or NULL
 */
sp_outcome_t sp_db_lookup(sp_ctx_t *ctx, const char *q, const json_t *more,
                          apr_array_header_t **found);

/** Everything about one order, as desk_case.sql says it; *found NULL: there is none. */
sp_outcome_t sp_db_desk_case(sp_ctx_t *ctx, const char *reference, json_t **found);

/** One ticket as desk_ticket.sql says it; *found NULL: there is none. */
sp_outcome_t sp_db_desk_ticket(sp_ctx_t *ctx, const char *reference, json_t **found);

/** What needs a person; the reconciler's book; the figures of the last month; the ledger
 * (of one address, or NULL). */
sp_outcome_t sp_db_desk_queue(sp_ctx_t *ctx, json_t **found);
sp_outcome_t sp_db_desk_runs(sp_ctx_t *ctx, json_t **found);
sp_outcome_t sp_db_desk_pictures(sp_ctx_t *ctx, json_t **found);
sp_outcome_t sp_db_desk_ledger(sp_ctx_t *ctx, const char *email, json_t **found);

/** Who has the week, the notes of the weeks before, and what is worth a smile. */
sp_outcome_t sp_db_desk_duties(sp_ctx_t *ctx, json_t **found);

/** ctx->actor looks at this order or ticket: who else does; *others NULL: nobody. */
sp_outcome_t sp_db_desk_visit(sp_ctx_t *ctx, const char *place, json_t **others);

/** Take in a mail that came in, as inbox_take.sql wants it. */
sp_outcome_t sp_db_inbox_take(sp_ctx_t *ctx, const json_t *mail, json_t **taken);

/**
 * Do what somebody pressed: the effect and its audit row, in one transaction.
 *
 * @param action  recover, resend, email, refund, extend, grant, note, assign, close, reply,
 *                dispute, thank, duty, alert_test or run_now: the SQL function is
 *                desk_<action>
 * @param ask     what that function takes
 * @param answer  {"verdict": ...}; never NULL on SP_DONE
 */
sp_outcome_t sp_db_desk_act(sp_ctx_t *ctx, const char *action, const json_t *ask,
                            json_t **answer);

/** What a bank asks for about a disputed order (desk_evidence.sql); *found NULL: it is
 * not disputed, or there is no such order. */
sp_outcome_t sp_db_desk_evidence(sp_ctx_t *ctx, const char *reference,
                                 json_t **found);

/** May the worker take the money that is held for this payment now? */
sp_outcome_t sp_db_capture_allowed(sp_ctx_t *ctx, const char *provider,
                                   const char *payment_id, int *allowed);

/* One number of the state of things. */
typedef struct sp_figure_t {
    const char *name;
    const char *value; /* NULL: there is none */
    int is_number;
} sp_figure_t;

/** Counts and ages (sp_figure_t), as subpay.status() names them. */
sp_outcome_t sp_db_status(sp_ctx_t *ctx, apr_array_header_t **figures);

/**
 * What doctor_look.sql tells of the database.
 *
 * @return SP_REFUSED, not logged, where the database is older than that function or the
 *         role may not call it
 */
sp_outcome_t sp_db_doctor_look(sp_ctx_t *ctx, json_t **look);

#endif

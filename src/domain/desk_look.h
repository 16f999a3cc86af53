/*
 * desk_look.h - asking the provider on behalf of people who look something up.
 *
 * Room: domain; for its desk files only.
 */
#ifndef SUBPAY_DOMAIN_DESK_LOOK_H
#define SUBPAY_DOMAIN_DESK_LOOK_H

#include <apr_tables.h>

#include "model/ctx.h"
#include "model/fact.h"
#include "model/order.h"

/* What somebody typed, read. */
typedef struct sp_desk_query_t {
    const char *text;      /* trimmed */
    const char *email;     /* or NULL */
    const char *id;        /* one of the provider's, or NULL */
    const char *reference; /* in its own form, or NULL */
    int reference_wrong;   /* its check symbol does not fit */
    sp_money_t amount;     /* with day and last4, or none of the three */
    const char *day_text;
    apr_time_t day;
    const char *last4;
} sp_desk_query_t;

/* One look at the provider, with patience for all its questions together. */
typedef struct sp_desk_look_t {
    apr_time_t until;
    int asked;
    int silent;                /* a question had no clear answer */
    apr_array_header_t *facts; /* of sp_fact_t *: payments that fit */
} sp_desk_look_t;

void sp_desk_read_query(sp_ctx_t *ctx, const char *q, sp_desk_query_t *query);

/** Begin; look->until is three seconds from now. */
void sp_desk_look_start(sp_ctx_t *ctx, sp_desk_look_t *look);

/** The payments that fit what was typed, from every provider; an order whose row is gone
 * is looked for by its reference in what was paid lately. */
void sp_desk_look_query(sp_ctx_t *ctx, sp_desk_look_t *look,
                        const sp_desk_query_t *query);

/** The payments of the last days that carry this reference. */
void sp_desk_look_reference(sp_ctx_t *ctx, sp_desk_look_t *look,
                            const char *reference);

/**
 * What the provider says of one order: of its payment page, or of the payment that
 * completed it.
 *
 * @param missing  set when it knows nothing of that payment
 * @return NULL when there was no clear answer, or none is awaited
 */
sp_fact_t *sp_desk_look_order(sp_ctx_t *ctx, sp_desk_look_t *look,
                              const sp_order_t *order, int *missing);

/** What is the matter with an order, given what the database and the provider say. */
const char *sp_desk_judge(const sp_order_t *order, const char *code,
                          const sp_fact_t *fact, int missing);

#endif

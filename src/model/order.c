/*
 * order.c - how an order's money stands; how long a plan runs, in PostgreSQL's words.
 *
 * Room: model.
 */
#include "model/order.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

/* A hundred years. */
#define LONGEST_DAYS 36500

int sp_order_is_open(const sp_order_t *order)
{
    return strcmp(order->state, "completed") == 0 && order->access &&
           strcmp(order->access, "open") == 0;
}

int sp_order_is_reserved(const sp_order_t *order)
{
    return order->processing && (strcmp(order->state, "completed") == 0 ||
                                 strcmp(order->state, "review") == 0);
}

int sp_order_is_released(const sp_order_t *order)
{
    return strcmp(order->state, "refunded") == 0 && order->failure &&
           strcmp(order->failure, "released") == 0;
}

typedef struct unit_t {
    const char *name;
    char iso;
    int days;
} unit_t;

/* The unit of period, and its count; NULL for what is no period. */
static const unit_t *read_period(const char *period, long *count)
{
    static const unit_t units[] = { { "d", 'D', 1 },
                                    { "w", 'W', 7 },
                                    { "mo", 'M', 30 },
                                    { "y", 'Y', 365 } };
    char *unit;
    size_t i;

    if (!period || *period < '1' || *period > '9') {
        return NULL;
    }
    *count = strtol(period, &unit, 10);
    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i].name) == 0) {
            return *count <= LONGEST_DAYS / units[i].days ? &units[i] : NULL;
        }
    }
    return NULL;
}

const char *sp_period_iso(apr_pool_t *pool, const char *period)
{
    long count;
    const unit_t *unit = read_period(period, &count);

    return unit ? apr_psprintf(pool, "P%ld%c", count, unit->iso) : NULL;
}

int sp_period_days(const char *period)
{
    long count;
    const unit_t *unit = read_period(period, &count);

    return unit ? (int)count * unit->days : 0;
}

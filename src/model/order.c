/*
 * order.c - how an order's money stands; how long a plan runs, in PostgreSQL's words.
 *
 * Room: model.
 */
#include "model/order.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

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

const char *sp_period_iso(apr_pool_t *pool, const char *period)
{
    static const struct {
        const char *unit;
        char iso;
    } units[] = { { "d", 'D' }, { "w", 'W' }, { "mo", 'M' }, { "y", 'Y' } };
    char *unit;
    long count;
    size_t i;

    if (!period) {
        return NULL;
    }
    count = strtol(period, &unit, 10);
    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i].unit) == 0 && count > 0 && count < 1000) {
            return apr_psprintf(pool, "P%ld%c", count, units[i].iso);
        }
    }
    return NULL;
}

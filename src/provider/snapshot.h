/*
 * snapshot.h - the order as it travels in a provider's metadata, out and home again.
 *
 * Room: provider. Shared by the providers; nobody else includes it. README.md lists
 * the keys.
 */
#ifndef SUBPAY_PROVIDER_SNAPSHOT_H
#define SUBPAY_PROVIDER_SNAPSHOT_H

#include "cfg/settings.h"
#include "model/ctx.h"
#include "model/fact.h"
#include "model/order.h"
#include "util/scan.h"

/* What we wrote into the metadata, as text. */
typedef struct sp_snapshot_t {
    const char *order;
    const char *reference;
    const char *email;
    const char *product;
    const char *amount;
    const char *period;
    const char *credits;
    const char *token;
    const char *site;
    const char *refund; /* on a refund only */
} sp_snapshot_t;

/* Counts from the struct it is inside of, so it stands first in each of them. */
extern const sp_scan_shape_t sp_snapshot_shape;

/* One key of the metadata and its value; NULL: left out. */
typedef struct sp_snapshot_pair_t {
    const char *key;
    const char *value;
} sp_snapshot_pair_t;

#define SP_SNAPSHOT_PAIRS 9

/** The whole order. Of the return token only its hash: it opens a personal page. */
void sp_snapshot_write(const sp_ctx_t *ctx, const sp_order_t *order,
                       sp_snapshot_pair_t pairs[SP_SNAPSHOT_PAIRS]);

/** People can edit metadata by hand: what is not as we wrote it counts as absent. */
void sp_snapshot_read(apr_pool_t *pool, const sp_settings_t *settings,
                      const sp_snapshot_t *snapshot, sp_fact_t *fact);

/** The price in it, for who has to compare; whether it is there. */
int sp_snapshot_price(const sp_snapshot_t *snapshot, sp_money_t *price);

#endif

/*
 * stripe_world.h - settings, an account and a context for the Stripe side's tests.
 *
 * Room: tests.
 */
#ifndef SUBPAY_T_UNIT_STRIPE_WORLD_H
#define SUBPAY_T_UNIT_STRIPE_WORLD_H

#include <apr_general.h>
#include <apr_strings.h>
#include <string.h>

#include "provider/stripe.h"
#include "util/http.h"
#include "util/log.h"

#define SITE "https://shop.example"
#define ORDER "019439f9-bb0f-4e5f-968a-0170908a933a"
#define HASH "a8faed6aa8faed6aa8faed6aa8faed6aa8faed6aa8faed6aa8faed6aa8faed6a"
#define METADATA                                                                  \
    "{\"subpay_order\":\"" ORDER "\",\"subpay_reference\":\"SP-4KTM-9XQ7\","      \
    "\"subpay_product\":\"annual\",\"subpay_amount\":\"24900 USD\","              \
    "\"subpay_period\":\"1y\",\"subpay_credits\":\"10\",\"subpay_token\":\"" HASH \
    "\",\"subpay_site\":\"" SITE "\"}"

typedef struct world_t {
    apr_pool_t *pool;
    sp_settings_t settings;
    sp_account_t account;
    sp_log_t log;
    sp_ctx_t ctx;
    char lines[8192]; /* what was logged */
} world_t;

static inline void world_log(void *baton, sp_level_t level, const char *line)
{
    world_t *world = baton;
    size_t len = strlen(world->lines);

    (void)level;
    apr_snprintf(world->lines + len, sizeof(world->lines) - len, "%s\n", line);
}

static inline void world_start(world_t *world)
{
    memset(world, 0, sizeof(*world));
    apr_initialize();
    apr_pool_create(&world->pool, NULL);
    world->settings.mode = "test";
    world->settings.base_url = SITE;
    world->settings.provider_timeout = apr_time_from_sec(5);
    world->settings.pending_expiry = apr_time_from_sec(86400);
    world->settings.products = apr_array_make(world->pool, 1, sizeof(void *));
    world->settings.accounts = apr_array_make(world->pool, 1, sizeof(void *));
    world->account.name = "stripe";
    world->account.key = "sk_test_canary";
    world->account.secrets = apr_array_make(world->pool, 2, sizeof(const char *));
    world->log.write = world_log;
    world->log.baton = world;
    world->log.level = SP_LOG_DEBUG;
    world->ctx.pool = world->pool;
    world->ctx.settings = &world->settings;
    world->ctx.log = &world->log;
}

#endif

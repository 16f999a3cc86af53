/*
 * shop.h - what every request of this process shares, and a context for one.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_SHOP_H
#define SUBPAY_HANDLE_SHOP_H

#include <httpd.h>

#include "cfg/settings.h"
#include "model/ctx.h"
#include "view/templates.h"

typedef struct sp_shop_t {
    const sp_settings_t *settings;
    sp_templates_t *templates;
    struct sp_http_t *http; /* this child's connections to providers */
    const char *base_path;  /* of SubPayBaseURL: "" or "/pay" */
    const char *csp;        /* Content-Security-Policy of every page */
    int secure;             /* customers come by https */
} sp_shop_t;

/** The shop of this process; NULL when nothing is configured. */
const sp_shop_t *sp_shop(void);

/**
 * A context for one request, in r->pool.
 *
 * @param via     the road: "return", "webhook", "self_service", "support"
 * @param actor   who: "customer", "provider", or the logged-in user
 * @param urgent  may take the last database connections: webhooks only
 */
sp_ctx_t *sp_shop_ctx(request_rec *r, const char *via, const char *actor,
                      int urgent);

#endif

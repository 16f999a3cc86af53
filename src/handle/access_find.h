/*
 * access_find.h - who somebody is and what they may use, from the cache, from the
 * database, or by grace while that is away.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_ACCESS_FIND_H
#define SUBPAY_HANDLE_ACCESS_FIND_H

#include <httpd.h>

#include "db/account.h"
#include "handle/access_cache.h"

typedef enum sp_source_t {
    SP_FROM_DATABASE,
    SP_FROM_CACHE, /* confirmed within SubPayCacheFor, and nothing heard since */
    SP_BY_GRACE    /* confirmed within SubPayGrace, and the database is away */
} sp_source_t;

typedef struct sp_access_t {
    sp_customer_t *customer; /* NULL: nobody. From the cache: active plans only */
    sp_source_t from;
    const char *session; /* token of the session, NULL when known by r->user */
} sp_access_t;

/**
 * The customer of a session.
 *
 * @param fresh  ask the database, whatever is remembered: before refusing anybody
 * @return SP_FAILED when the database is away and nothing gives grace
 */
sp_outcome_t sp_access_by_session(request_rec *r, const char *token, int fresh,
                                  sp_access_t *access);

/** The same for whom another kind of authentication named: an account's id or its
 * e-mail address. */
sp_outcome_t sp_access_by_user(request_rec *r, const char *user, int fresh,
                               sp_access_t *access);

/** The plan among those wanted (const char *; empty: any) that is active, or NULL. */
const sp_plan_t *sp_access_plan(const sp_customer_t *customer,
                                const apr_array_header_t *wanted);

#endif

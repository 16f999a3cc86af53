/*
 * renewal.h - what the account's page shows of plans that renew.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_RENEWAL_H
#define SUBPAY_HANDLE_RENEWAL_H

#include <jansson.h>

#include "db/renewal.h"

/** Add to a plan's model how its renewal stands (renews_on, renewal); nothing where it
 * has none. renewals: of sp_renewal_view_t. */
void sp_renewal_show(sp_ctx_t *ctx, json_t *plan, const char *reference,
                     const apr_array_header_t *renewals);

#endif

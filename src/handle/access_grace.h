/*
 * access_grace.h - what a gate remembers of a customer, as text; and the same text,
 * signed, in the customer's own browser.
 *
 * Room: handle. Sees httpd.
 *
 * The signed text survives a restart and is good at every node. It is bound to the
 * session's token, is as old as the database's last word, and counts only while the
 * database is away.
 */
#ifndef SUBPAY_HANDLE_ACCESS_GRACE_H
#define SUBPAY_HANDLE_ACCESS_GRACE_H

#include <httpd.h>

#include "db/account.h"

/** The customer with the active plans, in r->pool. */
const char *sp_grace_text(request_rec *r, const sp_customer_t *customer);

/** And back; NULL for what is no such text. */
sp_customer_t *sp_grace_read(request_rec *r, const char *text);

/** Put the account's text into the browser, unless what is there is as good. */
void sp_grace_give(request_rec *r, const char *token, const char *account,
                   const char *text);

/** The text in this browser, if it is ours, of this session and not too old. */
const char *sp_grace_take(request_rec *r, const char *token,
                          apr_time_t *confirmed_at);

/** Take it out of the browser. */
void sp_grace_end(request_rec *r);

#endif

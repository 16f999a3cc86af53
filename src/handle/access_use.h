/*
 * access_use.h - on which days a customer used what a gate protects.
 *
 * Room: handle. Sees httpd.
 *
 * A bank that looks into a dispute asks for it months later. One row a day is enough, so
 * a gate costs nothing more than a look into a table of this process.
 */
#ifndef SUBPAY_HANDLE_ACCESS_USE_H
#define SUBPAY_HANDLE_ACCESS_USE_H

#include <httpd.h>

#include "handle/access_find.h"

/** This request was let in. What is to be written is written once it is answered, and
 * never while the database is known to be away. */
void sp_use_note(request_rec *r, const sp_access_t *access);

/** Hang into log_transaction. */
void sp_use_register(void);

#endif

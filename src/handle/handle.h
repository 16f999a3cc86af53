/*
 * handle.h - answering requests: what mod_subpay.c needs of this room.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_HANDLE_H
#define SUBPAY_HANDLE_HANDLE_H

#include <httpd.h>

#include "cfg/settings.h"

/**
 * Get ready what all children share: templates, headers. For check_config.
 *
 * @param settings  finished and unlocked; lives as long as pool
 * @return NULL, or what is wrong, fit for the person who starts httpd
 */
const char *sp_handle_prepare(apr_pool_t *pool, const sp_settings_t *settings);

/** For child_init: what each child has of its own. */
void sp_handle_child_init(apr_pool_t *pool, server_rec *s);

/** A block of our own on the page of mod_status, where that is loaded. */
void sp_mod_status_register(void);

/** The map_to_storage hook: our pages are no files, so nobody looks for them. */
int sp_handle_map(request_rec *r);

/** The handler hook. */
int sp_handle_request(request_rec *r);

#endif

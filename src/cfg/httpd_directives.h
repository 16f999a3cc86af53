/*
 * httpd_directives.h - the directives as httpd knows them.
 *
 * Room: cfg. Sees httpd.
 */
#ifndef SUBPAY_CFG_HTTPD_DIRECTIVES_H
#define SUBPAY_CFG_HTTPD_DIRECTIVES_H

#include <httpd.h>
#include <http_config.h>

#include "cfg/settings.h"

/** The module record's table: one entry for each row of the .def files. */
extern const command_rec sp_directives[];

/** The module record's create_server_config: the same for each virtual host,
 * because one httpd is one shop with one worker. */
void *sp_server_create(apr_pool_t *pool, server_rec *s);

/**
 * Check the whole and fetch the secrets; for check_config, which configtest runs.
 *
 * @return NULL, or what is wrong
 */
const char *sp_server_check(apr_pool_t *pool, server_rec *s);

/** What was configured; NULL when no directive was written: then we do nothing. */
const sp_settings_t *sp_server_settings(server_rec *s);

#endif

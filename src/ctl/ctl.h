/*
 * ctl.h - what the commands of subpayctl share.
 *
 * Room: ctl. Sees domain/ and below, never httpd.
 */
#ifndef SUBPAY_CTL_CTL_H
#define SUBPAY_CTL_CTL_H

#include <apr_pools.h>
#include <apr_time.h>
#include <jansson.h>

#include "cfg/settings.h"
#include "model/ctx.h"
#include "util/log.h"

/* Exit statuses, the same for every command. */
typedef enum sp_ctl_status_t {
    SP_CTL_DONE = 0,
    SP_CTL_NOT_FOUND = 1, /* or not recoverable, or refused */
    SP_CTL_USAGE = 2,
    SP_CTL_AWAY = 3, /* database or provider out of reach */
    SP_CTL_UNREADABLE =
        65,           /* inbox alone, which speaks to mail servers: EX_DATAERR */
    SP_CTL_LATER = 75 /* and EX_TEMPFAIL: keep the mail, and try again */
} sp_ctl_status_t;

/* What was asked for, and what the command works with. */
typedef struct sp_cli_t {
    apr_pool_t *pool;
#define SP_OPTION(name, letter, member, help) const char *member;
#define SP_FLAG(name, letter, member, help) int member;
#include "ctl/options.def"
#undef SP_OPTION
#undef SP_FLAG
    const char *argument;    /* the command's own, or NULL */
    sp_settings_t *settings; /* NULL where --database was enough */
    sp_log_t log;
    sp_ctx_t ctx;
} sp_cli_t;

#define SP_COMMAND(name, function, argument, needs, help) \
    sp_ctl_status_t sp_ctl_##function(sp_cli_t *cli);
#include "ctl/commands.def"
#undef SP_COMMAND

/** One line on stderr. @return status, so that a command can end with it. */
sp_ctl_status_t sp_ctl_complain(sp_ctl_status_t status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** The one document of --json, on stdout. */
void sp_ctl_print(sp_cli_t *cli, const json_t *json);

/** "  name  value" on stdout; nothing where there is no value. */
void sp_ctl_line(const char *name, const char *value);

/** A reference in its own form, however it was typed; anything else as it is. */
const char *sp_ctl_spelled(sp_cli_t *cli, const char *q);

#endif

/*
 * ctl.c - what the commands of subpayctl share: one way to say things.
 *
 * Room: ctl.
 */
#include <stdarg.h>
#include <stdio.h>

#include "ctl/ctl.h"
#include "util/json.h"
#include "util/reference.h"

sp_ctl_status_t sp_ctl_complain(sp_ctl_status_t status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("subpayctl: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return status;
}

void sp_ctl_print(sp_cli_t *cli, const json_t *json)
{
    puts(sp_json_dump(cli->pool, json));
}

void sp_ctl_line(const char *name, const char *value)
{
    if (value) {
        printf("  %-12s %s\n", name, value);
    }
}

const char *sp_ctl_spelled(sp_cli_t *cli, const char *q)
{
    const char *reference;

    sp_reference_parse(cli->pool, q, &reference);
    return reference ? reference : q;
}

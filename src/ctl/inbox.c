/*
 * inbox.c - a mail that the mail server hands in, on standard input.
 *
 * Room: ctl. Source: sysexits.h, which mail servers go by: 75 means later, 65 that the
 * mail itself is at fault.
 */
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "domain/inbox.h"
#include "mail/incoming.h"
#include "util/json.h"

#define CHUNK 65536

/* All of it; NULL when it is more than a mail may be, or ferror(from). */
static const char *read_all(apr_pool_t *pool, FILE *from, apr_size_t *len)
{
    apr_size_t room = CHUNK;
    char *all = apr_palloc(pool, room), *more;
    apr_size_t n;

    *len = 0;
    while ((n = fread(all + *len, 1, room - *len, from)) > 0) {
        *len += n;
        if (*len > SP_INCOMING_MOST) {
            return NULL;
        }
        if (*len == room) {
            more = apr_palloc(pool, 2 * room);
            memcpy(more, all, room);
            all = more;
            room *= 2;
        }
    }
    return ferror(from) ? NULL : all;
}

sp_ctl_status_t sp_ctl_inbox(sp_cli_t *cli)
{
    const char *raw, *ticket, *why;
    apr_size_t len;
    json_t *answer;
    sp_outcome_t out;

    raw = read_all(cli->pool, stdin, &len);
    if (ferror(stdin)) { /* half a mail must not pass for one, nor be sent back */
        return sp_ctl_complain(SP_CTL_LATER,
                               "the mail could not be read to its end");
    }
    if (!raw) {
        return sp_ctl_complain(SP_CTL_UNREADABLE, "this is too long for a mail");
    }
    out = sp_inbox_take(&cli->ctx, raw, len, &answer);
    if (out == SP_REFUSED) {
        return sp_ctl_complain(SP_CTL_UNREADABLE, "this mail cannot be read: %s",
                               cli->ctx.say);
    }
    if (out != SP_DONE) {
        return sp_ctl_complain(SP_CTL_LATER, "the database does not answer");
    }
    if (cli->json) {
        sp_ctl_print(cli, answer);
        return SP_CTL_DONE;
    }
    ticket = sp_json_text(answer, "ticket");
    why = sp_json_text(answer, "why");
    printf("%s%s%s%s%s\n", sp_json_text(answer, "verdict"), ticket ? " " : "",
           ticket ? ticket : "", why ? ": " : "", why ? why : "");
    return SP_CTL_DONE;
}

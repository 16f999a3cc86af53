/*
 * fuzz_mail.c - nothing that a customer typed adds a header or a recipient.
 *
 * Room: tests. Lines: from, to, reply to, subject, message id, language.
 */
#include "fuzz.h"

#include <apr_strings.h>
#include <string.h>

#include "mail/message.h"
#include "util/text.h"

static char *line(char **rest)
{
    char *at = *rest;
    char *end = at + strcspn(at, "\n");

    *rest = *end ? end + 1 : end;
    *end = '\0';
    return at;
}

static int starts(const char *text, const char *with)
{
    return strncasecmp(text, with, strlen(with)) == 0;
}

static void check(const apr_array_header_t *lines)
{
    int from = 0, to = 0, subject = 0, i;

    for (i = 0; i < lines->nelts; i++) {
        const char *one = APR_ARRAY_IDX(lines, i, const char *);
        const char *at;

        from += starts(one, "From:");
        to += starts(one, "To:");
        subject += starts(one, "Subject:");
        MUST(!starts(one, "Cc:") && !starts(one, "Bcc:"));
        for (at = one; *at; at++) { /* a fold is a line end and a blank */
            MUST((unsigned char)*at < 0x80);
            MUST(*at != '\r' || at[1] == '\n');
            MUST(*at != '\n' || at[1] == ' ' || at[1] == '\t');
            MUST(*at >= ' ' || strchr("\r\n\t", *at));
        }
    }
    MUST(from == 1 && to == 1 && subject == 1);
}

void fuzz(apr_pool_t *pool, const char *text, apr_size_t len)
{
    char *rest = apr_pstrmemdup(pool, text, len);
    sp_message_t message = { .text = "Hello",
                             .date = apr_time_from_sec(1785312000) };
    apr_array_header_t *lines = NULL;
    sp_mailbox_t box;

    message.from = line(&rest);
    message.to = line(&rest);
    message.reply_to = line(&rest);
    message.subject = line(&rest);
    message.message_id = line(&rest);
    message.lang = line(&rest);
    message.reply_to = *message.reply_to ? message.reply_to : NULL;
    if (!sp_message_headers(pool, &message, &lines)) {
        check(lines);
    }
    if (!sp_mailbox_parse(pool, message.from, &box)) {
        MUST(!strpbrk(box.address, " <>,;:()\"\\\r\n"));
    }
    if (!sp_text_email_problem(message.to)) {
        MUST(!sp_mailbox_problem(message.to));
        MUST(strchr(sp_text_email_mask(pool, message.to), '@'));
    }
}

/*
 * incoming.h - one mail that came in: who wrote, what, and what it answers.
 *
 * Room: mail. Sees APR and GMime; never httpd, the database or templates. Linked into
 * subpayctl alone: nothing that httpd loads reads mail.
 * Source: RFC 5322 (headers), RFC 3464 (a mail that came back), RFC 3834
 * (Auto-Submitted).
 */
#ifndef SP_MAIL_INCOMING_H
#define SP_MAIL_INCOMING_H

#include <apr_pools.h>
#include <apr_tables.h>

/* Bytes. The mail server has a limit of its own; what is cut off is for the mailbox. */
#define SP_INCOMING_MOST (16 * 1024 * 1024)
#define SP_INCOMING_TEXT_MOST 20000

/* All of it clean UTF-8; NULL for what the mail does not have. */
typedef struct sp_incoming_t {
    const char
        *message_id;     /* without < >; made from the bytes where there is none */
    const char *from;    /* the address alone */
    const char *subject; /* one line */
    const char *text;    /* what was written, without the mail it answers */
    apr_array_header_t
        *answers;  /* of const char *: ids it refers to, oldest first */
    int automatic; /* no person wrote it */
    /* A mail of ours that came back for good, and what its server said. */
    int bounce;
    const char *bounced_id; /* NULL where the report does not name it */
    const char *bounced_to;
    const char *bounced_why;
} sp_incoming_t;

/** Read it. @return NULL, or why it cannot be read */
const char *sp_incoming_parse(apr_pool_t *pool, const char *raw, apr_size_t len,
                              sp_incoming_t *mail);

#endif

/*
 * message.h - one mail, made of words, addresses and headers that cannot lie.
 *
 * Room: mail. Sees APR and libcurl; never httpd, the database or templates.
 * Source: RFC 5322 (headers), RFC 2047 (words that are not ASCII), RFC 3834
 * (Auto-Submitted).
 *
 * Nothing that a customer typed can add a header or a recipient: what holds a
 * control character is refused, whatever its place.
 */
#ifndef SP_MAIL_MESSAGE_H
#define SP_MAIL_MESSAGE_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>
#include <curl/curl.h>

typedef struct sp_message_t {
    const char *from; /* "Ana and Sam <help@shop.example>", or the address alone */
    const char *reply_to;    /* the same, or NULL */
    const char *to;          /* one address, no name */
    const char *subject;     /* UTF-8; cut when longer than anybody reads */
    const char *text;        /* UTF-8; lines end in LF */
    const char *html;        /* the same words, or NULL */
    const char *message_id;  /* "row-id@shop.example", without < > */
    const char *in_reply_to; /* the same, or NULL; one that came in may look odd */
    apr_array_header_t
        *references;            /* of them, oldest first; NULL: in_reply_to alone */
    const char *auto_submitted; /* "auto-generated", "auto-replied", or NULL */
    const char *lang;           /* of the words, or NULL */
    apr_time_t date;
} sp_message_t;

typedef struct sp_mailbox_t {
    const char *name;    /* NULL when there is none */
    const char *address; /* passed sp_mailbox_problem */
} sp_mailbox_t;

/**
 * Why no mail can go to this address; NULL when it can be tried.
 *
 * Stricter than RFC 5321: no quoted names, no comments, nothing outside ASCII
 * (that would need SMTPUTF8 from every server on the way).
 * @return a sentence without the address in it, fit for a log
 */
const char *sp_mailbox_problem(const char *address);

/** Read "Name <address>" or "address". Returns a sentence, or NULL for fine. */
const char *sp_mailbox_parse(apr_pool_t *pool, const char *text,
                             sp_mailbox_t *mailbox);

/** The header words for this text: as it is when plain, else RFC 2047. */
const char *sp_header_words(apr_pool_t *pool, const char *text);

/**
 * The header lines of a message.
 *
 * @param lines  array of const char *, without line ends (a long one is folded)
 * @return NULL, or the reason why this message may not be sent, fit for a log
 */
const char *sp_message_headers(apr_pool_t *pool, const sp_message_t *message,
                               apr_array_header_t **lines);

/**
 * The body: text and HTML as alternatives.
 *
 * @param curl  the transfer that it is for
 * @return freed with curl_mime_free; NULL when memory ran out
 */
curl_mime *sp_message_body(CURL *curl, apr_pool_t *pool,
                           const sp_message_t *message);

#endif

/*
 * message.c - headers and body of one mail.
 *
 * Room: mail. Sees APR and libcurl only.
 */
#include "mail/message.h"

#include <apr_base64.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#define MAX_ADDRESS 254 /* RFC 5321, 4.5.3.1.3, less the angle brackets */
#define MAX_LOCAL 64
#define MAX_SUBJECT 200 /* a customer's subject comes back in "Re: ..." */
/* An encoded word has 75 characters, "=?UTF-8?B?" and "?=" included; 45 bytes
 * make 60 characters of base64. */
#define WORD_BYTES 45

/* --- addresses ---------------------------------------------------------- */

static int is_atom(char c)
{
    return apr_isalnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

static const char *local_problem(const char *local, apr_size_t len)
{
    apr_size_t i;

    if (!len || len > MAX_LOCAL) {
        return "the part before the @ is missing or too long";
    }
    if (local[0] == '.' || local[len - 1] == '.') {
        return "the part before the @ begins or ends in a point";
    }
    for (i = 0; i < len; i++) {
        if (!is_atom(local[i]) || (local[i] == '.' && local[i + 1] == '.')) {
            return "a character before the @ that mail does not carry";
        }
    }
    return NULL;
}

static const char *domain_problem(const char *domain)
{
    const char *c;

    for (c = domain; *c; c++) {
        if (!apr_isalnum(*c) && *c != '-' && *c != '.') {
            return "a character after the @ that no domain has";
        }
        if (*c == '.' && (c == domain || c[1] == '.' || !c[1])) {
            return "a point out of place after the @";
        }
    }
    return c == domain ? "nothing after the @" : NULL;
}

const char *sp_mailbox_problem(const char *address)
{
    const char *at = address ? strchr(address, '@') : NULL;
    const char *problem;
    const char *c;

    if (!at) {
        return "an address without an @";
    }
    if (strlen(address) > MAX_ADDRESS) {
        return "an address of more than 254 characters";
    }
    for (c = address; *c; c++) {
        if ((unsigned char)*c >= 0x80) {
            return "an address with letters outside ASCII";
        }
    }
    problem = local_problem(address, (apr_size_t)(at - address));
    return problem ? problem : domain_problem(at + 1);
}

static int has_control(const char *text)
{
    for (; *text; text++) {
        if (apr_iscntrl(*text)) {
            return 1;
        }
    }
    return 0;
}

const char *sp_mailbox_parse(apr_pool_t *pool, const char *text,
                             sp_mailbox_t *mailbox)
{
    const char *open = text ? strrchr(text, '<') : NULL;
    apr_size_t len;

    memset(mailbox, 0, sizeof(*mailbox));
    if (!text || has_control(text)) {
        return "a mailbox with a control character, or none";
    }
    if (!open) {
        mailbox->address = apr_pstrdup(pool, text);
        return sp_mailbox_problem(text);
    }
    len = strlen(open);
    if (open[len - 1] != '>') {
        return "a mailbox looks like: Name <name@example.com>";
    }
    mailbox->address = apr_pstrmemdup(pool, open + 1, len - 2);
    len = (apr_size_t)(open - text);
    while (len && text[len - 1] == ' ') {
        len--;
    }
    if (len > 1 && text[0] == '"' && text[len - 1] == '"') {
        text++;
        len -= 2;
    }
    mailbox->name = len ? apr_pstrmemdup(pool, text, len) : NULL;
    return sp_mailbox_problem(mailbox->address);
}

/* --- header words ------------------------------------------------------- */

/* Bytes of whole UTF-8 characters that fit into n. */
static apr_size_t whole(const char *text, apr_size_t len, apr_size_t n)
{
    if (len <= n) {
        return len;
    }
    while (n && ((unsigned char)text[n] & 0xC0) == 0x80) {
        n--;
    }
    return n;
}

static int is_plain(const char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~') {
            return 0;
        }
    }
    return 1;
}

static const char *encoded_words(apr_pool_t *pool, const char *text)
{
    apr_size_t len = strlen(text);
    const char *out = "";

    while (len) {
        apr_size_t n = whole(text, len, WORD_BYTES);
        char coded[WORD_BYTES * 2];

        if (!n) {
            break; /* not UTF-8: 45 bytes that only continue */
        }
        apr_base64_encode(coded, text, (int)n);
        out = apr_pstrcat(pool, out, *out ? "\r\n " : "", "=?UTF-8?B?", coded,
                          "?=", NULL);
        text += n;
        len -= n;
    }
    return out;
}

const char *sp_header_words(apr_pool_t *pool, const char *text)
{
    /* "=?" would be read as an encoded word that we never wrote. */
    return is_plain(text) && !strstr(text, "=?") ? text : encoded_words(pool, text);
}

/* A name may hold anything when it is quoted, or encoded. */
static const char *mailbox_words(apr_pool_t *pool, const sp_mailbox_t *mailbox)
{
    const char *name = mailbox->name;
    const char *c;
    int plain = 1;

    if (!name) {
        return mailbox->address;
    }
    for (c = name; *c; c++) {
        plain = plain && (apr_isalnum(*c) || *c == ' ' || *c == '-');
    }
    if (!plain && is_plain(name) && !strpbrk(name, "\"\\") && !strstr(name, "=?")) {
        name = apr_pstrcat(pool, "\"", name, "\"", NULL);
    }
    else if (!plain) {
        name = encoded_words(pool, name);
    }
    return apr_pstrcat(pool, name, " <", mailbox->address, ">", NULL);
}

/* --- headers ------------------------------------------------------------ */

typedef struct sp_headers_t {
    apr_pool_t *pool;
    apr_array_header_t *lines;
    const char *problem; /* the first one */
} sp_headers_t;

static void add(sp_headers_t *h, const char *name, const char *value)
{
    APR_ARRAY_PUSH(h->lines, const char *) =
        apr_pstrcat(h->pool, name, ": ", value, NULL);
}

static void refuse(sp_headers_t *h, const char *name, const char *why)
{
    if (!h->problem) {
        h->problem = apr_pstrcat(h->pool, name, ": ", why, NULL);
    }
}

static void add_mailbox(sp_headers_t *h, const char *name, const char *text)
{
    sp_mailbox_t mailbox;
    const char *problem = sp_mailbox_parse(h->pool, text, &mailbox);

    if (problem) {
        refuse(h, name, problem);
    }
    else {
        add(h, name, mailbox_words(h->pool, &mailbox));
    }
}

static void add_subject(sp_headers_t *h, const char *subject)
{
    apr_size_t len = subject ? strlen(subject) : 0;

    if (!len || has_control(subject)) {
        refuse(h, "Subject", "a control character, or nothing at all");
        return;
    }
    if (len > MAX_SUBJECT) {
        subject = apr_pstrcat(
            h->pool,
            apr_pstrmemdup(h->pool, subject, whole(subject, len, MAX_SUBJECT)),
            "\xE2\x80\xA6", NULL);
    }
    add(h, "Subject", sp_header_words(h->pool, subject));
}

/* What we made ourselves, so anything odd in it is a bug. */
static void add_token(sp_headers_t *h, const char *name, const char *before,
                      const char *token, const char *after)
{
    const char *c;

    for (c = token; *c; c++) {
        if (!apr_isalnum(*c) && !strchr("-._@+=", *c)) {
            refuse(h, name, "a character that does not belong there");
            return;
        }
    }
    add(h, name, apr_pstrcat(h->pool, before, token, after, NULL));
}

/* A Message-ID without < >; which mail program made it is unknown. */
static int is_id(const char *id)
{
    apr_size_t len = id ? strlen(id) : 0;
    const char *c;

    for (c = id; len > 0 && *c; c++) {
        if (!apr_isgraph(*c) || *c == '<' || *c == '>' || (unsigned char)*c > 126) {
            return 0;
        }
    }
    return len > 0 && len <= 250;
}

/* Mail programs gather a conversation by these. */
static void add_thread(sp_headers_t *h, const sp_message_t *m)
{
    const apr_array_header_t *refs = m->references;
    const char *line = "";
    int i;

    if (!is_id(m->in_reply_to)) {
        refuse(h, "In-Reply-To", "a character that does not belong there");
        return;
    }
    add(h, "In-Reply-To", apr_pstrcat(h->pool, "<", m->in_reply_to, ">", NULL));
    for (i = 0; refs && i < refs->nelts; i++) {
        const char *id = APR_ARRAY_IDX(refs, i, const char *);

        if (is_id(id) && strcmp(id, m->in_reply_to) != 0) {
            line = apr_pstrcat(h->pool, line, "<", id, ">\r\n ", NULL);
        }
    }
    add(h, "References", apr_pstrcat(h->pool, line, "<", m->in_reply_to, ">", NULL));
}

static void add_date(sp_headers_t *h, apr_time_t when)
{
    char date[APR_RFC822_DATE_LEN];

    apr_rfc822_date(date, when);
    /* "GMT" is obsolete in mail; filters look at that. */
    add(h, "Date",
        apr_pstrcat(h->pool, apr_pstrmemdup(h->pool, date, strlen(date) - 3),
                    "+0000", NULL));
}

static void add_automatic(sp_headers_t *h, const sp_message_t *m)
{
    if (m->auto_submitted) {
        add_token(h, "Auto-Submitted", "", m->auto_submitted, "");
        /* Exchange heeds this one, and not the standard. */
        add(h, "X-Auto-Response-Suppress", "OOF, AutoReply");
    }
}

const char *sp_message_headers(apr_pool_t *pool, const sp_message_t *m,
                               apr_array_header_t **lines)
{
    sp_headers_t h = { pool, apr_array_make(pool, 12, sizeof(const char *)), NULL };
    const char *problem = sp_mailbox_problem(m->to);

    if (problem) {
        return apr_pstrcat(pool, "To: ", problem, NULL);
    }
    add_date(&h, m->date);
    add_mailbox(&h, "From", m->from);
    if (m->reply_to) {
        add_mailbox(&h, "Reply-To", m->reply_to);
    }
    add(&h, "To", m->to);
    add_subject(&h, m->subject);
    add_token(&h, "Message-ID", "<", m->message_id ? m->message_id : "", ">");
    if (m->in_reply_to) {
        add_thread(&h, m);
    }
    add_automatic(&h, m);
    if (m->lang) {
        add_token(&h, "Content-Language", "", m->lang, "");
    }
    *lines = h.lines;
    return h.problem;
}

/* --- body --------------------------------------------------------------- */

/* The canonical form of text in mail; curl would encode a bare LF as "=0A". */
static const char *with_crlf(apr_pool_t *pool, const char *text)
{
    char *out = apr_palloc(pool, 2 * strlen(text) + 1);
    char *to = out;

    for (; *text; text++) {
        if (*text == '\r') {
            continue;
        }
        if (*text == '\n') {
            *to++ = '\r';
        }
        *to++ = *text;
    }
    *to = '\0';
    return out;
}

static CURLcode add_part(apr_pool_t *pool, curl_mime *mime, const char *type,
                         const char *words)
{
    curl_mimepart *part = curl_mime_addpart(mime);
    CURLcode code = part ? CURLE_OK : CURLE_OUT_OF_MEMORY;

    if (code == CURLE_OK) {
        code = curl_mime_data(part, with_crlf(pool, words), CURL_ZERO_TERMINATED);
    }
    if (code == CURLE_OK) {
        code = curl_mime_type(part, type);
    }
    return code == CURLE_OK ? curl_mime_encoder(part, "quoted-printable") : code;
}

/* Plain text first: the last part is the one that readers prefer. */
static curl_mime *alternatives(CURL *curl, apr_pool_t *pool, const sp_message_t *m)
{
    curl_mime *mime = curl_mime_init(curl);
    CURLcode code = mime ? CURLE_OK : CURLE_OUT_OF_MEMORY;

    if (code == CURLE_OK) {
        code = add_part(pool, mime, "text/plain; charset=utf-8", m->text);
    }
    if (code == CURLE_OK && m->html) {
        code = add_part(pool, mime, "text/html; charset=utf-8", m->html);
    }
    if (code != CURLE_OK) {
        curl_mime_free(mime);
        return NULL;
    }
    return mime;
}

/* curl makes the outermost multipart "mixed" and offers no way to say
 * otherwise, so the alternatives are one part of it. */
curl_mime *sp_message_body(CURL *curl, apr_pool_t *pool, const sp_message_t *m)
{
    curl_mime *inner = alternatives(curl, pool, m);
    curl_mime *outer = inner ? curl_mime_init(curl) : NULL;
    curl_mimepart *part = outer ? curl_mime_addpart(outer) : NULL;

    if (!part || curl_mime_subparts(part, inner) != CURLE_OK) {
        curl_mime_free(inner);
        curl_mime_free(outer);
        return NULL;
    }
    curl_mime_type(part, "multipart/alternative");
    return outer;
}

/*
 * incoming.c - one mail that came in: who wrote, what, and what it answers.
 *
 * Room: mail.
 */
#include "mail/incoming.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <gmime/gmime.h>
#include <string.h>

#include "util/crypto.h"
#include "util/text.h"

/* More would be no conversation; the newest of them are what a reply is found by. */
#define ANSWERS 50

/* ---- small things ----------------------------------------------------------------- */

/* A copy that holds no control characters but line ends, and is whole UTF-8. */
static const char *clean(apr_pool_t *pool, const char *text, apr_size_t most)
{
    char *out, *to;
    apr_size_t len;

    if (!text) {
        return NULL;
    }
    len = strlen(text);
    len = len > most ? most : len;
    while (len > 0 && !sp_text_is_utf8(text, len) && most - len < 4) {
        len--; /* a letter that was cut in two */
    }
    if (!sp_text_is_utf8(text, len)) {
        return NULL;
    }
    out = to = apr_palloc(pool, len + 1);
    for (; len > 0; len--, text++) {
        if (*text == '\n' || !apr_iscntrl(*text)) {
            *to++ = *text;
        }
        else if (*text == '\t') {
            *to++ = ' ';
        }
    }
    *to = '\0';
    return sp_text_trim(pool, out);
}

/* "ab12@mail.example", and nothing that could leave a header line again. */
static const char *clean_id(apr_pool_t *pool, const char *id)
{
    const char *c;

    if (!id || !*id || strlen(id) > 250 || !strchr(id, '@')) {
        return NULL;
    }
    for (c = id; *c; c++) {
        if (!apr_isgraph(*c) || *c == '<' || *c == '>') {
            return NULL;
        }
    }
    return apr_pstrdup(pool, id);
}

static int is_blank_or_quoted(const char *line)
{
    return !*line || *line == '>' || strcmp(line, "\r") == 0;
}

/* Without the mail that it answers, where that stands below: lines that begin with ">",
 * and the "On Monday Ana wrote:" above them. */
static const char *without_quote(apr_pool_t *pool, const char *text)
{
    apr_array_header_t *lines = apr_array_make(pool, 32, sizeof(const char *));
    char *copy = apr_pstrdup(pool, text);
    char *line = copy, *end;
    int quoted = 0, last;

    while (line) {
        end = strchr(line, '\n');
        if (end) {
            *end = '\0';
        }
        APR_ARRAY_PUSH(lines, const char *) = line;
        line = end ? end + 1 : NULL;
    }
    for (last = lines->nelts; last > 0; last--) {
        const char *one = APR_ARRAY_IDX(lines, last - 1, const char *);

        if (!is_blank_or_quoted(one)) {
            break;
        }
        quoted |= *one == '>';
    }
    if (quoted && last > 1) {
        const char *one = APR_ARRAY_IDX(lines, last - 1, const char *);

        last -= *one && one[strlen(one) - 1] == ':';
    }
    lines->nelts = quoted && last > 0 ? last : lines->nelts;
    return sp_text_trim(pool, apr_array_pstrcat(pool, lines, '\n'));
}

/* The words of a page of HTML: no tags, no style; a block ends a line. */
static const char *without_tags(apr_pool_t *pool, const char *html)
{
    static const struct {
        const char *name;
        char letter;
    } names[] = { { "&nbsp;", ' ' }, { "&lt;", '<' },   { "&gt;", '>' },
                  { "&quot;", '"' }, { "&#39;", '\'' }, { "&amp;", '&' } };
    char *out = apr_palloc(pool, strlen(html) + 1), *to = out;
    const char *end;
    size_t i;

    while (*html) {
        if (*html == '<') {
            const char *until = strncasecmp(html, "<style", 6) == 0    ? "</style"
                                : strncasecmp(html, "<script", 7) == 0 ? "</script"
                                                                       : ">";

            if (strncasecmp(html, "<br", 3) == 0 ||
                strncasecmp(html, "</p", 3) == 0 ||
                strncasecmp(html, "</div", 5) == 0) {
                *to++ = '\n';
            }
            end = strstr(html, until);
            html = end ? end : html + strlen(html);
            html = *until == '>' && *html ? html + 1 : html;
            if (*until != '>' && *html) {
                end = strchr(html, '>');
                html = end ? end + 1 : html + strlen(html);
            }
            continue;
        }
        for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            if (strncmp(html, names[i].name, strlen(names[i].name)) == 0) {
                break;
            }
        }
        if (i < sizeof(names) / sizeof(names[0])) {
            *to++ = names[i].letter;
            html += strlen(names[i].name);
        }
        else {
            *to++ = *html == '\n' ? ' ' : *html;
            html++;
        }
    }
    *to = '\0';
    return out;
}

static const char *header(apr_pool_t *pool, GMimeMessage *message, const char *name)
{
    return clean(pool, g_mime_object_get_header((GMimeObject *)message, name), 2000);
}

/* ---- parts ---------------------------------------------------------------------------- */

static const char *text_of(apr_pool_t *pool, GMimeObject *part)
{
    char *text = g_mime_text_part_get_text((GMimeTextPart *)part);
    const char *own = text ? apr_pstrdup(pool, text) : NULL;

    g_free(text);
    return own;
}

static const char *bytes_of(apr_pool_t *pool, GMimeObject *part)
{
    GMimeDataWrapper *content =
        GMIME_IS_PART(part) ? g_mime_part_get_content((GMimePart *)part) : NULL;
    GMimeStream *memory;
    GByteArray *bytes;
    const char *own;

    if (!content) {
        return "";
    }
    memory = g_mime_stream_mem_new();
    g_mime_data_wrapper_write_to_stream(content, memory);
    bytes = g_mime_stream_mem_get_byte_array((GMimeStreamMem *)memory);
    own = apr_pstrmemdup(pool, (const char *)bytes->data, bytes->len);
    g_object_unref(memory);
    return own;
}

/* "Status: 5.1.1" among lines of them: the value; NULL where there is no such line. */
static const char *field(apr_pool_t *pool, const char *lines, const char *name)
{
    apr_size_t len = strlen(name);
    const char *line = lines, *end;

    while (line && *line) {
        end = strchr(line, '\n');
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            line += len + 1;
            return clean(pool,
                         end ? apr_pstrmemdup(pool, line, (apr_size_t)(end - line))
                             : line,
                         500);
        }
        line = end ? end + 1 : NULL;
    }
    return NULL;
}

/* "rfc822;ana@example.com" */
static const char *behind_semicolon(const char *text)
{
    const char *semicolon = text ? strchr(text, ';') : NULL;

    return semicolon ? semicolon + 1 + strspn(semicolon + 1, " ") : text;
}

static const char *bare_id(apr_pool_t *pool, const char *id)
{
    const char *open = id ? strchr(id, '<') : NULL;
    const char *close = open ? strchr(open, '>') : NULL;

    return clean_id(
        pool,
        close ? apr_pstrmemdup(pool, open + 1, (apr_size_t)(close - open - 1)) : id);
}

typedef struct reading_t {
    apr_pool_t *pool;
    sp_incoming_t *mail;
    int report;       /* multipart/report; report-type=delivery-status */
    const char *html; /* where there is no plain text */
} reading_t;

static void read_status(reading_t *reading, GMimeObject *part)
{
    apr_pool_t *pool = reading->pool;
    const char *lines = bytes_of(pool, part);
    const char *action = field(pool, lines, "Action");
    const char *status = field(pool, lines, "Status");
    const char *why = behind_semicolon(field(pool, lines, "Diagnostic-Code"));

    /* "delayed" is no end, and 4.x.x says itself that it may pass. */
    reading->mail->bounce =
        action && strcasecmp(action, "failed") == 0 && !(status && *status == '4');
    reading->mail->bounced_to =
        behind_semicolon(field(pool, lines, "Final-Recipient"));
    reading->mail->bounced_why = why ? why : status;
}

static void read_part(GMimeObject *parent, GMimeObject *part, gpointer data)
{
    reading_t *reading = data;
    GMimeContentType *type = g_mime_object_get_content_type(part);
    sp_incoming_t *mail = reading->mail;

    (void)parent;
    if (reading->report &&
        g_mime_content_type_is_type(type, "message", "delivery-status")) {
        read_status(reading, part);
    }
    else if (reading->report && GMIME_IS_MESSAGE_PART(part)) {
        GMimeMessage *inner =
            g_mime_message_part_get_message((GMimeMessagePart *)part);

        mail->bounced_id =
            inner ? clean_id(reading->pool, g_mime_message_get_message_id(inner))
                  : NULL;
    }
    else if (reading->report &&
             g_mime_content_type_is_type(type, "text", "rfc822-headers")) {
        mail->bounced_id = bare_id(
            reading->pool,
            field(reading->pool, bytes_of(reading->pool, part), "Message-ID"));
    }
    else if (!GMIME_IS_TEXT_PART(part) ||
             g_mime_part_is_attachment((GMimePart *)part)) {
        return;
    }
    else if (!mail->text && g_mime_content_type_is_type(type, "text", "plain")) {
        mail->text = text_of(reading->pool, part);
    }
    else if (!reading->html && g_mime_content_type_is_type(type, "text", "html")) {
        reading->html = text_of(reading->pool, part);
    }
}

/* ---- the whole -------------------------------------------------------------------------- */

static void read_answers(apr_pool_t *pool, GMimeMessage *message,
                         sp_incoming_t *mail)
{
    static const char *const names[] = { "References", "In-Reply-To" };
    GMimeReferences *ids;
    const char *value, *id;
    int i, n;

    mail->answers = apr_array_make(pool, 4, sizeof(const char *));
    for (i = 0; i < 2; i++) {
        value = g_mime_object_get_header((GMimeObject *)message, names[i]);
        ids = value ? g_mime_references_parse(NULL, value) : NULL;
        for (n = 0; ids && n < g_mime_references_length(ids); n++) {
            id = clean_id(pool, g_mime_references_get_message_id(ids, n));
            if (id && mail->answers->nelts < ANSWERS) {
                APR_ARRAY_PUSH(mail->answers, const char *) = id;
            }
        }
        if (ids) {
            g_mime_references_free(ids);
        }
    }
}

/* An answer to such a mail is read by nobody, or starts a conversation of two programs. */
static int is_automatic(apr_pool_t *pool, GMimeMessage *message)
{
    const char *submitted = header(pool, message, "Auto-Submitted");
    const char *precedence = header(pool, message, "Precedence");
    const char *path = header(pool, message, "Return-Path");

    return (submitted && strncasecmp(submitted, "no", 2) != 0) ||
           (precedence && (strcasecmp(precedence, "bulk") == 0 ||
                           strcasecmp(precedence, "junk") == 0 ||
                           strcasecmp(precedence, "list") == 0 ||
                           strcasecmp(precedence, "auto_reply") == 0)) ||
           (path && strcmp(path, "<>") == 0) || header(pool, message, "List-Id") ||
           header(pool, message, "X-Autoreply") != NULL;
}

static const char *address_of(apr_pool_t *pool, InternetAddressList *list)
{
    InternetAddress *first = list && internet_address_list_length(list) > 0
                                 ? internet_address_list_get_address(list, 0)
                                 : NULL;
    const char *address =
        first && INTERNET_ADDRESS_IS_MAILBOX(first)
            ? internet_address_mailbox_get_addr((InternetAddressMailbox *)first)
            : NULL;

    return address && !sp_text_email_problem(address) ? apr_pstrdup(pool, address)
                                                      : NULL;
}

/* The same bytes make the same id, so that a mail which is handed in twice is one. */
static const char *made_id(apr_pool_t *pool, const char *raw, apr_size_t len)
{
    unsigned char hash[SP_HASH_SIZE];

    return sp_crypto_sha256(raw, len, hash) == APR_SUCCESS
               ? apr_pstrcat(pool, "sha256.",
                             sp_crypto_hex(pool, hash, sizeof(hash)), "@incoming",
                             NULL)
               : NULL;
}

static void read_message(apr_pool_t *pool, GMimeMessage *message,
                         sp_incoming_t *mail)
{
    GMimeObject *root = g_mime_message_get_mime_part(message);
    const char *type =
        root ? g_mime_object_get_content_type_parameter(root, "report-type") : NULL;
    reading_t reading = { pool, mail,
                          type && strcasecmp(type, "delivery-status") == 0, NULL };

    mail->message_id = clean_id(pool, g_mime_message_get_message_id(message));
    mail->from = address_of(pool, g_mime_message_get_from(message));
    mail->subject = sp_text_one_line(
        pool, clean(pool, g_mime_message_get_subject(message), 500));
    mail->automatic = is_automatic(pool, message);
    read_answers(pool, message, mail);
    if (root && GMIME_IS_MULTIPART(root)) {
        g_mime_multipart_foreach((GMimeMultipart *)root, read_part, &reading);
    }
    else if (root) {
        read_part(NULL, root, &reading);
    }
    if (!mail->text && reading.html) {
        mail->text = without_tags(pool, reading.html);
    }
    mail->text = clean(pool, mail->text, SP_INCOMING_TEXT_MOST);
    mail->text = mail->text ? without_quote(pool, mail->text) : NULL;
}

const char *sp_incoming_parse(apr_pool_t *pool, const char *raw, apr_size_t len,
                              sp_incoming_t *mail)
{
    GMimeStream *stream;
    GMimeParser *parser;
    GMimeMessage *message;

    memset(mail, 0, sizeof(*mail));
    if (len == 0 || len > SP_INCOMING_MOST) {
        return len ? "it is too large" : "it is empty";
    }
    g_mime_init();
    stream = g_mime_stream_mem_new_with_buffer(raw, len);
    parser = g_mime_parser_new_with_stream(stream);
    message = g_mime_parser_construct_message(parser, NULL);
    if (message) {
        read_message(pool, message, mail);
        g_object_unref(message);
    }
    g_object_unref(parser);
    g_object_unref(stream);
    if (!mail->message_id) {
        mail->message_id = made_id(pool, raw, len);
    }
    return !message            ? "it is no mail"
           : !mail->message_id ? "it cannot be told from others"
                               : NULL;
}

/*
 * scan.c - a strict reader of the JSON we want, a fast one of what we do not.
 *
 * Room: util.
 * Source: RFC 8259.
 */
#include "util/scan.h"

#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "util/text.h"

static int fail(sp_scan_t *scan, const char *why)
{
    if (!scan->error) {
        scan->error = why;
    }
    return 0;
}

static int fail_field(sp_scan_t *scan, const sp_scan_field_t *field, const char *why)
{
    return fail(scan, apr_psprintf(scan->pool, "%s %s", field->name, why));
}

/* Say which member it was that could not be read. */
static int name_error(sp_scan_t *scan, const sp_scan_field_t *field)
{
    scan->error = apr_pstrcat(scan->pool, field->name, ": ", scan->error, NULL);
    return 0;
}

void sp_scan_start(sp_scan_t *scan, apr_pool_t *pool, const char *data,
                   apr_size_t len)
{
    scan->at = data;
    scan->end = data + len;
    scan->pool = pool;
    scan->error = NULL;
}

/* The next byte that is no white space, or 0 at the end. A NUL in the input looks
 * like the end and is refused as such. */
static char next_byte(sp_scan_t *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' ||
                                    *scan->at == '\r' || *scan->at == '\t')) {
        scan->at++;
    }
    return scan->at < scan->end && !scan->error ? *scan->at : '\0';
}

static int take_byte(sp_scan_t *scan, char c)
{
    if (next_byte(scan) != c) {
        return 0;
    }
    scan->at++;
    return 1;
}

/* Behind the closing quote of a string whose first byte is at, or NULL. */
static const char *string_end(const char *at, const char *end)
{
    const char *start = at;
    const char *quote, *slash;

    while ((quote = memchr(at, '"', (apr_size_t)(end - at))) != NULL) {
        for (slash = quote; slash > start && slash[-1] == '\\'; slash--) {
        }
        if ((quote - slash) % 2 == 0) {
            return quote + 1;
        }
        at = quote + 1;
    }
    return NULL;
}

/* What a byte means to somebody who only looks for the end of a value. */
enum { PLAIN, QUOTE, OPEN, CLOSE };

static const unsigned char meaning[256] = {
    ['"'] = QUOTE, ['{'] = OPEN, ['['] = OPEN, ['}'] = CLOSE, [']'] = CLOSE,
};

/* Behind the bracket that closes the one at `at`, or NULL. One bit for each open
 * bracket remembers its sort. */
static const char *container_end(const char *at, const char *end)
{
    uint64_t braces = 0;
    int depth = 0;

    for (; at && at < end; at++) {
        switch (meaning[(unsigned char)*at]) {
        case QUOTE:
            at = string_end(at + 1, end);
            if (!at) {
                return NULL;
            }
            at--;
            break;
        case OPEN:
            if (++depth > SP_SCAN_DEPTH) {
                return NULL;
            }
            braces = braces << 1 | (*at == '{');
            break;
        case CLOSE:
            if ((braces & 1) != (*at == '}')) {
                return NULL;
            }
            braces >>= 1;
            if (--depth == 0) {
                return at + 1;
            }
            break;
        default:
            break;
        }
    }
    return NULL;
}

static const char *scalar_end(const char *at, const char *end)
{
    const char *start = at;

    while (at < end && *at != ',' && *at != '}' && *at != ']' && *at > ' ') {
        at++;
    }
    return at > start ? at : NULL;
}

int sp_scan_skip(sp_scan_t *scan)
{
    char c = next_byte(scan);
    const char *end;

    if (c == '"') {
        end = string_end(scan->at + 1, scan->end);
    }
    else if (c == '{' || c == '[') {
        end = container_end(scan->at, scan->end);
    }
    else {
        end = scalar_end(scan->at, scan->end);
    }
    if (!end || scan->error) {
        return fail(scan, "it ends half-way, or nests too deep");
    }
    scan->at = end;
    return 1;
}

static int hex4(const char *at, const char *end, unsigned *value)
{
    int i;

    if (end - at < 4) {
        return 0;
    }
    for (i = 0, *value = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0) {
            return 0;
        }
        *value = *value << 4 | (unsigned)digit;
    }
    return 1;
}

static char *write_utf8(char *to, unsigned point)
{
    if (point < 0x80) {
        *to++ = (char)point;
        return to;
    }
    if (point < 0x800) {
        *to++ = (char)(0xc0 | point >> 6);
    }
    else {
        if (point < 0x10000) {
            *to++ = (char)(0xe0 | point >> 12);
        }
        else {
            *to++ = (char)(0xf0 | point >> 18);
            *to++ = (char)(0x80 | (point >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (point >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (point & 0x3f));
    return to;
}

/* What stands behind "\u": *at moves behind it. 0 for what no text may hold. */
static unsigned read_point(const char **at, const char *end)
{
    unsigned high, low;

    if (!hex4(*at, end, &high)) {
        return 0;
    }
    *at += 4;
    if (high < 0xd800 || high > 0xdfff) {
        return high;
    }
    if (high > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' ||
        !hex4(*at + 2, end, &low) || low < 0xdc00 || low > 0xdfff) {
        return 0;
    }
    *at += 6;
    return 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
}

/* Decode what has backslashes; NULL when an escape is wrong, or means NUL. */
static char *decode(apr_pool_t *pool, const char *at, const char *end)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    char *text = apr_palloc(pool, (apr_size_t)(end - at) + 1);
    char *to = text;
    const char *letter;
    unsigned point;

    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        at++; /* a string never ends in a single backslash: see string_end() */
        if (*at == 'u') {
            at++;
            point = read_point(&at, end);
            if (!point) {
                return NULL;
            }
            to = write_utf8(to, point);
            continue;
        }
        letter = *at ? strchr(letters, *at) : NULL;
        if (!letter) {
            return NULL;
        }
        *to++ = meant[letter - letters];
        at++;
    }
    *to = '\0';
    return text;
}

/* The string that comes next, decoded and checked; NULL with an error otherwise. */
static const char *read_text(sp_scan_t *scan)
{
    const char *start = scan->at + 1;
    const char *close = string_end(start, scan->end);
    const char *at;
    int slashes = 0, high = 0;

    if (!close) {
        fail(scan, "it ends half-way in a text");
        return NULL;
    }
    scan->at = close--;
    for (at = start; at < close; at++) {
        if ((unsigned char)*at < 0x20) {
            fail(scan, "a text holds a bare control character");
            return NULL;
        }
        slashes |= *at == '\\';
        high |= (unsigned char)*at >= 0x80;
    }
    if (high && !sp_text_is_utf8(start, (apr_size_t)(close - start))) {
        fail(scan, "a text is not valid UTF-8");
        return NULL;
    }
    if (!slashes) {
        return apr_pstrmemdup(scan->pool, start, (apr_size_t)(close - start));
    }
    start = decode(scan->pool, start, close);
    if (!start) {
        fail(scan, "a text holds a NUL, half a character, or a wrong escape");
    }
    return start;
}

static int read_int(sp_scan_t *scan, int64_t *value)
{
    const char *at = scan->at;
    const char *end = scalar_end(at, scan->end);
    int negative = *at == '-';
    uint64_t number = 0;

    if (!end || at + negative == end) {
        return 0;
    }
    at += negative;
    if (*at == '0' && at + 1 != end) {
        return 0; /* JSON has no leading zeros */
    }
    for (; at < end; at++) {
        if (*at < '0' || *at > '9' || number > INT64_MAX / 10) {
            return 0;
        }
        number = number * 10 + (unsigned)(*at - '0');
    }
    if (number > INT64_MAX) {
        return 0;
    }
    *value = negative ? -(int64_t)number : (int64_t)number;
    scan->at = end;
    return 1;
}

/* Beyond it no database and no page has a date; in microseconds it would overflow. */
#define LAST_SECOND INT64_C(253402300799)

static int read_seconds(sp_scan_t *scan, int64_t *value)
{
    return read_int(scan, value) && *value >= 0 && *value <= LAST_SECOND;
}

static int take_word(sp_scan_t *scan, const char *word, apr_size_t len)
{
    const char *end = scalar_end(scan->at, scan->end);

    if (!end || (apr_size_t)(end - scan->at) != len || memcmp(scan->at, word, len)) {
        return 0;
    }
    scan->at = end;
    return 1;
}

typedef struct only_id_t {
    const char *id;
} only_id_t;

static const sp_scan_field_t id_fields[] = {
    { "id", 2, SP_SCAN_TEXT, 1, offsetof(only_id_t, id), NULL, NULL },
};
static const sp_scan_shape_t id_shape = { id_fields, 1 };

static int read_id(sp_scan_t *scan, const char **id)
{
    only_id_t object = { NULL };

    if (*scan->at == '"') {
        *id = read_text(scan);
        return !scan->error;
    }
    if (!sp_scan_read(scan, &id_shape, &object)) {
        return 0;
    }
    *id = object.id;
    return 1;
}

/* One element. A copy of the place reads it; where that goes wrong, the place
 * itself measures it, and the list goes on behind. */
static int read_element(sp_scan_t *scan, const sp_scan_list_t *list, void *into)
{
    sp_scan_t one = *scan;
    sp_slice_t bytes = { scan->at, 0 };
    const char *why = list->take(into, &one);

    if (!why) {
        why = one.error;
    }
    if (!one.error) {
        scan->at = one.at;
    }
    else if (!sp_scan_skip(scan)) {
        return 0;
    }
    if (why) {
        bytes.len = (apr_size_t)(scan->at - bytes.data);
        list->refuse(into, &bytes, why);
    }
    return 1;
}

static int read_list(sp_scan_t *scan, const sp_scan_list_t *list, void *into)
{
    if (!take_byte(scan, '[')) {
        return fail(scan, "a list was expected");
    }
    if (take_byte(scan, ']')) {
        return 1;
    }
    do {
        next_byte(scan);
        if (!read_element(scan, list, into)) {
            return 0;
        }
    } while (take_byte(scan, ','));
    return take_byte(scan, ']') || fail(scan, "a list has no end");
}

static int read_value(sp_scan_t *scan, const sp_scan_field_t *field, void *into)
{
    void *member = (char *)into + field->offset;
    sp_slice_t *slice = member;

    switch (field->kind) {
    case SP_SCAN_TEXT:
        if (*scan->at != '"') {
            return fail_field(scan, field, "is no text");
        }
        *(const char **)member = read_text(scan);
        return !scan->error || name_error(scan, field);
    case SP_SCAN_ID:
        return read_id(scan, member);
    case SP_SCAN_INT:
        return read_int(scan, member) ||
               fail_field(scan, field, "is no whole number of 64 bits");
    case SP_SCAN_SECONDS:
        return read_seconds(scan, member) ||
               fail_field(scan, field, "is no moment in seconds");
    case SP_SCAN_BOOL:
        *(int *)member = *scan->at == 't';
        return take_word(scan, "true", 4) || take_word(scan, "false", 5) ||
               fail_field(scan, field, "is neither true nor false");
    case SP_SCAN_RAW:
        slice->data = scan->at;
        if (!sp_scan_skip(scan)) {
            return 0;
        }
        slice->len = (apr_size_t)(scan->at - slice->data);
        return 1;
    case SP_SCAN_OBJECT:
        return sp_scan_read(scan, field->inner, into);
    case SP_SCAN_LIST:
        return read_list(scan, field->list, into);
    }
    return fail_field(scan, field, "is of no known kind");
}

/* The name of the next member, as it stands or decoded. */
static int read_name(sp_scan_t *scan, sp_slice_t *name)
{
    const char *close;

    if (next_byte(scan) != '"') {
        return fail(scan, "a name was expected");
    }
    name->data = scan->at + 1;
    close = string_end(name->data, scan->end);
    if (!close) {
        return fail(scan, "it ends half-way in a name");
    }
    name->len = (apr_size_t)(close - 1 - name->data);
    if (memchr(name->data, '\\', name->len)) {
        /* "\u0061mount" is "amount" to others, so it is to us. */
        name->data = decode(scan->pool, name->data, close - 1);
        if (!name->data) {
            return fail(scan, "a name is unreadable");
        }
        name->len = strlen(name->data);
    }
    scan->at = close;
    return take_byte(scan, ':') || fail(scan, "a name has no value");
}

static int find_field(const sp_scan_shape_t *shape, const sp_slice_t *name)
{
    const sp_scan_field_t *field = shape->fields;
    int i;

    for (i = 0; i < shape->count; i++, field++) {
        if (field->name_len == name->len &&
            memcmp(field->name, name->data, name->len) == 0) {
            return i;
        }
    }
    return -1;
}

static int read_member(sp_scan_t *scan, const sp_scan_shape_t *shape, void *into,
                       uint64_t *seen, uint64_t *set)
{
    sp_slice_t name;
    int i;

    if (!read_name(scan, &name)) {
        return 0;
    }
    i = find_field(shape, &name);
    if (i < 0) {
        return sp_scan_skip(scan);
    }
    if (*seen >> i & 1) {
        return fail_field(scan, &shape->fields[i], "comes twice");
    }
    *seen |= UINT64_C(1) << i;
    if (next_byte(scan) == 'n' && take_word(scan, "null", 4)) {
        return 1;
    }
    if (scan->at == scan->end) {
        return fail(scan, "it ends half-way");
    }
    *set |= UINT64_C(1) << i;
    return read_value(scan, &shape->fields[i], into);
}

int sp_scan_read(sp_scan_t *scan, const sp_scan_shape_t *shape, void *into)
{
    uint64_t seen = 0, set = 0;
    int i;

    if (!take_byte(scan, '{')) {
        return fail(scan, "an object was expected");
    }
    if (!take_byte(scan, '}')) {
        do {
            if (!read_member(scan, shape, into, &seen, &set)) {
                return 0;
            }
        } while (take_byte(scan, ','));
        if (!take_byte(scan, '}')) {
            return fail(scan, "an object has no end");
        }
    }
    for (i = 0; i < shape->count; i++) {
        if (shape->fields[i].must && !(set >> i & 1)) {
            return fail_field(scan, &shape->fields[i], "is missing");
        }
    }
    return 1;
}

const char *sp_scan_finish(sp_scan_t *scan)
{
    next_byte(scan);
    if (scan->at != scan->end) {
        fail(scan, "something follows its end");
    }
    return scan->error;
}

const char *sp_scan_text(sp_scan_t *scan)
{
    if (next_byte(scan) != '"') {
        fail(scan, "a text was expected");
        return NULL;
    }
    return read_text(scan);
}

const char *sp_scan_whole(apr_pool_t *pool, const char *data, apr_size_t len,
                          const sp_scan_shape_t *shape, void *into)
{
    sp_scan_t scan;

    sp_scan_start(&scan, pool, data, len);
    sp_scan_read(&scan, shape, into);
    return sp_scan_finish(&scan);
}

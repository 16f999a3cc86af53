/*
 * mustache.c - parser and renderer of Mustache templates.
 *
 * Room: view. Sees APR and Jansson only.
 * The parser makes a tree of nodes once, at start; rendering walks the tree
 * with a stack of contexts and never looks at the source again.
 */
#include "view/mustache.h"

#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

typedef enum sp_node_kind_t {
    SP_NODE_TEXT,
    SP_NODE_VALUE,
    SP_NODE_SECTION,
    SP_NODE_INVERTED,
    SP_NODE_PARTIAL
} sp_node_kind_t;

typedef struct sp_node_t sp_node_t;
struct sp_node_t {
    sp_node_kind_t kind;
    int line;
    /* TEXT: the words. Others: the name as written. */
    const char *text;
    apr_size_t len;
    int at_line_start;      /* TEXT: a partial's indentation goes before it */
    int escape;             /* VALUE */
    char **path;            /* the name cut at its dots; NULL for "." */
    const char *indent;     /* PARTIAL on a line of its own */
    sp_template_t *partial; /* PARTIAL: set by sp_template_link */
    sp_node_t *child;
    sp_node_t *next;
};

struct sp_template_t {
    sp_template_kind_t kind;
    sp_node_t *first;
};

/* --- parsing ----------------------------------------------------------- */

typedef struct sp_open_t {
    sp_node_t *node;  /* the open section, NULL at the top */
    sp_node_t **tail; /* where the next node goes */
} sp_open_t;

typedef struct sp_parser_t {
    apr_pool_t *pool;
    sp_template_t *tpl;
    const char *source;
    apr_size_t len;
    apr_size_t pos;
    const char *open_mark;
    const char *close_mark;
    sp_open_t open[SP_TEMPLATE_MAX_DEPTH];
    int depth;
    const char **error;
} sp_parser_t;

/* One {{tag}}: where it stands and what is in it. */
typedef struct sp_tag_t {
    char sigil; /* one of # ^ / ! > = & {, or 0 for a plain value */
    const char *body;
    apr_size_t body_len;
    apr_size_t start;
    apr_size_t end;
} sp_tag_t;

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int is_space(char c)
{
    return is_blank(c) || c == '\n' || c == '\r';
}

static int line_of(const sp_parser_t *p, apr_size_t pos)
{
    int line = 1;
    apr_size_t i;

    for (i = 0; i < pos; i++) {
        line += p->source[i] == '\n';
    }
    return line;
}

static apr_status_t fail(sp_parser_t *p, apr_size_t pos, const char *what)
{
    *p->error = apr_psprintf(p->pool, "line %d: %s", line_of(p, pos), what);
    return APR_EINVAL;
}

/* Position of mark at or after from, or len when it is not there. */
static apr_size_t find(const sp_parser_t *p, apr_size_t from, const char *mark)
{
    apr_size_t n = strlen(mark);

    for (; from + n <= p->len; from++) {
        if (memcmp(p->source + from, mark, n) == 0) {
            return from;
        }
    }
    return p->len;
}

static sp_node_t *add_node(sp_parser_t *p, sp_node_kind_t kind, apr_size_t pos)
{
    sp_node_t *node = apr_pcalloc(p->pool, sizeof(*node));
    sp_open_t *open = &p->open[p->depth];

    node->kind = kind;
    node->line = line_of(p, pos);
    *open->tail = node;
    open->tail = &node->next;
    return node;
}

static int at_line_start(const sp_parser_t *p, apr_size_t pos)
{
    return pos == 0 || p->source[pos - 1] == '\n';
}

/* An empty text at the start of a line is kept: it carries the indentation
 * for a line that begins with a tag. */
static void add_text(sp_parser_t *p, apr_size_t from, apr_size_t to)
{
    sp_node_t *node;

    if (to == from && !at_line_start(p, from)) {
        return;
    }
    node = add_node(p, SP_NODE_TEXT, from);
    node->text = apr_pstrmemdup(p->pool, p->source + from, to - from);
    node->len = to - from;
    node->at_line_start = at_line_start(p, from);
}

static void trim(sp_tag_t *tag)
{
    while (tag->body_len && is_space(tag->body[0])) {
        tag->body++;
        tag->body_len--;
    }
    while (tag->body_len && is_space(tag->body[tag->body_len - 1])) {
        tag->body_len--;
    }
}

/* Read the tag that opens at start. */
static apr_status_t read_tag(sp_parser_t *p, apr_size_t start, sp_tag_t *tag)
{
    apr_size_t from = start + strlen(p->open_mark);
    apr_size_t to;
    const char *close_mark = p->close_mark;

    memset(tag, 0, sizeof(*tag));
    tag->start = start;
    while (from < p->len && is_space(p->source[from])) {
        from++;
    }
    if (from < p->len && strchr("#^/!>=&{", p->source[from])) {
        tag->sigil = p->source[from++];
    }
    if (tag->sigil == '{') {
        close_mark = apr_pstrcat(p->pool, "}", p->close_mark, NULL);
    }
    else if (tag->sigil == '=') {
        close_mark = apr_pstrcat(p->pool, "=", p->close_mark, NULL);
    }
    to = find(p, from, close_mark);
    if (to == p->len) {
        return fail(p, start,
                    apr_psprintf(p->pool, "%s is never closed by %s", p->open_mark,
                                 close_mark));
    }
    tag->body = p->source + from;
    tag->body_len = to - from;
    tag->end = to + strlen(close_mark);
    trim(tag);
    return APR_SUCCESS;
}

/* A tag that is alone on its line takes the whole line with it.
 * On yes, *from is the line's start and *to the start of the next line. */
static int stands_alone(const sp_parser_t *p, const sp_tag_t *tag, apr_size_t *from,
                        apr_size_t *to)
{
    apr_size_t a = tag->start;
    apr_size_t b = tag->end;

    if (!tag->sigil || tag->sigil == '{' || tag->sigil == '&') {
        return 0;
    }
    while (a > p->pos && is_blank(p->source[a - 1])) {
        a--;
    }
    if (!at_line_start(p, a)) {
        return 0;
    }
    while (b < p->len && is_blank(p->source[b])) {
        b++;
    }
    if (b + 1 < p->len && p->source[b] == '\r' && p->source[b + 1] == '\n') {
        b++;
    }
    if (b < p->len && p->source[b] != '\n') {
        return 0;
    }
    *from = a;
    *to = b < p->len ? b + 1 : b;
    return 1;
}

/* "a.b.c" becomes {"a", "b", "c", NULL}; "." stays NULL. */
static apr_status_t split_name(sp_parser_t *p, const sp_tag_t *tag, sp_node_t *node)
{
    char *name = apr_pstrmemdup(p->pool, tag->body, tag->body_len);
    char *part;
    int parts = 1;
    int i;

    node->text = apr_pstrdup(p->pool, name);
    node->len = tag->body_len;
    if (strcmp(name, ".") == 0) {
        return APR_SUCCESS;
    }
    for (part = name; *part; part++) {
        parts += *part == '.';
    }
    node->path = apr_pcalloc(p->pool, sizeof(char *) * ((apr_size_t)parts + 1));
    for (i = 0, part = name; i < parts; i++) {
        node->path[i] = part;
        part += strcspn(part, ".");
        *part++ = '\0';
        if (!*node->path[i]) {
            return fail(p, tag->start, "a tag needs a name");
        }
    }
    return APR_SUCCESS;
}

static apr_status_t open_section(sp_parser_t *p, const sp_tag_t *tag)
{
    sp_node_t *node = add_node(
        p, tag->sigil == '#' ? SP_NODE_SECTION : SP_NODE_INVERTED, tag->start);

    if (p->depth + 1 >= SP_TEMPLATE_MAX_DEPTH) {
        return fail(p, tag->start, "too many sections inside one another");
    }
    p->depth++;
    p->open[p->depth].node = node;
    p->open[p->depth].tail = &node->child;
    return split_name(p, tag, node);
}

static apr_status_t close_section(sp_parser_t *p, const sp_tag_t *tag)
{
    const sp_node_t *node = p->open[p->depth].node;
    const char *name = apr_pstrmemdup(p->pool, tag->body, tag->body_len);

    if (!node) {
        return fail(p, tag->start,
                    apr_psprintf(p->pool, "{{/%s}} closes nothing", name));
    }
    if (strcmp(node->text, name) != 0) {
        return fail(
            p, tag->start,
            apr_psprintf(p->pool, "{{/%s}} where {{/%s}} is due", name, node->text));
    }
    p->depth--;
    return APR_SUCCESS;
}

/* {{=<% %>=}}: the rest of this template uses other marks. */
static apr_status_t set_marks(sp_parser_t *p, const sp_tag_t *tag)
{
    char *marks = apr_pstrmemdup(p->pool, tag->body, tag->body_len);
    char *second = marks + strcspn(marks, " \t\r\n");

    if (*second) {
        *second++ = '\0';
        second += strspn(second, " \t\r\n");
    }
    if (!*marks || !*second || strpbrk(second, " \t\r\n") || strchr(marks, '=') ||
        strchr(second, '=')) {
        return fail(p, tag->start, "a change of marks looks like {{=<% %>=}}");
    }
    p->open_mark = marks;
    p->close_mark = second;
    return APR_SUCCESS;
}

static apr_status_t add_partial(sp_parser_t *p, const sp_tag_t *tag,
                                const char *indent)
{
    sp_node_t *node = add_node(p, SP_NODE_PARTIAL, tag->start);

    if (!tag->body_len) {
        return fail(p, tag->start, "a partial needs a name");
    }
    node->text = apr_pstrmemdup(p->pool, tag->body, tag->body_len);
    node->len = tag->body_len;
    node->indent = indent;
    return APR_SUCCESS;
}

static apr_status_t add_value(sp_parser_t *p, const sp_tag_t *tag)
{
    sp_node_t *node = add_node(p, SP_NODE_VALUE, tag->start);

    node->escape = !tag->sigil && p->tpl->kind == SP_TEMPLATE_HTML;
    return split_name(p, tag, node);
}

static apr_status_t take_tag(sp_parser_t *p, const sp_tag_t *tag, const char *indent)
{
    switch (tag->sigil) {
    case '#':
    case '^':
        return open_section(p, tag);
    case '/':
        return close_section(p, tag);
    case '!':
        return APR_SUCCESS;
    case '=':
        return set_marks(p, tag);
    case '>':
        return add_partial(p, tag, indent);
    default:
        return add_value(p, tag);
    }
}

/* The text before the next tag, and the tag. */
static apr_status_t parse_step(sp_parser_t *p)
{
    apr_size_t start = find(p, p->pos, p->open_mark);
    apr_size_t from;
    apr_size_t to;
    const char *indent = "";
    sp_tag_t tag;
    apr_status_t status;

    if (start == p->len) {
        if (p->pos < p->len) {
            add_text(p, p->pos, p->len);
        }
        p->pos = p->len;
        return APR_SUCCESS;
    }
    status = read_tag(p, start, &tag);
    if (status != APR_SUCCESS) {
        return status;
    }
    if (stands_alone(p, &tag, &from, &to)) {
        indent = apr_pstrmemdup(p->pool, p->source + from, start - from);
        if (from > p->pos) {
            add_text(p, p->pos, from);
        }
    }
    else {
        add_text(p, p->pos, start);
        if (start > p->pos && at_line_start(p, start)) {
            add_text(p, start, start);
        }
        to = tag.end;
    }
    p->pos = to;
    return take_tag(p, &tag, indent);
}

apr_status_t sp_template_parse_as(apr_pool_t *pool, sp_template_kind_t kind,
                                  const char *source, apr_size_t len,
                                  sp_template_t **tpl, const char **error)
{
    sp_parser_t *p = apr_pcalloc(pool, sizeof(*p));
    apr_status_t status = APR_SUCCESS;

    p->pool = pool;
    p->tpl = apr_pcalloc(pool, sizeof(*p->tpl));
    p->tpl->kind = kind;
    p->source = source;
    p->len = len;
    p->open_mark = "{{";
    p->close_mark = "}}";
    p->open[0].tail = &p->tpl->first;
    p->error = error;
    if (!sp_text_is_utf8(source, len)) {
        return fail(p, 0, "the template is not UTF-8");
    }
    while (status == APR_SUCCESS && p->pos < p->len) {
        status = parse_step(p);
    }
    if (status == APR_SUCCESS && p->depth) {
        const sp_node_t *node = p->open[p->depth].node;

        *error = apr_psprintf(pool, "line %d: {{%s%s}} is never closed", node->line,
                              node->kind == SP_NODE_SECTION ? "#" : "^", node->text);
        return APR_EINVAL;
    }
    *tpl = p->tpl;
    return status;
}

apr_status_t sp_template_parse(apr_pool_t *pool, const char *source, apr_size_t len,
                               sp_template_t **tpl, const char **error)
{
    return sp_template_parse_as(pool, SP_TEMPLATE_HTML, source, len, tpl, error);
}

sp_template_kind_t sp_template_kind(const sp_template_t *tpl)
{
    return tpl->kind;
}

static void link_nodes(sp_node_t *node, sp_template_lookup_t lookup, void *baton)
{
    for (; node; node = node->next) {
        if (node->kind == SP_NODE_PARTIAL) {
            node->partial = lookup(baton, node->text, node->line);
        }
        link_nodes(node->child, lookup, baton);
    }
}

void sp_template_link(sp_template_t *tpl, sp_template_lookup_t lookup, void *baton)
{
    link_nodes(tpl->first, lookup, baton);
}

/* --- rendering --------------------------------------------------------- */

/* The contexts that names are looked up in, innermost first. */
typedef struct sp_frame_t {
    json_t *value;
    const struct sp_frame_t *outer;
} sp_frame_t;

typedef struct sp_render_t {
    sp_text_t *out;
    const char *indent;
    int depth;
} sp_render_t;

static apr_status_t render_nodes(sp_render_t *r, const sp_node_t *node,
                                 const sp_frame_t *frame);

void sp_text_init(sp_text_t *text, apr_pool_t *pool)
{
    text->pool = pool;
    text->len = 0;
    text->error = NULL;
    text->room = 4096;
    text->data = apr_palloc(pool, text->room);
    text->data[0] = '\0';
}

static apr_status_t append(sp_render_t *r, const char *bytes, apr_size_t len)
{
    sp_text_t *out = r->out;

    if (len > SP_TEMPLATE_MAX_OUTPUT - out->len) {
        r->out->error = "the page grows without end";
        return APR_ENOSPC;
    }
    if (out->len + len + 1 > out->room) {
        apr_size_t room = 2 * (out->len + len + 1);
        char *data = apr_palloc(out->pool, room);

        memcpy(data, out->data, out->len);
        out->data = data;
        out->room = room;
    }
    memcpy(out->data + out->len, bytes, len);
    out->len += len;
    out->data[out->len] = '\0';
    return APR_SUCCESS;
}

/* What HTML needs instead of this byte, or NULL when it may stay. */
static const char *html_escape(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\0':
        return "\xEF\xBF\xBD"; /* HTML has no NUL; U+FFFD shows there was one */
    default:
        return NULL;
    }
}

static apr_status_t append_escaped(sp_render_t *r, const char *bytes, apr_size_t len)
{
    apr_size_t from = 0;
    apr_size_t i;
    apr_status_t status = APR_SUCCESS;

    for (i = 0; i < len && status == APR_SUCCESS; i++) {
        const char *instead = html_escape(bytes[i]);

        if (instead) {
            status = append(r, bytes + from, i - from);
            if (status == APR_SUCCESS) {
                status = append(r, instead, strlen(instead));
            }
            from = i + 1;
        }
    }
    return status == APR_SUCCESS ? append(r, bytes + from, len - from) : status;
}

/* 1.1 as 1.1, not as 1.1000000000000001, yet nothing lost. By the C library:
 * APR writes ".1". */
static const char *real_text(apr_pool_t *pool, double number)
{
    char text[40];

    snprintf(text, sizeof(text), "%.15g", number);
    if (strtod(text, NULL) != number) {
        snprintf(text, sizeof(text), "%.17g", number);
    }
    return apr_pstrdup(pool, text);
}

static apr_status_t append_value(sp_render_t *r, const json_t *value, int escape)
{
    const char *bytes = "";
    apr_size_t len;

    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        bytes = json_string_value(value);
        len = json_string_length(value); /* a NUL may be inside */
        return escape ? append_escaped(r, bytes, len) : append(r, bytes, len);
    case JSON_INTEGER:
        bytes = apr_psprintf(r->out->pool, "%" APR_INT64_T_FMT,
                             (apr_int64_t)json_integer_value(value));
        break;
    case JSON_REAL:
        bytes = real_text(r->out->pool, json_real_value(value));
        break;
    case JSON_TRUE:
        bytes = "true";
        break;
    case JSON_FALSE:
        bytes = "false";
        break;
    default: /* null, and a list or object, which has no words of its own */
        break;
    }
    return append(r, bytes, strlen(bytes));
}

/* Only the first part of a dotted name is searched outwards. */
static json_t *resolve(const sp_node_t *node, const sp_frame_t *frame)
{
    json_t *value = NULL;
    int i;

    if (!node->path) {
        return frame->value;
    }
    for (; frame && !value; frame = frame->outer) {
        value = json_object_get(frame->value, node->path[0]);
    }
    for (i = 1; value && node->path[i]; i++) {
        value = json_object_get(value, node->path[i]);
    }
    return value;
}

static int is_true(const json_t *value)
{
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_NULL:
    case JSON_FALSE:
        return 0;
    case JSON_STRING:
        return json_string_length(value) > 0;
    case JSON_INTEGER:
        return json_integer_value(value) != 0;
    case JSON_ARRAY:
        return json_array_size(value) > 0;
    default:
        return 1;
    }
}

static apr_status_t render_text(sp_render_t *r, const sp_node_t *node)
{
    const char *text = node->text;
    const char *end = text + node->len;
    apr_size_t indent_len = strlen(r->indent);
    apr_status_t status = APR_SUCCESS;
    int start = node->at_line_start;

    if (!indent_len) {
        return append(r, text, node->len);
    }
    do {
        const char *eol = memchr(text, '\n', (apr_size_t)(end - text));
        const char *stop = eol ? eol + 1 : end;

        if (start) {
            status = append(r, r->indent, indent_len);
        }
        if (status == APR_SUCCESS) {
            status = append(r, text, (apr_size_t)(stop - text));
        }
        text = stop;
        start = 1;
    } while (text < end && status == APR_SUCCESS);
    return status;
}

static apr_status_t enter(sp_render_t *r, const sp_node_t *node,
                          const sp_frame_t *frame)
{
    apr_status_t status;

    if (r->depth >= SP_TEMPLATE_MAX_DEPTH) {
        r->out->error = "sections or partials nest without end";
        return APR_ENOSPC;
    }
    r->depth++;
    status = render_nodes(r, node, frame);
    r->depth--;
    return status;
}

static apr_status_t render_section(sp_render_t *r, const sp_node_t *node,
                                   const sp_frame_t *frame)
{
    json_t *value = resolve(node, frame);
    sp_frame_t inner = { value, frame };
    apr_status_t status = APR_SUCCESS;
    size_t i;

    if (!is_true(value)) {
        return APR_SUCCESS;
    }
    if (!json_is_array(value)) {
        return enter(r, node->child, &inner);
    }
    for (i = 0; i < json_array_size(value) && status == APR_SUCCESS; i++) {
        inner.value = json_array_get(value, i);
        status = enter(r, node->child, &inner);
    }
    return status;
}

/* Indentation is of the source, so a partial inside a line starts anew. */
static apr_status_t render_partial(sp_render_t *r, const sp_node_t *node,
                                   const sp_frame_t *frame)
{
    const char *before = r->indent;
    apr_status_t status;

    if (!node->partial) {
        return APR_SUCCESS;
    }
    r->indent = *node->indent ? apr_pstrcat(r->out->pool, before, node->indent, NULL)
                              : before;
    status = enter(r, node->partial->first, frame);
    r->indent = before;
    return status;
}

static apr_status_t render_nodes(sp_render_t *r, const sp_node_t *node,
                                 const sp_frame_t *frame)
{
    apr_status_t status = APR_SUCCESS;

    for (; node && status == APR_SUCCESS; node = node->next) {
        switch (node->kind) {
        case SP_NODE_TEXT:
            status = render_text(r, node);
            break;
        case SP_NODE_VALUE:
            status = append_value(r, resolve(node, frame), node->escape);
            break;
        case SP_NODE_SECTION:
            status = render_section(r, node, frame);
            break;
        case SP_NODE_INVERTED:
            if (!is_true(resolve(node, frame))) {
                status = enter(r, node->child, frame);
            }
            break;
        case SP_NODE_PARTIAL:
            status = render_partial(r, node, frame);
            break;
        }
    }
    return status;
}

apr_status_t sp_template_render(const sp_template_t *tpl, json_t *model,
                                sp_text_t *out)
{
    sp_frame_t bottom = { model, NULL };
    sp_render_t render = { out, "", 0 };

    return render_nodes(&render, tpl->first, &bottom);
}

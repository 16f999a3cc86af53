/*
 * mustache.h - Mustache templates over JSON values: parse once, render often.
 *
 * Room: view. Sees APR and Jansson only.
 * Source: the Mustache specification, modules interpolation, sections,
 * inverted, comments, partials and delimiters. No lambdas: a template is
 * words, never code.
 *
 * False for a section: missing, null, false, "", 0 and an empty list. The
 * specification leaves "" and 0 to the implementation; here a sentence about
 * "0 days" is left out by {{#days}}.
 */
#ifndef SP_VIEW_MUSTACHE_H
#define SP_VIEW_MUSTACHE_H

#include <apr_pools.h>
#include <jansson.h>

/* Sections and partials inside one another, while parsing and rendering. A
 * partial may include itself, so rendering needs an end of its own. */
#define SP_TEMPLATE_MAX_DEPTH 64
/* No page or mail comes near this; a loop in a template does. */
#define SP_TEMPLATE_MAX_OUTPUT (4 * 1024 * 1024)

typedef struct sp_template_t sp_template_t;

/* What {{name}} does with the value: HTML escapes it, plain text must not. */
typedef enum sp_template_kind_t {
    SP_TEMPLATE_HTML,
    SP_TEMPLATE_TEXT
} sp_template_kind_t;

/** Rendered text: counted, and ended by a NUL that is not counted. */
typedef struct sp_text_t {
    char *data;
    apr_size_t len;
    apr_size_t room;
    apr_pool_t *pool;
    const char *error; /* why rendering into it stopped, or NULL */
} sp_text_t;

/**
 * Finds the partial of this name.
 * @return NULL when there is none: it then renders as nothing
 */
typedef sp_template_t *(*sp_template_lookup_t)(void *baton, const char *name,
                                               int line);

/**
 * Parse a template, escaping as HTML.
 *
 * @param pool    holds the tree, which copies what it needs of the source
 * @param source  UTF-8; need not end in NUL
 * @param error   on failure: "line 7: {{#paid}} is never closed"
 * @return APR_SUCCESS, or APR_EINVAL with *error set
 */
apr_status_t sp_template_parse(apr_pool_t *pool, const char *source, apr_size_t len,
                               sp_template_t **tpl, const char **error);

/** The same for either kind. */
apr_status_t sp_template_parse_as(apr_pool_t *pool, sp_template_kind_t kind,
                                  const char *source, apr_size_t len,
                                  sp_template_t **tpl, const char **error);

sp_template_kind_t sp_template_kind(const sp_template_t *tpl);

/** Tie every {{> partial}} of this template to what lookup finds for it. */
void sp_template_link(sp_template_t *tpl, sp_template_lookup_t lookup, void *baton);

/** An empty text that grows in the pool. */
void sp_text_init(sp_text_t *text, apr_pool_t *pool);

/**
 * Render the template, appending to out.
 *
 * @param model  searched for names; any JSON value, not changed
 * @return APR_SUCCESS, or APR_ENOSPC when the template nests or grows without
 *         end (out->error says which; out holds what was rendered so far)
 */
apr_status_t sp_template_render(const sp_template_t *tpl, json_t *model,
                                sp_text_t *out);

#endif

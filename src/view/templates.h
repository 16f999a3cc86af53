/*
 * templates.h - the words: every page and mail, in every language there is.
 *
 * Room: view. Sees APR and Jansson only.
 *
 * Below each folder: <language>/pages/<name>.mustache,
 * <language>/mails/<name>.subject.mustache, .text.mustache, .html.mustache, and
 * partials anywhere else, say <language>/layout/top.mustache, used as
 * {{> layout/top}}. What ends in .subject or .text is plain text and does not
 * escape. A file that a language lacks is taken from English.
 */
#ifndef SP_VIEW_TEMPLATES_H
#define SP_VIEW_TEMPLATES_H

#include "view/mustache.h"

typedef struct sp_templates_t sp_templates_t;

/* The words of one mail. */
typedef struct sp_mail_words_t {
    const char *subject; /* one line */
    const char *text;
    const char *html;
    const char *lang;  /* of the words: "en" when the language lacks this mail */
    const char *error; /* why it could not be written, or NULL */
} sp_mail_words_t;

/**
 * Read and parse all templates.
 *
 * @param pool   holds the set; read-only afterwards, so threads may share it
 * @param dirs   folders, the owner's first, ended by NULL: for each file the
 *               first folder that has it wins
 * @param error  on failure, fit for a start-up message: names file and line
 * @return APR_SUCCESS, or APR_EINVAL: something is missing, misnamed or broken
 */
apr_status_t sp_templates_load(apr_pool_t *pool, const char *const *dirs,
                               sp_templates_t **set, const char **error);

/**
 * The language to answer in.
 *
 * @param accept  value of an Accept-Language header, or NULL
 * @return a folder's name, "en" when nothing fits; lives as long as the set
 */
const char *sp_templates_language(const sp_templates_t *set, const char *accept);

/**
 * Draw a page.
 *
 * @param lang   from sp_templates_language; NULL for English
 * @param page   "return" for pages/return.mustache
 * @param model  described in htdocs/templates/README.md; its "lang" is set here
 * @param html   initialised here
 * @return APR_SUCCESS, APR_NOTFOUND for an unknown page, or APR_ENOSPC;
 *         html->error then says what to log
 */
apr_status_t sp_page_render(apr_pool_t *pool, const sp_templates_t *set,
                            const char *lang, const char *page, json_t *model,
                            sp_text_t *html);

/** Write a mail: the same, for its three parts. */
apr_status_t sp_mail_render(apr_pool_t *pool, const sp_templates_t *set,
                            const char *lang, const char *mail, json_t *model,
                            sp_mail_words_t *words);

/**
 * Fill a partial that is plain text: the words of a reply, say.
 *
 * @param lang  a folder's name; English where it lacks this one, or for NULL
 * @param name  "replies/fixed.text"
 * @param text  initialised here
 * @return as sp_page_render
 */
apr_status_t sp_text_render(apr_pool_t *pool, const sp_templates_t *set,
                            const char *lang, const char *name, json_t *model,
                            sp_text_t *text);

#endif

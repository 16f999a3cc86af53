/*
 * preview.c - draws one page or mail from a model, without httpd or database.
 *
 * Usage: preview TEMPLATES LANGUAGE page|mail NAME < model.json
 * A mail is printed as JSON: subject, text, html.
 */
#include <apr_general.h>
#include <stdio.h>
#include <string.h>

#include "view/templates.h"

static int say(const char *what)
{
    fprintf(stderr, "preview: %s\n", what ? what : "unknown");
    return 1;
}

int main(int argc, char **argv)
{
    apr_pool_t *pool;
    json_error_t broken;
    json_t *model;
    sp_templates_t *set;
    sp_mail_words_t words;
    sp_text_t html;
    const char *error = NULL;
    const char *dirs[2] = { NULL, NULL };

    if (argc != 5) {
        return say("usage: preview TEMPLATES LANGUAGE page|mail NAME < model.json");
    }
    apr_initialize();
    apr_pool_create(&pool, NULL);
    dirs[0] = argv[1];
    model = json_loadf(stdin, 0, &broken);
    if (!model) {
        return say(broken.text);
    }
    if (sp_templates_load(pool, dirs, &set, &error) != APR_SUCCESS) {
        return say(error);
    }
    if (strcmp(argv[3], "mail") == 0) {
        json_t *out;

        if (sp_mail_render(pool, set, argv[2], argv[4], model, &words)) {
            return say(words.error);
        }
        out = json_pack("{s:s, s:s, s:s}", "subject", words.subject, "text",
                        words.text, "html", words.html);
        json_dumpf(out, stdout, JSON_INDENT(1));
        json_decref(out);
    }
    else {
        if (sp_page_render(pool, set, argv[2], argv[4], model, &html)) {
            return say(html.error);
        }
        fwrite(html.data, 1, html.len, stdout);
    }
    json_decref(model);
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

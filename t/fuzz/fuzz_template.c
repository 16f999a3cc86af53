/*
 * fuzz_template.c - a template somebody wrote, filled with what a customer typed.
 *
 * Room: tests. The template, a NUL, the model as JSON.
 */
#include "fuzz.h"

#include <string.h>

#include "util/json.h"
#include "view/mustache.h"

static sp_template_t *self;

static sp_template_t *partial(void *baton, const char *name, int line)
{
    (void)baton;
    (void)line;
    return *name == 's' ? self : NULL;
}

/* No value can leave its place: what it holds comes out without < and quotes. */
static void check_escape(apr_pool_t *pool, const char *value)
{
    static const char source[] = "{{v}}";
    json_t *model = sp_json_object(pool);
    sp_template_t *tpl;
    sp_text_t out;
    const char *error;

    sp_json_set_text(model, "v", value);
    sp_text_init(&out, pool);
    MUST(sp_template_parse(pool, source, strlen(source), &tpl, &error) ==
         APR_SUCCESS);
    MUST(sp_template_render(tpl, model, &out) == APR_SUCCESS);
    MUST(!strpbrk(out.data ? out.data : "", "<>\"'"));
}

void fuzz(apr_pool_t *pool, const char *text, apr_size_t len)
{
    apr_size_t source = strlen(text);
    json_t *model = source < len ? json_loadb(text + source + 1, len - source - 1,
                                              JSON_DECODE_ANY, NULL)
                                 : NULL;
    const char *error = NULL;
    sp_template_kind_t kind = len % 2 ? SP_TEMPLATE_HTML : SP_TEMPLATE_TEXT;
    sp_text_t out;

    model = sp_json_own(pool, model ? model : json_object());
    if (sp_template_parse_as(pool, kind, text, source, &self, &error) !=
        APR_SUCCESS) {
        MUST(error && *error);
    }
    else {
        sp_template_link(self, partial, NULL);
        sp_text_init(&out, pool);
        if (sp_template_render(self, model, &out) != APR_SUCCESS) {
            MUST(out.error);
        }
        MUST(out.len <= SP_TEMPLATE_MAX_OUTPUT);
        MUST(!out.data || out.data[out.len] == '\0');
    }
    check_escape(pool, text);
}

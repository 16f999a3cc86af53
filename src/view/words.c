/*
 * words.c - times and phrases of a model, in the reader's language.
 *
 * Room: view. Sees APR and Jansson only.
 */
#include "view/words.h"

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

/* No model nests deeper; whatever does was not made by us. */
#define MAX_DEPTH 16

typedef struct sp_words_t {
    apr_pool_t *pool;
    const sp_template_t *time;
    const json_t *phrases;
} sp_words_t;

static void put_object(const sp_words_t *words, json_t *object, int depth);

/* "2026-07-31T14:02:00Z" or "2026-07-31" in parts; NULL for anything else. */
static json_t *time_model(const char *iso)
{
    int year, month, day;
    int hour = 0;
    int minute = 0;
    int read =
        sscanf(iso, "%4d-%2d-%2dT%2d:%2d", &year, &month, &day, &hour, &minute);
    char name[8];
    json_t *model;

    if (read != 3 && (read != 5 || iso[strlen(iso) - 1] != 'Z')) {
        return NULL;
    }
    if (month < 1 || month > 12) {
        return NULL;
    }
    snprintf(name, sizeof(name), "m%d", month);
    model = json_pack("{s:i, s:i, s:i, s:b, s:b}", "year", year, "month", month,
                      "day", day, name, 1, "clock", read == 5);
    snprintf(name, sizeof(name), "%02d", hour % 100);
    json_object_set_new(model, "hour", json_string(name));
    snprintf(name, sizeof(name), "%02d", minute % 100);
    json_object_set_new(model, "minute", json_string(name));
    return model;
}

static void put_time(const sp_words_t *words, json_t *object)
{
    const char *iso = json_string_value(json_object_get(object, "iso"));
    json_t *model = iso ? time_model(iso) : NULL;
    sp_text_t out;

    if (!model) {
        return;
    }
    sp_text_init(&out, words->pool);
    if (sp_template_render(words->time, model, &out) == APR_SUCCESS) {
        out.data[strcspn(out.data, "\n")] = '\0';
        json_object_set_new(object, "text", json_string(out.data));
    }
    json_decref(model);
}

/* The names under which our own code speaks. */
static int is_ours(const char *name)
{
    static const char *const names[] = { "message", "problem", "period_text",
                                         "title", "notice" };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(name, names[i]) == 0) {
            return 1;
        }
    }
    return strncmp(name, "problem_", 8) == 0;
}

/* A copy: the phrases are shared by all threads. NULL when there is none. */
static json_t *translation(const sp_words_t *words, const json_t *value)
{
    const char *phrase = json_string_value(value);
    const char *other = NULL;

    if (phrase) {
        other = json_string_value(json_object_get(words->phrases, phrase));
    }
    return other ? json_string(other) : NULL;
}

static void put_list(const sp_words_t *words, json_t *list, int ours, int depth)
{
    size_t i;
    json_t *value;

    json_array_foreach(list, i, value)
    {
        json_t *other = ours ? translation(words, value) : NULL;

        if (other) {
            json_array_set_new(list, i, other);
        }
        else {
            put_object(words, value, depth + 1);
        }
    }
}

static void put_object(const sp_words_t *words, json_t *object, int depth)
{
    const char *name;
    json_t *value;
    json_t *other;
    void *next;

    if (!json_is_object(object) || depth > MAX_DEPTH) {
        return;
    }
    if (words->time) {
        put_time(words, object);
    }
    json_object_foreach_safe(object, next, name, value)
    {
        if (json_is_array(value)) {
            put_list(words, value, strcmp(name, "lines") == 0, depth);
            continue;
        }
        other = is_ours(name) ? translation(words, value) : NULL;
        if (other) {
            json_object_set_new(object, name, other);
        }
        else if (strcmp(name, "fields") != 0) {
            put_object(words, value, depth + 1);
        }
    }
}

void sp_words_put(apr_pool_t *pool, json_t *model, const sp_template_t *time,
                  const json_t *phrases)
{
    sp_words_t words = { pool, time, phrases };

    if (time || phrases) {
        put_object(&words, model, 0);
    }
}

/*
 * json.c - Jansson values whose owner is a pool.
 *
 * Room: util.
 */
#include "util/json.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

static apr_status_t release(void *json)
{
    json_decref(json);
    return APR_SUCCESS;
}

json_t *sp_json_own(apr_pool_t *pool, json_t *json)
{
    if (json) {
        apr_pool_cleanup_register(pool, json, release, apr_pool_cleanup_null);
    }
    return json;
}

json_t *sp_json_object(apr_pool_t *pool)
{
    return sp_json_own(pool, json_object());
}

void sp_json_set_text(json_t *object, const char *name, const char *text)
{
    if (text) {
        json_object_set_new(object, name, json_string(text));
    }
}

void sp_json_set_time(json_t *object, const char *name, apr_time_t at)
{
    if (at) {
        sp_json_set_int(object, name, apr_time_sec(at));
    }
}

void sp_json_set_int(json_t *object, const char *name, json_int_t value)
{
    json_object_set_new(object, name, json_integer(value));
}

void sp_json_set_bool(json_t *object, const char *name, int value)
{
    json_object_set_new(object, name, json_boolean(value));
}

const char *sp_json_text(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);

    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

const char *sp_json_dump(apr_pool_t *pool, const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    char *copy = text ? apr_pstrdup(pool, text) : NULL;

    free(text);
    return copy;
}

/*
 * query.c - encodes names and values as forms do.
 *
 * Room: util.
 */
#include "util/query.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

void sp_query_start(sp_query_t *query, apr_pool_t *pool)
{
    query->pool = pool;
    query->room = 512;
    query->len = 0;
    query->text = apr_palloc(pool, query->room);
    query->text[0] = '\0';
}

static void make_room(sp_query_t *query, apr_size_t more)
{
    char *wider;

    if (query->len + more < query->room) {
        return;
    }
    query->room = (query->len + more) * 2;
    wider = apr_palloc(query->pool, query->room);
    memcpy(wider, query->text, query->len + 1);
    query->text = wider;
}

static void encode(sp_query_t *query, const char *text, const char *plain)
{
    static const char digits[] = "0123456789ABCDEF";
    char *to;

    make_room(query, strlen(text) * 3 + 1);
    to = query->text + query->len;
    for (; *text; text++) {
        if ((unsigned char)*text < 0x80 &&
            (apr_isalnum(*text) || strchr(plain, *text))) {
            *to++ = *text;
        }
        else {
            *to++ = '%';
            *to++ = digits[(unsigned char)*text >> 4];
            *to++ = digits[*text & 15];
        }
    }
    *to = '\0';
    query->len = (apr_size_t)(to - query->text);
}

static void put(sp_query_t *query, char c)
{
    make_room(query, 2);
    query->text[query->len++] = c;
    query->text[query->len] = '\0';
}

void sp_query_add(sp_query_t *query, const char *name, const char *value)
{
    if (!value) {
        return;
    }
    if (query->len) {
        put(query, '&');
    }
    encode(query, name, "-_.[]");
    put(query, '=');
    encode(query, value, "-_.");
}

void sp_query_add_int(sp_query_t *query, const char *name, int64_t value)
{
    sp_query_add(query, name, apr_psprintf(query->pool, "%" APR_INT64_T_FMT, value));
}

/*
 * access_near.c - what this process has just seen of gates' answers.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/access_near.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

/* 0.5 MB a process. A name's place is its hash: whoever comes last has it. */
#define PLACES 1024
#define LOCKS 64
#define MOST_NAME 80
#define MOST_TEXT 400

typedef struct place_t {
    apr_time_t confirmed_at; /* 0: empty */
    sp_board_mark_t mark;
    char name[MOST_NAME];
    char text[MOST_TEXT];
} place_t;

static place_t *places;
static apr_thread_mutex_t *locks[LOCKS];

void sp_near_child_init(apr_pool_t *pool)
{
    int i;

    for (i = 0; i < LOCKS; i++) {
        if (apr_thread_mutex_create(&locks[i], APR_THREAD_MUTEX_DEFAULT, pool) !=
            APR_SUCCESS) {
            return; /* then nothing is remembered here */
        }
    }
    places = apr_pcalloc(pool, PLACES * sizeof(*places));
}

static unsigned place_of(const char *name)
{
    apr_ssize_t len = APR_HASH_KEY_STRING;

    return apr_hashfunc_default(name, &len) % PLACES;
}

sp_memory_t *sp_near_get(request_rec *r, const char *name)
{
    unsigned at = place_of(name);
    sp_memory_t *memory = NULL;
    place_t *place;

    if (!places) {
        return NULL;
    }
    place = &places[at];
    apr_thread_mutex_lock(locks[at % LOCKS]);
    if (place->confirmed_at && strcmp(place->name, name) == 0) {
        memory = apr_palloc(r->pool, sizeof(*memory));
        memory->confirmed_at = place->confirmed_at;
        memory->mark = place->mark;
        memory->text = apr_pstrdup(r->pool, place->text);
    }
    apr_thread_mutex_unlock(locks[at % LOCKS]);
    return memory;
}

void sp_near_put(const char *name, const sp_memory_t *memory)
{
    unsigned at = place_of(name);
    place_t *place;

    if (!places || strlen(name) >= MOST_NAME || strlen(memory->text) >= MOST_TEXT) {
        return;
    }
    place = &places[at];
    apr_thread_mutex_lock(locks[at % LOCKS]);
    place->confirmed_at = memory->confirmed_at;
    place->mark = memory->mark;
    apr_cpystrn(place->name, name, sizeof(place->name));
    apr_cpystrn(place->text, memory->text, sizeof(place->text));
    apr_thread_mutex_unlock(locks[at % LOCKS]);
}

void sp_near_remove(const char *name)
{
    unsigned at = place_of(name);

    if (places) {
        apr_thread_mutex_lock(locks[at % LOCKS]);
        if (strcmp(places[at].name, name) == 0) {
            places[at].confirmed_at = 0;
        }
        apr_thread_mutex_unlock(locks[at % LOCKS]);
    }
}

/*
 * fuzz.c - libFuzzer's side of a target.
 *
 * Room: tests.
 *
 * A pool hands out pieces of large blocks, and a step over the end of one piece lands in
 * the next, where no sanitizer sees it. So apr_palloc is ours here, and libapr's own
 * functions use it too: each piece is a block of its own.
 */
#include "fuzz.h"

#include <apr_general.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

static void **pieces; /* reachable from here: what the start allocates is no leak */
static size_t count, room;
static size_t lasting; /* of them, those that outlive a run */

static void keep(void *piece)
{
    if (count == room) {
        room = room ? 2 * room : 1024;
        pieces = realloc(pieces, room * sizeof(*pieces));
        if (!pieces) {
            abort();
        }
    }
    pieces[count++] = piece;
}

#undef apr_palloc
__attribute__((visibility("default"))) void *apr_palloc(apr_pool_t *pool,
                                                        apr_size_t size)
{
    void *piece = malloc(size ? size : 1);

    (void)pool;
    if (!piece) {
        abort();
    }
    keep(piece);
    return piece;
}

void fuzz_broken(const char *file, int line, const char *promise)
{
    fprintf(stderr, "%s:%d: broken: %s\n", file, line, promise);
    abort();
}

int fuzz_is_line(const char *text)
{
    return sp_text_is_clean(text, strlen(text));
}

__attribute__((weak)) void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static apr_pool_t *pool; /* reachable, so no leak */

    (void)argc;
    (void)argv;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    fuzz_start(pool);
    lasting = count;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    apr_pool_t *pool;

    if (!text) {
        abort();
    }
    memcpy(text, data, size);
    text[size] = '\0';
    apr_pool_create(&pool, NULL);
    fuzz(pool, text, size);
    apr_pool_destroy(pool);
    while (count > lasting) {
        free(pieces[--count]);
    }
    free(text);
    return 0;
}

/*
 * scan.h - reads JSON in one pass, straight into structs, without building a tree.
 *
 * Room: util.
 *
 * By hand, because Jansson refuses a whole list page for one string it cannot hold
 * (a NUL, half a surrogate pair, a number beyond 64 bits), and because a tree of
 * everything costs more than the rest of a webhook together.
 *
 * A shape says which members are wanted and where they go. What is wanted is read
 * strictly: text is valid UTF-8 without NUL, a number is an integer token that fits
 * 64 bits, a name comes once. What is not wanted is only measured (strings closed,
 * brackets matched), so trouble in it is no trouble.
 */
#ifndef SUBPAY_UTIL_SCAN_H
#define SUBPAY_UTIL_SCAN_H

#include <apr_pools.h>
#include <stdint.h>

/* Brackets inside one another, at most. Stripe nests about ten deep. */
#define SP_SCAN_DEPTH 64

/* Bytes of the input, not ended by a NUL; data is NULL where there are none. */
typedef struct sp_slice_t {
    const char *data;
    apr_size_t len;
} sp_slice_t;

/* A place in the input. */
typedef struct sp_scan_t {
    const char *at;
    const char *end;
    apr_pool_t *pool;  /* for texts and messages */
    const char *error; /* the first thing that was wrong; nothing is read after it */
} sp_scan_t;

typedef struct sp_scan_shape_t sp_scan_shape_t;

/* What becomes of the elements of an array. One that cannot be read stops nothing
 * but itself. */
typedef struct sp_scan_list_t {
    /** Read one element with sp_scan_read() and keep it.
     * @return NULL, or why it could not be kept */
    const char *(*take)(void *into, sp_scan_t *scan);
    /** One that take() did not want, or that could not be read. */
    void (*refuse)(void *into, const sp_slice_t *bytes, const char *why);
} sp_scan_list_t;

/* How a member is read, and into what. null is as good as absent. */
typedef enum sp_scan_kind_t {
    SP_SCAN_TEXT,    /* const char * */
    SP_SCAN_ID,      /* const char *: text, or the "id" of an object in its place */
    SP_SCAN_INT,     /* int64_t */
    SP_SCAN_SECONDS, /* int64_t: a moment since 1970, up to the year 9999 */
    SP_SCAN_BOOL,    /* int */
    SP_SCAN_RAW,     /* sp_slice_t: the bytes of the value, whatever it is */
    SP_SCAN_OBJECT,  /* inner's members, counted from the same struct */
    SP_SCAN_LIST     /* list's functions get the struct */
} sp_scan_kind_t;

/* One wanted member. What is absent leaves the struct as it is. */
typedef struct sp_scan_field_t {
    const char *name;
    apr_size_t name_len;
    sp_scan_kind_t kind;
    int must; /* absent or null is an error */
    apr_size_t offset;
    const sp_scan_shape_t *inner;
    const sp_scan_list_t *list;
} sp_scan_field_t;

/* What is wanted of an object: at most 64 members. */
struct sp_scan_shape_t {
    const sp_scan_field_t *fields;
    int count;
};

/** Stand before the first byte. */
void sp_scan_start(sp_scan_t *scan, apr_pool_t *pool, const char *data,
                   apr_size_t len);

/** Read the object that comes next; whether it could be read. */
int sp_scan_read(sp_scan_t *scan, const sp_scan_shape_t *shape, void *into);

/** Go behind the next value without reading it; whether it has an end. */
int sp_scan_skip(sp_scan_t *scan);

/** Read the text that comes next, or NULL. */
const char *sp_scan_text(sp_scan_t *scan);

/** Be done: NULL, or what went wrong, if only that something follows. */
const char *sp_scan_finish(sp_scan_t *scan);

/**
 * Read bytes that hold one object and nothing else.
 *
 * @return NULL, or what is wrong: "amount is no whole number"
 */
const char *sp_scan_whole(apr_pool_t *pool, const char *data, apr_size_t len,
                          const sp_scan_shape_t *shape, void *into);

#endif

/*
 * settings_file.c - an Apache configuration file, read without Apache.
 *
 * Room: cfg, free of httpd.
 * subpayctl must find what httpd finds, also while httpd is down. So this follows
 * httpd's rules as far as SubPay directives can depend on them: continued lines,
 * Define and ${NAME}, ServerRoot, Include, <IfDefine>. It cannot know which modules
 * are loaded and takes <IfModule name> as true, <IfModule !name> as false.
 */
#include "cfg/settings.h"

#include <apr_env.h>
#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_fnmatch.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "cfg/providers.h"
#include "cfg/settings_read.h"
#include "util/text.h"

/* httpd's own limits: depth of Include, length of a line. */
#define MAX_DEPTH 16
#define MAX_LINE 8192

typedef struct sp_reading_t {
    apr_pool_t *pool;
    sp_settings_t *settings;
    sp_product_t *product; /* the section that is open, or NULL */
    apr_table_t *defines;
    const char *root;     /* ServerRoot */
    const char *location; /* the <Location> that is open, or NULL */
    int depth;            /* of Include */
    int skipping;         /* depth of sections inside one that does not apply */
} sp_reading_t;

static const char *read_path(sp_reading_t *in, const char *path);

/* ${NAME} becomes its Define, or the environment's, or stays, as in httpd. */
static const char *expand(sp_reading_t *in, const char *line)
{
    const char *open = strstr(line, "${");
    const char *close = open ? strchr(open, '}') : NULL;
    const char *name, *known;
    char *value = NULL;

    if (!close) {
        return line;
    }
    name = apr_pstrmemdup(in->pool, open + 2, close - open - 2);
    known = apr_table_get(in->defines, name);
    if (!known && apr_env_get(&value, name, in->pool) == APR_SUCCESS) {
        known = value;
    }
    if (!known) {
        known = apr_pstrcat(in->pool, "${", name, "}", NULL);
    }
    return apr_pstrcat(in->pool, apr_pstrmemdup(in->pool, line, open - line), known,
                       expand(in, close + 1), NULL);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each file that the pattern names, in the order of their names. */
static const char *read_matching(sp_reading_t *in, const char *pattern, int optional)
{
    apr_array_header_t *names;
    const char *slash = strrchr(pattern, '/');
    const char *folder = apr_pstrmemdup(in->pool, pattern, slash + 1 - pattern);
    const char *problem = NULL;
    int i;

    if (apr_fnmatch_test(folder) ||
        apr_match_glob(pattern, &names, in->pool) != APR_SUCCESS || !names->nelts) {
        return optional ? NULL
                        : apr_psprintf(in->pool, "Include \"%s\": nothing there",
                                       pattern);
    }
    qsort(names->elts, names->nelts, names->elt_size, compare_names);
    for (i = 0; i < names->nelts && !problem; i++) {
        problem =
            read_path(in, apr_pstrcat(in->pool, folder,
                                      APR_ARRAY_IDX(names, i, const char *), NULL));
    }
    return problem;
}

static const char *include(sp_reading_t *in, const char *args, int optional)
{
    const char *path = sp_words_join(in->pool, args);
    apr_finfo_t info = { 0 };

    if (*path != '/') {
        path = apr_pstrcat(in->pool, in->root, "/", path, NULL);
    }
    if (apr_fnmatch_test(path)) {
        return read_matching(in, path, optional);
    }
    if (apr_stat(&info, path, APR_FINFO_TYPE, in->pool) == APR_SUCCESS &&
        info.filetype == APR_DIR) {
        return read_matching(in, apr_pstrcat(in->pool, path, "/*", NULL), optional);
    }
    return optional && info.filetype == APR_NOFILE ? NULL : read_path(in, path);
}

static void define(sp_reading_t *in, const char *args)
{
    const char *text = sp_words_join(in->pool, args);
    const char *name = sp_words_take(in->pool, &text);

    apr_table_set(in->defines, name, text);
}

/* Does the text of this section count? <IfModule mod_subpay.c>, <IfDefine X>. */
static int applies(sp_reading_t *in, const char *section, const char *args)
{
    int not_so = *args == '!';

    if (strcasecmp(section, "IfModule") == 0) {
        return !not_so;
    }
    if (strcasecmp(section, "IfDefine") == 0) {
        return !!apr_table_get(in->defines, args + not_so) != not_so;
    }
    return 1;
}

static const char *section_open(sp_reading_t *in, const char *text)
{
    const char *args =
        sp_words_join(in->pool, apr_pstrmemdup(in->pool, text, strcspn(text, ">")));
    const char *name = sp_words_take(in->pool, &args);

    if (in->skipping || !applies(in, name, args)) {
        in->skipping++;
        return NULL;
    }
    if (strcasecmp(name, "Location") == 0) {
        in->location = args;
    }
    if (strcasecmp(name, "SubPayProduct") != 0) {
        return NULL;
    }
    return sp_settings_product_begin(in->pool, in->settings, args, &in->product);
}

static const char *section_close(sp_reading_t *in, const char *text)
{
    sp_product_t *product = in->product;

    if (in->skipping) {
        in->skipping--;
        return NULL;
    }
    if (strncasecmp(text, "Location>", 9) == 0) {
        in->location = NULL;
    }
    if (!product || strncasecmp(text, "SubPayProduct", 13) != 0) {
        return NULL;
    }
    in->product = NULL;
    return sp_settings_product_end(in->pool, in->settings, product);
}

/* Where one of ours is, for who wants to go and look. */
static void note_place(sp_reading_t *in, const char *handler)
{
    if (in->location && *in->location == '/' &&
        !apr_table_get(in->settings->places, handler)) {
        apr_table_setn(in->settings->places, handler, in->location);
    }
}

static const char *read_directive(sp_reading_t *in, const char *name,
                                  const char *args)
{
    if (strcasecmp(name, "Include") == 0) {
        return include(in, args, 0);
    }
    if (strcasecmp(name, "IncludeOptional") == 0) {
        return include(in, args, 1);
    }
    if (strcasecmp(name, "Define") == 0) {
        define(in, args);
    }
    else if (strcasecmp(name, "ServerRoot") == 0) {
        in->root = sp_words_join(in->pool, args);
    }
    else if (strcasecmp(name, "SetHandler") == 0) {
        note_place(in, sp_words_join(in->pool, args));
    }
    else if (strncasecmp(name, "SubPay", 6) == 0) {
        return in->product
                   ? sp_settings_product_set(in->pool, in->product, name, args)
                   : sp_settings_set(in->pool, in->settings, name, args);
    }
    return NULL;
}

static const char *read_line(sp_reading_t *in, const char *line)
{
    apr_size_t len;

    while (apr_isspace(*line)) {
        line++;
    }
    if (!*line || *line == '#') {
        return NULL;
    }
    line = expand(in, line);
    if (line[0] == '<') {
        return line[1] == '/' ? section_close(in, line + 2)
                              : section_open(in, line + 1);
    }
    len = strcspn(line, " \t");
    return in->skipping
               ? NULL
               : read_directive(in, apr_pstrmemdup(in->pool, line, len), line + len);
}

/* One line with those that continue it; 0 at the end of the file. */
static int next_line(apr_file_t *file, char *line, apr_size_t room, int *number)
{
    apr_size_t len = 0;

    while (len + 1 < room &&
           apr_file_gets(line + len, (int)(room - len), file) == APR_SUCCESS) {
        ++*number;
        len += strlen(line + len);
        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r')) {
            line[--len] = '\0';
        }
        if (len == 0 || line[len - 1] != '\\') {
            return 1;
        }
        line[--len] = '\0';
    }
    return len > 0;
}

static const char *read_lines(sp_reading_t *in, const char *path, apr_file_t *file)
{
    char line[MAX_LINE];
    const char *problem = NULL;
    int number = 0;

    while (!problem && next_line(file, line, sizeof(line), &number)) {
        problem = read_line(in, apr_pstrdup(in->pool, line));
        if (problem && *problem != '/') { /* an included file has said where */
            problem = apr_psprintf(in->pool, "%s:%d: %s", path, number,
                                   sp_text_one_line(in->pool, problem));
        }
    }
    return problem;
}

static const char *read_path(sp_reading_t *in, const char *path)
{
    apr_file_t *file;
    const char *problem;
    char words[120];
    apr_status_t rv =
        apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BUFFERED, 0, in->pool);

    if (rv != APR_SUCCESS) {
        return apr_psprintf(in->pool, "%s: %s", path,
                            apr_strerror(rv, words, sizeof(words)));
    }
    if (++in->depth > MAX_DEPTH) {
        problem = apr_psprintf(in->pool, "%s: Include goes round in a circle", path);
    }
    else {
        problem = read_lines(in, path, file);
    }
    in->depth--;
    apr_file_close(file);
    return problem;
}

/* The folder of the file, until ServerRoot says otherwise. */
static const char *folder_of(apr_pool_t *pool, const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? apr_pstrmemdup(pool, path, slash - path) : ".";
}

apr_status_t sp_settings_read_file(apr_pool_t *pool, const char *path,
                                   sp_settings_t **settings, const char **error)
{
    sp_reading_t in = { .pool = pool };
    char *whole;

    *settings = in.settings = sp_settings_create(pool, sp_provider_builtin);
    in.settings->places = apr_table_make(pool, 8);
    in.defines = apr_table_make(pool, 8);
    if (apr_filepath_merge(&whole, NULL, path, 0, pool) != APR_SUCCESS) {
        whole = apr_pstrdup(pool, path);
    }
    in.root = folder_of(pool, whole);
    *error = read_path(&in, whole);
    if (!*error) {
        *error = sp_settings_finish(pool, *settings);
    }
    return *error ? APR_EINVAL : APR_SUCCESS;
}

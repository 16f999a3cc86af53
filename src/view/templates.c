/*
 * templates.c - finding, parsing and choosing templates.
 *
 * Room: view. Sees APR and Jansson only.
 * Everything is read at start: a broken template stops the start, not a
 * customer, and a request never touches the disk.
 */
#include "view/templates.h"

#include <apr_file_io.h>
#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "view/words.h"

#define DEFAULT_LANGUAGE "en"
#define SUFFIX ".mustache"
#define PHRASES "phrases.json"
#define TIME "layout/time.text"
/* The largest shipped one has 6 KB; beyond this it is not a template. */
#define MAX_SOURCE (256 * 1024)
/* A browser sends a handful; whoever sends more is not helped by more. */
#define MAX_RANGES 16

/* Each of these is drawn by some handler; one that is missing would be found
 * by a customer, one that is misspelt would never be drawn. */
static const char *const pages[] = {
    "account",       "cancel",      "checkout",       "find",
    "lapsed",        "login",       "message",        "not_found",
    "offline",       "password",    "paused",         "plans",
    "problem",       "return",      "support",        "admin_action",
    "admin_alerts",  "admin_duty",  "admin_evidence", "admin_ledger",
    "admin_message", "admin_order", "admin_pictures", "admin_playbook",
    "admin_queue",   "admin_runs",  "admin_search",   "admin_ticket",
    "admin_write",   NULL
};
static const char *const mails[] = { "confirmation",
                                     "recovered",
                                     "refund",
                                     "duplicate",
                                     "acknowledge",
                                     "checking",
                                     "dispute",
                                     "renewal_declined",
                                     "refund_failed",
                                     "set_password",
                                     "email_changed",
                                     "found",
                                     "not_found",
                                     "digest",
                                     "alert",
                                     "reply",
                                     "resumed",
                                     "review",
                                     "healed",
                                     "renewed",
                                     "renewal_stopped",
                                     "released",
                                     NULL };
static const char *const mail_parts[] = { ".subject", ".text", ".html", NULL };

typedef struct sp_language_t {
    const char *name;
    apr_hash_t *templates; /* "pages/return" to sp_entry_t */
    json_t *phrases;       /* English to this language, or NULL */
} sp_language_t;

typedef struct sp_entry_t {
    sp_template_t *tpl;
    const char *file;
    const char *source; /* only while loading */
    apr_size_t len;
} sp_entry_t;

struct sp_templates_t {
    apr_array_header_t *languages; /* of sp_language_t */
};

typedef struct sp_loader_t {
    apr_pool_t *pool;
    sp_templates_t *set;
    const char **error;
} sp_loader_t;

static int is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++) {
        if (strcmp(name, *names) == 0) {
            return 1;
        }
    }
    return 0;
}

static int ends_in(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

static sp_language_t *language_at(const sp_templates_t *set, int i)
{
    return &APR_ARRAY_IDX(set->languages, i, sp_language_t);
}

/* English is always there, and first. */
static sp_language_t *english(const sp_templates_t *set)
{
    return language_at(set, 0);
}

/* The language of this name; case does not matter. */
static sp_language_t *find_language(const sp_templates_t *set, const char *name)
{
    int i;

    for (i = 0; i < set->languages->nelts; i++) {
        if (strcasecmp(language_at(set, i)->name, name) == 0) {
            return language_at(set, i);
        }
    }
    return NULL;
}

static const sp_entry_t *own_entry(const sp_language_t *language, const char *name)
{
    return apr_hash_get(language->templates, name, APR_HASH_KEY_STRING);
}

/* In this language, else in English. */
static const sp_entry_t *find_entry(const sp_templates_t *set,
                                    const sp_language_t *language, const char *name)
{
    const sp_entry_t *entry = own_entry(language, name);

    return entry ? entry : own_entry(english(set), name);
}

/* --- loading ----------------------------------------------------------- */

/* "de", "pt-BR": what may be a folder of words. */
static int is_language(const char *name)
{
    size_t i;

    for (i = 0; name[i]; i++) {
        if (i < 2 ? !apr_islower(name[i])
                  : !apr_isalnum(name[i]) && name[i] != '-') {
            return 0;
        }
    }
    return i >= 2;
}

static apr_status_t read_source(sp_loader_t *l, const char *file, char **source,
                                apr_size_t *len)
{
    apr_file_t *handle;
    apr_finfo_t info;
    apr_status_t status;
    char why[120];

    status = apr_file_open(&handle, file, APR_FOPEN_READ, 0, l->pool);
    if (status == APR_SUCCESS) {
        status = apr_file_info_get(&info, APR_FINFO_SIZE, handle);
        if (status == APR_SUCCESS && info.size > MAX_SOURCE) {
            status = APR_ENOSPC;
        }
        if (status == APR_SUCCESS) {
            *source = apr_palloc(l->pool, (apr_size_t)info.size + 1);
            *len = 0;
            status = apr_file_read_full(handle, *source, (apr_size_t)info.size, len);
        }
        apr_file_close(handle);
    }
    if (status != APR_SUCCESS && !(APR_STATUS_IS_EOF(status) && !*len)) {
        *l->error = apr_psprintf(l->pool, "%s: %s", file,
                                 status == APR_ENOSPC
                                     ? "larger than 256 KB"
                                     : apr_strerror(status, why, sizeof(why)));
        return APR_EINVAL;
    }
    return APR_SUCCESS;
}

/* "mails/confirmation.text" must be a part of a mail that we send. */
static int is_known(const char *name)
{
    const char *const *mail;
    const char *const *part;
    char full[80];

    if (strncmp(name, "pages/", 6) == 0) {
        return is_one_of(name + 6, pages);
    }
    if (strncmp(name, "mails/", 6) != 0) {
        return 1; /* a partial: called what its users call it */
    }
    for (mail = mails; *mail; mail++) {
        for (part = mail_parts; *part; part++) {
            apr_snprintf(full, sizeof(full), "%s%s", *mail, *part);
            if (strcmp(name + 6, full) == 0) {
                return 1;
            }
        }
    }
    return 0;
}

static sp_template_kind_t kind_of(const char *name)
{
    return ends_in(name, ".text") || ends_in(name, ".subject") ? SP_TEMPLATE_TEXT
                                                               : SP_TEMPLATE_HTML;
}

static apr_status_t load_file(sp_loader_t *l, sp_language_t *language,
                              const char *file, const char *name)
{
    sp_entry_t *entry = apr_pcalloc(l->pool, sizeof(*entry));
    char *source = NULL;
    apr_size_t len = 0;
    const char *why;

    if (apr_hash_get(language->templates, name, APR_HASH_KEY_STRING)) {
        return APR_SUCCESS; /* a folder in front of this one has it */
    }
    if (!is_known(name)) {
        *l->error = apr_psprintf(l->pool, "%s: no page or mail has this name", file);
        return APR_EINVAL;
    }
    if (read_source(l, file, &source, &len) != APR_SUCCESS) {
        return APR_EINVAL;
    }
    if (sp_template_parse_as(l->pool, kind_of(name), source, len, &entry->tpl,
                             &why) != APR_SUCCESS) {
        *l->error = apr_psprintf(l->pool, "%s, %s", file, why);
        return APR_EINVAL;
    }
    entry->file = file;
    entry->source = source;
    entry->len = len;
    apr_hash_set(language->templates, name, APR_HASH_KEY_STRING, entry);
    return APR_SUCCESS;
}

static apr_status_t drop_phrases(void *phrases)
{
    json_decref(phrases);
    return APR_SUCCESS;
}

static apr_status_t load_phrases(sp_loader_t *l, sp_language_t *language,
                                 const char *file)
{
    json_error_t why;
    json_t *phrases;

    if (language->phrases) {
        return APR_SUCCESS; /* a folder in front of this one has it */
    }
    phrases = json_load_file(file, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(phrases)) {
        *l->error = phrases ? apr_psprintf(l->pool, "%s: not a JSON object", file)
                            : apr_psprintf(l->pool, "%s, line %d: %s", file,
                                           why.line, why.text);
        json_decref(phrases);
        return APR_EINVAL;
    }
    apr_pool_cleanup_register(l->pool, phrases, drop_phrases, apr_pool_cleanup_null);
    language->phrases = phrases;
    return APR_SUCCESS;
}

typedef apr_status_t (*sp_visit_t)(sp_loader_t *l, void *baton, const char *path,
                                   const apr_finfo_t *info);

/* Call visit for each visible name in the folder. */
static apr_status_t each_name(sp_loader_t *l, const char *folder, sp_visit_t visit,
                              void *baton)
{
    apr_dir_t *dir;
    apr_finfo_t info;
    apr_status_t status = apr_dir_open(&dir, folder, l->pool);
    char why[120];

    if (status != APR_SUCCESS) {
        *l->error = apr_psprintf(l->pool, "%s: %s", folder,
                                 apr_strerror(status, why, sizeof(why)));
        return APR_EINVAL;
    }
    while (status == APR_SUCCESS &&
           apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        const char *path = apr_pstrcat(l->pool, folder, "/", info.name, NULL);

        /* The type by stat: a link to a folder or file counts as one. */
        if (info.name[0] != '.' &&
            apr_stat(&info, path, APR_FINFO_TYPE, l->pool) == APR_SUCCESS) {
            info.name = apr_pstrdup(l->pool, strrchr(path, '/') + 1);
            status = visit(l, baton, path, &info);
        }
    }
    apr_dir_close(dir);
    return status;
}

typedef struct sp_place_t {
    sp_language_t *language;
    const char *prefix; /* "" or "pages/" */
} sp_place_t;

static apr_status_t visit_file(sp_loader_t *l, void *baton, const char *path,
                               const apr_finfo_t *info)
{
    const sp_place_t *place = baton;
    const char *name = info->name;

    if (info->filetype == APR_DIR) {
        sp_place_t below = { place->language,
                             apr_pstrcat(l->pool, place->prefix, name, "/", NULL) };

        return each_name(l, path, visit_file, &below);
    }
    if (info->filetype == APR_REG && strcmp(name, PHRASES) == 0) {
        return load_phrases(l, place->language, path);
    }
    if (info->filetype != APR_REG || !ends_in(name, SUFFIX)) {
        return APR_SUCCESS;
    }
    name = apr_pstrcat(l->pool, place->prefix,
                       apr_pstrmemdup(l->pool, name, strlen(name) - strlen(SUFFIX)),
                       NULL);
    return load_file(l, place->language, path, name);
}

static apr_status_t visit_language(sp_loader_t *l, void *baton, const char *path,
                                   const apr_finfo_t *info)
{
    sp_place_t place = { NULL, "" };

    (void)baton;
    if (info->filetype != APR_DIR || !is_language(info->name)) {
        return APR_SUCCESS;
    }
    place.language = find_language(l->set, info->name);
    if (!place.language) {
        place.language = apr_array_push(l->set->languages);
        place.language->name = info->name;
        place.language->templates = apr_hash_make(l->pool);
        place.language->phrases = NULL;
    }
    return each_name(l, path, visit_file, &place);
}

/* A partial that a language lacks is English, but what it includes is of the
 * language again: so it needs a tree of its own. Pages and mails do not: they are
 * in one language or the other. */
static void borrow_partials(sp_loader_t *l, sp_language_t *language)
{
    apr_hash_index_t *i;
    const void *key;
    void *value;

    for (i = apr_hash_first(l->pool, english(l->set)->templates); i;
         i = apr_hash_next(i)) {
        sp_entry_t *entry = apr_palloc(l->pool, sizeof(*entry));
        const char *why;

        apr_hash_this(i, &key, NULL, &value);
        *entry = *(sp_entry_t *)value;
        if (strncmp(key, "pages/", 6) != 0 && strncmp(key, "mails/", 6) != 0 &&
            strcmp(key, TIME) != 0 &&
            !apr_hash_get(language->templates, key, APR_HASH_KEY_STRING) &&
            sp_template_parse_as(l->pool, kind_of(key), entry->source, entry->len,
                                 &entry->tpl, &why) == APR_SUCCESS) {
            apr_hash_set(language->templates, key, APR_HASH_KEY_STRING, entry);
        }
    }
}

/* --- checking ---------------------------------------------------------- */

typedef struct sp_linking_t {
    sp_loader_t *loader;
    const sp_language_t *language;
    const sp_entry_t *entry;
    int failed;
} sp_linking_t;

static sp_template_t *lookup(void *baton, const char *name, int line)
{
    sp_linking_t *linking = baton;
    sp_loader_t *l = linking->loader;
    const sp_entry_t *found = find_entry(l->set, linking->language, name);
    const char *wrong = NULL;

    if (!found) {
        wrong = "there is no such template";
    }
    else if (sp_template_kind(found->tpl) == SP_TEMPLATE_TEXT &&
             sp_template_kind(linking->entry->tpl) == SP_TEMPLATE_HTML) {
        wrong = "plain text does not escape and may not be used in HTML";
    }
    if (wrong && !linking->failed) {
        linking->failed = 1;
        *l->error = apr_psprintf(l->pool, "%s, line %d: {{> %s}}: %s",
                                 linking->entry->file, line, name, wrong);
    }
    return found ? found->tpl : NULL;
}

static apr_status_t link_language(sp_loader_t *l, const sp_language_t *language)
{
    apr_hash_index_t *i;
    void *value;

    for (i = apr_hash_first(l->pool, language->templates); i; i = apr_hash_next(i)) {
        sp_linking_t linking = { l, language, NULL, 0 };

        apr_hash_this(i, NULL, NULL, &value);
        linking.entry = value;
        sp_template_link(linking.entry->tpl, lookup, &linking);
        if (linking.failed) {
            return APR_EINVAL;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t need(sp_loader_t *l, const char *name)
{
    if (own_entry(english(l->set), name)) {
        return APR_SUCCESS;
    }
    *l->error = apr_psprintf(l->pool, "the template %s/%s" SUFFIX " is missing",
                             DEFAULT_LANGUAGE, name);
    return APR_EINVAL;
}

static apr_status_t check_complete(sp_loader_t *l)
{
    const char *const *name;
    const char *const *part;
    apr_status_t status = APR_SUCCESS;

    for (name = pages; *name && status == APR_SUCCESS; name++) {
        status = need(l, apr_pstrcat(l->pool, "pages/", *name, NULL));
    }
    for (name = mails; *name; name++) {
        for (part = mail_parts; *part && status == APR_SUCCESS; part++) {
            status = need(l, apr_pstrcat(l->pool, "mails/", *name, *part, NULL));
        }
    }
    return status;
}

apr_status_t sp_templates_load(apr_pool_t *pool, const char *const *dirs,
                               sp_templates_t **set, const char **error)
{
    sp_loader_t loader = { pool, apr_pcalloc(pool, sizeof(**set)), error };
    sp_language_t *english;
    apr_status_t status = APR_SUCCESS;
    int i;

    loader.set->languages = apr_array_make(pool, 4, sizeof(sp_language_t));
    english = apr_array_push(loader.set->languages);
    english->name = DEFAULT_LANGUAGE;
    english->templates = apr_hash_make(pool);
    english->phrases = NULL;
    for (; *dirs && status == APR_SUCCESS; dirs++) {
        status = each_name(&loader, *dirs, visit_language, NULL);
    }
    if (status == APR_SUCCESS) {
        status = check_complete(&loader);
    }
    for (i = 1; i < loader.set->languages->nelts && status == APR_SUCCESS; i++) {
        borrow_partials(&loader, language_at(loader.set, i));
    }
    for (i = 0; i < loader.set->languages->nelts && status == APR_SUCCESS; i++) {
        status = link_language(&loader, language_at(loader.set, i));
    }
    *set = loader.set;
    return status;
}

/* --- choosing ---------------------------------------------------------- */

/* One entry of the header: "de-AT;q=0.8". Kept on the stack: the set's pool is
 * shared by all threads. */
typedef struct sp_range_t {
    char tag[40];
    int thousandths;
} sp_range_t;

/* ";q=0.75" as 750; no q is 1000, a q that cannot be read is 0. */
static int quality(const char *parameters)
{
    const char *q = strchr(parameters, '=');
    double value = q ? strtod(q + 1, NULL) : 1;

    return value >= 0 && value <= 1 ? (int)(value * 1000 + 0.5) : 0;
}

/* Read one entry; returns where the next one starts, NULL after the last. */
static const char *read_range(const char *accept, sp_range_t *range)
{
    char item[80];
    const char *end = strchr(accept, ',');
    apr_size_t len = end ? (apr_size_t)(end - accept) : strlen(accept);

    apr_cpystrn(item, accept, len < sizeof(item) ? len + 1 : sizeof(item));
    apr_collapse_spaces(item, item);
    range->thousandths = quality(item + strcspn(item, ";"));
    item[strcspn(item, ";")] = '\0';
    apr_cpystrn(range->tag, item, sizeof(range->tag));
    return end ? end + 1 : NULL;
}

/* "de-AT" finds de-AT, then de (RFC 4647, lookup). Cuts the tag. */
static const sp_language_t *match(const sp_templates_t *set, char *tag)
{
    const sp_language_t *language = find_language(set, tag);
    char *dash;

    while (!language && (dash = strrchr(tag, '-'))) {
        *dash = '\0';
        language = find_language(set, tag);
    }
    return language;
}

const char *sp_templates_language(const sp_templates_t *set, const char *accept)
{
    const char *best = DEFAULT_LANGUAGE;
    int quality_of_best = 0;
    sp_range_t range;
    int i;

    for (i = 0; accept && i < MAX_RANGES; i++) {
        const sp_language_t *language;

        accept = read_range(accept, &range);
        language = match(set, range.tag);
        if (language && range.thousandths > quality_of_best) {
            best = language->name;
            quality_of_best = range.thousandths;
        }
    }
    return best;
}

/* --- drawing ----------------------------------------------------------- */

/* The one asked for, where it has this template. A name that we were given may be
 * a string of the model, which changes while drawing: so it is left behind here. */
static const sp_language_t *language_for(const sp_templates_t *set, const char *lang,
                                         const char *name)
{
    const sp_language_t *language = lang ? find_language(set, lang) : NULL;

    return language && own_entry(language, name) ? language : english(set);
}

/* The words that the templates of this language do not hold. */
static void put_words(apr_pool_t *pool, const sp_language_t *language, json_t *model)
{
    const sp_entry_t *time = own_entry(language, TIME);

    json_object_set_new(model, "lang", json_string(language->name));
    sp_words_put(pool, model, time ? time->tpl : NULL, language->phrases);
}

static apr_status_t draw(apr_pool_t *pool, const sp_language_t *language,
                         const char *name, json_t *model, sp_text_t *out)
{
    const sp_entry_t *entry = own_entry(language, name);

    sp_text_init(out, pool);
    if (!entry) {
        out->error = apr_psprintf(pool, "there is no template %s", name);
        return APR_NOTFOUND;
    }
    put_words(pool, language, model);
    return sp_template_render(entry->tpl, model, out);
}

apr_status_t sp_page_render(apr_pool_t *pool, const sp_templates_t *set,
                            const char *lang, const char *page, json_t *model,
                            sp_text_t *html)
{
    const char *name = apr_pstrcat(pool, "pages/", page, NULL);

    return draw(pool, language_for(set, lang, name), name, model, html);
}

/* Line ends and other control characters have no place in a subject, and the
 * template's last line ends in one. */
static char *one_line(char *text)
{
    char *from = text;
    char *to = text;

    for (; *from; from++) {
        int blank = *from == ' ' || apr_iscntrl(*from);
        int more = from[1] && from[1] != ' ' && !apr_iscntrl(from[1]);

        if (!blank || more) {
            *to++ = blank ? ' ' : *from;
        }
    }
    *to = '\0';
    return text;
}

/* One part of a mail; NULL once something went wrong. */
static char *draw_part(apr_pool_t *pool, const sp_language_t *language,
                       const char *name, json_t *model, sp_mail_words_t *words)
{
    sp_text_t out = { 0 };

    if (!words->error && draw(pool, language, name, model, &out) != APR_SUCCESS) {
        words->error = out.error;
        return NULL;
    }
    words->lang = language->name;
    return out.data;
}

apr_status_t sp_mail_render(apr_pool_t *pool, const sp_templates_t *set,
                            const char *lang, const char *mail, json_t *model,
                            sp_mail_words_t *words)
{
    const char *names[3];
    const sp_language_t *languages[3];
    char *subject;
    int i;

    memset(words, 0, sizeof(*words));
    for (i = 0; i < 3; i++) {
        names[i] = apr_pstrcat(pool, "mails/", mail, mail_parts[i], NULL);
        languages[i] = language_for(set, lang, names[i]);
    }
    subject = draw_part(pool, languages[0], names[0], model, words);
    words->html = draw_part(pool, languages[2], names[2], model, words);
    words->text = draw_part(pool, languages[1], names[1], model, words);
    if (words->error || !subject) {
        return APR_EGENERAL;
    }
    words->subject = one_line(subject);
    return APR_SUCCESS;
}

apr_status_t sp_text_render(apr_pool_t *pool, const sp_templates_t *set,
                            const char *lang, const char *name, json_t *model,
                            sp_text_t *text)
{
    memset(text, 0, sizeof(*text));
    if (!own_entry(english(set), name)) {
        return APR_NOTFOUND;
    }
    return draw(pool, language_for(set, lang, name), name, model, text);
}

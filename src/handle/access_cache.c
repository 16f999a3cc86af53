/*
 * access_cache.c - what gates remember for some seconds.
 *
 * Room: handle. Sees httpd.
 * Source: ap_socache.h; mod_ssl's session cache for the order of calls.
 */
#include "handle/access_cache.h"

#include <ap_socache.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_log.h>
#include <util_mutex.h>

#include "handle/limit.h"

APLOG_USE_MODULE(subpay);

#define MUTEX "subpay-cache"
#define DEFAULT_CACHE "shmcb"
/* Longest text that is remembered: an address, and about forty plans. */
#define MOST_TEXT 2048
#define KEEPER_KEY "subpay-access-memory"

/* What all generations of one httpd share: it must outlive a graceful restart. */
typedef struct keeper_t {
    apr_shm_t *shm;
    /* Keys are made with it: no other node's entry in a shared cache is ours (marks
     * mean nothing elsewhere), and none tells what it is about. */
    unsigned char secret[SP_HASH_SIZE];
} keeper_t;

typedef struct header_t {
    apr_time_t confirmed_at;
    sp_board_mark_t mark;
} header_t;

static const ap_socache_provider_t *provider;
static ap_socache_instance_t *instance;
static apr_global_mutex_t *mutex; /* NULL where the provider locks by itself */
static keeper_t *keeper;

void sp_cache_pre_config(apr_pool_t *pconf)
{
    ap_mutex_register(pconf, MUTEX, NULL, APR_LOCK_DEFAULT, 0);
}

/* Gates work without a cache, only slower; so a missing module stops the start only
 * where somebody asked for it by name. */
static const char *missing(apr_pool_t *pconf, const char *name, const char *cache)
{
    if (strcmp(cache, DEFAULT_CACHE) == 0) {
        ap_log_perror(APLOG_MARK, APLOG_WARNING, 0, pconf,
                      "SP0252: gates ask the database each time, for there is no "
                      "cache: load mod_socache_shmcb");
        return NULL;
    }
    return apr_psprintf(pconf,
                        "SubPayCache \"%s\": there is no such provider; load "
                        "mod_socache_%s, or write shmcb",
                        cache, name);
}

const char *sp_cache_prepare(apr_pool_t *pconf, apr_pool_t *ptemp,
                             const sp_settings_t *settings)
{
    const char *args = ap_strchr_c(settings->cache, ':');
    const char *name =
        args ? apr_pstrmemdup(pconf, settings->cache, args - settings->cache)
             : settings->cache;
    const char *problem;

    instance = NULL;
    provider = ap_lookup_provider(AP_SOCACHE_PROVIDER_GROUP, name,
                                  AP_SOCACHE_PROVIDER_VERSION);
    if (!provider) {
        return missing(pconf, name, settings->cache);
    }
    problem = provider->create(&instance, args ? args + 1 : NULL, ptemp, pconf);
    return problem ? apr_psprintf(pconf, "SubPayCache \"%s\": %s", settings->cache,
                                  problem)
                   : NULL;
}

static apr_status_t forget_cache(void *data)
{
    if (provider && instance) {
        provider->destroy(instance, data);
        instance = NULL;
    }
    return APR_SUCCESS;
}

static apr_status_t open_cache(apr_pool_t *pconf, server_rec *s)
{
    static const struct ap_socache_hints hints = { sizeof(sp_cache_key_t), 256,
                                                   apr_time_from_sec(3600) };
    apr_status_t rv;

    mutex = NULL;
    if (!instance) {
        return APR_SUCCESS;
    }
    if (provider->flags & AP_SOCACHE_FLAG_NOTMPSAFE) {
        rv = ap_global_mutex_create(&mutex, NULL, MUTEX, NULL, s, pconf, 0);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    rv = provider->init(instance, "subpay-access", &hints, s, pconf);
    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(pconf, s, forget_cache, apr_pool_cleanup_null);
    }
    return rv;
}

static apr_status_t open_memory(server_rec *s)
{
    apr_size_t size = sp_board_size() + sp_limit_size();
    apr_status_t rv;
    char *memory;

    keeper = ap_retained_data_get(KEEPER_KEY);
    if (!keeper) {
        keeper = ap_retained_data_create(KEEPER_KEY, sizeof(*keeper));
    }
    if (!keeper->shm) {
        rv = apr_shm_create(&keeper->shm, size, NULL, s->process->pool);
        if (rv == APR_SUCCESS) {
            memset(apr_shm_baseaddr_get(keeper->shm), 0, size);
            rv = sp_crypto_random(keeper->secret, sizeof(keeper->secret));
        }
        if (rv != APR_SUCCESS) {
            keeper->shm = NULL;
            return rv;
        }
    }
    memory = apr_shm_baseaddr_get(keeper->shm);
    sp_board_use(memory);
    sp_limit_use(memory + sp_board_size());
    return APR_SUCCESS;
}

int sp_cache_post_config(apr_pool_t *pconf, server_rec *s)
{
    apr_status_t rv = open_memory(s);

    rv = rv == APR_SUCCESS ? open_cache(pconf, s) : rv;
    if (rv == APR_SUCCESS) {
        return OK;
    }
    ap_log_error(
        APLOG_MARK, APLOG_EMERG | APLOG_STARTUP, rv, s,
        "SP0253: no shared memory for gates: is there room in /dev/shm, and "
        "may this user write to DefaultRuntimeDir?");
    return HTTP_INTERNAL_SERVER_ERROR;
}

void sp_cache_child_init(apr_pool_t *pool, server_rec *s)
{
    const char *file = mutex ? apr_global_mutex_lockfile(mutex) : NULL;
    apr_status_t rv =
        mutex ? apr_global_mutex_child_init(&mutex, file, pool) : APR_SUCCESS;

    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s,
                     "SP0254: this process cannot use the cache of gates, and asks "
                     "the database each time");
        instance = NULL;
        mutex = NULL;
    }
}

void sp_cache_key(sp_cache_key_t *key, char kind, const void *data, apr_size_t len)
{
    struct iovec parts[] = { { &kind, 1 }, { (void *)data, len } };

    if (sp_crypto_hmac(keeper->secret, sizeof(keeper->secret), parts, 2,
                       key->bytes) != APR_SUCCESS) {
        /* Never found again, and never another's. */
        sp_crypto_random(key->bytes, sizeof(key->bytes));
    }
}

/* What other machines can reach needs no lock of this one. */
int sp_cache_is_shared(void)
{
    return instance && !(provider->flags & AP_SOCACHE_FLAG_NOTMPSAFE);
}

static int lock(void)
{
    return !mutex || apr_global_mutex_lock(mutex) == APR_SUCCESS;
}

static void unlock(void)
{
    if (mutex) {
        apr_global_mutex_unlock(mutex);
    }
}

sp_memory_t *sp_cache_get(request_rec *r, const sp_cache_key_t *key)
{
    unsigned char bytes[sizeof(header_t) + MOST_TEXT];
    unsigned int len = sizeof(bytes);
    sp_memory_t *memory;
    apr_status_t rv;
    header_t header;

    if (!instance || !lock()) {
        return NULL;
    }
    rv = provider->retrieve(instance, r->server, key->bytes, sizeof(key->bytes),
                            bytes, &len, r->pool);
    unlock();
    if (rv != APR_SUCCESS || len < sizeof(header)) {
        return NULL;
    }
    memcpy(&header, bytes, sizeof(header));
    memory = apr_palloc(r->pool, sizeof(*memory));
    memory->confirmed_at = header.confirmed_at;
    memory->mark = header.mark;
    memory->text = apr_pstrmemdup(r->pool, (char *)bytes + sizeof(header),
                                  len - sizeof(header));
    return memory;
}

void sp_cache_put(request_rec *r, const sp_cache_key_t *key,
                  const sp_memory_t *memory, apr_interval_time_t life)
{
    unsigned char bytes[sizeof(header_t) + MOST_TEXT];
    header_t header = { memory->confirmed_at, memory->mark };
    apr_size_t len = strlen(memory->text);
    sp_cache_key_t writable = *key;

    if (!instance || len > MOST_TEXT || life <= 0 || !lock()) {
        return;
    }
    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + sizeof(header), memory->text, len);
    provider->store(instance, r->server, writable.bytes, sizeof(writable.bytes),
                    apr_time_now() + life, bytes, (unsigned)(sizeof(header) + len),
                    r->pool);
    unlock();
}

void sp_cache_remove(request_rec *r, const sp_cache_key_t *key)
{
    if (instance && lock()) {
        provider->remove(instance, r->server, key->bytes, sizeof(key->bytes),
                         r->pool);
        unlock();
    }
}

/*
 * access_use.c - on which days a customer used what a gate protects.
 *
 * Room: handle. Sees httpd.
 */
#include "handle/access_use.h"

#include <http_config.h>
#include <http_protocol.h>

#include "db/account.h"
#include "handle/shop.h"

#define USED_KEY "subpay-used"
#define DAY apr_time_from_sec(86400)

/* 32 KB for each child. Two accounts in one slot write alternately, a few rows that
 * change nothing. */
#define SLOTS 4096

/* The account's hash, and the day that was written for it. */
static apr_uint64_t slots[SLOTS];

/* While the database is away, customers come in from the cache; each of them shall not
 * try it anew. */
#define FAILED_PAUSE apr_time_from_sec(60)
static apr_time_t failed_at;

static apr_uint64_t mark_of(const char *account)
{
    apr_uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *account; account++) {
        hash = (hash ^ (unsigned char)*account) * 16777619u;
    }
    return (apr_uint64_t)hash << 32 | (apr_uint32_t)(apr_time_now() / DAY);
}

static apr_uint64_t *slot_of(apr_uint64_t mark)
{
    return &slots[(mark >> 32) % SLOTS];
}

void sp_use_note(request_rec *r, const sp_access_t *access)
{
    apr_uint64_t mark;

    if (!access->customer || access->from == SP_BY_GRACE ||
        apr_time_now() - __atomic_load_n(&failed_at, __ATOMIC_RELAXED) <
            FAILED_PAUSE) {
        return;
    }
    mark = mark_of(access->customer->id);
    if (__atomic_load_n(slot_of(mark), __ATOMIC_RELAXED) != mark) {
        apr_pool_userdata_setn(access->customer->id, USED_KEY, NULL, r->pool);
    }
}

/* The answer is out: nobody waits for this. */
static int write_down(request_rec *r)
{
    void *account = NULL;
    apr_uint64_t mark;

    apr_pool_userdata_get(&account, USED_KEY, r->pool);
    if (!account || !sp_shop()) {
        return DECLINED;
    }
    mark = mark_of(account);
    if (sp_db_account_used(sp_shop_ctx(r, "self_service", "customer", 0), account) ==
        SP_DONE) {
        __atomic_store_n(slot_of(mark), mark, __ATOMIC_RELAXED);
    }
    else {
        __atomic_store_n(&failed_at, apr_time_now(), __ATOMIC_RELAXED);
    }
    return DECLINED;
}

void sp_use_register(void)
{
    ap_hook_log_transaction(write_down, NULL, NULL, APR_HOOK_MIDDLE);
}

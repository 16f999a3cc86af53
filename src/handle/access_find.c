/*
 * access_find.c - who somebody is and what they may use.
 *
 * Room: handle. Sees httpd.
 *
 * Only what grants is remembered, so a payment opens the gate with the next request.
 * What takes access away moves the account's mark (domain/account_board.h).
 */
#include "handle/access_find.h"

#include <apr_strings.h>

#include "domain/account.h"
#include "handle/access_grace.h"
#include "handle/access_near.h"
#include "handle/shop.h"
#include "util/log.h"
#include "util/text.h"

/* While notifications are not heard (no worker), an answer must not live long. */
#define UNHEARD_LIFE apr_time_from_sec(1)

/* After the database failed, who has grace does not wait for it again so soon. */
#define FAILED_PAUSE apr_time_from_sec(1)

/* When the database failed this process last. */
static apr_time_t failed_at;

typedef struct seeker_t {
    request_rec *r;
    sp_ctx_t *ctx;
    const char *name;  /* in the caches: a letter for the kind, then whom */
    const char *token; /* of a session, or NULL */
    const char *user;  /* else an account's id or an address */
    int fresh;
} seeker_t;

static int database_failed_lately(void)
{
    apr_time_t at = __atomic_load_n(&failed_at, __ATOMIC_RELAXED);

    return at && apr_time_now() - at < FAILED_PAUSE;
}

static sp_outcome_t load_by_address(sp_ctx_t *ctx, const char *email,
                                    sp_customer_t **customer)
{
    const char *account, *hash;
    sp_outcome_t out = sp_db_account_login(ctx, email, &account, &hash);

    *customer = NULL;
    return out == SP_DONE && account ? sp_db_account_get(ctx, account, customer)
                                     : out;
}

static sp_outcome_t load(const seeker_t *seeker, sp_customer_t **customer)
{
    sp_outcome_t out;

    if (seeker->token) {
        out = sp_account_session(seeker->ctx, seeker->token, customer);
    }
    else if (sp_text_is_uuid(seeker->user)) {
        out = sp_db_account_get(seeker->ctx, seeker->user, customer);
    }
    else {
        out = load_by_address(seeker->ctx, seeker->user, customer);
    }
    __atomic_store_n(&failed_at, out == SP_DONE ? 0 : apr_time_now(),
                     __ATOMIC_RELAXED);
    return out;
}

static int has_plan(const sp_customer_t *customer)
{
    int i;

    for (i = 0; i < customer->plans->nelts; i++) {
        if (APR_ARRAY_IDX(customer->plans, i, const sp_plan_t).active) {
            return 1;
        }
    }
    return 0;
}

static void make_key(const seeker_t *seeker, sp_cache_key_t *key)
{
    sp_cache_key(key, 'a', seeker->name, strlen(seeker->name));
}

static void forget(const seeker_t *seeker)
{
    sp_cache_key_t key;

    make_key(seeker, &key);
    sp_cache_remove(seeker->r, &key);
    sp_near_remove(seeker->name);
    sp_grace_end(seeker->r);
}

static void keep(const seeker_t *seeker, const sp_memory_t *memory)
{
    const sp_settings_t *settings = sp_shop()->settings;
    sp_cache_key_t key;

    make_key(seeker, &key);
    sp_cache_put(seeker->r, &key, memory,
                 settings->grace > settings->cache_for ? settings->grace
                                                       : settings->cache_for);
    sp_near_put(seeker->name, memory);
}

/* Remember what grants, forget what does not. changes: of the board, before the
 * database was asked; where it moved meanwhile, the answer may be older than the mark. */
static void remember(const seeker_t *seeker, const sp_customer_t *customer,
                     apr_uint32_t changes)
{
    sp_memory_t memory;

    if (!customer || !has_plan(customer)) {
        forget(seeker);
        return;
    }
    memory.confirmed_at = apr_time_now();
    memory.mark = sp_board_mark(customer->id);
    memory.text = sp_grace_text(seeker->r, customer);
    if (sp_board_changes() == changes) {
        keep(seeker, &memory);
    }
    if (seeker->token) {
        sp_grace_give(seeker->r, seeker->token, customer->id, memory.text);
    }
}

/* The customer in a memory that is at most that old, and that nothing has voided. */
static sp_customer_t *recall(const seeker_t *seeker, const sp_memory_t *memory,
                             apr_interval_time_t life)
{
    apr_interval_time_t age;
    sp_customer_t *customer;

    age = memory ? apr_time_now() - memory->confirmed_at : -1;
    if (age < 0 || age >= life) {
        return NULL;
    }
    customer = sp_grace_read(seeker->r, memory->text);
    return customer && sp_board_stands(customer->id, &memory->mark) ? customer
                                                                    : NULL;
}

/* The same from the browser. Its moment is another node's as often as not, so instead
 * of the mark the moment of the last change counts. */
static sp_customer_t *recall_signed(const seeker_t *seeker)
{
    apr_time_t confirmed_at;
    sp_customer_t *customer;
    const char *text;

    text = seeker->token ? sp_grace_take(seeker->r, seeker->token, &confirmed_at)
                         : NULL;
    customer = text ? sp_grace_read(seeker->r, text) : NULL;
    return customer && confirmed_at > sp_board_changed_at(customer->id) ? customer
                                                                        : NULL;
}

static sp_customer_t *by_grace(const seeker_t *seeker, const sp_memory_t *memory)
{
    apr_interval_time_t grace = sp_shop()->settings->grace;
    sp_customer_t *customer = grace > 0 ? recall(seeker, memory, grace) : NULL;

    return customer || grace <= 0 ? customer : recall_signed(seeker);
}

static sp_outcome_t found(sp_access_t *access, sp_customer_t *customer,
                          sp_source_t from)
{
    access->customer = customer;
    access->from = from;
    return SP_DONE;
}

/* What is remembered of them, young enough to let them in without asking, or NULL.
 * memory: what there is of any age. */
static sp_customer_t *recall_young(const seeker_t *seeker, sp_memory_t **memory)
{
    apr_interval_time_t life = sp_shop()->settings->cache_for;
    sp_customer_t *customer;
    sp_memory_t *shared;
    sp_cache_key_t key;

    life = sp_board_heard() || life < UNHEARD_LIFE ? life : UNHEARD_LIFE;
    *memory = sp_near_get(seeker->r, seeker->name);
    customer = recall(seeker, *memory, life);
    if (customer) {
        return customer;
    }
    make_key(seeker, &key);
    shared = sp_cache_get(seeker->r, &key);
    *memory = shared ? shared : *memory;
    customer = recall(seeker, shared, life);
    if (customer) {
        sp_near_put(seeker->name, shared);
    }
    return customer;
}

static sp_outcome_t ask_database(seeker_t *seeker, const sp_memory_t *memory,
                                 sp_access_t *access)
{
    apr_uint32_t changes = sp_board_changes();
    sp_customer_t *customer;

    seeker->ctx = sp_shop_ctx(seeker->r, "self_service", "customer", 0);
    if (load(seeker, &customer) == SP_DONE) {
        remember(seeker, customer, changes);
        return found(access, customer, SP_FROM_DATABASE);
    }
    customer = by_grace(seeker, memory);
    if (!customer) {
        return SP_FAILED;
    }
    sp_log(seeker->ctx->log, SP_LOG_INFO, 255,
           "the database is away: account %s stays in by grace", customer->id);
    return found(access, customer, SP_BY_GRACE);
}

static sp_outcome_t find(seeker_t *seeker, sp_access_t *access)
{
    sp_memory_t *memory;
    sp_customer_t *customer = recall_young(seeker, &memory);

    if (customer && !seeker->fresh) {
        return found(access, customer, SP_FROM_CACHE);
    }
    if (database_failed_lately() && (customer = by_grace(seeker, memory)) != NULL) {
        return found(access, customer, SP_BY_GRACE);
    }
    return ask_database(seeker, memory, access);
}

sp_outcome_t sp_access_by_session(request_rec *r, const char *token, int fresh,
                                  sp_access_t *access)
{
    seeker_t seeker = { .r = r, .token = token, .fresh = fresh };

    memset(access, 0, sizeof(*access));
    access->session = token;
    /* What is no token at all costs the database nothing. */
    if (!token || strlen(token) != 32 || strspn(token, "0123456789abcdef") != 32) {
        return SP_DONE;
    }
    seeker.name = apr_pstrcat(r->pool, "s", token, NULL);
    return find(&seeker, access);
}

sp_outcome_t sp_access_by_user(request_rec *r, const char *user, int fresh,
                               sp_access_t *access)
{
    seeker_t seeker = { .r = r, .user = user, .fresh = fresh };

    memset(access, 0, sizeof(*access));
    if (!sp_text_is_clean(user, strlen(user))) {
        return SP_DONE;
    }
    seeker.name = apr_pstrcat(r->pool, "u", sp_text_fold(r->pool, user), NULL);
    return find(&seeker, access);
}

static int is_wanted(const char *product, const apr_array_header_t *wanted)
{
    int i;

    for (i = 0; i < wanted->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(wanted, i, const char *), product) == 0) {
            return 1;
        }
    }
    return wanted->nelts == 0;
}

const sp_plan_t *sp_access_plan(const sp_customer_t *customer,
                                const apr_array_header_t *wanted)
{
    int i;

    for (i = 0; customer && i < customer->plans->nelts; i++) {
        const sp_plan_t *plan = &APR_ARRAY_IDX(customer->plans, i, const sp_plan_t);

        if (plan->active && is_wanted(plan->product, wanted)) {
            return plan;
        }
    }
    return NULL;
}

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
    sp_cache_key_t key;
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

    for (i = 0; customer && i < customer->plans->nelts; i++) {
        if (APR_ARRAY_IDX(customer->plans, i, const sp_plan_t).active) {
            return 1;
        }
    }
    return 0;
}

/* Remember what grants, forget what does not. changes: of the board, before the
 * database was asked; where it moved meanwhile, the answer may be older than the mark. */
static void remember(const seeker_t *seeker, const sp_customer_t *customer,
                     apr_uint32_t changes)
{
    const sp_settings_t *settings = sp_shop()->settings;
    sp_memory_t memory;

    if (!has_plan(customer)) {
        sp_cache_remove(seeker->r, &seeker->key);
        sp_grace_end(seeker->r);
        return;
    }
    memory.confirmed_at = apr_time_now();
    memory.mark = sp_board_mark(customer->id);
    memory.text = sp_grace_text(seeker->r, customer);
    if (sp_board_changes() == changes) {
        sp_cache_put(seeker->r, &seeker->key, &memory,
                     settings->grace > settings->cache_for ? settings->grace
                                                           : settings->cache_for);
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

static sp_outcome_t find(const seeker_t *seeker, sp_access_t *access)
{
    apr_interval_time_t life = sp_shop()->settings->cache_for;
    sp_memory_t *memory = sp_cache_get(seeker->r, &seeker->key);
    apr_uint32_t changes = sp_board_changes();
    sp_customer_t *customer;

    life = sp_board_heard() || life < UNHEARD_LIFE ? life : UNHEARD_LIFE;
    customer = seeker->fresh ? NULL : recall(seeker, memory, life);
    if (customer) {
        return found(access, customer, SP_FROM_CACHE);
    }
    if (database_failed_lately() && (customer = by_grace(seeker, memory)) != NULL) {
        return found(access, customer, SP_BY_GRACE);
    }
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

sp_outcome_t sp_access_by_session(request_rec *r, const char *token, int fresh,
                                  sp_access_t *access)
{
    seeker_t seeker = { .r = r, .token = token, .fresh = fresh };
    unsigned char hash[SP_HASH_SIZE];

    memset(access, 0, sizeof(*access));
    access->session = token;
    /* What is no token at all costs the database nothing. */
    if (!sp_account_hash(token, hash)) {
        return SP_DONE;
    }
    seeker.ctx = sp_shop_ctx(r, "self_service", "customer", 0);
    sp_cache_key(&seeker.key, 's', hash, sizeof(hash));
    return find(&seeker, access);
}

sp_outcome_t sp_access_by_user(request_rec *r, const char *user, int fresh,
                               sp_access_t *access)
{
    seeker_t seeker = { .r = r, .user = user, .fresh = fresh };
    const char *folded = sp_text_fold(r->pool, user);

    memset(access, 0, sizeof(*access));
    if (!sp_text_is_clean(user, strlen(user))) {
        return SP_DONE;
    }
    seeker.ctx = sp_shop_ctx(r, "self_service", "customer", 0);
    sp_cache_key(&seeker.key, 'u', folded, strlen(folded));
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

/*
 * batch.c - facts that wait at the same moment are settled with one commit.
 *
 * Room: handle. Sees httpd.
 * Flushing a commit to disk costs more than the few rows it holds, and PostgreSQL's
 * own commit_delay is a timer. Leader and followers: a thread that finds no batch on its
 * way leads; the others queue, and sleep until their answer is there or the lead is
 * theirs.
 */
#include "handle/batch.h"

#include <ap_mpm.h>
#include <apr_ring.h>
#include <apr_thread_mutex.h>
#include <errno.h>
#include <semaphore.h>

/* PostgreSQL keeps up to 64 subtransactions of a session at hand, and each fact needs
 * one. */
#define MOST 32

/* Lives on its thread's stack while that thread is in sp_batch_settle(). */
typedef struct waiting_t {
    APR_RING_ENTRY(waiting_t) link;
    sp_settling_t one;
    int leads;  /* woken to lead, and not because the answer is there */
    sem_t wake; /* not a condition: whoever is woken needs no lock, and may be gone
                 * before the call that woke it returns */
} waiting_t;

APR_RING_HEAD(queue_t, waiting_t);

static struct {
    apr_thread_mutex_t *lock; /* NULL: one request at a time, nobody to share with */
    struct queue_t queue;     /* of those that wait; whoever leads is not in it */
    int on_its_way;
    /* Whoever leads has it to itself. Not the leader's own: httpd keeps what a connection
     * has used, and each leads at some time. */
    apr_pool_t *pool;
} batch;

/* An allocator of its own: threads may not share one that has no lock. */
static void make_pool(apr_pool_t *parent)
{
    apr_allocator_t *allocator;

    apr_allocator_create(&allocator);
    apr_pool_create_ex(&batch.pool, parent, NULL, allocator);
    apr_allocator_owner_set(allocator, batch.pool);
    apr_pool_tag(batch.pool, "subpay_batch");
}

void sp_batch_child_init(apr_pool_t *pool)
{
    int threaded = 0;

    ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded);
    if (threaded != AP_MPMQ_NOT_SUPPORTED) {
        APR_RING_INIT(&batch.queue, waiting_t, link);
        make_pool(pool);
        apr_thread_mutex_create(&batch.lock, APR_THREAD_MUTEX_DEFAULT, pool);
    }
}

/* Refunds and disputes may name no order, so that settle_many could not lock theirs
 * first; they are rare, and go alone. */
static int may_share(const sp_fact_t *fact)
{
    return batch.lock && fact->order_id && fact->kind != SP_FACT_REFUND &&
           fact->kind != SP_FACT_DISPUTE;
}

/* 1: nothing is on its way, so this one leads at once. */
static int enqueue(waiting_t *me)
{
    int leads;

    sem_init(&me->wake, 0, 0);
    apr_thread_mutex_lock(batch.lock);
    leads = !batch.on_its_way;
    batch.on_its_way = 1;
    if (!leads) {
        APR_RING_INSERT_TAIL(&batch.queue, me, waiting_t, link);
    }
    apr_thread_mutex_unlock(batch.lock);
    return leads;
}

/* 1: the lead is this one's; 0: it is answered. */
static int wait_for_turn(waiting_t *me)
{
    while (sem_wait(&me->wake) != 0 && errno == EINTR) {
    }
    return me->leads;
}

/* Under the lock. NULL: nobody waits. */
static waiting_t *take_first(void)
{
    waiting_t *first = NULL;

    if (!APR_RING_EMPTY(&batch.queue, waiting_t, link)) {
        first = APR_RING_FIRST(&batch.queue);
        APR_RING_REMOVE(first, link);
    }
    return first;
}

static int take_queue(waiting_t *me, waiting_t *taken[MOST])
{
    int count = 1;

    taken[0] = me;
    apr_thread_mutex_lock(batch.lock);
    while (count < MOST && (taken[count] = take_first()) != NULL) {
        count++;
    }
    apr_thread_mutex_unlock(batch.lock);
    return count;
}

/* Whoever has waited longest leads the next. */
static void hand_on(void)
{
    waiting_t *next;

    apr_thread_mutex_lock(batch.lock);
    next = take_first();
    batch.on_its_way = next != NULL;
    if (next) {
        next->leads = 1;
    }
    apr_thread_mutex_unlock(batch.lock);
    if (next) {
        sem_post(&next->wake);
    }
}

/* A single one goes this way too: locked elsewhere, it must not hold up those that
 * come after it. */
static void lead(waiting_t *me)
{
    waiting_t *taken[MOST];
    sp_settling_t *all[MOST];
    sp_ctx_t ctx = *me->one.ctx;
    int count = take_queue(me, taken);
    int i;

    for (i = 0; i < count; i++) {
        all[i] = &taken[i]->one;
    }
    ctx.pool = batch.pool;
    sp_db_settle_many(&ctx, all, count);
    apr_pool_clear(batch.pool);
    hand_on();
    for (i = 1; i < count; i++) {
        sem_post(&taken[i]->wake);
    }
}

sp_outcome_t sp_batch_settle(sp_ctx_t *ctx, const sp_fact_t *fact,
                             sp_settled_t *settled)
{
    waiting_t me = { .one = { .ctx = ctx, .fact = fact, .settled = settled } };

    if (!may_share(fact)) {
        return sp_db_settle_alone(ctx, fact, settled);
    }
    if (enqueue(&me) || wait_for_turn(&me)) {
        lead(&me);
    }
    sem_destroy(&me.wake);
    if (me.one.out == SP_FAILED) {
        return sp_end(ctx, SP_FAILED, "database", NULL);
    }
    return me.one.out == SP_DONE ? SP_DONE : sp_db_settle_alone(ctx, fact, settled);
}

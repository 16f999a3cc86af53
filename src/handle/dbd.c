/*
 * dbd.c - mod_dbd as a pool of connections, with a gate in front.
 *
 * Room: handle. Sees httpd and mod_dbd.
 * mod_dbd makes a request wait without end when all connections are busy, and lets
 * plain pages take the one that a webhook needs. The gate counts: who finds no room
 * waits for two seconds, then is told to come back; the last places are for webhooks.
 * What is prepared on a connection, and whether it lives, is db/conn.c's matter.
 */
#include "handle/dbd.h"

#include <ap_mpm.h>
#include <apr_atomic.h>
#include <apr_dbd.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <http_config.h>
#include <mod_dbd.h>
#include <stdlib.h>

#include "util/clock.h"

/* For one request in all, however often it asks. */
#define LONGEST_WAIT apr_time_from_sec(2)
/* A server that lives ends a statement itself (statement_timeout, three seconds as
 * shipped); one that hangs, or whose machine has gone, would keep us for ever. */
#define LONGEST_ANSWER apr_time_from_sec(10)
/* mod_dbd's own value of DBDMax where it is not written. */
#define DEFAULT_MAX 10
#define CONN_KEY "subpay-conn"

/* One that waits for a place, on its own stack. */
typedef struct waiter_t {
    struct waiter_t *next;
    apr_thread_cond_t *called;
    int has_place;
} waiter_t;

typedef struct gate_t {
    apr_thread_mutex_t *lock;
    int places;  /* DBDMax */
    int reserve; /* for urgent ones */
    int taken;
    /* Who came first goes first, or one in a crowd would wait for two seconds while the
     * others pass. [1]: urgent ones. */
    waiter_t *first[2];
    apr_uint32_t down; /* the last attempt to get a connection failed; atomic */
} gate_t;

typedef struct source_t {
    sp_db_t db;
    request_rec *r;
    int urgent;
    apr_interval_time_t waited; /* so far, for connections */
    ap_dbd_t *lent;
} source_t;

static gate_t gate;
static APR_OPTIONAL_FN_TYPE(ap_dbd_open) * dbd_open;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) * dbd_close;

const char *sp_dbd_problem(void)
{
    dbd_open = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
    dbd_close = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
    return dbd_open && dbd_close
               ? NULL
               : "mod_dbd is not loaded, and orders need a database: a2enmod dbd, "
                 "or "
                 "write LoadModule dbd_module, DBDriver pgsql and DBDParams";
}

/* mod_dbd tells nobody its DBDMax, so we read the directive itself. The smallest
 * counts where several virtual hosts have their own. */
static int find_max(const ap_directive_t *node, int max)
{
    for (; node; node = node->next) {
        if (strcasecmp(node->directive, "DBDMax") == 0 && atoi(node->args) > 0 &&
            (max == 0 || atoi(node->args) < max)) {
            max = atoi(node->args);
        }
        max = find_max(node->first_child, max);
    }
    return max;
}

void sp_dbd_child_init(apr_pool_t *pool, server_rec *s)
{
    int threaded = 0;

    (void)s;
    sp_dbd_problem();
    ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded);
    if (threaded == AP_MPMQ_NOT_SUPPORTED) {
        return; /* one request at a time: nobody to wait for */
    }
    gate.places = find_max(ap_conftree, 0);
    gate.places = gate.places ? gate.places : DEFAULT_MAX;
    gate.reserve = gate.places >= 6 ? 2 : gate.places >= 2 ? 1 : 0;
    apr_thread_mutex_create(&gate.lock, APR_THREAD_MUTEX_DEFAULT, pool);
}

static int has_room(int urgent)
{
    return gate.taken < gate.places - (urgent ? 0 : gate.reserve);
}

/* The place behind the last one of its kind. */
static waiter_t **last_of(int urgent)
{
    waiter_t **link = &gate.first[urgent];

    while (*link) {
        link = &(*link)->next;
    }
    return link;
}

static void give_up(waiter_t *waiter, int urgent)
{
    waiter_t **link = &gate.first[urgent];

    while (*link != waiter) {
        link = &(*link)->next;
    }
    *link = waiter->next;
}

/* 1 when called before deadline; the lock is held. */
static int wait_in_line(int urgent, apr_time_t deadline, apr_pool_t *pool)
{
    waiter_t me = { 0 };
    apr_time_t left;

    if (apr_thread_cond_create(&me.called, pool) != APR_SUCCESS) {
        return 0;
    }
    *last_of(urgent) = &me;
    while (!me.has_place && (left = deadline - sp_clock_now()) > 0) {
        apr_thread_cond_timedwait(me.called, gate.lock, left);
    }
    if (!me.has_place) {
        give_up(&me, urgent);
    }
    apr_thread_cond_destroy(me.called);
    return me.has_place;
}

/* 1 when a place was had before deadline. */
static int gate_enter(int urgent, apr_time_t deadline, apr_pool_t *pool)
{
    int has_place;

    if (!gate.lock) {
        return 1;
    }
    apr_thread_mutex_lock(gate.lock);
    has_place = has_room(urgent);
    if (has_place) {
        gate.taken++;
    }
    else {
        has_place = wait_in_line(urgent, deadline, pool);
    }
    apr_thread_mutex_unlock(gate.lock);
    return has_place;
}

/* The place goes to who has waited longest, urgent ones first, if it is for them. */
static void gate_leave(void)
{
    waiter_t *next;
    int urgent;

    if (!gate.lock) {
        return;
    }
    apr_thread_mutex_lock(gate.lock);
    gate.taken--;
    urgent = gate.first[1] != NULL;
    next = gate.first[urgent];
    if (next && has_room(urgent)) {
        gate.first[urgent] = next->next;
        next->has_place = 1;
        gate.taken++;
        apr_thread_cond_signal(next->called);
    }
    apr_thread_mutex_unlock(gate.lock);
}

/*
 * A database that restarts is back within a second or two, and a request that waits
 * for it succeeds. While it has been down for longer, nobody waits: whoever asks
 * tries once, and the first success ends it.
 */
static ap_dbd_t *open_patiently(request_rec *r, apr_time_t deadline)
{
    apr_interval_time_t pause = apr_time_from_msec(100);
    ap_dbd_t *dbd = dbd_open(r->pool, r->server);
    int was_down = apr_atomic_read32(&gate.down) != 0;

    while (!dbd && !was_down && sp_clock_now() + pause < deadline) {
        apr_sleep(pause);
        pause += pause;
        dbd = dbd_open(r->pool, r->server);
    }
    apr_atomic_set32(&gate.down, !dbd);
    return dbd;
}

/* The wrapper remembers what is prepared on it, so it lives as long as mod_dbd keeps
 * the connection. Only one thread has a connection at a time. */
static sp_conn_t *wrap(ap_dbd_t *dbd)
{
    void *known = NULL;

    apr_pool_userdata_get(&known, CONN_KEY, dbd->pool);
    if (!known) {
        known =
            sp_conn_wrap(dbd->pool, apr_dbd_native_handle(dbd->driver, dbd->handle));
        sp_conn_patience(known, LONGEST_ANSWER);
        apr_pool_userdata_setn(known, CONN_KEY, apr_pool_cleanup_null, dbd->pool);
    }
    return known;
}

static ap_dbd_t *acquire(source_t *source, apr_time_t deadline)
{
    ap_dbd_t *dbd;

    if (!gate_enter(source->urgent, deadline, source->r->pool)) {
        return NULL;
    }
    dbd = open_patiently(source->r, deadline);
    if (!dbd) {
        gate_leave();
    }
    return dbd;
}

static sp_conn_t *lend(sp_db_t *db, sp_ctx_t *ctx)
{
    source_t *source = db->baton;
    apr_time_t start = sp_clock_now();

    (void)ctx;
    source->lent = acquire(source, start + LONGEST_WAIT - source->waited);
    source->waited += sp_clock_now() - start;
    return source->lent ? wrap(source->lent) : NULL;
}

static void back(sp_db_t *db, sp_conn_t *conn)
{
    source_t *source = db->baton;

    (void)conn;
    dbd_close(source->r->server, source->lent);
    source->lent = NULL;
    gate_leave();
}

sp_db_t *sp_dbd_source(request_rec *r, int urgent)
{
    source_t *source = apr_pcalloc(r->pool, sizeof(*source));

    source->db.lend = lend;
    source->db.back = back;
    source->db.baton = source;
    source->r = r;
    source->urgent = urgent;
    return &source->db;
}

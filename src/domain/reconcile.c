/*
 * reconcile.c - find out what the provider knows and we do not.
 *
 * Room: domain.
 *
 * A watermark is the provider's time of the newest thing seen by a sweep that saw
 * everything: our own clock may be wrong, and nothing is skipped because of it. It
 * moves after the last page only. A sweep that is cut off leaves its place in the
 * cursor; the next one first finishes that tail, then looks at what is newer.
 */
#include "domain/reconcile.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/jobs.h"
#include "domain/order.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/log.h"

#define PAGE 100

/* One step asks about orders for so long, then gives way. */
#define STEP_TIME apr_time_from_msec(500)
#define ORDERS_AT_START 500
#define ORDERS 50

/* So many in a row without success: the provider or the database is away, and it is
 * not the fault of the single order or fact. */
#define ENOUGH_IN_VAIN 3

/* A long sweep notes its place now and then, so that a kill costs some pages only;
 * not on each page, which would double its statements. */
#define PAGES_A_NOTE 25

/* Around a provider's call: SubPayProviderTimeout, and what the database may need. */
#define SLACK apr_time_from_sec(15)

/* A list that is being walked: newest first, so towards the past. */
typedef struct walk_t {
    const char *name; /* of its watermark: "objects:stripe" */
    apr_time_t since;
    apr_time_t
        newest; /* the provider's time of the newest thing seen; 0: none yet */
    const char *after; /* where the next page begins; NULL at the newest */
    int resumed;       /* this is the tail of a sweep that was cut off */
    int undelivered; /* only what some endpoint did not take: the likely ones first */
    int skipped; /* facts that could not be let in for now: nothing to move past */
    sp_watermark_t was; /* as found */
} walk_t;

typedef sp_step_t (*step_fn)(sp_ctx_t *ctx, sp_sweep_t *sweep);

/* One kind of sweep. */
typedef struct layer_t {
    const char *kind;
    const char *via;
    step_fn step;
    int events; /* the list of events, not of payments */
} layer_t;

/* The layer of objects walks one list after another: a refund or a dispute of an old
 * payment is new, and the list of payments does not come by it. */
typedef enum list_t {
    LIST_PAYMENTS,
    LIST_PERIODS,
    LIST_REFUNDS,
    LIST_DISPUTES,
    LISTS
} list_t;

struct sp_sweep_t {
    apr_pool_t *pool;
    apr_pool_t
        *page; /* cleared for each step: memory does not grow with their number */
    sp_sweep_ask_t ask;
    const layer_t *layer;
    sp_sweep_counts_t counts;
    apr_int64_t run; /* its row; 0: none */
    int account;     /* which of settings->accounts is being looked at */
    int list;        /* which of its lists (list_t); of events there is one */
    walk_t walk;     /* name NULL: not begun for this account */
    apr_pool_t *batch;
    apr_array_header_t *orders; /* of sp_order_t, in batch */
    int order;                  /* the next of them */
    int in_vain;
    int healed; /* the first, wide batch of orders has been taken */
};

static const sp_account_t *account_of(const sp_ctx_t *ctx, const sp_sweep_t *sweep)
{
    return APR_ARRAY_IDX(ctx->settings->accounts, sweep->account, sp_account_t *);
}

static void beat(const sp_ctx_t *ctx, const sp_sweep_t *sweep)
{
    sp_pulse_beat(sweep->ask.pulse, ctx->settings->provider_timeout + SLACK);
}

static sp_outcome_t note_begin(sp_ctx_t *ctx, sp_sweep_t *sweep)
{
    if (sweep->run || !sweep->ask.worker) {
        return SP_DONE;
    }
    return sp_db_run_begin(ctx, sweep->layer->kind, sweep->ask.worker, &sweep->run);
}

/* ---- one fact ------------------------------------------------------------------- */

static sp_outcome_t settle(sp_ctx_t *ctx, sp_sweep_t *sweep, sp_fact_t *fact)
{
    sp_settled_t settled = { 0 };
    sp_outcome_t out;

    beat(ctx, sweep);
    out = sp_fact_settle(ctx, fact, &settled);
    if (out != SP_DONE) {
        return out;
    }
    sweep->counts.settled++;
    sweep->counts.completed += strcmp(settled.verdict, "completed") == 0;
    sweep->counts.failed += strcmp(settled.verdict, "failed") == 0 ||
                            strcmp(settled.verdict, "parked") == 0;
    return SP_DONE;
}

/* What cannot be read is kept, with a ticket: then it has been seen. */
static sp_outcome_t keep_unreadable(sp_ctx_t *ctx, sp_sweep_t *sweep,
                                    const apr_array_header_t *unreadable)
{
    const char *provider = account_of(ctx, sweep)->name;
    const sp_unreadable_t *object;
    sp_outcome_t out = SP_DONE;
    int i;

    for (i = 0; out == SP_DONE && unreadable && i < unreadable->nelts; i++) {
        object = APR_ARRAY_IDX(unreadable, i, sp_unreadable_t *);
        out = sp_db_event_keep(ctx, provider, object->id, object->raw, object->len,
                               object->why);
        sweep->counts.unreadable++;
    }
    return out;
}

/* ---- one page --------------------------------------------------------------------- */

static int is_candidate(sp_sweep_t *sweep, const sp_fact_t *fact)
{
    if (sweep->layer->events) {
        return fact->kind != SP_FACT_IGNORED && fact->event_id;
    }
    if (sweep->list == LIST_REFUNDS || sweep->list == LIST_DISPUTES) {
        /* Whose it is, its payment tells, and the database knows that. */
        return fact->payment_id != NULL;
    }
    if (sweep->list == LIST_PERIODS
            ? fact->kind != SP_FACT_PERIOD_PAID &&
                  fact->kind != SP_FACT_PERIOD_FAILED
            : fact->kind != SP_FACT_PAYMENT_SUCCEEDED || !fact->payment_id) {
        return 0;
    }
    if (!fact->ours && !fact->order_id) {
        sweep->counts.foreign++;
        return 0;
    }
    return 1;
}

/* The facts that could matter, oldest first as they happened. */
static apr_array_header_t *candidates(sp_sweep_t *sweep,
                                      const apr_array_header_t *facts)
{
    apr_array_header_t *list =
        apr_array_make(sweep->page, facts->nelts, sizeof(sp_fact_t *));
    sp_fact_t *fact;
    int i;

    for (i = facts->nelts - 1; i >= 0; i--) {
        fact = APR_ARRAY_IDX(facts, i, sp_fact_t *);
        if (fact->created > sweep->walk.newest && !sweep->walk.resumed) {
            sweep->walk.newest = fact->created;
        }
        if (is_candidate(sweep, fact)) {
            APR_ARRAY_PUSH(list, sp_fact_t *) = fact;
        }
    }
    return list;
}

/* One that somebody else holds locked must not stop the others; but then the
 * watermark stays, so that the next sweep meets it again. */
static sp_outcome_t settle_wanted(sp_ctx_t *ctx, sp_sweep_t *sweep,
                                  const apr_array_header_t *facts,
                                  const char *wanted)
{
    sp_outcome_t out;
    int i;

    sweep->in_vain = 0;
    for (i = 0; i < facts->nelts; i++) {
        if (!wanted[i]) {
            continue;
        }
        out = settle(ctx, sweep, APR_ARRAY_IDX(facts, i, sp_fact_t *));
        if (out == SP_DONE) {
            sweep->in_vain = 0;
            continue;
        }
        sweep->counts.failed++;
        sweep->walk.skipped++;
        if (++sweep->in_vain == ENOUGH_IN_VAIN) {
            return out;
        }
    }
    return SP_DONE;
}

typedef sp_outcome_t (*unmatched_fn)(sp_ctx_t *ctx, const char *provider,
                                     const apr_array_header_t *facts, char *wanted);

/* What of each list is to be settled. */
static const unmatched_fn unmatched[LISTS] = { sp_db_payments_unmatched,
                                               sp_db_periods_unmatched,
                                               sp_db_refunds_unmatched,
                                               sp_db_disputes_unmatched };

static sp_outcome_t settle_page(sp_ctx_t *ctx, sp_sweep_t *sweep,
                                const sp_page_t *page)
{
    const char *provider = account_of(ctx, sweep)->name;
    apr_array_header_t *facts = candidates(sweep, page->facts);
    char *wanted = apr_pcalloc(sweep->page, (apr_size_t)facts->nelts + 1);
    sp_outcome_t out = keep_unreadable(ctx, sweep, page->unreadable);

    sweep->counts.pages++;
    sweep->counts.seen += page->facts->nelts;
    if (out == SP_DONE && facts->nelts > 0) {
        out = sweep->layer->events
                  ? sp_db_events_known(ctx, provider, facts, wanted)
                  : unmatched[sweep->list](ctx, provider, facts, wanted);
    }
    return out == SP_DONE ? settle_wanted(ctx, sweep, facts, wanted) : out;
}

typedef sp_outcome_t (*list_fn)(sp_ctx_t *ctx, const sp_account_t *account,
                                const sp_list_ask_t *ask, sp_page_t *page);

/* The list that this sweep is at; NULL where the provider keeps none. */
static list_fn list_of(const sp_ctx_t *ctx, const sp_sweep_t *sweep)
{
    const sp_provider_t *provider = account_of(ctx, sweep)->provider;

    if (sweep->layer->events) {
        return provider->events_list;
    }
    switch (sweep->list) {
    case LIST_PERIODS:
        return provider->periods_list;
    case LIST_REFUNDS:
        return provider->refunds_list;
    case LIST_DISPUTES:
        return provider->disputes_list;
    default:
        return provider->payments_list;
    }
}

static sp_outcome_t ask_page(sp_ctx_t *ctx, sp_sweep_t *sweep, sp_page_t *page)
{
    const sp_list_ask_t ask = { .since = sweep->walk.since,
                                .after = sweep->walk.after,
                                .undelivered = sweep->walk.undelivered,
                                .limit = PAGE };

    beat(ctx, sweep);
    return list_of(ctx, sweep)(ctx, account_of(ctx, sweep), &ask, page);
}

/* ---- where a list has been seen to --------------------------------------------------- */

/* "<since> <newest> <after>": all that the tail of a sweep needs. */
static const char *write_cursor(apr_pool_t *pool, const walk_t *walk)
{
    return apr_psprintf(pool, "%" APR_TIME_T_FMT " %" APR_TIME_T_FMT " %s",
                        walk->since, walk->newest, walk->after);
}

static int read_cursor(apr_pool_t *pool, const char *text, walk_t *walk)
{
    char *end;

    walk->since = apr_strtoi64(text, &end, 10);
    walk->newest = apr_strtoi64(end, &end, 10);
    if (*end != ' ' || end[1] == '\0') {
        return 0;
    }
    walk->after = apr_pstrdup(pool, end + 1);
    walk->resumed = 1;
    return 1;
}

static sp_outcome_t set_mark(sp_ctx_t *ctx, const sp_sweep_t *sweep, apr_time_t at,
                             const char *cursor)
{
    const sp_watermark_t mark = { .at = at, .cursor = cursor };

    return sweep->ask.worker ? sp_db_watermark_set(ctx, sweep->walk.name, &mark)
                             : SP_DONE;
}

/* Never behind one that was left out: the next run is to meet it again. */
static void note_place(sp_ctx_t *ctx, sp_sweep_t *sweep)
{
    if (sweep->walk.after && !sweep->walk.undelivered && !sweep->walk.skipped) {
        set_mark(ctx, sweep, sweep->walk.was.at,
                 write_cursor(ctx->pool, &sweep->walk));
    }
}

/* How far back: as asked, or behind the last truthful look, or as far as the daily
 * look goes when there was none yet. */
static apr_time_t begin_at(const sp_ctx_t *ctx, const sp_sweep_t *sweep)
{
    const sp_settings_t *settings = ctx->settings;
    apr_time_t far = apr_time_now() - settings->deep_sweep;

    if (sweep->ask.since) {
        return sweep->ask.since;
    }
    if (strcmp(sweep->layer->kind, "deep") == 0 || !sweep->walk.was.at) {
        return far;
    }
    return sweep->walk.was.at - settings->reconcile_overlap;
}

static void walk_from_newest(const sp_ctx_t *ctx, sp_sweep_t *sweep, int undelivered)
{
    sweep->walk.after = NULL;
    sweep->walk.newest = 0;
    sweep->walk.resumed = 0;
    sweep->walk.undelivered = undelivered;
    sweep->walk.since = begin_at(ctx, sweep);
}

static sp_outcome_t open_walk(sp_ctx_t *ctx, sp_sweep_t *sweep)
{
    walk_t *walk = &sweep->walk;
    static const char *const lists[LISTS] = { NULL, ":periods", ":refunds",
                                              ":disputes" };
    const char *name =
        apr_pstrcat(sweep->pool, sweep->layer->kind, ":",
                    account_of(ctx, sweep)->name, lists[sweep->list], NULL);
    sp_outcome_t out;

    memset(walk, 0, sizeof(*walk));
    out = sp_db_watermark_get(ctx, name, &walk->was);
    if (out != SP_DONE) {
        return out;
    }
    walk->name = name;
    if (sweep->ask.healing && sweep->layer->events) {
        walk->was.cursor = apr_pstrdup(sweep->pool, walk->was.cursor);
        walk_from_newest(ctx, sweep, 1);
    }
    else if (!walk->was.cursor || !sweep->ask.worker ||
             !read_cursor(sweep->pool, walk->was.cursor, walk)) {
        walk_from_newest(ctx, sweep, 0);
    }
    return SP_DONE;
}

/* Does anything here renew? Else the list of periods is not asked for: it would cost a
 * request each time and hold nothing of ours. */
static int sells_renewals(const sp_ctx_t *ctx)
{
    const apr_array_header_t *products = ctx->settings->products;
    int i;

    for (i = 0; i < products->nelts; i++) {
        if (APR_ARRAY_IDX(products, i, sp_product_t *)->renews) {
            return 1;
        }
    }
    return 0;
}

/* On to the next list of this account, or to the next account. */
static sp_step_t next_list(const sp_ctx_t *ctx, sp_sweep_t *sweep)
{
    sweep->walk.name = NULL;
    sweep->list += sweep->list == LIST_PAYMENTS && !sells_renewals(ctx) ? 2 : 1;
    if (!sweep->layer->events && sweep->list < LISTS) {
        return SP_STEP_MORE;
    }
    sweep->list = LIST_PAYMENTS;
    sweep->account++;
    return sweep->account < ctx->settings->accounts->nelts ? SP_STEP_MORE
                                                           : SP_STEP_GOOD;
}

/* The list has been walked to its end: note that, and see what comes now. */
static sp_step_t close_walk(sp_ctx_t *ctx, sp_sweep_t *sweep)
{
    walk_t *walk = &sweep->walk;

    if (walk->undelivered) {
        /* The likely ones are in; now all of them, from the tail if there is one. */
        if (!walk->was.cursor || !read_cursor(sweep->pool, walk->was.cursor, walk)) {
            walk_from_newest(ctx, sweep, 0);
        }
        walk->undelivered = 0;
        return SP_STEP_MORE;
    }
    if (walk->skipped) {
        ctx->code = "facts_skipped";
        return SP_STEP_BAD;
    }
    if (walk->newest > walk->was.at) {
        walk->was.at = walk->newest;
    }
    if (set_mark(ctx, sweep, walk->was.at, NULL) != SP_DONE) {
        return SP_STEP_BAD;
    }
    if (walk->resumed) {
        walk_from_newest(ctx, sweep, 0);
        return SP_STEP_MORE;
    }
    return next_list(ctx, sweep);
}

/* Where this page could not be had. A place that the provider does not know any more
 * is given up for the whole window: the next run begins at the newest again. */
static sp_step_t cut_off(sp_ctx_t *ctx, sp_sweep_t *sweep, sp_outcome_t out)
{
    const char *code = ctx->code;

    if (out == SP_REFUSED && sweep->walk.resumed) {
        set_mark(ctx, sweep, sweep->walk.was.at, NULL);
    }
    else {
        note_place(ctx, sweep);
    }
    ctx->code = code;
    return SP_STEP_BAD;
}

static sp_step_t step_list(sp_ctx_t *ctx, sp_sweep_t *sweep)
{
    sp_page_t page = { 0 };
    sp_outcome_t out;

    if (note_begin(ctx, sweep) != SP_DONE) {
        return SP_STEP_BAD;
    }
    if (!list_of(ctx, sweep)) {
        return next_list(ctx,
                         sweep); /* the other layers carry what it does not keep */
    }
    if (!sweep->walk.name && open_walk(ctx, sweep) != SP_DONE) {
        return SP_STEP_BAD;
    }
    out = ask_page(ctx, sweep, &page);
    if (out == SP_DONE) {
        out = settle_page(ctx, sweep, &page);
    }
    if (out != SP_DONE) {
        return cut_off(ctx, sweep, out);
    }
    sweep->walk.after = page.next ? apr_pstrdup(sweep->pool, page.next) : NULL;
    if (!sweep->walk.after) {
        return close_walk(ctx, sweep);
    }
    if (sweep->counts.pages % PAGES_A_NOTE == 0) {
        note_place(ctx, sweep);
    }
    return SP_STEP_MORE;
}

/* ---- our open orders -------------------------------------------------------------- */

static int is_one_of(const char *code, const char *const *codes)
{
    for (; code && *codes; codes++) {
        if (strcmp(code, *codes) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Nobody can be asked now: it is not this order's fault, and its turn stays. */
static int is_away(const char *code)
{
    static const char *const codes[] = { "provider_limit", "provider_unreachable",
                                         "provider_key", "database", NULL };

    return is_one_of(code, codes);
}

/* No answer about this order: its own trouble, or that of all. */
static int is_silent(const char *code)
{
    static const char *const codes[] = { "provider_timeout", "provider_error",
                                         NULL };

    return is_one_of(code, codes);
}

static sp_step_t ask_order(sp_ctx_t *ctx, sp_sweep_t *sweep, sp_order_t *order)
{
    const char *before = order->state;
    const char *code;
    sp_outcome_t out;

    ctx->code = NULL;
    beat(ctx, sweep);
    out = sp_order_recover(ctx, &order);
    code = ctx->code;
    sweep->counts.seen++;
    sweep->in_vain = is_silent(code) ? sweep->in_vain + 1 : 0;
    if (out == SP_DONE) {
        sweep->counts.completed += strcmp(before, "completed") != 0 &&
                                   strcmp(order->state, "completed") == 0;
        return sp_db_order_asked(ctx, order->id, NULL) == SP_DONE ? SP_STEP_MORE
                                                                  : SP_STEP_BAD;
    }
    if (is_away(code)) {
        return SP_STEP_BAD;
    }
    sweep->counts.failed++;
    if (sp_db_order_asked(ctx, order->id, code) != SP_DONE) {
        return SP_STEP_BAD;
    }
    ctx->code = code;
    return sweep->in_vain >= ENOUGH_IN_VAIN ? SP_STEP_BAD : SP_STEP_MORE;
}

static sp_outcome_t take_orders(sp_ctx_t *ctx, sp_sweep_t *sweep)
{
    int healing = sweep->ask.healing && !sweep->healed;
    sp_ctx_t own = *ctx;
    sp_outcome_t out;

    apr_pool_clear(sweep->batch);
    own.pool = sweep->batch; /* it outlives this step */
    sweep->orders = NULL;
    sweep->order = 0;
    sweep->healed = 1;
    out = sp_db_orders_due(&own, healing ? ORDERS_AT_START : ORDERS, healing,
                           &sweep->orders);
    ctx->code = own.code;
    return out;
}

static sp_step_t step_orders(sp_ctx_t *ctx, sp_sweep_t *sweep)
{
    apr_time_t start = sp_clock_now();
    sp_step_t step = SP_STEP_MORE;

    if (!sweep->orders || sweep->order == sweep->orders->nelts) {
        if (sweep->orders && sweep->orders->nelts < ORDERS) {
            return SP_STEP_GOOD;
        }
        if (take_orders(ctx, sweep) != SP_DONE) {
            return SP_STEP_BAD;
        }
        if (sweep->orders->nelts == 0) {
            return SP_STEP_GOOD; /* nothing open: not worth a row in the book */
        }
        if (note_begin(ctx, sweep) != SP_DONE) {
            return SP_STEP_BAD;
        }
    }
    while (step == SP_STEP_MORE && sweep->order < sweep->orders->nelts &&
           sp_clock_now() - start < STEP_TIME) {
        step = ask_order(ctx, sweep,
                         &APR_ARRAY_IDX(sweep->orders, sweep->order, sp_order_t));
        sweep->order++;
    }
    return step;
}

/* ---- a sweep ------------------------------------------------------------------------ */

static const layer_t layers[] = {
    { "events", "replay", step_list, 1 },
    { "orders", "reconcile", step_orders, 0 },
    { "objects", "reconcile", step_list, 0 },
    { "deep", "reconcile", step_list, 0 },
};

sp_sweep_t *sp_reconcile_begin(apr_pool_t *pool, const sp_sweep_ask_t *ask)
{
    apr_pool_t *own;
    sp_sweep_t *sweep;
    size_t i;

    apr_pool_create(&own, pool);
    sweep = apr_pcalloc(own, sizeof(*sweep));
    sweep->pool = own;
    sweep->ask = *ask;
    apr_pool_create(&sweep->page, own);
    apr_pool_create(&sweep->batch, own);
    for (i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        if (strcmp(layers[i].kind, ask->kind) == 0) {
            sweep->layer = &layers[i];
        }
    }
    return sweep;
}

static sp_step_t note_end(sp_ctx_t *ctx, sp_sweep_t *sweep, sp_step_t step)
{
    const char *code = ctx->code;

    if (step != SP_STEP_MORE && sweep->run) {
        if (sp_db_run_end(ctx, sweep->run, step == SP_STEP_GOOD,
                          sp_reconcile_counts_json(ctx->pool, sweep),
                          step == SP_STEP_GOOD ? NULL : code) != SP_DONE) {
            step = SP_STEP_BAD;
        }
    }
    if (step == SP_STEP_BAD && code) {
        ctx->code = code;
    }
    return step;
}

sp_step_t sp_reconcile_step(sp_ctx_t *ctx, sp_sweep_t *sweep)
{
    sp_ctx_t own = *ctx;
    sp_step_t step;

    apr_pool_clear(sweep->page);
    own.pool = sweep->page;
    own.via = sweep->layer->via;
    own.code = NULL;
    step = note_end(&own, sweep, sweep->layer->step(&own, sweep));
    ctx->code = own.code ? apr_pstrdup(ctx->pool, own.code) : NULL;
    return step;
}

const sp_sweep_counts_t *sp_reconcile_counts(const sp_sweep_t *sweep)
{
    return &sweep->counts;
}

const char *sp_reconcile_counts_json(apr_pool_t *pool, const sp_sweep_t *sweep)
{
    const sp_sweep_counts_t *counts = &sweep->counts;
    json_t *json = sp_json_object(pool);

    sp_json_set_int(json, "pages", counts->pages);
    sp_json_set_int(json, "seen", counts->seen);
    sp_json_set_int(json, "settled", counts->settled);
    sp_json_set_int(json, "completed", counts->completed);
    sp_json_set_int(json, "failed", counts->failed);
    sp_json_set_int(json, "unreadable", counts->unreadable);
    sp_json_set_int(json, "foreign", counts->foreign);
    return sp_json_dump(pool, json);
}

void sp_reconcile_end(sp_sweep_t *sweep)
{
    apr_pool_destroy(sweep->pool);
}

/*
 * return.c - GET /return, /cancel and /status: how does the payment stand?
 *
 * Room: handle. Sees httpd.
 */
#include <apr_atomic.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "domain/find.h"
#include "domain/order.h"
#include "handle/auth_pages.h"
#include "handle/cookie.h"
#include "handle/form.h"
#include "handle/model.h"
#include "handle/page.h"
#include "handle/route.h"
#include "handle/shop.h"
#include "util/json.h"
#include "util/reference.h"

/* Long enough that most people see success first, short enough not to look dead. */
#define PATIENCE apr_time_from_sec(3)
/* From then on "a few seconds" would not be true any more. */
#define LATE apr_time_from_sec(30)
/* The machine needs 90 s at most; what we promise is generous. */
#define PROMISE apr_time_from_sec(600)
#define DAY apr_time_from_sec(86400)

/* Somebody who came back, and what their address says. */
typedef struct visit_t {
    const char *token;
    const char *reference; /* as the address has it; its check symbol is right */
    const char *checkout_id;
    apr_time_t since; /* when they came first */
    sp_order_t *order;
    int sure;             /* the provider was asked and answered */
    apr_time_t answer_by; /* a person has taken it over and writes by then */
} visit_t;

/* The provider's id, as far as it could be one: where we asked for it, or under the
 * name that some give it unasked. */
static const char *checkout_id(request_rec *r)
{
    const char *asked = sp_query_get(r, "s");
    const char *id = asked ? asked : sp_query_get(r, "checkout_id");

    return id &&
                   strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789_") == strlen(id) &&
                   strlen(id) <= 255
               ? id
               : NULL;
}

static const char *token_of(request_rec *r)
{
    const char *token = sp_query_get(r, "t");

    return token && strlen(token) == 32 && strspn(token, "0123456789abcdef") == 32
               ? token
               : NULL;
}

static void read_visit(request_rec *r, visit_t *visit)
{
    const char *reference = sp_query_get(r, "r");
    const char *since = sp_query_get(r, "w");
    apr_time_t now = apr_time_now();

    memset(visit, 0, sizeof(*visit));
    visit->token = token_of(r);
    visit->checkout_id = checkout_id(r);
    if (!reference || !sp_reference_parse(r->pool, reference, &visit->reference)) {
        visit->reference = NULL;
    }
    visit->since = since ? apr_time_from_sec(apr_atoi64(since)) : now;
    if (visit->since > now || visit->since < now - DAY) {
        visit->since = now;
    }
}

/* This same page, so that "Check now" works without script. */
static const char *check_url(request_rec *r, const visit_t *visit)
{
    return apr_psprintf(
        r->pool, "%s/return?t=%s%s%s%s%s&w=%" APR_TIME_T_FMT, sp_shop()->base_path,
        visit->token, visit->reference ? "&r=" : "",
        visit->reference ? visit->reference : "", visit->checkout_id ? "&s=" : "",
        visit->checkout_id ? visit->checkout_id : "", apr_time_sec(visit->since));
}

/* While nothing is known the address itself must serve: the database may be away. */
static void add_checking(request_rec *r, sp_ctx_t *ctx, json_t *page,
                         const visit_t *visit)
{
    json_t *order = json_object_get(page, "order");

    if (!order) {
        order = json_object();
        json_object_set_new(page, "order", order);
    }
    sp_json_set_text(order, "check_url", check_url(r, visit));
    sp_json_set_text(
        page, "status_url",
        apr_psprintf(r->pool, "%s/status?t=%s", sp_shop()->base_path, visit->token));
    if (apr_time_now() < visit->since + PROMISE) {
        sp_model_set_time(ctx, order, "promised", visit->since + PROMISE);
    }
}

/* Paid, or as good as that: access is there. */
static int has_access(const char *state)
{
    return strcmp(state, "paid") == 0 || strcmp(state, "reserved") == 0;
}

/* Where to go from here; no address in it opens anything that a login would not. */
static void add_next_step(sp_ctx_t *ctx, json_t *page, const char *state,
                          sp_view_t view)
{
    if (has_access(state)) {
        sp_json_set_text(page, "start_url", ctx->settings->app_url);
        if (view == SP_VIEW_STRANGER) { /* a bookmark, on another machine perhaps */
            sp_json_set_text(
                page, "login_url",
                apr_pstrcat(ctx->pool, sp_shop()->base_path, "/login", NULL));
            sp_json_set_text(
                page, "fresh_link_url",
                apr_pstrcat(ctx->pool, sp_shop()->base_path, "/password", NULL));
        }
    }
    if (strcmp(state, "expired") == 0) {
        sp_json_set_text(page, "again_url",
                         apr_pstrcat(ctx->pool, sp_shop()->base_path, "/", NULL));
    }
}

/* The money line, the provider's own receipt, and when a person has looked at it. */
static void add_money(sp_ctx_t *ctx, json_t *page, const sp_order_t *order,
                      const char *state, sp_view_t view)
{
    json_t *model = json_object_get(page, "order");
    sp_order_money_t money;

    sp_order_money(ctx, order, &money);
    sp_model_set_money(ctx, page, state, &money.said);
    if (strcmp(state, "paid") == 0) {
        sp_json_set_text(model, "amount", sp_money_text(ctx->pool, &money.said));
    }
    sp_model_set_time(ctx, model, "review_by", money.review_by);
    if (view == SP_VIEW_BUYER && strcmp(state, "paid") == 0) {
        sp_json_set_text(model, "receipt_url", money.receipt_url);
    }
}

static int show(request_rec *r, sp_ctx_t *ctx, const char *name,
                const visit_t *visit)
{
    sp_view_t view =
        sp_cookie_has(r, visit->token) ? SP_VIEW_BUYER : SP_VIEW_STRANGER;
    const char *state =
        visit->order ? sp_model_state(visit->order, visit->sure) : "checking";
    json_t *page = sp_model_page(ctx);
    int status = HTTP_OK;

    sp_json_set_text(page, "reference", visit->reference);
    if (visit->order) {
        sp_model_set_order(ctx, page, visit->order, view);
        add_money(ctx, page, visit->order, state, view);
    }
    else {
        sp_model_set_money(ctx, page, state, NULL);
    }
    if (strcmp(state, "checking") == 0 && apr_time_now() - visit->since >= LATE) {
        state = "late";
    }
    if (!strcmp(state, "checking") || !strcmp(state, "late") ||
        !strcmp(state, "processing")) {
        add_checking(r, ctx, page, visit);
    }
    add_next_step(ctx, page, state, view);
    if (view == SP_VIEW_BUYER && has_access(state)) {
        status = sp_auth_next_steps(ctx, page, visit->token, visit->reference);
    }
    json_object_set_new(page, "state", json_pack("{s:b}", state, 1));
    if (visit->answer_by && strcmp(state, "late") == 0) {
        sp_json_set_bool(json_object_get(page, "state"), "handed_over", 1);
        sp_model_set_time(ctx, page, "answer_by", visit->answer_by);
    }
    return sp_page_show(r, ctx, status, name, page);
}

/* Both ways back from the payment page: ask the provider, and say what is true. */
static int come_back(request_rec *r, sp_ctx_t *ctx, const char *name)
{
    visit_t visit;
    sp_outcome_t out;

    read_visit(r, &visit);
    if (!visit.token) {
        return sp_page_error(r, ctx, HTTP_NOT_FOUND, NULL, NULL);
    }
    ctx->patience = PATIENCE;
    out = sp_order_return(ctx, visit.token, visit.checkout_id, &visit.order);
    visit.sure = out == SP_DONE;
    if (visit.sure && !visit.order) {
        return sp_page_error(r, ctx, HTTP_NOT_FOUND, NULL, NULL);
    }
    if (out == SP_UNKNOWN && visit.order && !visit.order->processing) {
        visit.answer_by = sp_find_note_checking(ctx, visit.order);
    }
    return show(r, ctx, name, &visit);
}

int sp_handle_return(request_rec *r, sp_ctx_t *ctx)
{
    return come_back(r, ctx, "return");
}

int sp_handle_cancel(request_rec *r, sp_ctx_t *ctx)
{
    return come_back(r, ctx, "cancel");
}

/* A page polls every few seconds and the provider counts its calls, so one child asks
 * for one token every five seconds at most. Two tokens that share a slot only wait
 * for each other. */
static int may_ask(const char *token)
{
    static apr_uint32_t asked[256];
    apr_ssize_t len = APR_HASH_KEY_STRING;
    apr_uint32_t *slot = &asked[apr_hashfunc_default(token, &len) & 255];
    apr_uint32_t now = (apr_uint32_t)apr_time_sec(apr_time_now());
    apr_uint32_t last = apr_atomic_read32(slot);

    return now - last >= 5 && apr_atomic_cas32(slot, now, last) == last;
}

/* {reference, state, page, money, paid}: how the order stands in the database, what
 * the return page would show now, and which money line is true. */
static json_t *status_model(sp_ctx_t *ctx, const visit_t *visit)
{
    const char *page =
        visit->order ? sp_model_state(visit->order, visit->sure) : "checking";
    json_t *body = sp_json_object(ctx->pool);

    sp_json_set_text(body, "reference",
                     visit->order ? visit->order->reference : visit->reference);
    sp_json_set_text(body, "state", visit->order ? visit->order->state : "unknown");
    sp_json_set_text(body, "page", page);
    sp_json_set_text(body, "money", sp_model_money_word(page));
    sp_json_set_bool(body, "paid", !strcmp(sp_model_money_word(page), "paid"));
    return body;
}

/* GET /status - the script on the return page wants to know. */
int sp_handle_status(request_rec *r, sp_ctx_t *ctx)
{
    visit_t visit;
    sp_outcome_t out;

    read_visit(r, &visit);
    if (!visit.token) {
        return sp_json_error(r, HTTP_NOT_FOUND, "not_found", "No such order.", NULL);
    }
    ctx->patience = PATIENCE;
    if (may_ask(visit.token)) {
        out = sp_order_return(ctx, visit.token, visit.checkout_id, &visit.order);
        visit.sure = out == SP_DONE;
    }
    else {
        out = sp_order_look(ctx, visit.token, &visit.order);
    }
    if (out == SP_DONE && !visit.order) {
        return sp_json_error(r, HTTP_NOT_FOUND, "not_found", "No such order.", NULL);
    }
    return sp_json_show(r, HTTP_OK, status_model(ctx, &visit));
}

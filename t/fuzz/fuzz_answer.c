/*
 * fuzz_answer.c - whatever a provider answers to whatever it was asked.
 *
 * Room: tests. The first byte chooses the call; then answers, one behind the other with a
 * NUL between them: three digits of status, then the body. In place of util/http.c.
 */
#include "facts.h"
#include "../unit/stripe_world.h"
#include "provider/creem.h"
#include "util/http.h"

static world_t world;
static sp_order_t order;
static const char *answer, *answers_end;

sp_http_t *sp_http_create(apr_pool_t *pool)
{
    (void)pool;
    return NULL;
}

void sp_http_stop_when(sp_http_t *http, int (*stop)(void *baton), void *baton)
{
    (void)http;
    (void)stop;
    (void)baton;
}

/* Always: so that nothing is tried again, which would only take time here. */
int sp_http_stopping(const sp_http_t *http)
{
    (void)http;
    return 1;
}

sp_http_end_t sp_http_send(sp_http_t *http, apr_pool_t *pool,
                           const sp_http_ask_t *ask, sp_http_reply_t *reply)
{
    apr_size_t len = strlen(answer);

    (void)http;
    MUST(fuzz_is_line(ask->url));
    memset(reply, 0, sizeof(*reply));
    if (len < 3) {
        reply->why = "it ended";
        return SP_HTTP_LOST;
    }
    reply->headers = apr_table_make(pool, 1);
    reply->status =
        (answer[0] - '0') * 100 + (answer[1] - '0') * 10 + answer[2] - '0';
    reply->body = apr_pstrmemdup(pool, answer + 3, len - 3);
    reply->len = len - 3;
    answer += len + (answer + len < answers_end);
    return SP_HTTP_ANSWERED;
}

void fuzz_start(apr_pool_t *pool)
{
    world_start(&world);
    world.ctx.log = NULL;
    order.id = ORDER;
    order.reference = "SP-4KTM-9XQ7";
    order.token = "0123456789abcdef0123456789abcdef";
    order.email = "ana@example.com";
    order.product = "annual";
    order.title = "Annual plan";
    order.price.minor = 24900;
    memcpy(order.price.currency, "USD", 4);
    order.period = "1y";
    order.created_at = apr_time_now();
    (void)pool;
}

static void check_facts(apr_pool_t *pool, const apr_array_header_t *facts)
{
    int i;

    for (i = 0; i < facts->nelts; i++) {
        check_fact(pool, APR_ARRAY_IDX(facts, i, sp_fact_t *));
    }
}

static void list(sp_ctx_t *ctx,
                 sp_outcome_t (*call)(sp_ctx_t *, const sp_account_t *,
                                      const sp_list_ask_t *, sp_page_t *))
{
    sp_list_ask_t ask = { .limit = 100 };
    sp_page_t page;
    int i;

    if (call(ctx, &world.account, &ask, &page) != SP_DONE) {
        return;
    }
    check_facts(ctx->pool, page.facts);
    for (i = 0; i < page.unreadable->nelts; i++) {
        const sp_unreadable_t *bad =
            APR_ARRAY_IDX(page.unreadable, i, sp_unreadable_t *);

        MUST(bad->why && fuzz_is_line(bad->why));
        MUST(!bad->id || fuzz_is_line(bad->id));
    }
    MUST(!page.next || *page.next);
}

static void find(sp_ctx_t *ctx, const sp_provider_t *provider, const sp_find_t *what)
{
    apr_array_header_t *facts;

    if (provider->payments_find(ctx, &world.account, what, &facts) == SP_DONE) {
        check_facts(ctx->pool, facts);
    }
}

static void renewal(sp_ctx_t *ctx)
{
    apr_array_header_t *facts;

    if (sp_creem_renewal_fetch(ctx, &world.account, "sub_1", &facts) == SP_DONE) {
        check_facts(ctx->pool, facts);
    }
}

static void checkout(sp_ctx_t *ctx, const sp_provider_t *provider)
{
    sp_checkout_t made;

    if (provider->checkout_create(ctx, &world.account, &order, SITE "/return",
                                  SITE "/cancel", &made) == SP_DONE) {
        MUST(made.id && made.url && fuzz_is_line(made.url));
    }
}

static void endpoint(sp_ctx_t *ctx)
{
    sp_endpoint_t known;

    if (sp_stripe_endpoint_check(ctx, &world.account, SITE "/webhook/stripe",
                                 &known) == SP_DONE) {
        MUST(known.found || (!known.enabled && !known.missing));
    }
}

static sp_outcome_t fetch(sp_ctx_t *ctx, char what, sp_fact_t **fact)
{
    sp_refund_ask_t refund = { .key = "refund-1",
                               .payment_id = "pi_1",
                               .amount = order.price,
                               .reason = "duplicate",
                               .order_id = ORDER };

    switch (what) {
    case 'a':
        return sp_stripe_checkout_fetch(ctx, &world.account, "cs_test_1", fact);
    case 'b':
        return sp_stripe_checkout_find(ctx, &world.account, &order, fact);
    case 'c':
        return sp_stripe_payment_fetch(ctx, &world.account, "pi_1", fact);
    case 'd':
        return sp_stripe_refund(ctx, &world.account, &refund, fact);
    case 'A':
        return sp_creem_checkout_fetch(ctx, &world.account, "ch_1", fact);
    case 'C':
        return sp_creem_payment_fetch(ctx, &world.account, "ord_1", fact);
    case 'D':
        refund.payment_id = "ord_1";
        return sp_creem_refund(ctx, &world.account, &refund, fact);
    case 'T':
        return sp_creem_renewal_stop(ctx, &world.account, "sub_1", 1, fact);
    default:
        return SP_FAILED;
    }
}

void fuzz(apr_pool_t *pool, const char *text, apr_size_t len)
{
    sp_find_t by_email = { .email = "ana@example.com" };
    sp_find_t by_card = { .amount = order.price,
                          .day = apr_time_now(),
                          .last4 = "4242" };
    sp_ctx_t *ctx = &world.ctx;
    sp_fact_t *fact = NULL;

    if (len == 0) {
        return;
    }
    answer = text + 1;
    answers_end = text + len;
    ctx->pool = pool;
    ctx->say = ctx->code = NULL;
    switch (*text) {
    case 'p':
        list(ctx, sp_stripe_payments_list);
        break;
    case 'e':
        list(ctx, sp_stripe_events_list);
        break;
    case 'm':
        find(ctx, &sp_provider_stripe, &by_email);
        break;
    case 'f':
        find(ctx, &sp_provider_stripe, &by_card);
        break;
    case 'M':
        find(ctx, &sp_provider_creem, &by_email);
        break;
    case 'n':
        checkout(ctx, &sp_provider_stripe);
        break;
    case 'N':
        checkout(ctx, &sp_provider_creem);
        break;
    case 'U':
        renewal(ctx);
        break;
    case 'w':
        endpoint(ctx);
        break;
    default:
        if (fetch(ctx, *text, &fact) == SP_DONE) {
            MUST(fact);
            check_fact(pool, fact);
        }
    }
    MUST(!ctx->say || fuzz_is_line(ctx->say));
}

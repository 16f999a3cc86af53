/*
 * facts.h - what is promised of a fact, from whatever bytes it was read.
 *
 * Room: tests.
 */
#ifndef SUBPAY_T_FUZZ_FACTS_H
#define SUBPAY_T_FUZZ_FACTS_H

#include <jansson.h>
#include <string.h>

#include "db/fact.h"
#include "fuzz.h"
#include "model/fact.h"

/* The database takes it: it is JSON, each name comes once, no text holds a NUL. */
static inline void check_json(apr_pool_t *pool, const sp_fact_t *fact)
{
    const char *text = sp_fact_json(pool, fact);
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

    MUST(json_is_object(json));
    json_decref(json);
}

static inline void check_fact(apr_pool_t *pool, const sp_fact_t *fact)
{
    MUST(fact->provider);
    check_json(pool, fact);
    if (fact->kind == SP_FACT_IGNORED) {
        return;
    }
    MUST(!fact->mode || strcmp(fact->mode, "test") == 0 ||
         strcmp(fact->mode, "live") == 0);
    if (fact->kind == SP_FACT_PAYMENT_SUCCEEDED) {
        MUST(fact->payment_id && *fact->payment_id);
        MUST(fact->amount.currency[0] && fact->amount.minor >= 0);
    }
    MUST(!fact->ours || fact->order_id);
    MUST(strlen(fact->amount.currency) == 0 || strlen(fact->amount.currency) == 3);
}

#endif

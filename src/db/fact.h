/*
 * fact.h - a fact as the JSON document that subpay.settle() takes.
 *
 * Room: db, for its own files and for tests.
 */
#ifndef SUBPAY_DB_FACT_H
#define SUBPAY_DB_FACT_H

#include "model/fact.h"

/** One flat JSON object, absent members left out; in pool. */
const char *sp_fact_json(apr_pool_t *pool, const sp_fact_t *fact);

#endif

/*
 * fact.c - the words for a fact's kinds.
 *
 * Room: model.
 */
#include "model/fact.h"

const char *sp_fact_kind_word(sp_fact_kind_t kind)
{
    static const char *const words[] = {
        "ignored",          "payment.succeeded",  "payment.processing",
        "payment.failed",   "payment.void",       "checkout.open",
        "checkout.expired", "checkout.none",      "refund",
        "dispute",          "period.paid",        "period.failed",
        "renewal",          "payment.authorised", "warning",
    };

    return words[kind];
}

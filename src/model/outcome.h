/*
 * outcome.h - how every call that can go wrong ends.
 *
 * Room: model. Nouns only.
 */
#ifndef SUBPAY_MODEL_OUTCOME_H
#define SUBPAY_MODEL_OUTCOME_H

typedef enum sp_outcome_t {
    SP_DONE,    /* it happened, and we know it */
    SP_REFUSED, /* answered with no: ctx->say is fit to show, ctx->code names it */
    SP_UNKNOWN, /* no clear answer: it may or may not have happened */
    SP_FAILED   /* it certainly did not happen; logged, ctx->code says where */
} sp_outcome_t;

#endif

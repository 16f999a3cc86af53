/*
 * refund.pml - money going back, from a decision to our books, for spin.
 *
 * One payment of two units; two people who decide, each once, to send back one or both;
 * somebody who does it in the provider's own dashboard; a bank that disputes; a worker
 * that dies after each step and whose answers get lost; a provider that forgets its keys.
 *
 *   - one decision makes one refund at most, also where the key is forgotten;
 *   - never more goes back than came;
 *   - nothing is sent once a dispute was known when the worker looked;
 *   - in the end each decision is made, or before a person; and our books are the
 *     provider's.
 *
 * Each transition names the SQL function that makes it; one `atomic` is one transaction.
 *
 * FORGETFUL  the worker believes that keys are kept for ever (the checker must see it)
 */
#define PAID 2

mtype = { none, pending, sending, sent, dead };     /* outbox.state of a decision */

/* ---- the provider ---- */
byte total = 0;             /* what went back */
byte made[2];               /* refunds by our decisions */
bool keyed[2];              /* it knows this decision's key */
bool dispute = false;

/* ---- the database ---- */
mtype row[2] = none;             /* subpay.desk_refund wrote it down */
byte amount[2];
byte then[2];               /* payload: what had gone back, or was on its way */
byte tries[2];              /* outbox.attempts */
byte books = 0;             /* payments.amount_refunded */
bool disputed = false;      /* payments.disputed */
bool refunded = false;      /* orders.state */
bool ticket = false;        /* a person knows */

/* ---- time ---- */
bool old[2];                /* twenty hours since the decision */
bool fresh[2];              /* a worker is about to send, and found it not old */

#define ASKED(i) ((row[i] == pending || row[i] == sending) -> amount[i] : 0)

/* subpay.settle: subpay.refund_settle, or subpay.payment_settle with the running total.
 * A total only grows in our books, for what was heard may be old. */
inline settle(heard)
{
    atomic {
        if
        :: heard > books -> books = heard
        :: else
        fi;
        if
        :: books == PAID -> refunded = true         /* subpay.order_refund */
        :: else
        fi
    }
}

/* subpay.desk_refund: no more than what is left of it; never while it is disputed */
inline desk_refund(i, want)
{
    atomic {
        if
        :: row[i] == none && !disputed && books + ASKED(0) + ASKED(1) + want <= PAID ->
            row[i] = pending;
            amount[i] = want;
            then[i] = books + ASKED(1 - i)
        :: else
        fi
    }
}

/* The provider: once for each key that it knows, never more than came. */
inline provider_refund(i, ok)
{
    atomic {
        ok = true;
        if
        :: keyed[i]                                 /* the first answer again */
        :: !keyed[i] && total + amount[i] <= PAID ->
            total = total + amount[i];
            keyed[i] = true;
            made[i]++;
            assert(made[i] <= 1);
            assert(total <= PAID)
        :: !keyed[i] && total + amount[i] > PAID -> ok = false
        fi
    }
}

/* subpay.outbox_bury, with the ticket */
#define BURY(i) atomic { row[i] = dead; ticket = true; fresh[i] = false }
/* subpay.outbox_retry; or the worker died, and subpay.worker_release gives it free */
#define AGAIN(i) atomic { row[i] = pending; fresh[i] = false }

active [2] proctype person()
{
    if
    :: true -> desk_refund(_pid, 1)
    :: true -> desk_refund(_pid, 2)
    :: true
    fi
}

active proctype dashboard()
{
    if
    :: atomic { total + 1 <= PAID -> total++ }
    :: atomic { total + 2 <= PAID -> total = total + 2 }
    :: true
    fi
}

active proctype bank()
{
    if
    :: atomic { dispute = true }
    :: true
    fi
}

/* Keys live for a day; who looks at the clock knows four hours before. */
active proctype clock()
{
    byte i = 0;
end:
    do
    :: i < 2 && row[i] != none -> old[i] = true;
        atomic { !fresh[i] -> keyed[i] = false };
        i++
    :: i < 2 && row[i] == none -> i++
    :: i == 2 -> break
    od
}

/* One of them works at a time; each try may be the last of its process. */
active proctype worker()
{
    byte i, heard;
    bool ok;
end:
    do
    :: atomic { row[0] == pending -> i = 0; row[0] = sending }     /* subpay.outbox_claim */
        goto make
    :: atomic { row[1] == pending -> i = 1; row[1] = sending }
        goto make
    /* Events, and the provider's list of payments: heard sooner or later. */
    :: total > books -> settle(total)
    :: dispute && !disputed -> atomic { disputed = true }          /* subpay.dispute_settle */
    od;
make:
    tries[i] = (tries[i] < 2 -> tries[i] + 1 : 2);
    if
    :: disputed -> BURY(i); goto end                /* subpay.refund_allowed */
    :: else
    fi;
    if
    :: atomic { dispute -> disputed = true }; BURY(i); goto end
    :: atomic { !dispute -> heard = total;
#ifdef FORGETFUL
                fresh[i] = false }
#else
                fresh[i] = (tries[i] == 1 || !old[i]) }
#endif
    :: AGAIN(i); goto end                           /* no answer, or died */
    fi;
#ifndef FORGETFUL
    if
    :: !fresh[i] && heard >= then[i] + amount[i] -> /* it was made long ago */
        settle(heard);
        atomic { row[i] = sent };                   /* subpay.outbox_sent */
        goto end
    :: !fresh[i] && heard < then[i] + amount[i] -> BURY(i); goto end
    :: fresh[i]
    fi;
#endif
    provider_refund(i, ok);
    if
    :: !ok -> BURY(i)
    :: ok -> settle(total); atomic { row[i] = sent; fresh[i] = false }
    :: AGAIN(i)                                     /* the answer is lost, or died */
    fi;
    goto end
}

/* Nobody can act any more. */
active proctype judge()
{
    timeout -> assert(books == total);
    assert(refunded == (total == PAID));
    assert(row[0] != pending && row[0] != sending && row[1] != pending && row[1] != sending);
    assert((row[0] != dead && row[1] != dead) || ticket);
    assert(disputed == dispute)
}

/*
 * order.pml - the life of one order with all its roads, for spin.
 *
 * What is checked, in every order of steps, with processes that die anywhere, events
 * that are lost, repeated and reordered, and answers that are old when they are used:
 *
 *   - money that came ends in access, in a refund, or before a person, and stays there;
 *   - no order is completed twice, no welcome queued twice, no refund made twice;
 *   - what was completed never goes back to less.
 *
 * Each transition names the SQL function that makes it; one `atomic` is one transaction.
 * A process that dies is one that begins anew: nothing but the database remembers.
 * Who is only sometimes there (customer, webhook) acts a few times or never; the worker
 * acts for as long as it has a reason to. When nobody can act any more, all must be well:
 * a state with money and without a road to access would be such an end.
 *
 * EVENTS, ORDERS, OBJECTS  the layers of reconciliation that work (all, unless told)
 * LOSS                     the database may lose the order's row, once (a failover)
 * LOOKS                    how often each of two askers asks (2)
 * MISMATCH                 the amount that came is not the order's
 */
#ifndef LOOKS
#define LOOKS 2
#endif
#if !defined(EVENTS) && !defined(ORDERS) && !defined(OBJECTS)
#define EVENTS
#define ORDERS
#define OBJECTS
#endif

mtype = { absent, pending, completed, failed, cancelled, expired, review, refunded };
mtype = { none, open, complete, over };             /* the payment page */
mtype = { processing, taken, void };                /* the money; none: not yet */
mtype = { f_open, f_expired, f_none, f_processing, f_declined, f_void, f_paid, f_refund };

/* ---- the provider: it never forgets, and acts once for each key ---- */
mtype page = none;
mtype money = none;
bool declined = false;      /* an attempt failed; the page stays open */
bool sentback = false;      /* refunded in full */
byte refunds = 0;           /* that were made */

/* ---- the database ---- */
mtype state = absent;       /* orders.state */
bool known = false;         /* a row in payments */
bool left = false;          /* orders.left_at */
bool slow = false;          /* orders.processing */
bool ticket = false;        /* a person knows */
bool wanted = false;        /* a refund was asked for: its intent is committed */
byte completions = 0;       /* audit: order.completed */
byte welcomes = 0;          /* outbox: welcome */
bool was = false;           /* it has been completed */

#ifdef MISMATCH
#define MATCHES false
#else
#define MATCHES true
#endif

#define CLOSED(s) (s == completed || s == refunded || s == review)
#define HOME (state == completed || state == refunded || (state == review && ticket))

/* subpay.order_complete */
inline order_complete()
{
    state = completed;
    completions++;
    welcomes++;
    was = true;
    assert(completions == 1);
    assert(welcomes == 1);
}

/* subpay.payment_settle, after subpay.order_adopt where there is no row */
inline payment_settle()
{
    if
    :: state == absent -> state = pending
    :: else
    fi;
    known = true;           /* subpay.payment_store */
    if
    :: state == completed && sentback -> state = refunded    /* payment_again, order_refund */
    :: state == completed && !sentback                       /* payment_again: nothing */
    :: state == refunded
    :: (state != completed && state != refunded && sentback) -> state = refunded
    :: (state != completed && state != refunded && !sentback && !MATCHES) ->
        state = review;     /* subpay.order_review opens the ticket */
        ticket = true
    :: (state != completed && state != refunded && !sentback && MATCHES) ->
        order_complete()
    fi
}

/* subpay.refund_settle; one for a payment not seen yet waits (subpay.settle_refuse) */
inline refund_settle()
{
    if
    :: known && (state == completed || state == review) -> state = refunded
    :: else
    fi
}

/* subpay.order_note: everything that is no money */
inline order_note(fact)
{
    if
    :: state == absent || CLOSED(state)
    :: else ->
        if
        :: fact == f_processing && state != failed -> state = pending; slow = true
        :: fact == f_void -> state = failed; slow = false
        :: ((fact == f_open || fact == f_expired || fact == f_none) && state == pending && !slow) ->
            if
            :: left -> state = cancelled
            :: !left && fact != f_open -> state = expired
            :: else
            fi
        :: else
        fi
    fi
}

/* subpay.settle: the one door */
inline settle(fact)
{
    atomic {
        if
        :: fact == f_paid -> payment_settle()
        :: fact == f_refund -> refund_settle()
        :: else -> order_note(fact)
        fi;
        assert(!was || state == completed || state == refunded)
    }
}

/* What the provider answers when it is asked about the order now. */
inline ask(fact)
{
    atomic {
        if
        :: money == taken -> fact = f_paid
        :: money == processing -> fact = f_processing
        :: money == void -> fact = f_void
        :: money == none && page == open -> fact = f_open
        :: money == none && page == over -> fact = f_expired
        :: money == none && page == none -> fact = f_none
        fi
    }
}

/* An event that has happened; each comes as often and as late as it likes. */
inline event(fact)
{
    if
    :: money == taken -> fact = f_paid
    :: sentback -> fact = f_refund
    :: declined -> fact = f_declined
    :: page == over -> fact = f_expired
    :: money == void -> fact = f_void
    :: money != none -> fact = f_processing     /* told late, if it ever was so */
    fi
}

/* ---- who acts ---- */

/* The customer, and the httpd child that serves them: it may die after each commit. */
active proctype customer()
{
    atomic { state = pending };         /* subpay.order_place: the intent */
    if
    :: true                             /* died: the form is sent again, or never */
    :: true -> goto gone
    fi;
    atomic { page = open };             /* under the order's key: one page, however often */
    /* subpay.checkout_store adds the page's id; the roads find the order by ours */
    do
    :: page == open && money == none -> declined = true
    :: page == open -> left = true      /* subpay.order_cancel */
    :: page == open && money == none -> atomic { money = taken; page = complete }; break
    :: page == open && money == none -> atomic { money = processing; page = complete }; break
    :: page == open && money == none -> atomic { page = over }; break
    :: true -> break                    /* goes away and leaves the page open */
    od;
gone:
    skip
}

/* The bank decides about what is on its way; a page that nobody pays is over one day. */
active proctype bank()
{
end:
    do
    :: money == processing ->
        if
        :: money = taken
        :: money = void
        fi
    :: atomic { page == open && money == none -> page = over }
    od
}

/* Return page, self service, support's "recover", the worker's own questions: they ask,
 * then let in what they heard, which may be old by then; or they die in between. */
active [2] proctype asks()
{
    mtype fact = f_none;
    byte times = 0;
    do
    :: times < LOOKS && state != absent ->
        times++;
        ask(fact);
        if
        :: settle(fact)
        :: true                         /* died */
        fi;
        fact = f_none
    :: true -> break
    od
}

/* Sent as often as it likes, in any order, or never. */
active proctype webhook()
{
    mtype fact = f_none;
    byte times = 0;
    do
    :: atomic { times < 3 && (money != none || sentback || declined || page == over) ->
           times++; event(fact) };
        if
        :: settle(fact)
        :: true                         /* lost, or died before the commit */
        fi;
        fact = f_none
    :: true -> break
    od
}

/* The leader of the fleet: whatever dies, another one goes on. */
active proctype worker()
{
end:
    do
#ifdef EVENTS
    :: money == taken && !HOME -> settle(f_paid)        /* replay of events */
    :: sentback && known && state != refunded -> settle(f_refund)
#endif
#ifdef ORDERS
    :: money == taken && state != absent && !HOME -> settle(f_paid)     /* orders_due */
#endif
#ifdef OBJECTS
    :: money == taken && !HOME -> settle(f_paid)        /* the provider's payments */
    :: sentback && state != refunded -> settle(f_paid)
#endif
    /* The outbox: sent until it is answered, and under one key, so made once. */
    :: wanted && !sentback -> atomic { sentback = true; refunds++; assert(refunds == 1) }
    od
}

/* subpay.desk_refund commits the intent under a key: two people, one refund. */
active [2] proctype support()
{
    if
    :: atomic { (state == completed || state == review) && !wanted -> wanted = true }
    :: true
    fi
}

/* A failover to a standby that lacks the newest commits: the row is gone. */
#ifdef LOSS
active proctype failover()
{
    if
    :: atomic { page != none && !wanted ->
        state = absent; known = false; left = false; slow = false; ticket = false;
        completions = 0; welcomes = 0; was = false }
    :: true
    fi
}
#endif

/* Nobody can act any more: money is at home, and what went back is written down. */
active proctype judge()
{
    timeout -> assert(money != taken || HOME);
#if defined(EVENTS) || defined(OBJECTS)     /* the open orders know nothing of refunds */
    assert(!sentback || state == refunded)
#endif
}

-- invariants.sql: what must hold in a quiet database, as far as SQL alone can see it.
--
--     psql -At -f t/invariants.sql        as subpay_owner or a superuser
--
-- One SELECT for each invariant of the reliability contract; each row is a violation
-- (invariant, detail), no row at all is good. Safe on a database in use: it only reads;
-- what is on its way gets some minutes before it counts. Where SubPayReconcileInterval is
-- not the default: PGOPTIONS='-c subpay.reconcile_interval=300s'.
--
-- What the provider's own books and the pages and logs say (I1 and I5 in part, I11, I15)
-- is for the scenarios in t/scenario.

-- I1 One home: each payment, taken or held, is in one order, which is completed, refunded,
-- or in review with an open ticket; and each completed order has its payment. A refunded
-- order holds no other payment, unless a person has a ticket or it is on its way back. What is held
-- is taken or let go in time: by access, by somebody's decision, or a person has a ticket.
select 'I1' as invariant,
       format('payment %s: order %s is %s', p.payment_id, coalesce(o.reference, 'none'),
              coalesce(o.state, 'missing')) as detail
  from subpay.payments p
  left join subpay.orders o on o.id = p.order_id
 where p.amount_refunded < p.amount
   and (p.state <> 'released' or o.state = 'completed')
   and (o.id is null
        or p.state = 'released'
        or o.state not in ('completed', 'refunded', 'review')
        or o.state = 'review'
           and not exists (select from subpay.tickets t
                            where t.order_id = o.id and t.state <> 'solved'
                              and t.owner is not null and t.due_at is not null))
union all
select 'I1', format('payment %s: still here, and its order %s is refunded',
                    p.payment_id, o.reference)
  from subpay.payments p
  join subpay.orders o on o.id = p.order_id
 where o.state = 'refunded' and p.state <> 'released' and p.amount_refunded < p.amount
   and o.payment_id <> p.payment_id  -- that one may have gone back in part
   and not exists (select from subpay.periods q  -- each a period of its own
                    where q.payment_id = p.payment_id and q.provider = p.provider)
   and not exists (select from subpay.disputes d
                    where d.payment_id = p.payment_id and d.provider = p.provider
                      and d.status = 'lost')
   and not exists (select from subpay.outbox m
                    where m.order_id = o.id and m.kind = 'refund'
                      and m.state in ('pending', 'sending')
                      and m.payload ->> 'payment_id' = p.payment_id)
   and not exists (select from subpay.tickets t
                    where t.order_id = o.id and t.state <> 'solved')
union all
select 'I1', format('payment %s of order %s: held, and nobody takes it or lets it go',
                    p.payment_id, o.reference)
  from subpay.payments p
  left join subpay.orders o on o.id = p.order_id
 where p.state = 'held'
   and (o.id is null
        or coalesce(p.hold_until, p.paid_at + interval '7 days') < now() - interval '1 hour'
        or o.state = 'completed' and p.created_at < now() - interval '5 min'
           and not exists (select from subpay.outbox m
                            where m.order_id = o.id and m.kind in ('capture', 'refund')
                              and m.state in ('pending', 'sending')
                              and m.payload ->> 'payment_id' = p.payment_id)
           and not exists (select from subpay.tickets t
                            where t.order_id = o.id and t.state <> 'solved'))
union all
select 'I1', format('order %s: says that its money is held, and its payment is %s',
                    o.reference, p.state)
  from subpay.orders o
  join subpay.payments p on p.provider = o.provider and p.payment_id = o.payment_id
 where o.state = 'completed' and o.processing <> (p.state = 'held')
union all
select 'I1', format('order %s: completed without its payment', o.reference)
  from subpay.orders o
 where o.completed_at is not null
   and not exists (select from subpay.payments p
                    where p.provider = o.provider and p.payment_id = o.payment_id
                      and p.order_id = o.id);

-- I2 One subscription for each completed order: as long as what was bought and, where it
-- renews, as the periods that were paid; not begun before the payment; ended when all the
-- money went back.
select 'I2' as invariant,
       format('order %s: %s', o.reference,
              case when s.id is null then 'no subscription'
                   when s.starts_at < o.paid_at then 'access began before the payment'
                   when o.state = 'refunded' then 'refunded, and access goes on'
                   else 'not as long as what was bought' end) as detail
  from subpay.orders o
  left join subpay.subscriptions s on s.order_id = o.id
 where o.completed_at is not null
   and (s.id is null
        or s.starts_at < o.paid_at
        or s.expires_at is distinct from coalesce(
               (select greatest(p.until, subpay.period_after(s.starts_at,
                                    o.period + o.bonus_days * interval '1 day'))
                  from (select subpay.period_after(max(p.ends_at),
                                   s.starts_at - min(p.starts_at)
                                   + o.bonus_days * interval '1 day') as until
                          from subpay.periods p
                          join subpay.renewals r on r.renewal_id = p.renewal_id
                                                and r.provider = p.provider and not r.extra
                          join subpay.payments m on m.payment_id = p.payment_id
                                                and m.provider = p.provider
                         where p.order_id = o.id and p.state = 'paid'
                           and (m.amount = 0 or m.amount_refunded < m.amount)
                           and not exists (select from subpay.disputes d
                                            where d.payment_id = m.payment_id
                                              and d.provider = m.provider
                                              and d.status = 'lost')) p
                 where p.until is not null),
               subpay.period_after(s.starts_at,
                                   o.period + o.bonus_days * interval '1 day'))
        or o.state = 'refunded' and s.status = 'active');

-- I2b One renewal that charges for each order; and what nobody shall be charged for any
-- more is being stopped.
select 'I2' as invariant, format('order %s: renewal %s charges on', o.reference, r.renewal_id)
           as detail
  from subpay.renewals r
  join subpay.orders o on o.id = r.order_id
 where r.state = 'active' and (r.extra or o.state = 'refunded')
   and (r.wanted is distinct from 'stop' or r.next_ask_at < now() - interval '2 hours'
        or r.next_ask_at is null);

-- I3 One welcome for each completed order: confirmation or "sorry for the wait". (What a
-- person sent again on request is another one, under a key of its own.)
select 'I3' as invariant, format('order %s: %s welcomes', o.reference, count(m.id)) as detail
  from subpay.orders o
  left join subpay.outbox m on m.order_id = o.id and m.kind = 'mail'
                           and m.template in ('confirmation', 'recovered')
                           and m.dedupe_key not like 'resend:%'
 where o.completed_at is not null
 group by o.id
having count(m.id) <> 1;

-- I4 No free ride: active access stands on a completed order and a payment that was
-- neither refunded in full nor lost in a dispute; or on a grant of two people, with an
-- end and a row in the audit.
select 'I4' as invariant,
       format('subscription %s of order %s stands on nothing', s.id, o.reference) as detail
  from subpay.subscriptions s
  join subpay.orders o on o.id = s.order_id
 where s.status = 'active' and (s.expires_at is null or s.expires_at > now())
   and o.state <> 'refunded'  -- then it is I2's
   and not exists (select from subpay.grants g
                     join subpay.audit a on a.order_id = g.order_id
                                        and a.action = 'support.grant'
                                        and a.actor = g.given_by
                    where g.order_id = o.id and o.completed_at is null
                      and s.expires_at is not null)
   and (o.completed_at is null
        or not exists (
           select from subpay.payments p
            where p.provider = o.provider and p.payment_id = o.payment_id
              and p.state <> 'released'
              and (p.amount_refunded < p.amount or p.amount = 0)
              and not exists (select from subpay.disputes d
                               where d.provider = p.provider
                                 and d.payment_id = p.payment_id and d.status = 'lost')));

-- I5 Refunds never exceed the payment, and the totals agree with the single ones.
select 'I5' as invariant,
       format('payment %s: refunds of %s, total %s, paid %s', p.payment_id, sum(r.amount),
              p.amount_refunded, p.amount) as detail
  from subpay.payments p
  join subpay.refunds r on r.provider = p.provider and r.payment_id = p.payment_id
                       and r.status in ('pending', 'succeeded')
 group by p.provider, p.payment_id
having sum(r.amount) > p.amount or sum(r.amount) > p.amount_refunded
union all
select 'I5', format('payment %s: one decision to refund it was written down twice',
                    m.payload ->> 'payment_id')
  from subpay.outbox m
 where m.kind = 'refund' and m.payload ->> 'why' is not null and m.state <> 'dead'
 group by m.payload ->> 'provider', m.payload ->> 'payment_id'
having count(*) > 1;

-- I6 Ledger: entries sum to the balance, and each entry says the balance it left.
select 'I6' as invariant,
       format('account %s: balance %s, entries %s', a.id, a.credits, l.total) as detail
  from subpay.accounts a
 cross join lateral (select coalesce(sum(t.amount), 0) as total
                       from subpay.credit_transactions t where t.account_id = a.id) l
 where a.credits <> l.total or a.credits < 0
union all
select 'I6', format('entry %s: says %s, the sum is %s', l.id, l.balance_after, l.total)
  from (select t.id, t.balance_after,
               sum(t.amount) over (partition by t.account_id order by t.id) as total
          from subpay.credit_transactions t) l
 where l.balance_after <> l.total
union all
select 'I6', format('period %s of order %s: its money %s, and %s of its %s credits are with us',
                    p.invoice_id, o.reference, case when g.gone then 'is gone' else 'is ours' end,
                    -l.moved, t.amount)
  from subpay.periods p
  join subpay.orders o on o.id = p.order_id
  join subpay.payments m on m.provider = p.provider and m.payment_id = p.payment_id
  join subpay.credit_transactions t on t.order_id = p.order_id
                                   and t.reason = 'renewal:' || p.invoice_id
 cross join lateral (select m.amount > 0 and m.amount_refunded = m.amount
                            or exists (select from subpay.disputes d
                                        where d.provider = m.provider
                                          and d.payment_id = m.payment_id
                                          and d.status = 'lost') as gone) g
 cross join lateral (select coalesce(sum(c.amount), 0) as moved
                       from subpay.credit_transactions c
                      where c.order_id = p.order_id
                        and c.reason ~ ('^renewal_(refund|restored):' || p.invoice_id
                                        || '(:\d+)?$')) l
 where p.state = 'paid'
   and (g.gone <> (p.credits_taken is not null)
        or -l.moved <> coalesce(p.credits_taken, 0));

-- I7 Paid twice: of two live payments for one person and plan inside the duplicate
-- window, one is refunded, or a person has a ticket, within five minutes.
select 'I7' as invariant,
       format('orders %s and %s: the same plan, both paid', o1.reference, o2.reference)
           as detail
  from subpay.orders o2
  join subpay.subscriptions s2 on s2.order_id = o2.id and s2.status = 'active'
  join subpay.subscriptions s1 on s1.account_id = s2.account_id
                              and s1.product = s2.product and s1.status = 'active'
  join subpay.orders o1 on o1.id = s1.order_id
 cross join subpay.settings r
 where (o1.completed_at, o1.id) < (o2.completed_at, o2.id)
   and o2.completed_at - o1.completed_at < r.duplicate_window
   and o2.completed_at < now() - interval '5 min'
   and not exists (select from subpay.tickets t
                    where t.kind = 'duplicate' and t.order_id in (o1.id, o2.id))
union all
select 'I7', format('order %s: paid %s times', o.reference, count(*))
  from subpay.orders o
  join subpay.payments p on p.order_id = o.id and p.amount_refunded < p.amount
                        and p.state = 'taken'
 where o.state = 'completed'
   and not exists (select from subpay.periods q  -- each a period of its own
                     join subpay.renewals r on r.renewal_id = q.renewal_id
                                           and r.provider = q.provider and not r.extra
                    where q.payment_id = p.payment_id and q.provider = p.provider)
   and not exists (select from subpay.tickets t
                    where t.kind in ('duplicate', 'review') and t.order_id = o.id)
 group by o.id
having count(*) + exists (select from subpay.periods q
                           where q.order_id = o.id and q.state = 'paid')::int > 1
   and max(p.created_at) < now() - interval '5 min';

-- I8 Events: each ends processed, ignored with a reason, or parked with a ticket; those
-- still to be done are being done; and "processed" means that the effect is there.
select 'I8' as invariant,
       format('event %s: %s', e.event_id,
              case when e.state = 'parked' then 'parked, and no ticket says so'
                   when e.state = 'processed' then 'processed, and its order is ' || o.state
                   else e.state || ', and nobody tries it again' end) as detail
  from subpay.provider_events e
  left join subpay.orders o on o.id = e.order_id
 where e.state = 'parked'
       and not exists (select from subpay.tickets t
                        where t.kind in ('poison', 'unreadable')
                          and t.dedupe_key in (subpay.poison_key(e.fact),
                                  'unreadable:' || e.provider || ':' || e.event_id))
    or e.state in ('received', 'failed') and e.next_try_at < now() - interval '15 min'
    or e.state = 'processed' and e.kind in ('payment.succeeded', 'payment.authorised', 'period.paid')
       and o.state not in ('completed', 'refunded', 'review')
    or e.state = 'processed' and e.kind = 'period.paid'
       and not exists (select from subpay.periods p
                        where p.provider = e.provider and p.state = 'paid'
                          and p.invoice_id = e.fact ->> 'invoice_id');

-- I9 Order does not matter: completed once, and never anything lower afterwards.
select 'I9' as invariant, format('order %s: %s after it was completed', a.order_id, b.action)
           as detail
  from subpay.audit a
  join subpay.audit b on b.order_id = a.order_id and b.id > a.id
                     and b.action in ('order.completed', 'order.failed', 'order.cancelled',
                                      'order.expired', 'order.review', 'order.pending',
                                      'order.adopted')
 where a.action = 'order.completed';

-- I10 Audit: no effect without its row, no row without its effect.
select 'I10' as invariant, format('order %s: completed, and nothing says by whom', o.reference)
           as detail
  from subpay.orders o
 where o.completed_at is not null
   and not exists (select from subpay.audit a
                    where a.order_id = o.id and a.action = 'order.completed'
                      and a.actor = o.completed_by)
union all
select 'I10', format('order %s: said to be %s, and is not', o.reference, a.after ->> 'state')
  from subpay.audit a
  join subpay.orders o on o.id = a.order_id
 where a.action = 'order.completed' and o.completed_at is null
    or a.action = 'order.refunded' and o.state <> 'refunded'
       -- unless that refund failed afterwards, which is written down as well
       and not exists (select from subpay.audit b
                        where b.order_id = a.order_id and b.id > a.id
                          and b.action in ('order.restored', 'order.completed'))
    or a.action = 'order.restored' and o.state = 'refunded'
       and not exists (select from subpay.audit b
                        where b.order_id = a.order_id and b.id > a.id
                          and b.action = 'order.refunded')
union all
select 'I10', format('payment %s: refunded by our own doing, and nothing says by whom',
                     m.payload ->> 'payment_id')
  from subpay.outbox m
 where m.kind = 'refund' and m.state = 'sent'
   and not exists (select from subpay.audit a
                    where a.order_id = m.order_id
                      and a.action in ('support.refund', 'support.refund_duplicate',
                                       'refund.duplicate', 'refund.unasked', 'hold.let_go'));

-- I12 Outbox: each row is sent, due later, or dead with somebody told; and what is to be
-- mailed has one address to go to.
select 'I12' as invariant,
       format('outbox %s (%s): %s', m.id, m.kind,
              case when m.state = 'dead' then 'dead, and nobody was told'
                   when m.state in ('pending', 'sending') then 'overdue'
                   else 'no address' end) as detail
  from subpay.outbox m
 where m.state = 'dead' and m.kind = 'mail'
       and not exists (select from subpay.tickets t
                        where t.dedupe_key = 'dead_mail:' || m.id)
    or m.state in ('pending', 'sending') and m.next_try_at < now() - interval '5 min'
    or m.kind = 'mail' and not subpay.email_plausible(m.recipient);

-- I13 Watermark: never ahead of what has been seen; nothing is seen before it happens.
select 'I13' as invariant, format('watermark %s is ahead of now: %s', w.name, w.at) as detail
  from subpay.watermarks w
 where w.at > now() + interval '1 min';

-- I14 Silence is loud: the last good run is younger than three intervals, or an alert is
-- out. (Counts from the beginning of the first run on: a shop without a worker has none.)
select 'I14' as invariant,
       format('the last good run was at %s, and no alert is open', max(r.finished_at)) as detail
  from subpay.runs r
 where r.ok and r.kind in ('events', 'objects', 'orders', 'healing')
having exists (select from subpay.runs)
   and coalesce(max(r.finished_at), (select min(f.started_at) from subpay.runs f))
       < now() - 3 * coalesce(
           nullif(current_setting('subpay.reconcile_interval', true), ''), '60 s')::interval
   and not exists (select from subpay.alerts a
                    where a.closed_at is null and a.level in ('page', 'today'));

-- subpay.anomalies: what does not fit together in our own rows, of any age.
--
-- no_subscription  completed, and grants nothing: mend
-- mail_not_sent    completed, and no welcome was ever queued: mend
-- ledger           an account's entries do not sum to its balance
-- review           waits for a person, and no open ticket says so: mend
-- duplicate        two live orders for one account and plan inside the duplicate
--                  window, neither refunded nor ticketed: mend
-- hold_waits       access is there, the money is held, and nothing takes it: mend
-- hold_late        the same, tried in vain for a day: mend (a person is told)
-- hold_ends        in review, and the bank keeps the money for less than a day (five days
--                  in all, where it has not told): mend (it is let go, which costs the
--                  customer nothing)
-- ticket_late      an open ticket past its due time
--
-- Each looks at what is new or open, by index, and never at what is old and done:
-- completed orders are looked at for two days, accounts by their newest entries.
create or replace function subpay.anomalies()
returns table (code text, order_id uuid, reference text, detail text)
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
begin
    return query
        select 'no_subscription', o.id, o.reference, 'completed without a subscription'
          from orders o
         where o.completed_at > now() - interval '2 days' and o.state = 'completed'
           and not exists (select from subscriptions s where s.order_id = o.id)
        union all
        select 'mail_not_sent', o.id, o.reference, 'completed without a welcome'
          from orders o
         where o.completed_at > now() - interval '2 days' and o.state = 'completed'
           and not exists (select from outbox m where m.dedupe_key = 'welcome:' || o.id)
        union all
        select 'ledger', null, null,
               format('account %s: entries sum to %s, balance is %s', a.id, l.total,
                      a.credits)
          from accounts a
         cross join lateral (select coalesce(sum(t.amount), 0) as total
                               from credit_transactions t
                              where t.account_id = a.id) l
         where a.id in (select t.account_id from credit_transactions t
                         order by t.id desc limit 1000)
           and l.total <> a.credits
        union all
        select 'review', o.id, o.reference, 'in review without an open ticket'
          from orders o
         where o.state = 'review'
           and not exists (select from tickets t
                            where t.order_id = o.id and t.state <> 'solved')
        union all
        select 'duplicate', o.id, o.reference, 'the same plan bought twice'
          from orders o
          join subscriptions s on s.order_id = o.id and s.status = 'active'
          join subscriptions s2 on s2.account_id = s.account_id
                               and s2.product = s.product and s2.status = 'active'
                               and s2.created_at < s.created_at
         cross join settings r
         where o.completed_at > now() - interval '2 days' and o.state = 'completed'
           and s.created_at - s2.created_at < r.duplicate_window
           and not exists (select from tickets t
                            where t.kind = 'duplicate'
                              and t.order_id in (s.order_id, s2.order_id))
           and not exists (select from outbox m
                            where m.order_id = s.order_id and m.kind = 'refund'
                              and m.state in ('pending', 'sending'))
        union all
        select case o.state when 'review' then 'hold_ends' else 'hold_waits' end, o.id,
               o.reference, format('payment %s is held', p.payment_id)
          from payments p
          join orders o on o.id = p.order_id
         where p.state = 'held'
           and (o.state = 'completed' and o.payment_id = p.payment_id
                and p.created_at < now() - interval '2 min'
                or o.state = 'review'
                and coalesce(p.hold_until, p.paid_at + interval '5 days')
                    < now() + interval '1 day')
           and not exists (select from outbox m
                            where m.order_id = o.id and m.kind in ('capture', 'refund')
                              and m.state in ('pending', 'sending')
                              and m.payload ->> 'payment_id' = p.payment_id)
           and not exists (select from tickets t
                            where t.dedupe_key = 'capture_failed:' || p.payment_id
                              and t.state <> 'solved')
        union all
        select 'hold_late', o.id, o.reference,
               format('payment %s is held for more than a day', p.payment_id)
          from payments p
          join orders o on o.id = p.order_id and o.payment_id = p.payment_id
          join outbox m on m.order_id = o.id and m.kind = 'capture'
                       and m.state in ('pending', 'sending')
                       and m.created_at < now() - interval '1 day'
         where p.state = 'held' and o.state = 'completed'
           and not exists (select from tickets t
                            where t.dedupe_key = 'capture_late:' || p.payment_id)
        union all
        select 'ticket_late', t.order_id, null,
               format('ticket %s was due %s', t.reference, t.due_at)
          from tickets t
         where t.state <> 'solved' and t.due_at < now();
end
$$;

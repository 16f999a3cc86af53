-- subpay.person_holds: what stands against forgetting a person now; null: nothing.
--
-- renews   the provider will charge again: the renewal is to be stopped first
-- open     an order of theirs is still to be paid or its money to be taken, or a person
--          has yet to decide about it: money that came then would be for nothing
-- dispute  the bank asks: the answer needs their name (in_reason passes)
-- access   they have paid for access that goes on (in_reason passes, and ends it)
-- waiting  something about them is about to leave: a mail (one that is tried in vain does
--          not count), a refund, or whose access ended, for the application
-- Internal.
create or replace function subpay.person_holds(
    in_orders uuid[], in_tickets bigint[], in_email text, in_reason text)
returns text
language sql stable
as $$
    select case
        when exists (select from subpay.renewals r
                      where r.order_id = any (in_orders) and r.state = 'active')
            then 'renews'
        when exists (select from subpay.orders o
                      where o.id = any (in_orders)
                        -- next_ask_at: closed here, its page may still be paid
                        and (o.state in ('pending', 'review') or o.next_ask_at is not null))
          or exists (select from subpay.payments p
                      where p.order_id = any (in_orders) and p.state = 'held')
            then 'open'
        when in_reason is null and exists (
                select from subpay.payments p
                  join subpay.disputes d using (provider, payment_id)
                 where p.order_id = any (in_orders)
                   and d.status in ('warning', 'open', 'under_review'))
            then 'dispute'
        when in_reason is null and exists (
                select from subpay.subscriptions s
                 where s.order_id = any (in_orders) and s.status = 'active'
                   and coalesce(s.expires_at, 'infinity') > now())
            then 'access'
        when exists (
                select from subpay.outbox m
                 where m.state in ('pending', 'sending')
                   and m.kind not in ('alert', 'heartbeat')
                   and (m.kind <> 'mail' or m.attempts = 0 or m.state = 'sending')
                   and (m.order_id = any (in_orders) or m.ticket_id = any (in_tickets)
                        or subpay.email_fold(m.recipient) = subpay.email_fold(in_email)))
            then 'waiting' end
$$;

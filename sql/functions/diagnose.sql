-- subpay.diagnose: what is the matter with an order, in one word for support and CLI.
--
-- disputed, refunded, review, duplicate, no_subscription, mail_not_sent, expired (its
-- access ran out, or its payment page closed unpaid), healthy, order_without_payment
-- (completed without a payment row, or access that was granted), paid_stuck (a payment
-- is here and the order is not completed), fraud_warning (a person has not decided yet),
-- never_charged.
-- Whether the provider knows of money that we do not (paid_no_order, paid_stuck) is for
-- the caller to ask. Internal.
create or replace function subpay.diagnose(in_order uuid) returns text
language plpgsql stable
as $$
begin
    return (select case
        when o.state = 'review' then 'review'
        when o.state = 'refunded' then 'refunded'
        when exists (select from payments p where p.order_id = o.id and p.disputed
                        and not exists (
                            select from disputes d
                             where d.payment_id = p.payment_id and d.provider = p.provider
                            having bool_and(d.status in ('won', 'closed'))))
            then 'disputed'
        when o.state = 'completed' and not exists (
                 select from payments p
                  where p.order_id = o.id and p.payment_id = o.payment_id)
            then 'order_without_payment'
        when o.state <> 'completed' and exists (
                 select from payments p
                  where p.order_id = o.id and p.amount_refunded < p.amount
                    and p.state <> 'released')
            then 'paid_stuck'
        when o.state <> 'completed' and s.status = 'active' then 'order_without_payment'
        when o.state = 'expired' then 'expired'
        when o.state <> 'completed' then 'never_charged'
        when exists (select from tickets t
                      where t.order_id = o.id and t.kind = 'duplicate'
                        and t.state <> 'solved') then 'duplicate'
        when exists (select from tickets t
                      where t.order_id = o.id and t.kind = 'fraud_warning'
                        and t.state <> 'solved') then 'fraud_warning'
        when s.id is null then 'no_subscription'
        -- Fresh and on its way is no trouble; refused, given up or late is.
        when not exists (select from outbox m
                          where m.order_id = o.id and m.kind = 'mail'
                            and m.template in ('confirmation', 'recovered')
                            and (m.state = 'sent'
                                 or m.state <> 'dead' and m.last_error is null
                                    and m.created_at > now() - interval '1 min'))
            then 'mail_not_sent'
        when greatest(s.expires_at, s.grace_until) < now() then 'expired'
        else 'healthy'
    end
      from orders o
      left join subscriptions s on s.order_id = o.id
     where o.id = in_order);
end
$$;

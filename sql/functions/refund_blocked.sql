-- subpay.refund_blocked: what keeps a payment from being refunded now: 'disputed', or
-- 'under_way' while one is on its way or nobody knows whether it was made; null for
-- nothing. An inquiry has moved no money, so a person may end it by a refund; the machine
-- leaves it alone as well. Internal.
create or replace function subpay.refund_blocked(
    in_provider text, in_payment text, in_person boolean default false)
returns text
language sql stable
as $$
    select case
        when exists (
            select from subpay.payments p
             where p.provider = in_provider and p.payment_id = in_payment and p.disputed
               and not exists (
                   select from subpay.disputes d
                    where d.provider = p.provider and d.payment_id = p.payment_id
                   having bool_and(d.status in ('won', 'closed')
                                   or in_person and d.status = 'warning')))
            then 'disputed'
        when exists (
            select from subpay.outbox m
             where m.kind = 'refund' and m.state in ('pending', 'sending')
               and m.order_id = (select p.order_id from subpay.payments p
                                  where p.provider = in_provider
                                    and p.payment_id = in_payment)
               and m.payload ->> 'payment_id' = in_payment)
            then 'under_way' end
$$;

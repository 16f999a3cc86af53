-- subpay.refund_allowed: may the worker make this refund now? Asked right before the
-- provider is: since the decision a dispute may have come, and the money with it.
create or replace function subpay.refund_allowed(in_provider text, in_payment text)
returns boolean
language sql stable security definer
set search_path = subpay, pg_temp
as $$
    select not exists (
        select from subpay.payments p
         where p.provider = in_provider and p.payment_id = in_payment and p.disputed
           and not exists (select from subpay.disputes d
                            where d.provider = p.provider and d.payment_id = p.payment_id
                           having bool_and(d.status in ('won', 'closed'))))
$$;

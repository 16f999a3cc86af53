-- subpay.capture_allowed: may the worker take this money now? Asked right before the
-- provider is. Only what is held, for an order that has got what was ordered, and that
-- nobody has decided to give back meanwhile.
create or replace function subpay.capture_allowed(in_provider text, in_payment text)
returns boolean
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return exists (
        select from payments p
          join orders o on o.id = p.order_id and o.payment_id = p.payment_id
          join subscriptions s on s.order_id = o.id
         where p.provider = in_provider and p.payment_id = in_payment
           and p.state = 'held' and o.state = 'completed'
           and not exists (select from outbox m
                            where m.order_id = o.id and m.kind = 'refund'
                              and m.state in ('pending', 'sending')
                              and m.payload ->> 'payment_id' = p.payment_id
                              and (m.payload ->> 'amount')::bigint = p.amount));
end
$$;

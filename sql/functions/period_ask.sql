-- subpay.period_ask: a period was paid, and the fact does not tell by which payment: let
-- the worker ask the provider about the order or the renewal now. Internal.
create or replace function subpay.period_ask(in_fact subpay.fact, in_order subpay.orders)
returns void
language plpgsql
as $$
begin
    update orders o
       set next_ask_at = now(), checkout_id = coalesce(o.checkout_id, in_fact.checkout_id)
     where o.id = in_order.id and o.state not in ('completed', 'refunded', 'review');
    if not found and in_order.id is not null and in_fact.renewal_id is not null then
        perform renewal_open(in_order, in_fact);
        update renewals r
           set next_ask_at = least(r.next_ask_at, now())
         where r.provider = in_fact.provider and r.renewal_id = in_fact.renewal_id;
    end if;
end
$$;

-- subpay.order_ask_after: when to ask the provider about this order next.
--
-- At the age of 1 min, 5 min and 1 h, then daily, without end: no clock closes an order.
-- A closed one is asked about daily while its payment page may still take money, and a
-- day longer; null once there is nothing left to ask. Internal.
create or replace function subpay.order_ask_after(in_order subpay.orders)
returns timestamptz
language plpgsql stable
as $$
declare
    age constant interval := now() - in_order.created_at;
begin
    return case
        when in_order.state in ('completed', 'refunded', 'review') then null
        when in_order.state <> 'pending'
             and now() > coalesce(in_order.checkout_expires_at,
                                  in_order.created_at + interval '1 day') + interval '1 day'
            then null
        when in_order.state <> 'pending' then now() + interval '1 day'
        when age < interval '1 min' then in_order.created_at + interval '1 min'
        when age < interval '5 min' then in_order.created_at + interval '5 min'
        when age < interval '1 hour' then in_order.created_at + interval '1 hour'
        else now() + interval '1 day'
    end;
end
$$;

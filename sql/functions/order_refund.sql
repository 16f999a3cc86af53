-- subpay.order_refund: the money has gone back, or was never taken (then the order says so:
-- failure is "released"); so does what it bought. Internal.
create or replace function subpay.order_refund(
    in_order subpay.orders, in_payment subpay.payments, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    o constant subpay.orders := order_follow(in_order, in_payment, in_actor,
                                             in_gone => true);
begin
    if o.state <> 'refunded' then  -- paid once more, and that is still here
        return settle_answer('updated', null, o);
    end if;
    return settle_answer('closed', 'refunded', o);
end
$$;

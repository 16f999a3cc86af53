-- subpay.order_refund: the money has gone back, or was never taken (then the order says so:
-- failure is "released"); so does what it bought. Internal.
create or replace function subpay.order_refund(
    in_order subpay.orders, in_payment subpay.payments, in_actor text)
returns subpay.settled
language plpgsql
as $$
begin
    return settle_answer('closed', 'refunded',
                         order_follow(in_order, in_payment, in_actor, in_gone => true));
end
$$;

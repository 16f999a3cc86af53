-- subpay.payment_void: the provider says that no money will come of this payment. The
-- order's row is locked. What the bank held for us until now is released; a payment that
-- never got so far is the order's to note. Internal.
create or replace function subpay.payment_void(
    in_order subpay.orders, in_fact subpay.fact, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    p subpay.payments;
begin
    select * into p from payments h
     where h.provider = in_fact.provider and h.payment_id = in_fact.payment_id;
    if p.state = 'held' and p.order_id = in_order.id then
        return hold_released(in_order, p, in_actor);
    elsif p.state is not null and in_fact.kind = 'payment.void' then
        return settle_answer('already', case p.state when 'released' then 'released' end,
                             in_order);
    end if;
    return order_note(in_order, in_fact, in_actor);
end
$$;

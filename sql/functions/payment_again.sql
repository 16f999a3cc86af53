-- subpay.payment_again: a payment for an order that is completed already: mostly the
-- same one once more, perhaps refunded by now, or that of a renewal; or a second one: then
-- the customer has paid twice, and gets it back, unasked or by a person; one that is only
-- held is let go. Internal.
create or replace function subpay.payment_again(
    in_order subpay.orders, in_payment subpay.payments, in_changed boolean, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    verdict constant text := case when in_changed then 'updated' else 'already' end;
    gone constant boolean := in_payment.amount_refunded = in_payment.amount;
    own constant boolean := in_payment.payment_id is not distinct from in_order.payment_id;
    o subpay.orders;
begin
    if not own then
        if in_order.renews and payment_part(in_order, in_payment) = 'renewal' then
            return settle_answer(verdict, null, in_order);  -- of a renewal, as it should
        elsif in_payment.state = 'held' then
            perform hold_let_go(in_order.id, in_payment, 'system');
        elsif not gone and not refund_duplicate(in_order, in_payment, in_order) then
            perform ticket_open('duplicate', 'duplicate:' || in_payment.payment_id,
                'An order was paid twice', in_order.id, in_order.email,
                format('Order %s is %s with payment %s, and %s arrived as well.'
                       ' Refund one of them.', in_order.reference, in_order.state,
                       in_order.payment_id, in_payment.payment_id));
        end if;
        return settle_answer(verdict, 'paid_twice', in_order);
    end if;
    o := order_follow(in_order, in_payment, in_actor);
    if o.state <> in_order.state then
        return settle_answer('closed', o.state, o);
    end if;
    return settle_answer(verdict, null, o);
end
$$;

-- subpay.order_restore: a refund that had closed this order has failed: the money is ours
-- again, so the order is what it was. The customer has what was paid for until a person
-- has found a way that works. Internal.
create or replace function subpay.order_restore(
    in_order subpay.orders, in_payment subpay.payments, in_actor text)
returns subpay.orders
language plpgsql
as $$
declare
    o subpay.orders;
begin
    update orders set state = 'completed', updated_at = now()
     where id = in_order.id
    returning * into o;
    perform audit_add(in_actor, 'order.restored', o.id, null,
        'a refund of payment ' || in_payment.payment_id || ' has failed',
        jsonb_build_object('state', in_order.state),
        jsonb_build_object('state', o.state));
    return o;
end
$$;

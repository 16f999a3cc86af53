-- subpay.order_review_again: what a refund had settled is a person's question again, since
-- that refund has failed. Internal.
create or replace function subpay.order_review_again(
    in_order subpay.orders, in_payment subpay.payments, in_actor text)
returns subpay.orders
language plpgsql
as $$
declare
    o subpay.orders;
    ticket bigint;
begin
    update orders set state = 'review', updated_at = now()
     where id = in_order.id
    returning * into o;
    perform audit_add(in_actor, 'order.restored', o.id, null,
        'a refund of payment ' || in_payment.payment_id || ' has failed',
        jsonb_build_object('state', in_order.state),
        jsonb_build_object('state', o.state));
    ticket := ticket_open('review', 'review:' || o.id, 'A payment does not match its order',
        o.id, coalesce(o.email, in_payment.email),
        format('Payment %s came for order %s; what does not match: %s. A refund of it has'
               ' failed.', in_payment.payment_id, o.reference, o.review_reason));
    update tickets t
       set state = 'open', solved_at = null, due_at = now() + interval '4 hours',
           updated_at = now()
     where t.id = ticket and t.state = 'solved';
    return o;
end
$$;

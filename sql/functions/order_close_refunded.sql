-- subpay.order_close_refunded: an order whose money has gone back. What a person was asked
-- about it is answered by that. Internal.
create or replace function subpay.order_close_refunded(
    in_order subpay.orders, in_payment subpay.payments, in_actor text)
returns subpay.orders
language plpgsql
as $$
declare
    o subpay.orders;
    kind text;
    beside constant text := case when not in_order.renews  -- else those of its periods
                                 then payment_beside(in_payment) end;
begin
    if in_order.state = 'refunded' then
        return in_order;
    end if;
    -- review_reason stays: should the refund fail, the same question is open again.
    update orders
       set state = 'refunded', processing = false,
           payment_id = coalesce(payment_id, in_payment.payment_id),
           failure = case when in_payment.state = 'released' then 'released' end,
           paid_at = coalesce(paid_at, least(in_payment.paid_at, now())),
           checkout_url = null, next_ask_at = null, updated_at = now()
     where id = in_order.id
    returning * into o;
    perform audit_add(in_actor, 'order.refunded', o.id,
        (select s.account_id from subscriptions s where s.order_id = o.id),
        'payment ' || in_payment.payment_id || case
            when in_payment.state = 'released' then ' was released, not taken'
            when in_payment.amount_refunded < in_payment.amount
                 and in_payment.amount_refunded > 0 then ' was refunded in part'
            else ' was refunded in full' end,
        jsonb_build_object('state', in_order.state),
        jsonb_build_object('state', o.state));
    if beside is not null then
        -- Access has ended, and the customer has paid for it once more.
        perform ticket_open('duplicate', 'beside:' || beside,
            'A refunded order still holds a payment', o.id,
            coalesce(o.email, in_payment.email),
            format('Order %s was closed by the refund of payment %s, and %s is still'
                   ' charged. Refund it as well, or give access.', o.reference,
                   in_payment.payment_id, beside));
    end if;
    foreach kind in array '{review,payment_without_email,refund_proposed,fraud_warning,duplicate}'::text[] loop
        continue when kind = 'duplicate' and beside is not null;
        perform desk_solve(o.id, kind, 'system', 'The money has gone back.');
    end loop;
    return o;
end
$$;

-- subpay.hold_released: the bank holds this money no longer, and it was not taken: we
-- let it go, or its time was over, or somebody cancelled it at the provider. The order's
-- row is locked.
--
-- What was given for it ends, the customer is told that nothing was charged, and if
-- nobody had decided so, a person is told too. Internal.
create or replace function subpay.hold_released(
    in_order subpay.orders, in_payment subpay.payments, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    wanted boolean;
    p subpay.payments;
    answer subpay.settled;
begin
    update payments set state = 'released'
     where provider = in_payment.provider and payment_id = in_payment.payment_id
    returning * into p;
    wanted := exists (select from outbox m
                       where m.order_id = in_order.id and m.kind = 'refund'
                         and m.payload ->> 'payment_id' = p.payment_id);
    if in_order.payment_id is distinct from p.payment_id and in_order.state <> 'review'
       or in_order.state = 'refunded'
       or in_order.completed_at is null and payment_beside(p) is not null then
        if in_order.state = 'review' then
            update orders
               set processing = exists (select from payments k
                                         where k.order_id = in_order.id
                                           and k.state = 'held')
             where id = in_order.id
            returning * into in_order;
        end if;
        perform audit_add(in_actor, 'hold.released', in_order.id, null,
                          'payment ' || p.payment_id);
        return settle_answer('updated', 'released', in_order);
    end if;

    -- A capture that waits has nothing left to take. One that is with a worker now ends
    -- by the provider's own word.
    update outbox
       set state = 'sent', sent_at = now(), last_error = 'not taken: it was released'
     where order_id = in_order.id and kind = 'capture' and state = 'pending'
       and payload ->> 'payment_id' = p.payment_id;
    answer := order_refund(in_order, p, in_actor);
    if in_order.email is not null then
        insert into outbox (kind, template, dedupe_key, order_id, recipient, payload)
        values ('mail', 'released', 'released:' || p.payment_id, in_order.id,
                in_order.email, jsonb_build_object(
                    'had_access', in_order.completed_at is not null, 'wanted', wanted))
            on conflict (dedupe_key) do nothing;
        perform outbox_wake();
    end if;
    if not wanted then
        perform ticket_open('capture_failed', 'capture_failed:' || p.payment_id,
            'Money that was reserved could not be taken', in_order.id, in_order.email,
            format('The bank let go of the %s reserved for order %s before they were'
                   ' taken. Access has ended, nothing was charged, and the customer was'
                   ' told so.', money_text(p.amount, p.currency), in_order.reference));
    end if;
    return answer;
end
$$;

-- subpay.hold_taken: what was held for this order is taken now. The order's row is
-- locked. Internal.
--
-- in_held  the payment as it was before
create or replace function subpay.hold_taken(
    in_order subpay.orders, in_held subpay.payments, in_payment subpay.payments,
    in_actor text)
returns void
language plpgsql
as $$
begin
    update orders set processing = false, updated_at = now()
     where id = in_order.id and processing and payment_id = in_payment.payment_id;
    update outbox
       set state = 'sent', sent_at = now(), lease = null, leased_by = null,
           leased_until = null, last_error = null
     where order_id = in_order.id and kind = 'capture' and state = 'pending'
       and payload ->> 'payment_id' = in_payment.payment_id;
    perform audit_add(in_actor, 'payment.captured', in_order.id, null,
                      'payment ' || in_payment.payment_id);
    if in_payment.amount <> in_held.amount then
        perform ticket_open('captured_less', 'captured_less:' || in_payment.payment_id,
            'Not all that was reserved has been taken', in_order.id, in_order.email,
            format('%s of %s were taken for order %s. That was done by hand at the'
                   ' provider; the rest can not be taken any more.',
                   money_text(in_payment.amount, in_payment.currency),
                   money_text(in_held.amount, in_held.currency), in_order.reference));
    end if;
end
$$;

-- subpay.refund_withdraw: a refund that the machine had decided is not made after all: then
-- its order is a purchase like any other, and a person is asked. Internal.
create or replace function subpay.refund_withdraw(
    in_order subpay.orders, in_row subpay.outbox, in_reason text)
returns void
language plpgsql
as $$
begin
    if in_row.payload ->> 'why' = 'duplicate' then
        if in_order.state = 'completed' and in_order.duplicate_of is not null then
            perform order_credits_return(in_order, s.account_id)
               from subscriptions s
              where s.order_id = in_order.id and s.status = 'active';
        end if;
        perform ticket_open('duplicate', 'duplicate:' || (in_row.payload ->> 'payment_id'),
            'A customer paid twice', in_order.id, in_order.email,
            format('Payment %s of order %s is one too many, and was not sent back: %s.',
                   in_row.payload ->> 'payment_id', in_order.reference, in_reason));
    end if;
    perform audit_add('system', 'refund.withdrawn', in_order.id, null, in_reason, null,
                      jsonb_build_object('payment', in_row.payload ->> 'payment_id'));
end
$$;

-- subpay.refund_ask: a large refund: the first person asks, the second one confirms it by
-- asking for the same sum. Null: confirmed, go on; else what to answer. An ask is
-- forgotten after a week, or when somebody asks for another sum. Internal.
create or replace function subpay.refund_ask(
    in_ask jsonb, in_order subpay.orders, in_payment subpay.payments, in_amount bigint,
    in_duplicate boolean)
returns jsonb
language plpgsql
as $$
declare
    actor constant text := in_ask ->> 'actor';
    k subpay.refund_asks;
begin
    select * into k from refund_asks a
     where a.payment_id = in_payment.payment_id and a.provider = in_payment.provider
       and a.confirmed_at is null
       for update;
    if k.amount = in_amount and k.asked_at > now() - interval '7 days' then
        if k.asked_by = actor then
            return '{"verdict": "second_person"}';
        end if;
        update refund_asks set confirmed_by = actor, confirmed_at = now() where id = k.id;
        return null;
    end if;
    delete from refund_asks a where a.id = k.id;
    insert into refund_asks (order_id, provider, payment_id, amount, currency, reason,
                             asked_by)
    values (in_order.id, in_payment.provider, in_payment.payment_id, in_amount,
            in_payment.currency, coalesce(in_ask ->> 'reason', ''), actor);
    return desk_end('refund_asked', in_ask, in_order.id, null,
                    jsonb_build_object('payment', in_payment.payment_id,
                                       'amount', in_amount,
                                       'currency', in_payment.currency,
                                       'duplicate', in_duplicate),
                    jsonb_build_object('verdict', 'refund_asked',
                                       'payment', in_payment.payment_id,
                                       'paid_at', moment(in_payment.paid_at), 'amount',
                                       money_text(in_amount, in_payment.currency)));
end
$$;

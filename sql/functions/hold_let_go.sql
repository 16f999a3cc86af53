-- subpay.hold_let_go: money is held that nothing will be given for: it is let go. For
-- the worker a refund like any other; money that is not taken yet it releases. Internal.
create or replace function subpay.hold_let_go(
    in_order uuid, in_payment subpay.payments, in_actor text)
returns void
language plpgsql
as $$
begin
    insert into outbox (kind, dedupe_key, order_id, payload)
    values ('refund', 'let_go:' || in_payment.payment_id, in_order, jsonb_build_object(
        'provider', in_payment.provider, 'payment_id', in_payment.payment_id,
        'amount', in_payment.amount, 'currency', in_payment.currency,
        'duplicate', false, 'why', 'let_go', 'by', in_actor,
        'refunded_then', in_payment.amount_refunded,
        'asked_at', extract(epoch from now())::bigint))
        on conflict (dedupe_key) do nothing;
    if found then
        perform audit_add(in_actor, 'hold.let_go', in_order, null,
                          'payment ' || in_payment.payment_id);
        perform outbox_wake();
    end if;
end
$$;

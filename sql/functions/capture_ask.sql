-- subpay.capture_ask: access is given, so the money that is held for it is to be taken
-- now. The worker does it, under the row's own key. Internal.
create or replace function subpay.capture_ask(
    in_order uuid, in_payment subpay.payments, in_again text default '')
returns void
language plpgsql
as $$
begin
    insert into outbox (kind, dedupe_key, order_id, payload)
    values ('capture', 'capture:' || in_payment.payment_id || in_again, in_order,
            jsonb_build_object(
                'provider', in_payment.provider, 'payment_id', in_payment.payment_id,
                'amount', in_payment.amount, 'currency', in_payment.currency,
                'asked_at', extract(epoch from now())::bigint))
        on conflict (dedupe_key) do nothing;
end
$$;

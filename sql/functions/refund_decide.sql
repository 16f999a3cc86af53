-- subpay.refund_decide: the machine decides to send a payment back, whole. The worker makes
-- it, under the key of the row: once, however often this is called. True when it is
-- decided, now or before; false when it must not be.
--
-- in_why   duplicate: paid twice; unasked: it could not be turned into access
-- in_kept  duplicate: the order that stays
-- Internal.
create or replace function subpay.refund_decide(
    in_order subpay.orders, in_payment subpay.payments, in_why text, in_kept uuid)
returns boolean
language plpgsql
as $$
declare
    amount constant bigint := in_payment.amount - in_payment.amount_refunded;
    dedupe constant text := 'refund:' || in_why || ':' || in_payment.payment_id;
begin
    if exists (select from outbox m where m.dedupe_key = dedupe and m.state <> 'dead') then
        return true;
    elsif amount <= 0
          or refund_blocked(in_payment.provider, in_payment.payment_id) is not null
          or exists (select from outbox m where m.dedupe_key = dedupe) then
        return false;
    end if;
    insert into outbox (kind, dedupe_key, order_id, payload)
    values ('refund', dedupe, in_order.id, jsonb_strip_nulls(jsonb_build_object(
        'provider', in_payment.provider, 'payment_id', in_payment.payment_id,
        'amount', amount, 'currency', in_payment.currency,
        'duplicate', in_why = 'duplicate', 'why', in_why, 'kept', in_kept,
        'by', 'system', 'refunded_then', in_payment.amount_refunded,
        'asked_at', extract(epoch from now())::bigint)));
    perform audit_add('system', 'refund.' || in_why, in_order.id, null,
        'payment ' || in_payment.payment_id, null,
        jsonb_build_object('amount', amount, 'currency', in_payment.currency));
    perform outbox_wake();
    return true;
end
$$;

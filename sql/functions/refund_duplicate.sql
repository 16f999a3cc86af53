-- subpay.refund_duplicate: send a payment back that is one too many, because the owner
-- wants that done unasked (SubPayDuplicates refund). True when it is decided, now or
-- before; false: a person's.
--
-- in_order    the order that the payment stands in
-- in_kept     the order that stays, which may be the same: its payment must be whole and
--             in nobody's question, or the customer might end up with nothing
-- Internal.
create or replace function subpay.refund_duplicate(
    in_order subpay.orders, in_payment subpay.payments, in_kept subpay.orders)
returns boolean
language plpgsql
as $$
declare
    rules subpay.settings;
    k subpay.payments;
begin
    select * into rules from settings;
    select * into k from payments p
     where p.provider = in_kept.provider and p.payment_id = in_kept.payment_id;
    if rules.duplicates <> 'refund' or in_kept.state <> 'completed'
       or k.payment_id is null or k.amount_refunded > 0
       or refund_blocked(k.provider, k.payment_id) is not null
       or coalesce(in_payment.paid_at, now()) - coalesce(in_kept.paid_at, now())
          > rules.duplicate_window then
        return false;
    end if;
    return refund_decide(in_order, in_payment, 'duplicate', in_kept.id);
end
$$;

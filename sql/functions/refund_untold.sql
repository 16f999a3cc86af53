-- subpay.refund_untold: what stands for the name of a refund that was never told to us by
-- itself, only as the payment's running total. Internal.
create or replace function subpay.refund_untold(in_payment subpay.payments) returns text
language sql immutable
as $$
    select format('total:%s:%s', in_payment.payment_id, in_payment.amount_refunded)
$$;

-- subpay.money_gone: does the money of a period count for nothing: refunded in full, or
-- lost in a dispute? A part that goes back takes nothing along. Internal.
create or replace function subpay.money_gone(in_payment subpay.payments) returns boolean
language sql stable
as $$
    select in_payment.amount > 0 and in_payment.amount_refunded = in_payment.amount
        or exists (select from subpay.disputes d
                    where d.provider = in_payment.provider
                      and d.payment_id = in_payment.payment_id and d.status = 'lost')
$$;

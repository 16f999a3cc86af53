-- subpay.payment_part: what a payment is to its order: the "purchase" that completed it or
-- may still, a "renewal" (one of its further periods), or a "second" one: one too many.
-- Internal.
create or replace function subpay.payment_part(
    in_order subpay.orders, in_payment subpay.payments)
returns text
language sql stable
as $$
    select case
        when in_order.payment_id is null or in_payment.payment_id = in_order.payment_id
            then 'purchase'
        when exists (select from subpay.periods p
                       join subpay.renewals r on r.renewal_id = p.renewal_id
                                             and r.provider = p.provider and not r.extra
                      where p.payment_id = in_payment.payment_id
                        and p.provider = in_payment.provider)
            then 'renewal'
        else 'second' end
$$;

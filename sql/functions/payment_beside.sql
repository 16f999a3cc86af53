-- subpay.payment_beside: another payment of the same order whose money has neither gone
-- back nor been let go; the oldest, or null. While there is one, the end of this payment
-- is not the end of the order. Internal.
create or replace function subpay.payment_beside(in_payment subpay.payments) returns text
language sql stable
as $$
    select p.payment_id
      from subpay.payments p
     where p.order_id = in_payment.order_id and p.provider = in_payment.provider
       and p.payment_id <> in_payment.payment_id
       and p.state <> 'released' and p.amount_refunded < p.amount
     order by p.created_at, p.payment_id
     limit 1
$$;

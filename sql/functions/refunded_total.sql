-- subpay.refunded_total: how much of a payment is refunded now.
--
-- in_said  the highest total that a word about the payment has named
-- What was named counts until a refund is known to have failed; what single refunds sum
-- to counts even where the total was never named. No clock decides, so the order in
-- which all that was told does not matter. Internal.
create or replace function subpay.refunded_total(
    in_provider text, in_payment text, in_said bigint)
returns bigint
language sql stable
as $$
    select greatest(
               coalesce(sum(r.amount) filter (where r.status in ('pending', 'succeeded')), 0),
               in_said
               - coalesce(sum(r.amount) filter (where r.status in ('failed', 'cancelled')), 0)
           )::bigint
      from subpay.refunds r
     where r.provider = in_provider and r.payment_id = in_payment
$$;

-- subpay.refund_needs_two: must a second person confirm that so much of a payment goes
-- back, in all? Where sums are set at all, a currency without one counts as above it.
-- Internal.
create or replace function subpay.refund_needs_two(in_amount bigint, in_currency text)
returns boolean
language sql stable
as $$
    select s.refund_confirm <> '{}'
           and in_amount > coalesce((s.refund_confirm ->> in_currency)::bigint, 0)
      from subpay.settings s
$$;

-- subpay.refunds_unmatched: which refunds of one page of the provider's list are not as they
-- should be here. Only those of payments that are ours: others are none of our business.
-- The arrays run in parallel; the answer is positions, from 1.
create or replace function subpay.refunds_unmatched(
    in_provider text, in_ids text[], in_payments text[], in_statuses text[])
returns setof int
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return query
    select l.n::int
      from unnest(in_ids, in_payments, in_statuses)
               with ordinality as l (id, payment, status, n)
      join subpay.payments p on p.provider = in_provider and p.payment_id = l.payment
     where not exists (
           select from subpay.refunds r
            where r.provider = in_provider and r.refund_id = l.id
              and subpay.status_rank(r.status) >= subpay.status_rank(l.status))
     order by l.n;
end
$$;

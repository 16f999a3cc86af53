-- subpay.disputes_unmatched: which disputes of one page of the provider's list are not as
-- they should be here, of payments that are ours. As refunds_unmatched.
create or replace function subpay.disputes_unmatched(
    in_provider text, in_ids text[], in_payments text[], in_statuses text[])
returns setof int
language sql stable security definer
set search_path = subpay, pg_temp
as $$
    select l.n::int
      from unnest(in_ids, in_payments, in_statuses)
               with ordinality as l (id, payment, status, n)
      join subpay.payments p on p.provider = in_provider and p.payment_id = l.payment
     where not exists (
           select from subpay.disputes d
            where d.provider = in_provider and d.dispute_id = l.id and d.status = l.status)
     order by l.n
$$;

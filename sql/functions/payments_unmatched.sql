-- subpay.payments_unmatched: which succeeded payments of one page of the provider's list
-- are not as they should be here: missing, different, or without an order that has
-- taken them in. The arrays run in parallel; the answer is positions, from 1.
create or replace function subpay.payments_unmatched(
    in_provider text, in_ids text[], in_amounts bigint[], in_refunded bigint[],
    in_disputed boolean[])
returns setof int
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return query
        select l.n::int
          from unnest(in_ids, in_amounts, in_refunded, in_disputed)
                   with ordinality as l (id, amount, refunded, disputed, n)
         where not exists (
               select
                 from payments p
                 join orders o on o.id = p.order_id
                where p.provider = in_provider and p.payment_id = l.id
                  and p.amount = l.amount and p.state = 'taken'
                  and p.amount_refunded = coalesce(l.refunded, 0)
                  and p.disputed = coalesce(l.disputed, false)
                  and o.state in ('completed', 'refunded', 'review'))
         order by l.n;
end
$$;

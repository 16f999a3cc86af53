-- subpay.periods_unmatched: which periods of one page of the provider's list are still
-- to be settled here: paid ones that are not paid here, failed ones with more tries than
-- we know of. The arrays run in parallel; the answer is positions, from 1.
create or replace function subpay.periods_unmatched(
    in_provider text, in_ids text[], in_paid boolean[], in_tries int[])
returns setof int
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return query
        select l.n::int
          from unnest(in_ids, in_paid, in_tries)
                   with ordinality as l (id, paid, tries, n)
         where not exists (
               select from periods p
                where p.provider = in_provider and p.invoice_id = l.id
                  and (p.state = 'paid' or not l.paid and p.tries >= l.tries))
         order by l.n;
end
$$;

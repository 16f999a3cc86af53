-- subpay.search_claim: take up the search that is longest due, for in_lease_s seconds;
-- no row when there is none. A worker that dies gives it back by letting the time run
-- out.
drop function if exists subpay.search_claim(int);

create or replace function subpay.search_claim(in_worker uuid, in_lease_s int)
returns table (
    id uuid, lease uuid, email text, reference text, amount bigint, currency text,
    day bigint, last4 text)
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
begin
    return query
        update searches s
           set attempts = s.attempts + 1, lease = gen_random_uuid(),
               leased_by = in_worker,
               next_try_at = now() + in_lease_s * interval '1 s'
         where s.id = (select n.id from searches n
                        where n.state = 'open' and n.next_try_at <= now()
                        order by n.next_try_at
                        limit 1
                          for update skip locked)
        returning s.id, s.lease, s.email, s.reference, s.amount, s.currency,
                  epoch_us(s.day::timestamp at time zone 'UTC'), s.last4;
end
$$;

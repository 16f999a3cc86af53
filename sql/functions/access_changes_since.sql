-- subpay.access_changes_since: from whom something was taken away within that time, and
-- when (epoch microseconds). For a node that begins to listen.
create or replace function subpay.access_changes_since(in_within interval)
returns table (account_id uuid, at bigint)
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return query select c.account_id, epoch_us(c.at)
                   from access_changes c
                  where c.at > now() - in_within;
end
$$;

-- subpay.account_used: a customer used today what a gate protects. Only the first of a day
-- writes anything.
create or replace function subpay.account_used(in_account uuid) returns void
language plpgsql security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
begin
    insert into account_days as d (account_id, day, used_at)
    select a.id, (now() at time zone 'UTC')::date, now()
      from accounts a where a.id = in_account
        on conflict (account_id, day) do update set used_at = now()
     where d.used_at is null;
end
$$;

-- subpay.session_open: somebody has shown who they are. Also one more log-in of that day:
-- sessions are forgotten, and a bank asks months later.
create or replace function subpay.session_open(
    in_account uuid, in_token_hash bytea, in_life interval)
returns void
language plpgsql security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
begin
    insert into sessions (token_hash, account_id, expires_at)
    values (in_token_hash, in_account, now() + in_life);
    insert into account_days as d (account_id, day, logins)
    values (in_account, (now() at time zone 'UTC')::date, 1)
        on conflict (account_id, day) do update set logins = d.logins + 1;
end
$$;

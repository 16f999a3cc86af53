-- subpay.session_open: somebody has shown who they are.
create or replace function subpay.session_open(
    in_account uuid, in_token_hash bytea, in_life interval)
returns void
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    insert into sessions (token_hash, account_id, expires_at)
    values (in_token_hash, in_account, now() + in_life);
end
$$;

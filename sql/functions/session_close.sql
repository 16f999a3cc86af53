-- subpay.session_close: log out. Closing twice changes nothing.
create or replace function subpay.session_close(in_token_hash bytea)
returns void
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    update sessions s set revoked_at = now()
     where s.token_hash = in_token_hash and s.revoked_at is null;
end
$$;

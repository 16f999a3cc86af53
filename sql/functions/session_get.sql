-- subpay.session_get: whose session this is and what they may use; no row when it has
-- ended. Notes that it was seen, but writes at most once in ten minutes.
create or replace function subpay.session_get(in_token_hash bytea)
returns setof subpay.account_row
language plpgsql security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
declare
    s sessions;
begin
    select * into s from sessions t
     where t.token_hash = in_token_hash
       and t.revoked_at is null and t.expires_at > now();
    if not found then
        return;
    end if;
    if s.seen_at < now() - interval '10 minutes' then
        update sessions t set seen_at = now() where t.token_hash = in_token_hash;
    end if;
    return query select * from account_rows(s.account_id);
end
$$;

-- subpay.access_clean: forget sessions and links that ended over a week ago, and what
-- no grace reaches back to; how many rows.
create or replace function subpay.access_clean()
returns bigint
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    gone bigint;
    total bigint;
begin
    delete from sessions s
     where least(s.expires_at, s.revoked_at) < now() - interval '7 days';
    get diagnostics total = row_count;
    delete from account_links l
     where least(l.expires_at, l.used_at) < now() - interval '7 days';
    get diagnostics gone = row_count;
    total := total + gone;
    delete from access_changes c where c.at < now() - interval '7 days';
    get diagnostics gone = row_count;
    return total + gone;
end
$$;

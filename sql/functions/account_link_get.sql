-- subpay.account_link_get: whose link this is while it works; null otherwise. Looking
-- spends nothing: mail scanners open links.
create or replace function subpay.account_link_get(in_token_hash bytea)
returns text
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return (select a.email
              from account_links l
              join accounts a on a.id = l.account_id
             where l.token_hash = in_token_hash
               and l.used_at is null and l.expires_at > now());
end
$$;

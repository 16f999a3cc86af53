-- subpay.account_link: write down a link that chooses a password; its address, or null
-- when the account is gone.
--
-- Made when a mail is written, so that the token stands in the mail and nowhere else.
-- A mail that is written again (the server did not take it) gets a new one: the old
-- ones work until one of them is used.
create or replace function subpay.account_link(
    in_account uuid, in_token_hash bytea, in_life interval)
returns text
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    address text;
begin
    select a.email into address from accounts a where a.id = in_account;
    if found then
        insert into account_links (token_hash, account_id, expires_at)
        values (in_token_hash, in_account, now() + in_life);
    end if;
    return address;
end
$$;

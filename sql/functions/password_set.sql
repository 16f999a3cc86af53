-- subpay.password_set: a new password, by a mailed link or in the browser that paid.
--
-- in_link_hash   the link, which this spends together with all others of the account
-- in_order_hash  else the token of an order: chooses the first password, never another
-- in_session     hash of the session that begins here; every other one ends
-- verdict        'set', 'expired' (link unknown, used or too old), 'has_password' or
--                'no_order' (not completed)
create or replace function subpay.password_set(
    in_link_hash bytea, in_order_hash bytea, in_password_hash text,
    in_session bytea, in_life interval,
    out verdict text, out account_id uuid)
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    had text;
begin
    if in_link_hash is not null then
        select l.account_id into account_id
          from account_links l
         where l.token_hash = in_link_hash
           and l.used_at is null and l.expires_at > now();
        verdict := 'expired';
    else
        select b.account_id into account_id from account_by_order(in_order_hash, null) b;
        verdict := 'no_order';
    end if;
    if account_id is null then
        return;
    end if;

    -- The account's lock makes two uses of one link queue up; the second finds it used.
    select a.password_hash into had from accounts a where a.id = account_id for update;
    if in_link_hash is not null and not exists (
           select from account_links l
            where l.token_hash = in_link_hash and l.used_at is null) then
        account_id := null;
        return;
    elsif in_link_hash is null and had is not null then
        verdict := 'has_password';
        account_id := null;
        return;
    end if;

    update account_links l set used_at = now()
     where l.account_id = password_set.account_id and l.used_at is null;
    update accounts a set password_hash = in_password_hash where a.id = account_id;
    update sessions s set revoked_at = now()
     where s.account_id = password_set.account_id and s.revoked_at is null;
    perform session_open(account_id, in_session, in_life);
    perform audit_add('customer', case when had is null then 'account.password_set'
                                       else 'account.password_changed' end,
                      null, account_id,
                      case when in_link_hash is null then 'in the browser that paid'
                           else 'by mailed link' end);
    verdict := 'set';
end
$$;

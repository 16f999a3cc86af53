-- subpay.credits_get: an account's balance, and its last entries, the newest first. At
-- least one row for an account, without an entry where there is none; no row when there
-- is no such account.
create or replace function subpay.credits_get(in_account text, in_limit int)
returns table (email text, balance bigint, entry bigint, amount bigint, reason text,
               reference text, balance_after bigint, at bigint)
language plpgsql stable security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
begin
    return query
    select a.email, a.credits, t.id, t.amount, t.reason, o.reference, t.balance_after,
           epoch_us(t.created_at)
      from accounts a
      left join lateral (
        select * from credit_transactions c
         where c.account_id = a.id
         order by c.id desc
         limit in_limit) t on true
      left join orders o on o.id = t.order_id
     where a.email = email_fold(in_account)
     order by t.id desc;
end
$$;

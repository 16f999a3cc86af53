-- subpay.entitlements_get: what the customer with this address may use: one row for each
-- plan, one without a plan for an account that never had any, none when there is no
-- such account.
create or replace function subpay.entitlements_get(in_account text)
returns table (email text, credits bigint, product text, active boolean,
               starts_at bigint, expires_at bigint, renews boolean, status text)
language plpgsql stable security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
begin
    return query
    select e.email, e.credits, e.product, e.active, e.starts_at, e.expires_at, e.renews,
           e.status
      from accounts a, entitlement_rows(a.id) e
     where a.email = email_fold(in_account);
end
$$;

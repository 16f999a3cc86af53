-- subpay.entitlement_rows: what an account may use, as the application is told: what the
-- gates see, and why. Internal.
--
-- status: active; else of the plan's last subscription: refunded, suspended, ended, or
-- scheduled when it has not begun.
create or replace function subpay.entitlement_rows(in_account uuid)
returns table (email text, credits bigint, product text, reference text, active boolean,
               starts_at bigint, expires_at bigint, renews boolean, status text)
language sql stable
as $$
    select p.email, p.credits, p.product, p.reference, p.active, p.starts_at,
           p.expires_at, l.renews,
           case when p.active then 'active'
                when l.status <> 'active' then l.status
                when l.starts_at > now() then 'scheduled'
                else 'ended' end
      from subpay.account_rows(in_account) p
      left join lateral (
        select s.renews and s.status = 'active' as renews, s.status, s.starts_at
          from subpay.subscriptions s
         where s.account_id = in_account and s.product = p.product
         order by s.status = 'active' desc, s.starts_at desc
         limit 1) l on true
$$;

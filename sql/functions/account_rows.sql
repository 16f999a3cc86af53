-- subpay.account_rows: an account and its plans, one row for each plan; one row without
-- a plan for an account that never had any. Internal.
--
-- A plan bought again while it ran continues behind the first: expires_at is the end of
-- all that is paid for, or that of the grace where a renewal is due. When nothing is
-- active, it is when the last one ended.
create or replace function subpay.account_rows(in_account uuid)
returns setof subpay.account_row
language sql stable
as $$
    select a.id, a.email, a.name, a.credits, a.password_hash is not null,
           p.product, p.title, p.reference, p.active, p.starts_at, p.expires_at
      from subpay.accounts a
      left join lateral (
        select s.product,
               (array_agg(o.title order by s.starts_at desc))[1] as title,
               (array_agg(o.reference order by s.starts_at desc))[1] as reference,
               bool_or(s.status = 'active' and s.starts_at <= now()
                       and now() < coalesce(greatest(s.expires_at, s.grace_until),
                                            'infinity')) as active,
               subpay.epoch_us(min(s.starts_at)) as starts_at,
               case when bool_or(s.status = 'active' and s.expires_at is null) then 0
                    else subpay.epoch_us(coalesce(
                        max(case when s.expires_at <= now()
                                 then greatest(s.expires_at, s.grace_until)
                                 else s.expires_at end) filter (where s.status = 'active'),
                        max(coalesce(s.ended_at, s.expires_at, s.starts_at))))
               end as expires_at
          from subpay.subscriptions s
          join subpay.orders o on o.id = s.order_id
         where s.account_id = a.id
         group by s.product) p on true
     where a.id = in_account
     order by p.active desc nulls last, p.expires_at desc
$$;

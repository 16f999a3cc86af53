-- subpay.renewals_of: the renewals of an account's orders, for its page. Moments are
-- epoch microseconds, 0 for none.
--
-- pay_url  of a period that is due and not paid
create or replace function subpay.renewals_of(in_account uuid)
returns table (reference text, state text, wanted text, renews_at bigint,
               grace_until bigint, declined boolean, pay_url text)
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
begin
    return query
        select o.reference, r.state, r.wanted, epoch_us(s.expires_at),
               epoch_us(s.grace_until), p.invoice_id is not null, p.pay_url
          from subscriptions s
          join orders o on o.id = s.order_id
          join renewals r on r.order_id = o.id and not r.extra
          left join lateral (
            select f.invoice_id, f.pay_url
              from periods f
             where f.order_id = o.id and f.state = 'failed'
               and not exists (select from periods q
                                where q.order_id = o.id and q.state = 'paid'
                                  and q.ends_at >= f.ends_at)
             order by f.ends_at desc
             limit 1) p on true
         where s.account_id = in_account and s.status = 'active'
           and coalesce(greatest(s.expires_at, s.grace_until), 'infinity') > now();
end
$$;

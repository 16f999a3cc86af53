-- subpay.search_orders: the orders that fit a search, those still open first, at most 10.
--
-- By the address typed at checkout or corrected since, by the reference, by the browser.
-- (A description by card is the provider's to answer.) Only of the mode that counts
-- here: test money is nobody's payment in production.
create or replace function subpay.search_orders(in_search uuid)
returns setof subpay.order_now
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return query
        with s as (select * from searches t where t.id = in_search),
        hit as (
            select o.id from s join orders o on email_fold(o.email) = email_fold(s.email)
            union
            select u.order_id
              from s
              join accounts a on a.email = email_fold(s.email)
              join subscriptions u on u.account_id = a.id
            union
            select o.id from s join orders o on o.reference = s.reference
            union
            select o.id from s join orders o on o.token_hash = s.token_hash)
        select r.*
          from hit
          join order_now r on r.id = hit.id
         where r.mode = (select coalesce(c.mode, r.mode) from settings c)
         order by r.state in ('completed', 'review', 'refunded'), r.created_at desc
         limit 10;
end
$$;

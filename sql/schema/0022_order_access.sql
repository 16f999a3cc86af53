-- 0022_order_access: an order as every reading function answers it from here on: order_row,
-- and whether it gives access now. Paid is not the same: a plan runs out, a lost dispute
-- closes it, and no page may say "You have access" then.
--
-- A view of its own, because the functions of the version before go on reading order_row
-- until their turn comes, in a transaction behind this one.
create view subpay.order_now as
select r.*,
       case when s.status = 'suspended' then 'suspended'
            when s.status = 'active'
                 and now() < coalesce(greatest(s.expires_at, s.grace_until), 'infinity')
            then 'open'
            when s.status is not null then 'ended'
       end as access  -- null: no subscription
  from subpay.order_row r
  left join subpay.subscriptions s on s.order_id = r.id;

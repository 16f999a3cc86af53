-- subpay.renews_beside: does this access renew, as the order would too? Then the customer
-- would be charged twice each period. Internal.
create or replace function subpay.renews_beside(
    in_access subpay.subscriptions, in_order subpay.orders)
returns boolean
language sql stable
as $$
    select in_order.renews and in_access.renews and in_access.order_id <> in_order.id
       and greatest(in_access.expires_at, in_access.grace_until) > now()
$$;
